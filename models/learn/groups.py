"""Groups of firms that a model is looked at by: district, size class, section of industry."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from models.codes import districts, industries
from models.learn.history import day_of
from models.rules.compile import Standards, compile_standards
from models.rules.program import Slot
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.rules.table import CLASS_WORDS, staged

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
    standards, slot = _size(year, book)
    stages, numbers = staged(standards.program, [slot], size_inputs(year, book) & set(frame.columns))
    lazy = frame.lazy()
    for stage in stages:
        lazy = lazy.with_columns(stage)
    number = lazy.select(size=numbers[slot]).collect()["size"]
    words = pl.Series("size", CLASS_WORDS)
    return words.gather(number.set(number < 0, len(CLASS_WORDS) - 1))


def size_inputs(year: int, book: Rulebook) -> frozenset[str]:
    """Canonical columns that the size class hangs on."""
    standards, slot = _size(year, book)
    return standards.program.inputs([slot])


def _size(year: int, book: Rulebook) -> tuple[Standards, Slot]:
    standards = compile_standards(book, Period(day_of(year), "new"), [SIZE_PACK])
    return standards, standards.compiled[SIZE_PACK].verdict


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
