"""The two kinds of model that are tried: boosted trees and a regularised logistic one, both on bins.

Trees obey the task's directions by scikit-learn's monotone constraints and look at one feature (or the task's
pair) each. The logistic model is linear in the middles of the bins, with a term for a blank and one per
category; a feature whose slope points against its direction is left out and the rest fitted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from models.learn.additive import Margin, Tables, tabulate
from models.learn.bins import BinArray, Binner
from models.learn.columns import FloatArray
from models.learn.tasks import Task

Kind = Literal["trees", "logistic"]

ROUNDS = 200
RATE = 0.1
LEAVES = 12
STRENGTHS = (0.003, 0.03, 0.3)
"""Inverse penalties that the logistic model is tried with."""


@dataclass(frozen=True)
class Rows:
    """What is fitted to: bins by feature, outcomes 0 or 1, weights; all of shape (rows,)."""

    bins: Sequence[BinArray]
    outcome: FloatArray
    weight: FloatArray

    def __len__(self) -> int:
        return len(self.outcome)


@dataclass(frozen=True)
class Fitted:
    """A fitted estimator with its tables; ``settings``: what the inner split chose."""

    kind: Kind
    estimator: Any
    tables: Tables
    settings: dict[str, float]


def fit(kind: Kind, task: Task, binner: Binner, rows: Rows, settings: dict[str, float], seed: int) -> Fitted:
    """Fit one kind with settings that :func:`settle` found."""
    if kind == "trees":
        estimator = _trees(task, binner, len(rows), int(settings["rounds"]), seed)
        estimator.fit(_as_matrix(binner, rows.bins), rows.outcome, sample_weight=rows.weight)
    else:
        estimator = _logistic(task, binner, rows, settings["strength"])
    return Fitted(kind, estimator, tables_of(kind, estimator, task, binner), settings)


def settle(kind: Kind, task: Task, binner: Binner, rows: Rows, later: Rows, seed: int) -> dict[str, float]:
    """The settings with the least log loss on later rows (inner time-split)."""
    if kind == "trees":
        estimator = _trees(task, binner, len(rows), ROUNDS, seed)
        estimator.fit(_as_matrix(binner, rows.bins), rows.outcome, sample_weight=rows.weight)
        staged = estimator.staged_predict_proba(_as_matrix(binner, later.bins))
        losses = [log_loss(later.outcome, chance[:, 1], labels=[0, 1]) for chance in staged]
        return {"rounds": float(np.argmin(losses) + 1)}
    losses = []
    for strength in STRENGTHS:
        margin = margin_of("logistic", _logistic(task, binner, rows, strength), binner)(later.bins)
        losses.append(log_loss(later.outcome, 1 / (1 + np.exp(-margin)), labels=[0, 1]))
    return {"strength": STRENGTHS[int(np.argmin(losses))]}


def tables_of(kind: Kind, estimator: Any, task: Task, binner: Binner) -> Tables:
    together = task.place(task.together[0]), task.place(task.together[1])
    return tabulate(margin_of(kind, estimator, binner), binner, together)


def margin_of(kind: Kind, estimator: Any, binner: Binner) -> Margin:
    """Log-odds by the estimator itself."""
    read = _as_matrix if kind == "trees" else _as_terms

    def margin(bins: Sequence[BinArray]) -> FloatArray:
        found: FloatArray = estimator.decision_function(read(binner, bins))
        return found

    return margin


def _trees(task: Task, binner: Binner, rows: int, rounds: int, seed: int) -> HistGradientBoostingClassifier:
    places = range(len(task.features))
    pair = {task.place(name) for name in task.together}
    return HistGradientBoostingClassifier(
        learning_rate=RATE,
        max_iter=rounds,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=max(20, rows // 2000),
        l2_regularization=5.0,
        max_bins=255,
        monotonic_cst=[task.direction(one.key) for one in task.features],
        interaction_cst=[pair, *({k} for k in places if k not in pair)],
        early_stopping=False,
        random_state=seed,
    )


def _as_matrix(binner: Binner, bins: Sequence[BinArray]) -> FloatArray:
    """Bins, and places of categories, as numbers, NaN for a blank: what the trees see.

    Not scikit-learn's own categories: their encoder cannot be filed without trusting functions.
    """
    found = np.empty((len(bins[0]), len(bins)), order="F")
    for k, scale in enumerate(binner.scales):
        # A column of blanks alone is a constant: scikit-learn finds no bins in one of NaN.
        seen = scale.middles if scale.categorical else np.arange(scale.blank, dtype=np.float64)
        found[:, k] = np.append(seen, np.nan if scale.blank else 0.0)[bins[k]]
    return found


def _as_terms(binner: Binner, bins: Sequence[BinArray]) -> FloatArray:
    """What the logistic model sees: middle and blank of every number, one column per category."""
    return np.concatenate(
        [_design(scale)[found] for scale, found in zip(binner.scales, bins, strict=True)], axis=1
    )


def _design(scale: Any) -> FloatArray:
    """A row per bin."""
    if scale.categorical:
        return np.eye(scale.bins)
    middles = scale.middles
    spread = middles.std() or 1.0
    table = np.zeros((scale.bins, 2))
    table[:-1, 0] = (middles - middles.mean()) / spread
    table[-1, 1] = 1.0
    return table


def _logistic(task: Task, binner: Binner, rows: Rows, strength: float) -> LogisticRegression:
    terms = _as_terms(binner, rows.bins)
    slopes = _slopes(task, binner)
    estimator = LogisticRegression(C=strength, max_iter=500)
    while True:
        estimator.fit(terms, rows.outcome, sample_weight=rows.weight)
        against = [k for k, direction in slopes.items() if estimator.coef_[0, k] * direction < 0]
        if not against:
            return estimator
        terms[:, against] = 0.0
        slopes = {k: direction for k, direction in slopes.items() if k not in against}
        estimator = LogisticRegression(C=strength, max_iter=500)


def _slopes(task: Task, binner: Binner) -> dict[int, int]:
    """Column of a number's slope → the direction it must have, where there is one."""
    found, place = {}, 0
    for feature, scale in zip(task.features, binner.scales, strict=True):
        if not scale.categorical and task.direction(feature.key):
            found[place] = task.direction(feature.key)
        place += scale.bins if scale.categorical else 2
    return found
