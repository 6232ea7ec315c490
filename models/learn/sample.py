"""Training rows: firm-years with their outcome, thinned of what centres lack, with many lines for one.

Near one line there are few firms, and a model of those alone is worse than a plain sort; so every firm is
also asked about lines drawn at random above it (*pooling*, design.md §7). Only a firm's own line is tested
on.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from models.learn.abstain import whys
from models.learn.columns import BoolArray, Columns, FloatArray
from models.learn.features import FeatureReader
from models.learn.lines import Lines
from models.learn.outcomes import FirmYears
from models.learn.tasks import Curriculum, Task

MOST_ROWS = 1_200_000
FARTHEST = 2.5
"""ln(line ÷ figure) of lines that are drawn: up to twelve times as high."""
POOLED_WEIGHT = 0.3
HELD_BACK = 5
"""Every fifth firm is kept from fitting, to calibrate by."""


@dataclass(frozen=True)
class Sample:
    """Rows of one or more years: features, outcomes, the rival's signal; ``fold`` is the firm's, 0 to 4."""

    matrix: FloatArray
    outcome: FloatArray
    signal: FloatArray
    growth: FloatArray
    """Log growth into the outcome's year of what counts towards the line; NaN where no line is asked for."""
    fold: npt.NDArray[np.uint8]
    year: npt.NDArray[np.int16]
    row: npt.NDArray[np.int64]
    """Place of the firm among those of its year."""

    def __len__(self) -> int:
        return len(self.outcome)

    def take(self, rows: BoolArray | npt.NDArray[np.intp]) -> Sample:
        return Sample(*(getattr(self, name)[rows] for name in Sample.__dataclass_fields__))


def joined(samples: Sequence[Sample]) -> Sample:
    return Sample(
        *(np.concatenate([getattr(one, name) for one in samples]) for name in Sample.__dataclass_fields__)
    )


class Sampler:
    """Makes rows of firm-years for one task."""

    def __init__(self, task: Task, plan: Curriculum, lines: Lines | None, seed: int) -> None:
        self._task = task
        self._plan = plan
        self._lines = lines
        self.reader = FeatureReader(task, lines)
        self._seed = seed

    def plain(self, years: FirmYears, signal: FloatArray) -> Sample:
        """The firms as they are that have an outcome and enough figures: what is tested and calibrated on."""
        matrix = self.reader.matrix(years.columns)
        asked = self._asked(years, matrix)
        return self._rows(years, matrix, years.outcome, signal, self._growth(years)).take(asked)

    def thinned(self, years: FirmYears, signal: FloatArray) -> Sample:
        """The same with groups of fields blanked at random, as where a centre never asked for them."""
        rng = np.random.default_rng((self._seed, years.year, 1))
        asked = self._asked(years, self.reader.matrix(years.columns))
        columns = years.columns.without(self._blanked(rng, years.columns))
        return self._rows(
            years, self.reader.matrix(columns), years.outcome, signal, self._growth(years)
        ).take(asked)

    def pooled(self, years: FirmYears) -> Sample | None:
        """Every firm of two known years before a line drawn above it; None where no line is asked for."""
        if self._lines is None:
            return None
        rng = np.random.default_rng((self._seed, years.year, 2))
        before, then = (self._lines.reached(years.columns, back) for back in (1, 0))
        columns = years.columns.without(self._blanked(rng, years.columns))
        matrix = self.reader.matrix(columns)
        place = next(k for k, one in enumerate(self._task.features) if one.kind == "line")
        distance = rng.uniform(0, FARTHEST, years.columns.size)
        matrix[:, place] = distance
        outcome = (then >= before * np.exp(distance)).astype(np.float64)
        known = (before > 0) & ~np.isnan(then) & (years.columns.field("revenue") > 0)
        return self._rows(years, matrix, outcome, np.full(len(outcome), np.nan), self._growth(years)).take(
            known
        )

    def _asked(self, years: FirmYears, matrix: FloatArray) -> BoolArray:
        without = whys(self._task, years.columns, matrix, self._lines)
        asked: BoolArray = ~np.isnan(years.outcome) & (without == 0)
        return asked

    def _growth(self, years: FirmYears) -> FloatArray:
        if self._lines is None:
            return np.full(years.columns.size, np.nan)
        before, then = (self._lines.reached(years.columns, back) for back in (1, 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(before > 0, np.log(np.maximum(then, 1) / before), np.nan)

    def _blanked(self, rng: np.random.Generator, columns: Columns) -> dict[str, BoolArray]:
        found = {}
        for group in self._plan.lived_without:
            rows = rng.random(columns.size) < self._plan.blanked
            found.update(dict.fromkeys(group, rows))
        return found

    def _rows(
        self,
        years: FirmYears,
        matrix: FloatArray,
        outcome: FloatArray,
        signal: FloatArray,
        growth: FloatArray,
    ) -> Sample:
        year = np.full(len(outcome), years.year, dtype=np.int16)
        return Sample(matrix, outcome, signal, growth, folds(years.uscc), year, np.arange(len(outcome)))


def folds(uscc: pl.Series) -> npt.NDArray[np.uint8]:
    """The firm's share of the registry, 0 to 4: the same in every year and on every machine."""
    return np.fromiter(
        (zlib.crc32(code.encode()) % HELD_BACK for code in uscc), dtype=np.uint8, count=len(uscc)
    )


def capped(sample: Sample, most: int, seed: int) -> Sample:
    """At most so many rows, drawn at random."""
    if len(sample) <= most:
        return sample
    rows = np.random.default_rng((seed, most)).choice(len(sample), most, replace=False)
    return sample.take(np.sort(rows))
