"""Features of a task as a matrix, from figures up to Y-1 only.

Kinds (``seeds/learning/tasks.yaml``), all float64, NaN where a figure is missing or a quotient says nothing:

===========  ==========================================================================
line         ln(line ÷ what counts towards it); 0 on the line, falling as a firm comes up
log          ln of a figure (money in 万元); NaN where not above zero
growth       ln(figure of Y-``back`` ÷ figure of Y-``base``), both above zero
ratio        one figure over another above zero, of Y-1
years_since  years from a date to the end of Y-1
blanks       how many of the figures of Y-1 are missing
category     industry: division 1–97 of GB/T 4754-2017; district: its six digits
===========  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache

import numpy as np

from models.fields import catalogue
from models.learn.columns import Columns, FloatArray
from models.learn.lines import Lines
from models.learn.tasks import Feature, Task

WAN = 10_000.0
YEAR_DAYS = 365.25
_EPOCH = date(1970, 1, 1).toordinal()


class FeatureReader:
    """Reads the features of one task; ``lines`` where the task has a line."""

    def __init__(self, task: Task, lines: Lines | None) -> None:
        self.task = task
        self._lines = lines

    def fields(self) -> dict[str, tuple[int, ...]]:
        """Field → the years back that are read (none for a field without years)."""
        found: dict[str, set[int]] = {}
        for feature in self.task.features:
            for key, backs in self._reads(feature):
                found.setdefault(key, set()).update(backs)
        return {key: tuple(sorted(backs)) for key, backs in found.items()}

    def _reads(self, feature: Feature) -> list[tuple[str, tuple[int, ...]]]:
        keys = tuple(self._lines.fields) if feature.kind == "line" and self._lines else feature.of
        backs = (feature.back, feature.base) if feature.kind == "growth" else (1,)
        return [(key, backs if catalogue()[key].yearly else ()) for key in keys]

    def matrix(self, columns: Columns) -> FloatArray:
        """Shape (firms, features), column by column in memory."""
        found = np.empty((columns.size, len(self.task.features)), order="F")
        for place, feature in enumerate(self.task.features):
            values = columns.memo.get(feature.key)
            if values is None:
                values = columns.memo[feature.key] = self._values(feature, columns)
            found[:, place] = values
        return found

    def _values(self, feature: Feature, columns: Columns) -> FloatArray:
        if feature.kind == "line":
            assert self._lines is not None
            values = _log_ratio(self._lines.amount(columns), self._lines.reached(columns))
        else:
            values = _KINDS[feature.kind](feature, columns)
        return values if feature.clip is None else np.clip(values, *feature.clip)


def _log(feature: Feature, columns: Columns) -> FloatArray:
    (key,) = feature.of
    scale = WAN if catalogue()[key].type == "money" else 1.0
    return _log_ratio(columns.field(key, feature.back), np.full(columns.size, scale))


def _growth(feature: Feature, columns: Columns) -> FloatArray:
    (key,) = feature.of
    return _log_ratio(columns.field(key, feature.back), columns.field(key, feature.base))


def _ratio(feature: Feature, columns: Columns) -> FloatArray:
    over, under = (columns.field(key) for key in feature.of)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(under > 0, over / under, np.nan)


def _years_since(feature: Feature, columns: Columns) -> FloatArray:
    (key,) = feature.of
    years = (last_day(columns.year) - columns.field(key)) / YEAR_DAYS
    return np.where(years >= 0, years, np.nan)


def _blanks(feature: Feature, columns: Columns) -> FloatArray:
    counts: FloatArray = np.sum(
        [np.isnan(columns.field(key)) for key in feature.of], axis=0, dtype=np.float64
    )
    return counts


def _category(feature: Feature, columns: Columns) -> FloatArray:
    (key,) = feature.of
    values = columns.field(key)
    # An industry is held as its digits filled up to four, times ten, plus their number (models.codes).
    return np.floor(values / 1000) if key == "industry" else values


def _log_ratio(over: FloatArray, under: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((over > 0) & (under > 0), np.log(over / under), np.nan)


_KINDS: dict[str, Callable[[Feature, Columns], FloatArray]] = {
    "log": _log,
    "growth": _growth,
    "ratio": _ratio,
    "years_since": _years_since,
    "blanks": _blanks,
    "category": _category,
}


@cache
def last_day(year: int) -> int:
    """Of the year before ``year``, in days since 1970."""
    return date(year - 1, 12, 31).toordinal() - _EPOCH


def names(features: Sequence[Feature]) -> list[str]:
    return [feature.key for feature in features]
