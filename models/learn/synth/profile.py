"""Who each firm is, before any figure: its layer, sector, place, age and how good it is at what it does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.learn.synth.sectors import column, sector_table

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

BLOCK = 10_000
"""Firms drawn together; a multiple of :data:`RUN`."""
RUN = 500
"""Every run of so many firms holds the same number of each layer, so a small registry has all of them."""


class Layer(IntEnum):
    """What a firm is made to resemble."""

    ORDINARY = 0
    STRONG = 1
    SRDI = 2
    GIANT = 3
    CHAMPION = 4
    LEADER = 5
    UNICORN = 6
    YOUNG_UNICORN = 7
    UPPER = 8
    """Like firms listed over the counter, the one layer that was measured (calibration.md)."""


class Shape(NamedTuple):
    """Parameters of a layer: log revenue (万元), drift of its yearly growth, age in years.

    The log revenue is that of the oldest year, of :attr:`Layer.UPPER` that of Y-1.
    """

    per_run: int
    log_revenue: float
    spread: float
    floor: float
    drift: float
    youngest: float
    oldest: float


SHAPES = {
    Layer.ORDINARY: Shape(447, 6.0, 1.4, 0.5, 0.0, 0.0, 0.0),
    Layer.STRONG: Shape(7, 9.2, 1.35, 300.0, 0.02, 4.0, 30.0),
    Layer.SRDI: Shape(3, 8.7, 0.7, 1200.0, 0.02, 5.0, 26.0),
    Layer.GIANT: Shape(3, 9.6, 0.5, 5000.0, 0.10, 7.0, 28.0),
    Layer.CHAMPION: Shape(1, 11.4, 0.5, 45_000.0, 0.05, 14.0, 34.0),
    Layer.LEADER: Shape(1, 14.5, 0.4, 1_300_000.0, 0.04, 12.0, 38.0),
    Layer.UNICORN: Shape(1, 10.0, 1.0, 1000.0, 0.25, 4.5, 9.8),
    Layer.YOUNG_UNICORN: Shape(1, 7.5, 1.0, 200.0, 0.4, 1.5, 4.9),
    Layer.UPPER: Shape(36, 9.38, 1.49, 30.0, 0.0, 3.0, 30.0),
}
_MAKERS = (Layer.CHAMPION, Layer.LEADER)

DISTRICTS = {
    "310101": 2.0, "310104": 3.5, "310105": 2.5, "310106": 3.5, "310107": 3.5, "310109": 2.5, "310110": 3.5,
    "310112": 9.0, "310113": 8.0, "310114": 9.5, "310115": 20.5, "310116": 6.0, "310117": 8.0, "310118": 7.0,
    "310120": 9.5, "310151": 5.5,
    "320583": 0.6, "320505": 0.6, "330402": 0.5, "330108": 0.5, "340123": 0.4, "440305": 0.4,
}  # fmt: skip
"""Six digits → rough weight; about 3 % stand outside Shanghai."""

_CAPITAL_SHARE = (0.0, 0.05, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 1.0)
_CAPITAL = (3.0, 40.0, 60.0, 110.0, 640.0, 3000.0, 7000.0, 50_000.0, 400_000.0)
"""Quantiles of registered capital, 万元 (calibration.json)."""

LONGEST_HISTORY = 12
_EXIT_AGES, _EXIT_CHANCES = (0, 1, 2, 3, 4), (0.016, 0.04, 0.063, 0.095, 0.08)
"""Yearly chance to close by age in years (calibration.md)."""
_AGE_SHARE = (0.0, 0.2, 0.49, 0.82, 0.93, 0.99, 1.0)
_AGE_YEARS = (0.1, 1.6, 5.0, 10.0, 17.0, 28.0, 38.0)


@dataclass(frozen=True)
class Profile:
    """Arrays of shape (BLOCK,)."""

    layer: IntArray
    sector: IntArray
    """Row of ``SECTORS``."""
    code: IntArray
    """Position in ``SectorTable.codes``."""
    word: IntArray
    district: IntArray
    """Position in ``DISTRICTS``."""
    established: IntArray
    """Days since 1970-01-01."""
    strength: FloatArray
    """Standard normal: research, rights, titles and record lean on it together."""
    doer: BoolArray
    """Does research."""
    diligent: BoolArray
    """Fills in forms with care."""
    gone: IntArray
    """The year in which the firm closes, 0 where it does not: histories alone tell (:func:`history`)."""
    capital: FloatArray
    """Registered capital in 万元; no field of the catalogue, so told only beside the registry."""

    @property
    def strong(self) -> BoolArray:
        """Made to resemble holders of titles, unicorns or leaders."""
        return np.asarray((self.layer != Layer.ORDINARY) & (self.layer != Layer.UPPER))

    @property
    def upper(self) -> BoolArray:
        return np.asarray(self.layer == Layer.UPPER)

    def is_any(self, *layers: Layer) -> BoolArray:
        return np.isin(self.layer, layers)

    def shape(self, name: str) -> FloatArray:
        """One parameter of each firm's layer."""
        return np.array([getattr(SHAPES[layer], name) for layer in Layer], dtype=np.float64)[self.layer]

    @property
    def established_year(self) -> IntArray:
        return (
            np.asarray(self.established).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
            + 1970
        )


