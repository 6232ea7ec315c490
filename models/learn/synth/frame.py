"""From draws to a frame: one block of firms after the other, columns in the order of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import numpy as np
import polars as pl

from models.fields import Field, catalogue
from models.learn.synth.blanks import Blanker
from models.learn.synth.figures import YEARS, draw_figures
from models.learn.synth.identity import CAPACITY, codes, names
from models.learn.synth.profile import (
    BLOCK,
    DISTRICTS,
    LONGEST_HISTORY,
    FloatArray,
    Layer,
    Profile,
    draw_profile,
)
from models.learn.synth.sectors import sector_table
from models.learn.synth.slips import Slips
from models.learn.synth.standing import NO_TITLE_DAY, draw_standing
from models.learn.synth.titles import draw_titles

THIS_YEAR_TOO = ("in_directory", "dev_score", "output_value")
"""Yearly fields that also have a column for the year of the evaluation date."""

MOST_YEARS = LONGEST_HISTORY
_INTEGERS = {"money", "count", "year"}


class _Stage(IntEnum):
    """Each stage draws from its own stream; never renumber, or every registry changes."""

    PROFILE = 0
    FIGURES = 1
    STANDING = 2
    TITLES = 3
    BLANKS = 4
    SLIPS = 5


@dataclass(frozen=True)
class Block:
    """:data:`BLOCK` firms as they are, before anything is left out, and what no registry tells of them."""

    profile: Profile
    values: Mapping[str, FloatArray]
    """Field → (BLOCK,) or (years, BLOCK), latest first."""
    codes: pl.Series
    names: pl.Series


@dataclass(frozen=True)
class Aside:
    """What is kept beside a registry: the truth about its firms and their slips."""

    firms: pl.DataFrame
    """``uscc, layer, registered_capital`` (万元) ``, gone`` (the year, null where it goes on)."""
    slips: pl.DataFrame
    """``uscc, column, kind, true``."""


def generate(
    n: int, seed: int, as_of: date, *, start: int = 0, years: int = YEARS, slips: float = 0.0
) -> pl.DataFrame:
    """Firms ``start`` to ``start + n - 1`` of registry ``seed``, with canonical column names and file types.

    Money and counts are Int64 (元), ratios and scores Float64, flags Boolean, dates Date; enums are their
    keys, districts six digits, industries a letter and four digits, titles an ISO date or ``none``: String.
    ``years`` of figures before ``as_of``; ``slips``: share of money cells that are wrong. ``seed``, ``start``
    and ``n`` are not negative, ``years`` 1 to :data:`MOST_YEARS`; ValueError otherwise.
    """
    return generate_aside(n, seed, as_of, start=start, years=years, slips=slips)[0]


def generate_aside(
    n: int, seed: int, as_of: date, *, start: int = 0, years: int = YEARS, slips: float = 0.0
) -> tuple[pl.DataFrame, Aside]:
    """:func:`generate`, and what is true of the firms."""
    _check(n, seed, start, years)
    parts = []
    for number, length in list(blocks(start, n)) or [(0, 0)]:
        block = draw_block(number, seed, as_of, years)
        slipped = slipping(seed, number, slips)
        frame = shown(block, seed, number, as_of.year, years, slipped)
        first = max(start - number * BLOCK, 0)
        here = frame["uscc"].slice(first, length).implode()
        made = slipped.table(block.codes).filter(pl.col("uscc").is_in(here))
        parts.append((frame.slice(first, length), truth(block).slice(first, length), made))
    frames, firms, made_all = zip(*parts, strict=True)
    return pl.concat(frames), Aside(pl.concat(firms), pl.concat(made_all))


def _check(n: int, seed: int, start: int, years: int) -> None:
    if min(n, seed, start) < 0 or start + n > CAPACITY:
        raise ValueError(f"n, seed and start are not negative, and start + n at most {CAPACITY}")
    if not 1 <= years <= MOST_YEARS:
        raise ValueError(f"1 to {MOST_YEARS} years")


def truth(block: Block) -> pl.DataFrame:
    """As :attr:`Aside.firms`."""
    profile = block.profile
    return pl.DataFrame(
        {
            "uscc": block.codes,
            "layer": pl.Series([layer.name.lower() for layer in Layer]).gather(pl.Series(profile.layer)),
            "registered_capital": profile.capital,
            "gone": pl.Series(profile.gone).set(pl.Series(profile.gone == 0), None),
        }
    )


def columns(field: Field, year: int, years: int = YEARS) -> list[str]:
    """Column names of a field in the registry of ``year``, latest year first."""
    if not field.yearly:
        return [field.column()]
    latest = year if field.key in THIS_YEAR_TOO else year - 1
    return [field.column(y) for y in range(latest, year - years - 1, -1)]


def blocks(start: int, n: int) -> Iterator[tuple[int, int]]:
    """Block numbers with how many firms are wanted of each, from the first wanted one on."""
    end = start + n
    while start < end:
        length = min(BLOCK - start % BLOCK, end - start)
        yield start // BLOCK, length
        start += length


def _stream(seed: int, block: int, stage: _Stage) -> np.random.Generator:
    return np.random.default_rng((seed, block, stage))


def slipping(seed: int, block: int, rate: float) -> Slips:
    """What makes the slips of a block."""
    return Slips(_stream(seed, block, _Stage.SLIPS), rate)


def draw_block(number: int, seed: int, as_of: date, years: int) -> Block:
    """One block of firms with ``years`` of figures before ``as_of``."""
    stream = {stage: _stream(seed, number, stage) for stage in _Stage}
    profile = draw_profile(stream[_Stage.PROFILE], as_of)
    book = draw_figures(stream[_Stage.FIGURES], profile, as_of.year, years)
    values: dict[str, FloatArray] = {
        "established_on": profile.established.astype(np.float64),
        "district": profile.district.astype(np.float64),
        "industry": profile.code.astype(np.float64),
        **book.columns,
        "output_value": np.vstack([book.current_output, book.columns["output_value"]]),
        **draw_standing(stream[_Stage.STANDING], profile, book, as_of),
        **draw_titles(stream[_Stage.TITLES], profile, book.columns, as_of),
    }
    first = number * BLOCK
    return Block(profile, values, codes(profile, first), names(profile, first))


def shown(block: Block, seed: int, number: int, year: int, years: int, slips: Slips) -> pl.DataFrame:
    """The block as a registry of ``year`` shows it: with blanks and slips."""
    blanker = Blanker(_stream(seed, number, _Stage.BLANKS), block.profile)
    found = [block.codes, block.names]
    for field in catalogue():
        if field.key in {"uscc", "name"}:
            continue
        titles = columns(field, year, years)
        rows = np.atleast_2d(blanker.apply(field, _now(field, block.values[field.key])))
        if field.type == "money" and field.yearly:
            rows = slips.apply(titles, rows)
        for name, row in zip(titles, rows, strict=True):
            found.append(_series(field, name, row))
    return pl.DataFrame(found)


def _now(field: Field, values: FloatArray) -> FloatArray:
    """Titles are drawn for every year; a registry shows those of its day."""
    return values[0] if field.type == "title" and values.ndim > 1 else values


def _series(field: Field, name: str, values: FloatArray) -> pl.Series:
    series = pl.Series(name, values, nan_to_null=True)
    if field.type in _INTEGERS:
        return series.cast(pl.Int64)
    if field.type == "bool":
        return series.cast(pl.Boolean)
    if field.type == "date":
        return series.cast(pl.Int32).cast(pl.Date)
    if field.type == "title":
        return title_series(name, values)
    keys = _keys(field)
    return pl.Series(name, keys, dtype=pl.String).gather(series.cast(pl.UInt32)) if keys else series


def _keys(field: Field) -> list[str]:
    """What a position stands for in this field, empty where the number is the value."""
    if field.key == "district":
        return list(DISTRICTS)
    if field.key == "industry":
        return list(sector_table().codes)
    return list(field.options or ())


def title_series(name: str, days: FloatArray) -> pl.Series:
    """Days since 1970-01-01 as ISO dates, or ``none``."""
    series = pl.Series(name, days, nan_to_null=True)
    none = series == NO_TITLE_DAY
    text = series.set(none, None).cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d")
    return text.set(none, "none")
