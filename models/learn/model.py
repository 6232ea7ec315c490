"""A model as it scores: bins, tables of effects, sigmoid, rival; and what is known of it.

``bundle`` is what the model's file holds (:mod:`models.learn.store`): the scikit-learn estimator and plain
numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import Text
from models.learn.additive import Shapley, Tables, sigmoid, sigmoid_one
from models.learn.bins import BinArray, Binner, binner_of
from models.learn.columns import FloatArray
from models.learn.fit import tables_of
from models.learn.rivals import Rival, rival_of
from models.learn.tasks import Task, task

Bundle = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Band:
    """Where a score lies among the training firms of the last year."""

    key: str
    name: Text


BANDS = (
    Band("top_1", Text("前1%", "top 1 %")),
    Band("top_5", Text("前5%", "top 5 %")),
    Band("top_10", Text("前10%", "top 10 %")),
    Band("top_25", Text("前25%", "top 25 %")),
    Band("rest", Text("其余75%", "the other 75 %")),
)
CUTS = (0.99, 0.95, 0.90, 0.75)
"""Quantiles of the training scores at which the bands begin."""


@dataclass(frozen=True)
class Model:
    """One task's model. Immutable and safe between threads."""

    task: Task
    hash: str
    """SHA-256 of ``model.skops``; empty while it has no file."""
    card: Mapping[str, Any]
    bundle: Bundle = field(repr=False)

    @cached_property
    def binner(self) -> Binner:
        return binner_of(self.bundle["binner"])

    @cached_property
    def tables(self) -> Tables:
        return tables_of(self.bundle["kind"], self.bundle["estimator"], self.task, self.binner)

    @cached_property
    def shapley(self) -> Shapley:
        return Shapley(self.tables, self.bundle["shares"], self.bundle["joint"])

    @cached_property
    def rival(self) -> Rival:
        return rival_of(self.bundle["rival"])

    def bins(self, matrix: FloatArray, rows: npt.NDArray[np.intp] | None = None) -> list[BinArray]:
        """Bins by feature, of some rows or of all."""
        return self.binner.place(matrix, rows)

    def chance(self, margin: FloatArray) -> FloatArray:
        """Log-odds of the tables as a calibrated chance."""
        return sigmoid(self.bundle["slope"] * margin + self.bundle["intercept"])

    def score_one(self, bins: Sequence[int]) -> float:
        """:meth:`score` of one firm, to the last bit."""
        return sigmoid_one(self.bundle["slope"] * self.tables.margin_one(bins) + self.bundle["intercept"])

    def score(self, bins: Sequence[BinArray]) -> FloatArray:
        """Calibrated chance, shape (firms,)."""
        return self.chance(self.tables.margin(bins))

    def bands(self, score: FloatArray) -> Any:
        """Place in :data:`BANDS` of every score."""
        cuts = np.asarray(self.bundle["cuts"])  # falling
        return len(cuts) - np.searchsorted(cuts[::-1], score, side="right")

    def band_one(self, score: float) -> Band:
        """:meth:`bands` of one score."""
        return BANDS[sum(score < cut for cut in self._cuts)]

    @cached_property
    def _cuts(self) -> list[float]:
        return [float(cut) for cut in self.bundle["cuts"]]

    @property
    def score_edges(self) -> FloatArray:
        """Nine edges between the tenths of the training scores."""
        return np.asarray(self.bundle["score_edges"])


def model_of(bundle: Bundle, card: Mapping[str, Any], digest: str) -> Model:
    """UsageRefused (L101) for a task that is not declared any more."""
    return Model(task(str(bundle["task"])), digest, card, bundle)
