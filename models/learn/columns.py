"""A registry's figures as arrays of numbers, seen from an evaluation date.

Missing is NaN. Money is 元, dates are days since 1970-01-01, industries and districts their numbers, flags 0
and 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from models.fields import NO_TITLE, catalogue

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_EPOCH = date(1970, 1, 1)
NO_TITLE_DAY = float((NO_TITLE - _EPOCH).days)


class Columns:
    """Figures by field and by how many years back; ``year`` is that of the evaluation date."""

    def __init__(self, held: Mapping[str, FloatArray], year: int, size: int) -> None:
        self._held = held
        self.year = year
        self.size = size
        self.memo: dict[str, FloatArray] = {}
        """Features worked out so far, by key: tasks share most of them."""

    def field(self, key: str, back: int | None = 1) -> FloatArray:
        """Values of a field, of year Y-``back`` where it has one per year; all NaN where not reported."""
        known = catalogue()[key]
        name = known.column(self.year - back) if known.yearly and back is not None else known.column()
        found = self._held.get(name)
        return np.full(self.size, np.nan) if found is None else found

    def without(self, blanked: Mapping[str, BoolArray]) -> Columns:
        """The same with some fields blanked, of all years: field → rows of which."""
        held = dict(self._held)
        for name, values in self._held.items():
            parsed = catalogue().parse_column(name)
            if parsed is not None and parsed[0].key in blanked:
                held[name] = np.where(blanked[parsed[0].key], np.nan, values)
        return Columns(held, self.year, self.size)

    def take(self, rows: npt.NDArray[np.intp] | BoolArray) -> Columns:
        held = {name: values[rows] for name, values in self._held.items()}
        size = int(np.count_nonzero(rows)) if rows.dtype == np.bool_ else len(rows)
        return Columns(held, self.year, size)


def columns_of_frame(frame: pl.DataFrame, year: int) -> Columns:
    """Columns of a canonical frame (:mod:`models.fields`); text that is no number is left out."""
    held = {}
    for series in frame:
        values = _numbers(series)
        if values is not None:
            held[series.name] = values
    return Columns(held, year, frame.height)


def _numbers(series: pl.Series) -> FloatArray | None:
    if series.dtype == pl.String:
        if series.name != "district":
            return None
        series = series.cast(pl.Float64, strict=False)
    elif series.dtype == pl.Date:
        series = series.cast(pl.Int32)
    elif not (series.dtype.is_numeric() or series.dtype == pl.Boolean):
        return None
    return series.cast(pl.Float64).to_numpy()


def number(value: Any) -> float | None:
    """One figure as :mod:`models.fields` holds it; None where it is missing or no number."""
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, date):
        return float((value - _EPOCH).days)
    if isinstance(value, str) and value.isdigit() and len(value) == 6:
        return float(value)
    return None
