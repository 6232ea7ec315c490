"""The quick reading of whole columns, as polars expressions.

An expression gives the value where that is certain and null everywhere else: blanks, and cells that need
the exact reading of :mod:`.cells`. It never gives a value that the exact reading would not give.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from models.dtypes import dtype_of
from models.fields import COUNT_LIMIT, MONEY_LIMIT, Field
from models.tabular.cells import MONEY_TENS, YEARS

_CERTAIN = 2**40
"""Below this, scaling a float errs by less than 2^-12, so rounding is certain away from a half."""
_CLEARLY_NEAR = 0.49
_FIRST_DAY = pl.date(1800, 1, 1)
_LONGEST_BLANK = 9
"""Bytes of the longest text that may stand for a blank; a registered name has more."""

_REAL = frozenset(["decimal", "score", "ratio"])
_NUMBERS = _REAL | {"money", "count", "year"}


@dataclass(frozen=True, slots=True)
class Quick:
    """``values`` are certain within ``bounds``; minimum and maximum of each piece tell."""

    values: pl.Expr
    bounds: tuple[int, int] | None = None


def is_worded(field: Field, dtype: pl.DataType) -> bool:
    """Whether a column is read word by word: text of which the same few words stand in many cells."""
    return dtype == pl.String and field.type not in _NUMBERS and field.type != "text"


def quick(
    field: Field, unit: str | None, column: str, dtype: pl.DataType, sample: Collection[str | None]
) -> Quick:
    """The certain values of ``column`` (of ``dtype``) as ``field``; ``sample`` shows how cells are written.

    For columns that are not :func:`is_worded`.
    """
    cell = pl.col(column)
    if field.type in _NUMBERS:
        return _quick_number(field, unit or field.unit, cell, dtype, sample)
    if dtype == pl.String:
        name = cell.str.strip_chars()
        certain = (name.str.len_bytes() > _LONGEST_BLANK) & ~name.str.ends_with(".0")
        return Quick(pl.when(certain).then(name))
    if dtype == pl.Boolean and field.type == "bool":
        return Quick(cell)
    if dtype == pl.Date and field.type in {"date", "title"}:
        return Quick(pl.when(cell >= _FIRST_DAY).then(cell))
    if dtype.is_numeric() and field.type == "bool":
        return Quick(pl.when(cell == 1).then(True).when(cell == 0).then(False))
    return Quick(pl.lit(None, dtype=dtype_of(field)))


def number_type(
    field: Field, unit: str | None, dtype: pl.DataType, sample: Collection[str | None]
) -> pl.DataType | None:
    """As what the quick reading takes the text cells of a column of numbers; None for all other columns.

    Where a parser of numbers gives a value, it is that of the text without blanks around it.
    """
    if dtype != pl.String or field.type not in _NUMBERS or (unit or field.unit) == "%":
        return None
    whole = field.type not in _REAL and not any(text and "." in text for text in sample)
    return pl.Int64() if whole else pl.Float64()


def _quick_number(
    field: Field, unit: str, cell: pl.Expr, dtype: pl.DataType, sample: Collection[str | None]
) -> Quick:
    real = field.type in _REAL
    if not (dtype == pl.String or dtype.is_numeric()) or unit == "%":  # ÷ 100 in floats is not always exact
        return Quick(pl.lit(None, dtype=dtype_of(field)))
    whole = dtype.is_integer() and not real
    parsed = number_type(field, unit, dtype, sample)
    if parsed is not None:
        whole = parsed.is_integer()
        cell = cell.cast(parsed, strict=False)
    if real:
        cell = cell.cast(pl.Float64)
        low, high = (0, 1) if field.type == "ratio" else field.range or (0, COUNT_LIMIT)
        return Quick(pl.when(cell.is_between(low, high)).then(cell))
    if field.type == "money":
        return _quick_money(field, unit, cell, whole)
    cell = cell if whole else pl.when(cell == cell.floor()).then(cell).cast(pl.Int64, strict=False)
    if field.type == "year":
        return Quick(pl.when((cell == 0) | cell.is_between(*YEARS)).then(cell))
    return Quick(cell, field.range or (0, COUNT_LIMIT))


def _quick_money(field: Field, unit: str, cell: pl.Expr, whole: bool) -> Quick:
    factor = 10 ** MONEY_TENS[unit]
    limit = MONEY_LIMIT if whole else _CERTAIN
    bounds = (-limit if field.negative_allowed else 0, limit)
    if whole and factor == 1:
        return Quick(cell, bounds)
    if whole:
        return Quick(pl.when(cell.is_between(-limit // factor, limit // factor)).then(cell * factor), bounds)
    amount = cell * float(factor)
    nearest = amount.round()
    near = (amount - nearest).abs() < _CLEARLY_NEAR
    if not field.negative_allowed:  # -0.1 元 would round to a harmless 0
        near &= amount >= 0
    return Quick(pl.when(near).then(nearest.cast(pl.Int64, strict=False)), bounds)
