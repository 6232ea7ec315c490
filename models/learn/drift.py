"""Drift: how far the firms of today lie from those that a model learned from (population stability index).

PSI = Σ (now − then) · ln(now ÷ then) over tenths of the training firms and a bin for blanks. The usual marks:
below 0.1 stable, from 0.25 shifted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.learn.columns import FloatArray
from models.learn.model import Model
from models.learn.outlook import Scores

TENTHS = 10
WATCH, SHIFTED = 0.1, 0.25
LEAST = 1e-4
"""A share of nothing counts as so much, or the logarithm would be infinite."""

Mark = Literal["stable", "watch", "shifted"]


@dataclass(frozen=True)
class Tally:
    """Firms by bin, for every feature and for the score; tallies of parts add up."""

    firms: int
    features: tuple[FloatArray, ...]
    score: FloatArray

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.firms + other.firms,
            tuple(mine + theirs for mine, theirs in zip(self.features, other.features, strict=True)),
            self.score + other.score,
        )

    def as_dict(self) -> dict[str, object]:
        """For a part's record."""
        return {
            "firms": self.firms,
            "features": [counts.tolist() for counts in self.features],
            "score": self.score.tolist(),
        }


@dataclass(frozen=True)
class Drift:
    """PSI of the score and of every feature, with its mark."""

    firms: int
    score: float
    features: Mapping[str, float]

    @property
    def marks(self) -> Mapping[str, Mark]:
        return {name: mark_of(value) for name, value in {"score": self.score, **self.features}.items()}


def mark_of(psi: float) -> Mark:
    return "stable" if psi < WATCH else "watch" if psi < SHIFTED else "shifted"


def tally_of(stored: Mapping[str, object]) -> Tally:
    """What :meth:`Tally.as_dict` gave."""
    features, score = stored["features"], stored["score"]
    assert isinstance(features, list)
    return Tally(int(str(stored["firms"])), tuple(np.array(one) for one in features), np.array(score))


def tally(model: Model, scores: Scores) -> Tally:
    """Count the firms that were estimated."""
    features = tuple(
        np.bincount(bins, minlength=scale.bins).astype(np.float64)
        for scale, bins in zip(model.binner.scales, scores.bins, strict=True)
    )
    edges = model.score_edges
    places = np.searchsorted(edges, scores.score, side="right")
    counts = np.bincount(places, minlength=len(edges) + 1).astype(np.float64)
    return Tally(len(scores.score), features, counts)


def drift(model: Model, found: Tally) -> Drift:
    """Compare a tally with the firms of the model's training. ``firms`` of 0: every PSI is 0."""
    names = [feature.key for feature in model.task.features]
    score = _psi([(k, k + 1) for k in range(len(found.score))], found.score, model.bundle["score_shares"])
    then = dict(zip(names, model.bundle["shares"], strict=True))
    values = {
        name: _psi(_tenths(then[name]), now, then[name])
        for name, now in zip(names, found.features, strict=True)
    }
    return Drift(found.firms, score, values)


def _tenths(shares: FloatArray) -> list[tuple[int, int]]:
    """Runs of bins that hold about a tenth of the training firms each; the blank's bin stands alone."""
    runs, start, held = [], 0, 0.0
    for place, share in enumerate(shares[:-1]):
        held += share
        if held >= 1 / TENTHS - 1e-9:
            runs.append((start, place + 1))
            start, held = place + 1, 0.0
    if start < len(shares) - 1:
        runs.append((start, len(shares) - 1))
    return [*runs, (len(shares) - 1, len(shares))]


def _psi(runs: Sequence[tuple[int, int]], now: FloatArray, then: FloatArray) -> float:
    total = float(now.sum())
    if not total:
        return 0.0
    before = np.array([then[a:b].sum() for a, b in runs])
    after = np.array([now[a:b].sum() for a, b in runs]) / total
    before, after = (np.maximum(shares, LEAST) for shares in (before, after))
    return float(np.sum((after - before) * np.log(after / before)))
