"""Features in bins: what a model is fitted to, so that its effects can be written down as tables.

A number falls between edges taken from the training data, a category stands for itself; each feature has
one more bin for a blank. Trees over bins lose nothing that matters and keep every order, and the share of
firms in each bin is what drift is measured by.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from models.learn.columns import FloatArray
from models.learn.tasks import Feature

BinArray = npt.NDArray[np.uint8]

BINS = 64
"""Bins of a number at most, the blank's aside."""
CATEGORIES = 100
LEAST_IN_CATEGORY = 30
"""A category of fewer training rows is not told apart from a blank."""


@dataclass(frozen=True)
class Scale:
    """One feature: edges between bins of a number with the ``middles`` of its bins, or categories.

    The ``middles`` of categories are their places by how often the outcome comes among them: trees split
    there. A number that no training firm has is a category without values: its one bin is the blank.
    """

    points: FloatArray
    categorical: bool
    middles: FloatArray

    @property
    def blank(self) -> int:
        """The bin of a blank, the last."""
        return len(self.points) if self.categorical else len(self.points) + 1

    @property
    def bins(self) -> int:
        return self.blank + 1

    def place(self, values: FloatArray) -> BinArray:
        """The bin of every value."""
        if not self.categorical:
            found = np.searchsorted(self.points, values, side="right")
            return np.where(np.isnan(values), self.blank, found).astype(np.uint8)
        if not len(self.points):
            return np.zeros(len(values), dtype=np.uint8)
        found = np.minimum(np.searchsorted(self.points, values), len(self.points) - 1)
        return np.where(self.points[found] == values, found, self.blank).astype(np.uint8)

    def place_one(self, value: float) -> int:
        """:meth:`place` of one value, without an array."""
        if math.isnan(value):
            return self.blank
        if not self.categorical:
            return bisect_right(self._points, value)
        found = bisect_left(self._points, value)
        return found if found < len(self._points) and self._points[found] == value else self.blank

    @cached_property
    def _points(self) -> list[float]:
        return [float(point) for point in self.points]


@dataclass(frozen=True)
class Binner:
    """The scales of a task's features, in their order."""

    scales: tuple[Scale, ...]

    def place(self, matrix: FloatArray, rows: npt.NDArray[np.intp] | None = None) -> list[BinArray]:
        """Bins by feature, of some rows or of all; ``matrix`` of shape (firms, features)."""
        if rows is None or len(rows) == len(matrix):
            return [scale.place(matrix[:, k]) for k, scale in enumerate(self.scales)]
        return [scale.place(matrix[:, k].take(rows)) for k, scale in enumerate(self.scales)]

    def shares(self, bins: Sequence[BinArray]) -> list[FloatArray]:
        """Share of rows in each bin, by feature."""
        return [
            np.bincount(found, minlength=scale.bins) / max(len(found), 1)
            for scale, found in zip(self.scales, bins, strict=True)
        ]

    def as_dict(self) -> list[dict[str, Any]]:
        """For the model's file."""
        return [
            {"points": one.points, "categorical": one.categorical, "middles": one.middles}
            for one in self.scales
        ]


def binner_of(stored: Sequence[Mapping[str, Any]]) -> Binner:
    """What :meth:`Binner.as_dict` gave."""
    return Binner(
        tuple(
            Scale(np.asarray(one["points"]), bool(one["categorical"]), np.asarray(one["middles"]))
            for one in stored
        )
    )


def fit_binner(features: Sequence[Feature], matrix: FloatArray, outcome: FloatArray) -> Binner:
    """Edges at quantiles of the training rows, categories by how often they come."""
    return Binner(
        tuple(
            _categories(matrix[:, k], outcome) if feature.categorical else _edges(matrix[:, k])
            for k, feature in enumerate(features)
        )
    )


def _edges(values: FloatArray) -> Scale:
    known = values[~np.isnan(values)]
    if not len(known):  # nobody says it: all there is to be is blank
        return Scale(np.empty(0), True, np.empty(0))
    points = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    points = points[points > known.min()]  # below the first edge there is somebody
    found = np.searchsorted(points, known, side="right")
    counts = np.bincount(found, minlength=len(points) + 1)
    sums = np.bincount(found, weights=known, minlength=len(points) + 1)
    return Scale(points, False, sums / np.maximum(counts, 1))


def _categories(values: FloatArray, outcome: FloatArray) -> Scale:
    found, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    common = np.sort(np.argsort(-counts, kind="stable")[:CATEGORIES])
    kept = found[common][counts[common] >= LEAST_IN_CATEGORY]
    scale = Scale(kept, True, np.zeros(len(kept)))
    places = scale.place(values)
    yes = np.bincount(places, weights=outcome, minlength=scale.bins)[:-1]
    firms = np.bincount(places, minlength=scale.bins)[:-1]
    rate = (yes + LEAST_IN_CATEGORY * outcome.mean()) / (firms + LEAST_IN_CATEGORY)
    return Scale(kept, True, np.argsort(np.argsort(rate, kind="stable")).astype(np.float64))
