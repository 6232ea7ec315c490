"""Groups of firms that a model is looked at by: district, size class, section of industry."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from models.codes import districts, industries
from models.learn.history import day_of
from models.rules.compile import compile_standards
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.rules.table import CLASS_WORDS, Judge

SIZE_PACK = "size.n300"
UNKNOWN = "unknown"


def groups_of(frame: pl.DataFrame, year: int, book: Rulebook) -> Mapping[str, pl.Series]:
    """``district``, ``size`` and ``sector`` of every firm as text, ``unknown`` where it is not told."""
    return {
        "district": _district(frame),
        "size": sizes_of(frame, year, book),
        "sector": _sector(frame),
    }


def sizes_of(frame: pl.DataFrame, year: int, book: Rulebook) -> pl.Series:
    """The size class of 国统字〔2017〕213号 by the figures of Y-1: large, medium, small, micro, unknown."""
    standards = compile_standards(book, Period(day_of(year), "new"), [SIZE_PACK])
    known = standards.inputs() & set(frame.columns)
    filled = [
        pl.lit(None, dtype=pl.String).alias(name)
        for name in ("uscc", "name", "error")
        if name not in frame.columns
    ]
    numbers = Judge(standards, known).piece(frame.with_columns(filled))[SIZE_PACK]
    return pl.Series("size", CLASS_WORDS).gather(numbers.fill_null(len(CLASS_WORDS) - 1))


def _district(frame: pl.DataFrame) -> pl.Series:
    if "district" not in frame.columns:
        return pl.Series("district", [UNKNOWN] * frame.height)
    known = districts()
    return frame["district"].replace_strict(
        {code: known.label(code) for code in frame["district"].drop_nulls().unique()},
        default=UNKNOWN,
        return_dtype=pl.String,
    )


def _sector(frame: pl.DataFrame) -> pl.Series:
    if "industry" not in frame.columns:
        return pl.Series("sector", [UNKNOWN] * frame.height)
    table = industries()
    divisions = frame["industry"] // 1000
    letters = {int(code): letter for code, letter in table.sections.items() if code.isdigit()}
    names = {number: f"{letter} {table.names[letter]}" for number, letter in letters.items()}
    return divisions.replace_strict(names, default=UNKNOWN, return_dtype=pl.String)
