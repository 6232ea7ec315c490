"""From draws to a frame: one block of firms after the other, columns in the order of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import IntEnum

import numpy as np
import polars as pl

from models.fields import Field, catalogue
from models.learn.synth.blanks import Blanker
from models.learn.synth.figures import YEARS, draw_figures
from models.learn.synth.identity import CAPACITY, codes, names
from models.learn.synth.profile import BLOCK, DISTRICTS, FloatArray, Profile, draw_profile
from models.learn.synth.sectors import sector_table
from models.learn.synth.standing import NO_TITLE_DAY, draw_standing
from models.learn.synth.titles import draw_titles

THIS_YEAR_TOO = ("in_directory", "dev_score", "output_value")
"""Yearly fields that also have a column for the year of the evaluation date."""

_INTEGERS = {"money", "count", "year"}


class _Stage(IntEnum):
    """Each stage draws from its own stream; never renumber, or every registry changes."""

    PROFILE = 0
    FIGURES = 1
    STANDING = 2
    TITLES = 3
    BLANKS = 4


def generate(n: int, seed: int, as_of: date, *, start: int = 0) -> pl.DataFrame:
    """Firms ``start`` to ``start + n - 1`` of registry ``seed``, with canonical column names and file types.

    Money and counts are Int64 (元), ratios and scores Float64, flags Boolean, dates Date; enums are their
    keys, districts six digits, industries a letter and four digits, titles an ISO date or ``none``: String.
    ``seed``, ``start`` and ``n`` are not negative; ValueError otherwise.
    """
    if min(n, seed, start) < 0 or start + n > CAPACITY:
        raise ValueError(f"n, seed and start are not negative, and start + n at most {CAPACITY}")
    parts = [
        _block(block, seed, as_of).slice(max(start - block * BLOCK, 0), length)
        for block, length in _blocks(start, n)
    ]
    return pl.concat(parts or [_block(0, seed, as_of).clear()])


def columns(field: Field, year: int) -> list[str]:
    """Column names of a field in the registry of ``year``, latest year first."""
    if not field.yearly:
        return [field.column()]
    latest = year if field.key in THIS_YEAR_TOO else year - 1
    return [field.column(y) for y in range(latest, year - YEARS - 1, -1)]


def _blocks(start: int, n: int) -> Iterator[tuple[int, int]]:
    """Block numbers with how many firms are wanted of each, from the first wanted one on."""
    end = start + n
    while start < end:
        length = min(BLOCK - start % BLOCK, end - start)
        yield start // BLOCK, length
        start += length


def _block(block: int, seed: int, as_of: date) -> pl.DataFrame:
    stream = {stage: np.random.default_rng((seed, block, stage)) for stage in _Stage}
    profile = draw_profile(stream[_Stage.PROFILE], as_of)
    book = draw_figures(stream[_Stage.FIGURES], profile, as_of.year)
    values: dict[str, FloatArray] = {
        "established_on": profile.established.astype(np.float64),
        "district": profile.district.astype(np.float64),
        "industry": profile.code.astype(np.float64),
        **book.columns,
        "output_value": np.vstack([book.current_output, book.columns["output_value"]]),
        **draw_standing(stream[_Stage.STANDING], profile, book, as_of),
        **draw_titles(stream[_Stage.TITLES], profile, book.columns, as_of),
    }
    return _frame(values, profile, Blanker(stream[_Stage.BLANKS], profile), block * BLOCK, as_of.year)


def _frame(
    values: Mapping[str, FloatArray], profile: Profile, blanker: Blanker, first: int, year: int
) -> pl.DataFrame:
    found = [codes(profile, first), names(profile, first)]
    for field in catalogue():
        if field.key in {"uscc", "name"}:
            continue
        rows = np.atleast_2d(blanker.apply(field, values[field.key]))
        for name, row in zip(columns(field, year), rows, strict=True):
            found.append(_series(field, name, row))
    return pl.DataFrame(found)


def _series(field: Field, name: str, values: FloatArray) -> pl.Series:
    series = pl.Series(name, values, nan_to_null=True)
    if field.type in _INTEGERS:
        return series.cast(pl.Int64)
    if field.type == "bool":
        return series.cast(pl.Boolean)
    if field.type == "date":
        return series.cast(pl.Int32).cast(pl.Date)
    if field.type == "title":
        return _title(series)
    keys = _keys(field)
    return pl.Series(name, keys, dtype=pl.String).gather(series.cast(pl.UInt32)) if keys else series


def _keys(field: Field) -> list[str]:
    """What a position stands for in this field, empty where the number is the value."""
    if field.key == "district":
        return list(DISTRICTS)
    if field.key == "industry":
        return list(sector_table().codes)
    return list(field.options or ())


def _title(days: pl.Series) -> pl.Series:
    none = days == NO_TITLE_DAY
    text = days.set(none, None).cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d")
    return text.set(none, "none")
