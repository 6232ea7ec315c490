"""What the released models say of firms: estimates, never verdicts, and apart from the rules."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from models.errors import Text
from models.fields import catalogue
from models.learn.abstain import REASONS, Reason, Why, whys
from models.learn.bins import BinArray
from models.learn.columns import BoolArray, Columns, FloatArray, columns_of_frame
from models.learn.features import FeatureReader
from models.learn.firm_features import FirmFeatures, FirmFigures
from models.learn.lines import lines_for
from models.learn.model import BANDS, Band, Model
from models.learn.signals import Signals
from models.learn.tasks import Task
from models.learn.words import value_text
from models.rules.rulebook import Rulebook

NOTE = Text("估计，不是评定结论", "an estimate, not a verdict")
MOST_FACTORS, LEAST_FACTORS = 5, 3
SLIGHT = 0.05
"""Log-odds below which a factor beyond the third is not worth telling."""

REASON_CODES: list[str | None] = [None, *(REASONS[why].code for why in Why if why)]
"""By :class:`Why`."""
_BAND_KEYS = [band.key for band in BANDS]


@dataclass(frozen=True, slots=True)
class Factor:
    """What moved a score: a feature, its value in words, and by how much (log-odds, exact Shapley value)."""

    feature: str
    name: Text
    value: Text
    effect: float


@dataclass(frozen=True, slots=True)
class TaskOutlook:
    """One task's estimate of one firm, or why there is none."""

    task: Task
    model: str
    score: float | None
    reason: Reason | None
    band: Band | None
    rival: float | None
    factors: tuple[Factor, ...]


@dataclass(frozen=True)
class Scores:
    """One task's estimates of many firms: ``why`` of all of them, the rest of those that are estimated."""

    why: Any
    """:class:`Why` of every firm, shape (firms,)."""
    score: FloatArray
    """Shape (estimated,), as all that follows."""
    band: Any
    rival: FloatArray
    bins: Sequence[BinArray]

    @property
    def estimated(self) -> BoolArray:
        """Which firms have a score."""
        found: BoolArray = self.why == 0
        return found

    def spread(self, values: FloatArray) -> FloatArray:
        """``values`` of the estimated firms over all firms, NaN elsewhere."""
        found = np.full(len(self.why), np.nan)
        found[self.estimated] = values
        return found


class Scorer:
    """One model with what reads its features and its rival's signal."""

    def __init__(self, model: Model, book: Rulebook) -> None:
        self.model = model
        self._lines = lines_for(model.task, book)
        self.reader = FeatureReader(model.task, self._lines)
        self._one = FirmFeatures(model.task, self._lines)
        self._signals = Signals(model.task, book)
        self.model.shapley  # noqa: B018 - built now rather than by the first who asks

    def inputs(self, year: int) -> frozenset[str]:
        """Canonical columns that are read for an evaluation date of ``year``."""
        names = {"revenue"} | set(self.reader.fields())
        columns = {
            catalogue()[key].column(year - back) if back else catalogue()[key].column()
            for key in names
            for back in (self.reader.fields().get(key) or ((1,) if catalogue()[key].yearly else (0,)))
        }
        return frozenset(columns) | self._signals.inputs(year)

    def of_frame(self, frame: pl.DataFrame, columns: Columns) -> Scores:
        matrix = self.reader.matrix(columns)
        signal = self._signals.of_frame(frame, matrix, columns.year)
        why = whys(self.model.task, columns, matrix, self._lines)
        return self._scores(unread(why, frame), matrix, signal)

    def of_firm(self, figures: Mapping[str, Any], numbers: FirmFigures) -> TaskOutlook:
        """The same as :meth:`of_frame` of one firm, with its factors told exactly."""
        row = self._one.row(numbers)
        why = self._one.why(numbers, row)
        task, digest = self.model.task, self.model.hash
        if why:
            return TaskOutlook(task, digest, None, REASONS[why], None, None, ())
        scales = self.model.binner.scales
        bins = [scale.place_one(value) for scale, value in zip(scales, row, strict=True)]
        score = self.model.score_one(bins)
        rival = self.model.rival.chance_one(self._signals.of_firm(figures, row, numbers.year))
        band = self.model.band_one(score)
        return TaskOutlook(task, digest, score, None, band, rival, self._factors(bins, row))

    def _scores(self, why: Any, matrix: FloatArray, signal: FloatArray) -> Scores:
        asked = np.flatnonzero(why == 0)
        bins = self.model.bins(matrix, asked)
        score = self.model.score(bins)
        rival = self.model.rival.chance(signal[asked])
        return Scores(why, score, self.model.bands(score), rival, bins)

    def _factors(self, bins: Sequence[int], row: Sequence[float]) -> tuple[Factor, ...]:
        effects = self.model.shapley.values_one(bins)
        order = sorted(range(len(effects)), key=lambda k: -abs(effects[k]))[:MOST_FACTORS]
        told = [k for place, k in enumerate(order) if place < LEAST_FACTORS or abs(effects[k]) >= SLIGHT]
        features = self.model.task.features
        return tuple(
            Factor(features[k].key, features[k].name, value_text(features[k], row[k]), effects[k])
            for k in told
        )


