"""The features of one firm: what :mod:`.features`, :mod:`.lines` and :mod:`.abstain` read of many.

Arrays of length 1 cost a hundred times what is in them; by them a firm's estimates cost as much as all its
standards. Logarithms are numpy's all the same: the C library's may differ in the last bit. Tests hold the two
readers together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from models.fields import catalogue
from models.learn.abstain import LEAST_KNOWN, Why, counted
from models.learn.columns import number
from models.learn.features import WAN, YEAR_DAYS, last_day
from models.learn.lines import Line, Lines
from models.learn.tasks import Feature, FeatureKind, Task

_NAN = math.nan


class FirmFigures:
    """One firm's figures as numbers, seen from an evaluation date in ``year``; NaN where missing."""

    def __init__(self, held: Mapping[str, Any], year: int) -> None:
        self._held = held
        self.year = year
        self.memo: dict[str, float] = {}
        """Features worked out so far, by key: tasks share most of them."""

    def field(self, key: str, back: int = 1) -> float:
        """Value of a field, of year Y-``back`` where it has one per year."""
        value = number(self._held.get(_column(key, self.year - back)))
        return _NAN if value is None else value


class FirmFeatures:
    """Reads the features of one task of one firm; ``lines`` where the task has a line."""

    def __init__(self, task: Task, lines: Lines | None) -> None:
        self._features = task.features
        self._lines = lines
        self._counted = counted(task)

    def row(self, figures: FirmFigures) -> list[float]:
        """By feature, NaN where a figure is missing or a quotient says nothing."""
        memo, found = figures.memo, []
        for feature in self._features:
            value = memo.get(feature.key)
            if value is None:
                value = memo[feature.key] = _clipped(feature, self._value(feature, figures))
            found.append(value)
        return found

    def why(self, figures: FirmFigures, row: list[float]) -> Why:
        """Why there is no estimate, NONE where there is one."""
        if not figures.field("revenue") > 0:
            return Why.NO_REVENUE
        if self._lines is not None:
            line = self._line(figures)
            if line is None:
                return Why.NO_LINE
            if _reached(line, figures) >= line.amount:
                return Why.AT_LINE
        known = sum(row[place] == row[place] for place in self._counted)
        return Why.FEW_INPUTS if known < LEAST_KNOWN else Why.NONE

    def _value(self, feature: Feature, figures: FirmFigures) -> float:
        if feature.kind != "line":
            return _KINDS[feature.kind](feature, figures)
        line = self._line(figures)
        return _NAN if line is None else _log_ratio(line.amount, _reached(line, figures))

    def _line(self, figures: FirmFigures) -> Line | None:
        assert self._lines is not None
        return self._lines.of_industry(figures.field("industry"))


def _reached(line: Line, figures: FirmFigures) -> float:
    known = (value for key in line.fields if (value := figures.field(key)) == value)
    return next(known, _NAN)


def _clipped(feature: Feature, value: float) -> float:
    if feature.clip is None or math.isnan(value):
        return value
    low, high = feature.clip
    return min(max(value, low), high)


def _log_ratio(over: float, under: float) -> float:
    return float(np.log(over / under)) if over > 0 and under > 0 else _NAN


def _log(feature: Feature, figures: FirmFigures) -> float:
    (key,) = feature.of
    return _log_ratio(figures.field(key, feature.back), _scale(key))


def _growth(feature: Feature, figures: FirmFigures) -> float:
    (key,) = feature.of
    return _log_ratio(figures.field(key, feature.back), figures.field(key, feature.base))


def _ratio(feature: Feature, figures: FirmFigures) -> float:
    over, under = (figures.field(key) for key in feature.of)
    return over / under if under > 0 else _NAN


def _years_since(feature: Feature, figures: FirmFigures) -> float:
    (key,) = feature.of
    years = (last_day(figures.year) - figures.field(key)) / YEAR_DAYS
    return years if years >= 0 else _NAN


def _blanks(feature: Feature, figures: FirmFigures) -> float:
    return float(sum(math.isnan(figures.field(key)) for key in feature.of))


def _category(feature: Feature, figures: FirmFigures) -> float:
    (key,) = feature.of
    value = figures.field(key)
    return float(value // 1000) if key == "industry" else value


_KINDS: dict[FeatureKind, Callable[[Feature, FirmFigures], float]] = {
    "log": _log,
    "growth": _growth,
    "ratio": _ratio,
    "years_since": _years_since,
    "blanks": _blanks,
    "category": _category,
}


@lru_cache(4096)
def _column(key: str, year: int) -> str:
    field = catalogue()[key]
    return field.column(year) if field.yearly else field.column()


@lru_cache(256)
def _scale(key: str) -> float:
    return WAN if catalogue()[key].type == "money" else 1.0
