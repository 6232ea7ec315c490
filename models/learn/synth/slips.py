"""Slips of those who fill in forms: a wrong unit, last year's figure again, two digits changed over.

Only money of the year is slipped. What was true is kept aside, cell by cell.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from models.learn.synth.profile import BLOCK, FloatArray, IntArray

KINDS = ("unit_up", "unit_down", "last_year", "digits")
_SHARES = (0.3, 0.3, 0.25, 0.15)
WAN = 10_000.0


@dataclass
class Slips:
    """Makes slips in the figures of one block and remembers them."""

    rng: np.random.Generator
    rate: float
    """Share of cells."""
    made: list[tuple[str, IntArray, IntArray, FloatArray]] = field(default_factory=list)
    """Column, rows, kind and true value of the slipped cells."""

    def apply(self, names: list[str], values: FloatArray) -> FloatArray:
        """``values`` of shape (years, BLOCK), latest first, with some cells slipped."""
        if not self.rate:
            return values
        drawn = np.searchsorted(np.cumsum(_SHARES)[:-1], self.rng.random(values.shape))
        slips = (self.rng.random(values.shape) < self.rate) & (np.nan_to_num(values) != 0)
        before = np.vstack([values[1:], np.full((1, BLOCK), np.nan)])
        wrong = np.choose(drawn, (values * WAN, np.rint(values / WAN), before, _turned(values)))
        slips &= ~np.isnan(wrong) & (wrong != values) & (np.abs(wrong) < 1e15)
        for row, name in enumerate(names):
            here = np.flatnonzero(slips[row])
            self.made.append(
                (name, here.astype(np.int64), drawn[row, here].astype(np.int64), values[row, here])
            )
        return np.where(slips, wrong, values)

    def table(self, codes: pl.Series) -> pl.DataFrame:
        """``uscc, column, kind, true`` (元) of every slipped cell."""
        parts = [
            pl.DataFrame(
                {
                    "uscc": codes.gather(pl.Series(rows, dtype=pl.UInt32)),
                    "column": pl.Series([name] * len(rows), dtype=pl.String),
                    "kind": pl.Series([KINDS[int(kind)] for kind in kinds], dtype=pl.String),
                    "true": pl.Series(true, dtype=pl.Float64).cast(pl.Int64),
                }
            )
            for name, rows, kinds, true in self.made
        ]
        return pl.concat(parts) if parts else pl.DataFrame(schema=SCHEMA)


SCHEMA = {"uscc": pl.String, "column": pl.String, "kind": pl.String, "true": pl.Int64}


def _turned(values: FloatArray) -> FloatArray:
    """The first two digits changed over: 1250 becomes 2150."""
    size = 10.0 ** np.floor(np.log10(np.maximum(np.abs(values), 1.0)))
    first = np.floor(np.abs(values) / size)
    second = np.floor(np.abs(values) / (size / 10)) % 10
    turned: FloatArray = np.rint(np.sign(values) * (np.abs(values) + (second - first) * (size - size / 10)))
    return turned