def draw_profile(rng: np.random.Generator, as_of: date) -> Profile:
    table = sector_table()
    layer = _layers(rng)
    sector = _sectors(rng, layer)
    strength = rng.standard_normal(BLOCK)
    lean = column("doer")[sector] * np.exp(0.5 * strength - 0.1)
    special = (layer != Layer.ORDINARY) & (layer != Layer.UPPER)
    doer = (rng.random(BLOCK) < lean) | (special & (rng.random(BLOCK) < 0.9))
    doer |= special & (layer >= Layer.SRDI)
    doer |= (layer == Layer.UPPER) & (rng.random(BLOCK) < 0.97)  # if only a little, where trade
    age = _ages(rng, layer)
    today = np.datetime64(as_of, "D").astype(np.int64)
    return Profile(
        layer=layer,
        sector=sector,
        code=_pick(rng, table.code_start[sector], table.code_count[sector]),
        word=_pick(rng, table.word_start[sector], table.word_count[sector]),
        district=_weighted(rng, np.array(list(DISTRICTS.values())), BLOCK),
        established=today - np.ceil(age * 365.25).astype(np.int64),
        strength=strength,
        doer=doer,
        diligent=rng.random(BLOCK) < np.where(doer, 0.3, 0.12),
        gone=_gone(rng, layer, today - np.ceil(age * 365.25).astype(np.int64), as_of),
        capital=_capital(rng),
    )


def _gone(rng: np.random.Generator, layer: IntArray, established: IntArray, as_of: date) -> IntArray:
    """Years of closing by yearly chances that hang on the firm's age; what is traded closes more rarely."""
    founded = established.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    chance = np.where(layer == Layer.ORDINARY, 1.0, 0.15)
    found = np.zeros(BLOCK, dtype=np.int64)
    for year in range(as_of.year - LONGEST_HISTORY, as_of.year + 1):
        age = year - founded
        closes = rng.random(BLOCK) < chance * np.interp(age, _EXIT_AGES, _EXIT_CHANCES)
        found = np.where((found == 0) & (age >= 0) & closes, year, found)
    return found


def _capital(rng: np.random.Generator) -> FloatArray:
    """Registered capital of Shanghai firms: heaped on round figures, between their measured quantiles."""
    drawn = np.exp(np.interp(rng.random(BLOCK), _CAPITAL_SHARE, np.log(_CAPITAL)))
    heaps = np.array([50.0, 100.0, 500.0, 1000.0])
    nearest = heaps[np.abs(np.log(drawn[:, None] / heaps)).argmin(axis=1)]
    heaped = (np.abs(np.log(drawn / nearest)) < 0.35) & (rng.random(BLOCK) < 0.8)
    return np.where(heaped, nearest, np.round(drawn, 1))


def _layers(rng: np.random.Generator) -> IntArray:
    order = rng.random((BLOCK // RUN, RUN)).argsort(axis=1).ravel()
    ends = np.cumsum([SHAPES[layer].per_run for layer in Layer])
    return np.searchsorted(ends, order, side="right").astype(np.int64)


def _sectors(rng: np.random.Generator, layer: IntArray) -> IntArray:
    table = sector_table()
    ordinary = _weighted(rng, table.weight, BLOCK)
    strong = _weighted(rng, table.strong, BLOCK)
    maker = _weighted(rng, table.strong * table.maker, BLOCK)
    upper = _weighted(rng, table.upper, BLOCK)
    special = np.where(np.isin(layer, _MAKERS), maker, strong)
    return np.where(layer == Layer.ORDINARY, ordinary, np.where(layer == Layer.UPPER, upper, special))


def _ages(rng: np.random.Generator, layer: IntArray) -> FloatArray:
    """Years since the firm was founded."""
    share = rng.random(BLOCK)
    youngest, oldest = (
        np.array([getattr(SHAPES[item], name) for item in Layer])[layer] for name in ("youngest", "oldest")
    )
    ordinary = np.interp(share, _AGE_SHARE, _AGE_YEARS)
    return np.where(layer == Layer.ORDINARY, ordinary, youngest + share * (oldest - youngest))


def _pick(rng: np.random.Generator, start: IntArray, count: IntArray) -> IntArray:
    return start + (rng.random(BLOCK) * count).astype(np.int64)


def _weighted(rng: np.random.Generator, weights: FloatArray, size: int) -> IntArray:
    return np.searchsorted(np.cumsum(weights / weights.sum())[:-1], rng.random(size), side="right").astype(
        np.int64
    )
