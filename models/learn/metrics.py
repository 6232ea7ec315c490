"""How good an estimate is: who is ranked first, and whether a chance of 30 % comes true in 30 %."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from models.learn.columns import FloatArray

BINS = 10
TOPS = (0.01, 0.05, 0.10)
INTERVAL = (2.5, 97.5)

Measure = Callable[[FloatArray, FloatArray], float]


def _auc(outcome: FloatArray, chance: FloatArray) -> float:
    return float(roc_auc_score(outcome, chance))


def _pr_auc(outcome: FloatArray, chance: FloatArray) -> float:
    return float(average_precision_score(outcome, chance))


def _brier(outcome: FloatArray, chance: FloatArray) -> float:
    return float(brier_score_loss(outcome, chance))


MEASURES: dict[str, Measure] = {"auc": _auc, "pr_auc": _pr_auc, "brier": _brier}


@dataclass(frozen=True)
class Figure:
    """A measure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


def measured(outcome: FloatArray, chance: FloatArray, rounds: int, seed: int) -> dict[str, Figure]:
    """AUC, PR-AUC and Brier score with intervals over ``rounds`` resamples of the firms.

    Both classes must be there; a resample of one class is drawn again.
    """
    rng = np.random.default_rng((seed, len(outcome)))
    drawn = [_resample(rng, outcome) for _ in range(rounds)]
    found = {}
    for name, measure in MEASURES.items():
        values = [measure(outcome[rows], chance[rows]) for rows in drawn] or [measure(outcome, chance)]
        low, high = np.percentile(values, INTERVAL)
        found[name] = Figure(measure(outcome, chance), float(low), float(high))
    return found


def _resample(rng: np.random.Generator, outcome: FloatArray) -> Any:
    while True:
        rows = rng.integers(0, len(outcome), len(outcome))
        if 0 < outcome[rows].sum() < len(rows):
            return rows


@dataclass(frozen=True)
class Calibration:
    """Ten bins of equal width: firms, mean chance, share that came true; and their mean distance."""

    bins: tuple[tuple[int, float, float], ...]
    error: float


def calibration(outcome: FloatArray, chance: FloatArray) -> Calibration:
    """``error``: mean of |chance − share| over the bins, weighted by firms (expected calibration error)."""
    place = np.minimum((chance * BINS).astype(int), BINS - 1)
    rows, error = [], 0.0
    for k in range(BINS):
        here = place == k
        count = int(here.sum())
        if count:
            said, came = float(chance[here].mean()), float(outcome[here].mean())
            rows.append((count, said, came))
            error += count / len(outcome) * abs(said - came)
    return Calibration(tuple(rows), error)


def tops(outcome: FloatArray, chance: FloatArray) -> list[dict[str, float]]:
    """Precision and lift among the highest 1, 5 and 10 %."""
    order = np.argsort(-chance, kind="stable")
    base = float(outcome.mean())
    found = []
    for share in TOPS:
        count = max(round(len(order) * share), 1)
        precision = float(outcome[order[:count]].mean())
        found.append(
            {
                "share": share,
                "firms": count,
                "precision": precision,
                "lift": precision / base if base else 0.0,
            }
        )
    return found
