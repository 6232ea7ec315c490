"""A model beside its rival on firms that neither was fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from sklearn.metrics import roc_auc_score

from models.learn.columns import FloatArray
from models.learn.metrics import calibration, measured, tops

ROUNDS = 200
MANY = 50_000
"""Beyond so many firms a fifth of the resamples tells the interval as well."""
LEAST_IN_GROUP = 30


@dataclass(frozen=True)
class Trial:
    """Firms with what became of them, the model's chance and the rival's; all of shape (firms,)."""

    outcome: FloatArray
    chance: FloatArray
    rival: FloatArray


def evaluate(tested: Trial, groups: Mapping[str, pl.Series], seed: int = 0) -> dict[str, Any]:
    """The whole comparison as a document.

    ``beats_rival``: a lower Brier score and a higher PR-AUC than the rival's (design.md §7).
    """
    rounds = ROUNDS if len(tested.outcome) <= MANY else ROUNDS // 5
    model = measured(tested.outcome, tested.chance, rounds, seed)
    rival = measured(tested.outcome, tested.rival, rounds, seed)
    curve = calibration(tested.outcome, tested.chance)
    return {
        "firms": len(tested.outcome),
        "yes": int(tested.outcome.sum()),
        "base_rate": float(tested.outcome.mean()),
        "model": {name: figure.as_dict() for name, figure in model.items()},
        "rival": {name: figure.as_dict() for name, figure in rival.items()},
        "beats_rival": (
            model["brier"].value < rival["brier"].value and model["pr_auc"].value > rival["pr_auc"].value
        ),
        "calibration": {
            "error": curve.error,
            "bins": [{"firms": n, "said": said, "came": came} for n, said, came in curve.bins],
        },
        "tops": tops(tested.outcome, tested.chance),
        "rival_tops": tops(tested.outcome, tested.rival),
        "groups": {name: _by_group(tested, group) for name, group in groups.items()},
    }


def _by_group(tested: Trial, group: pl.Series) -> list[dict[str, Any]]:
    table = pd.DataFrame(
        {
            "group": group.to_list(),
            "outcome": tested.outcome,
            "chance": tested.chance,
            "square": (tested.chance - tested.outcome) ** 2,
        }
    )
    found = [_row(str(name), rows) for name, rows in table.groupby("group", sort=True)]
    return sorted(found, key=lambda row: -int(row["firms"]))


def _row(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    both = len(rows) >= LEAST_IN_GROUP and 0 < rows["outcome"].sum() < len(rows)
    return {
        "group": name,
        "firms": len(rows),
        "base_rate": float(rows["outcome"].mean()),
        "mean_score": float(rows["chance"].mean()),
        "auc": float(roc_auc_score(rows["outcome"], rows["chance"])) if both else None,
        "brier": float(np.mean(rows["square"])),
    }
