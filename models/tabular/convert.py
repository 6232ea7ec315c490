"""The quick reading of whole columns, as polars expressions.

An expression gives the value where that is certain and null everywhere else: blanks, and cells that need
the exact reading of :mod:`.cells`. It never gives a value that the exact reading would not give.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

import polars as pl

from models.codes import encode_industry, industries
from models.dtypes import dtype_of
from models.fields import COUNT_LIMIT, MONEY_LIMIT, NO_TITLE, Field
from models.tabular.cells import MONEY_TENS, YEARS, reader_for

_CERTAIN = 2**40
"""Below this, scaling a float errs by less than 2^-12, so rounding is certain away from a half."""
_CLEARLY_NEAR = 0.49
_FIRST_DAY = pl.date(1800, 1, 1)
_LONGEST_BLANK = 9
"""Bytes of the longest text that may stand for a blank; a registered name has more."""

_WORDS = 16
"""So many words of a column are compared with; rarer ones are read exactly."""
_NUMBERS = frozenset(["money", "count", "year", "decimal", "score", "ratio"])


@dataclass(frozen=True, slots=True)
class Quick:
    """``values`` are certain within ``bounds``; minimum and maximum of each piece tell."""

    values: pl.Expr
    bounds: tuple[int, int] | None = None


def quick(
    field: Field, unit: str | None, column: str, dtype: pl.DataType, sample: Collection[str | None]
) -> Quick:
    """The certain values of ``column`` (of ``dtype``) as ``field``; ``sample`` shows how cells are written.

    Every operator costs about ten microseconds a piece and column, so there are as few of them as will do.
    """
    cell = pl.col(column)
    if field.type in _NUMBERS:
        return _quick_number(field, unit or field.unit, cell, dtype, sample)
    if dtype == pl.String:
        return Quick(_quick_text(field, unit, cell, sample))
    if dtype == pl.Boolean and field.type == "bool":
        return Quick(cell)
    if dtype == pl.Date and field.type in {"date", "title"}:
        return Quick(pl.when(cell >= _FIRST_DAY).then(cell))
    if dtype.is_numeric() and field.type == "bool":
        return Quick(pl.when(cell == 1).then(True).when(cell == 0).then(False))
    return Quick(pl.lit(None, dtype=dtype_of(field)))


def _quick_number(
    field: Field, unit: str, cell: pl.Expr, dtype: pl.DataType, sample: Collection[str | None]
) -> Quick:
    real = field.type in {"decimal", "score", "ratio"}
    if not (dtype == pl.String or dtype.is_numeric()) or unit == "%":  # ÷ 100 in floats is not always exact
        return Quick(pl.lit(None, dtype=dtype_of(field)))
    whole = dtype.is_integer() and not real
    if dtype == pl.String:
        whole = not real and not any(text and "." in text for text in sample)
        cell = cell.cast(pl.Int64 if whole else pl.Float64, strict=False)
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


def _quick_text(field: Field, unit: str | None, cell: pl.Expr, sample: Collection[str | None]) -> pl.Expr:
    if field.type in {"date", "title"}:
        day = cell.str.to_date("%Y-%m-%d", strict=False)
        certain = pl.when(day >= _FIRST_DAY).then(day)
        return (
            pl.when((cell == "无") | (cell == "none")).then(pl.lit(NO_TITLE)).otherwise(certain)
            if field.type == "title"
            else certain
        )
    if field.type == "text":
        name = cell.str.strip_chars()
        return pl.when(name.str.len_bytes() > _LONGEST_BLANK).then(name)
    if field.key == "industry":
        return _quick_industry(cell)
    return _by_example(field, unit, cell, sample)


def _quick_industry(cell: pl.Expr) -> pl.Expr:
    """Listed classes of four digits, with or without their letter."""
    number = cell.str.extract(r"^[A-T]?(\d{4})$").cast(pl.Int32) * 10 + 4
    return pl.when(number.is_in(_listed_classes())).then(number)


@cache
def _listed_classes() -> list[int]:
    return sorted(encode_industry(code) for code in industries().names if len(code) == 4)


def _by_example(field: Field, unit: str | None, cell: pl.Expr, sample: Collection[str | None]) -> pl.Expr:
    """Words (是, C3911, 浦东新区) are compared with the commonest of the sample, which were read exactly.

    Not ``replace_strict``: polars 2.1 does not stream it, and then holds the whole file.
    """
    read, dtype = reader_for(field, unit), dtype_of(field)
    certain = pl.lit(None, dtype=dtype)
    common = Counter(text for text in sample if text).most_common(_WORDS)
    for text, found in [(text, read(text)) for text, _ in reversed(common)]:
        if found.value is not None and not found.code:
            certain = pl.when(cell == text).then(pl.lit(found.value, dtype=dtype)).otherwise(certain)
    return certain