class Outlooks:
    """The released models together, at most one a task. Immutable, safe between threads."""

    def __init__(self, models: Sequence[Model], book: Rulebook) -> None:
        self.models: Mapping[str, Model] = {model.task.id: model for model in models}
        self.scorers = tuple(Scorer(model, book) for model in self.models.values())
        told = "".join(model.hash for model in self.models.values())
        self.hash = hashlib.sha256(told.encode()).hexdigest() if told else ""
        """Of all models together; empty where there is none."""
        self._wanted = lru_cache(8)(
            lambda year: frozenset().union(*(scorer.inputs(year) for scorer in self.scorers))
        )

    def inputs(self, as_of: date) -> frozenset[str]:
        """Canonical columns that :meth:`of_frame` wants."""
        return self._wanted(as_of.year)

    def of_firm(self, figures: Mapping[str, Any], as_of: date) -> tuple[TaskOutlook, ...]:
        """One firm, figures as :mod:`models.fields` holds them."""
        numbers = FirmFigures(figures, as_of.year)
        return tuple(scorer.of_firm(figures, numbers) for scorer in self.scorers)

    def scores(self, frame: pl.DataFrame, as_of: date) -> Mapping[str, Scores]:
        """By task, of canonical columns as :mod:`models.fields` holds them; ``error`` where unreadable."""
        columns = columns_of_frame(frame, as_of.year)
        return {scorer.model.task.id: scorer.of_frame(frame, columns) for scorer in self.scorers}

    def of_frame(self, frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
        """Many firms, in their order: ``<task>.score .reason .band .rival`` (:func:`told`)."""
        return told(self.scores(frame, as_of))


def told(scores: Mapping[str, Scores]) -> pl.DataFrame:
    """Per task ``.score``, ``.rival`` (Float64), ``.reason``, ``.band`` (String); null where not said."""
    return pl.DataFrame([column for task, found in scores.items() for column in _told(task, found)])


def _told(task: str, scores: Scores) -> list[pl.Series]:
    why = pl.Series(scores.why)
    places = np.full(len(scores.why), len(_BAND_KEYS), dtype=np.uint32)
    places[scores.estimated] = scores.band
    band = pl.Series([*_BAND_KEYS, None]).gather(pl.Series(places))
    return [
        pl.Series(f"{task}.score", scores.spread(scores.score), nan_to_null=True),
        pl.Series(REASON_CODES, dtype=pl.String).gather(why.cast(pl.UInt32)).alias(f"{task}.reason"),
        band.alias(f"{task}.band"),
        pl.Series(f"{task}.rival", scores.spread(scores.rival), nan_to_null=True),
    ]


def unread(why: Any, frame: pl.DataFrame) -> Any:
    """:class:`Why`, with rows that could not be read as such."""
    if "error" not in frame.columns or frame["error"].null_count() == frame.height:
        return why
    return np.where(frame["error"].is_not_null().to_numpy(), np.int8(Why.UNREADABLE), why)
