"""Yearly figures: revenue that grows as real firms' does, and what hangs on it.

Distributions follow calibration.md: Laplace growth whose scale falls with size, year effects, quantiles of
debt and margin, R&D that persists. All arrays have shape (years, BLOCK): row 0 is Y-1, row 3 is Y-4;
money is 元.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.learn.synth.profile import BLOCK, FloatArray, Layer, Profile
from models.learn.synth.sectors import column, sector_table

YEARS = 4
"""Years of figures unless more are asked for."""
WAN = 10_000.0

_SIZES = np.log([112, 350, 750, 1500, 3500, 7500, 15_000, 30_000, 70_000, 1_000_000])
_SCALES = (0.92, 0.70, 0.62, 0.40, 0.308, 0.224, 0.186, 0.172, 0.154, 0.165)
_MEDIANS = (-0.066, -0.091, 0.011, 0.007, 0.040, 0.063, 0.052, 0.053, 0.053, 0.043)
"""Laplace scale and median of log growth by log revenue (万元) of the base year."""
_USUAL_MEDIAN = 0.055
YOUTH, YOUNG_GROWTH, OLD_GROWTH = 3.0, 0.14, 0.015
"""Years over which a firm's youth wears off, and what it adds to yearly log growth."""
TRADE_GROWTH = (-0.03, 0.0, 0.012, 0.02)
LASTING, LASTING_SMALL = 0.012, 0.12
"""Yearly log growth by which a firm's strength, a standard normal, moves it: upper layer, others."""
UPPER_DRIFT, YEARLY_VARIANCE = 0.035, 0.13
"""What a year adds to the mean and the variance of the upper layer's log revenue."""
UPPER_PARTS = (0.82, 0.95)
"""Most of the upper layer; then much smaller firms, which make it lean to the left; then much larger ones."""
UPPER_MIDDLES, UPPER_SPREADS = (9.47, 7.1, 10.9), (1.02, 1.75, 1.3)
"""Log revenue (万元) of Y-1 of the three."""
_JUMPS, _JUMP, _CALM = 0.003, 2.4, 0.997
"""Share of firm-years of a takeover, a loss of the one customer: their scale, and that of the others."""
_YEAR_MEDIANS = {2020: 0.161, 2021: 0.010, 2022: 0.052, 2023: 0.012}
_OTHER_YEARS = 0.025

_RESEARCH_SIZES = np.log([50, 300, 1000, 5000, 14_000, 40_000, 200_000])
_RESEARCH_BY_SIZE = np.log([38.0, 26.0, 5.4, 1.7, 1.0, 0.48, 0.14])
"""R&D ÷ revenue against that of a firm of 14,000 万元, by log revenue."""
_Z = (-2.326, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 2.326)
_DEBT = (0.03, 0.09, 0.145, 0.269, 0.424, 0.590, 0.729, 0.82, 1.15)
_MARGIN = (-1.6, -0.60, -0.214, -0.008, 0.057, 0.130, 0.213, 0.27, 0.42)
"""Quantiles at the standard normal's values :data:`_Z`."""


@dataclass(frozen=True)
class Book:
    """What later stages read: the yearly figures, and log revenue of Y-1 in 万元."""

    columns: Mapping[str, FloatArray]
    log_size: FloatArray
    current_output: FloatArray
    """工业总产值 of the current year as expected, where the firm says, shape (BLOCK,)."""


def draw_figures(rng: np.random.Generator, profile: Profile, year: int, years: int = YEARS) -> Book:
    """``year`` is the year of the evaluation date. Years before a firm was founded are NaN."""
    size = _revenue(rng, profile, year, years)
    columns = {"revenue": np.rint(np.exp(size) * WAN)}
    _income(rng, profile, columns)
    _balance(rng, profile, columns)
    _research(rng, profile, size[0], columns)
    _people(rng, profile, size, columns)
    columns["equity_raised"] = _equity(rng, profile, columns["revenue"])
    current = columns["output_value"][0] * np.exp(rng.laplace(0.05, 0.15, BLOCK))
    current[~profile.strong & (rng.random(BLOCK) < 0.6)] = np.nan
    founded = profile.established_year
    for k in range(years):
        for values in columns.values():
            values[k] = np.where(founded <= year - 1 - k, values[k], np.nan)
    return Book(columns, size[0], np.rint(current))


def _revenue(rng: np.random.Generator, profile: Profile, year: int, years: int) -> FloatArray:
    """Log revenue in 万元, walked forward from the oldest year."""
    shift = column("size")[profile.sector] * np.where(profile.strong, 0.2, np.where(profile.upper, 0.1, 1.0))
    size = np.empty((years, BLOCK))
    size[-1] = np.maximum(_start(rng, profile, years) + shift, np.log(profile.shape("floor")))
    # A little of growth lasts: good firms grow more, though last year's growth hardly tells.
    drift = (
        profile.shape("drift")
        + np.where(profile.upper, LASTING, LASTING_SMALL) * profile.strength
        + _trades(profile)
    )
    for k in range(years - 2, -1, -1):
        base = size[k + 1]
        effect = _YEAR_MEDIANS.get(year - 2 - k, _OTHER_YEARS) - _USUAL_MEDIAN
        median = np.interp(base, _SIZES, _MEDIANS) + effect + drift
        jump = np.where(rng.random(BLOCK) < _JUMPS, _JUMP, _CALM)
        youth = np.exp(-np.maximum(year - 1 - k - profile.established_year, 0) / YOUTH)
        scale = np.interp(base, _SIZES, _SCALES) * jump * (0.95 + 0.35 * youth)
        growth = rng.laplace(median + YOUNG_GROWTH * youth - OLD_GROWTH, scale)
        size[k] = base + np.clip(growth, -3.3, 2.8)
    return np.clip(size, np.log(0.1), np.log(3e7))


def _trades(profile: Profile) -> FloatArray:
    """Growth by trade: what does much research grows a little faster, what does none a little slower."""
    found: FloatArray = np.interp(column("rd")[profile.sector], (0.005, 0.03, 0.06, 0.10), TRADE_GROWTH)
    return found


def _start(rng: np.random.Generator, profile: Profile, years: int) -> FloatArray:
    """Log revenue of the oldest year; of the upper layer such that Y-1 comes out as measured."""
    grown = years - 1
    part = np.searchsorted(UPPER_PARTS, rng.random(BLOCK))
    narrower = np.sqrt(np.maximum(np.array(UPPER_SPREADS)[part] ** 2 - YEARLY_VARIANCE * grown, 0.2))
    spread = np.where(profile.upper, narrower, profile.shape("spread"))
    upper = np.array(UPPER_MIDDLES)[part] - UPPER_DRIFT * grown
    middle = np.where(profile.upper, upper, profile.shape("log_revenue"))
    start: FloatArray = middle + spread * rng.standard_normal(BLOCK)
    return start


def _income(rng: np.random.Generator, profile: Profile, columns: dict[str, FloatArray]) -> None:
    revenue = columns["revenue"]
    side = rng.exponential(np.where(profile.strong, 0.04, 0.12)) * (rng.random(BLOCK) < 0.7)
    share = np.clip(1 - side * rng.uniform(0.8, 1.2, revenue.shape), 0.05, 1.0)
    columns["main_revenue"] = np.rint(revenue * share)
    columns["total_income"] = np.rint(revenue * (1 + rng.exponential(0.012, revenue.shape)))
    lift = np.where(profile.strong, 0.1, -0.02)
    lift -= profile.is_any(Layer.UNICORN, Layer.YOUNG_UNICORN) * 1.0
    margin = np.interp(_steady(rng, 0.75, revenue.shape, profile.strength, 0.35) + lift, _Z, _MARGIN)
    profit = np.rint(revenue * margin)
    columns["net_profit"] = profit
    columns["net_profit_recurring"] = np.rint(profit - revenue * rng.exponential(0.008, revenue.shape))
    columns["total_cost"] = np.rint(np.maximum(revenue - np.where(profit > 0, profit / 0.87, profit), 0))
    columns["operating_cash_flow"] = np.rint(profit + revenue * rng.normal(0.02, 0.07, revenue.shape))
    makes = sector_table().industry[profile.sector]
    output = np.rint(columns["main_revenue"] * np.exp(rng.normal(0.01, 0.04, revenue.shape)))
    columns["output_value"] = np.where(makes, output, np.nan)


def _balance(rng: np.random.Generator, profile: Profile, columns: dict[str, FloatArray]) -> None:
    revenue = columns["revenue"]
    settled = np.sqrt(revenue * revenue.mean(axis=0))
    turnover = np.exp(rng.normal(0.1, 0.5, BLOCK) + rng.normal(0, 0.06, revenue.shape))
    columns["total_assets"] = np.rint(settled * turnover)
    calm = np.where(profile.strong, 0.15, 0.0)
    debt = np.interp(_steady(rng, 0.9, revenue.shape, -profile.strength, 0.25) - calm, _Z, _DEBT)
    columns["total_liabilities"] = np.rint(columns["total_assets"] * debt)


def _research(
    rng: np.random.Generator, profile: Profile, size: FloatArray, columns: dict[str, FloatArray]
) -> None:
    revenue = columns["revenue"]
    by_size = np.exp(np.interp(size, _RESEARCH_SIZES, _RESEARCH_BY_SIZE))
    ratio = np.maximum(column("rd")[profile.sector], np.where(profile.upper, 0.0, 0.012)) * by_size
    ratio *= np.exp(0.45 * rng.standard_normal(BLOCK) + 0.2 * profile.strength)
    title = profile.strong & (profile.layer >= Layer.SRDI)
    ratio = np.maximum(ratio, np.where(title, 0.036, 0.0))
    ratio = np.where(profile.is_any(Layer.UNICORN, Layer.YOUNG_UNICORN), np.maximum(ratio, 0.12), ratio)
    yearly = np.clip(ratio * np.exp(rng.normal(0, 0.20, revenue.shape)), 0, 1.5)
    columns["rd_expense"] = np.rint(np.where(profile.doer, revenue * yearly, 0.0))
    abroad = rng.exponential(0.08, BLOCK) * (rng.random(BLOCK) < 0.12)
    columns["rd_expense_mainland"] = np.rint(columns["rd_expense"] * np.clip(1 - abroad, 0.2, 1))
    share = np.clip(rng.beta(4.0, 1.6, BLOCK) + 0.05 * profile.strength, 0.0, 1.0)
    yearly = np.clip(share + rng.normal(0, 0.03, revenue.shape), 0, 1)
    columns["hightech_revenue"] = np.rint(np.where(profile.doer, columns["total_income"] * yearly, 0.0))


def _people(
    rng: np.random.Generator, profile: Profile, size: FloatArray, columns: dict[str, FloatArray]
) -> None:
    sticky = 0.5 * size + 0.5 * size.mean(axis=0)
    per_head = column("per_head")[profile.sector] * np.exp(rng.normal(0, 0.5, BLOCK))
    # Large firms sell more per head: without this a leader of 200亿 would employ a town.
    per_head = per_head * np.exp(0.25 * np.maximum(sticky - np.log(20_000), 0))
    staff = np.maximum(np.rint(np.exp(sticky) / per_head * np.exp(rng.normal(0, 0.06, size.shape))), 1)
    tilt = np.exp(0.4 * rng.standard_normal(BLOCK) + 0.1 * profile.strength)
    share = np.clip(column("rd_staff")[profile.sector] * tilt, 0, 0.9)
    research = np.where(profile.doer, np.rint(staff * np.maximum(share, 0.05 * profile.strong)), 0)
    wider = np.minimum(np.rint(research * (1 + rng.exponential(0.15, BLOCK))), staff)
    columns |= {"employees": staff, "rd_staff": np.minimum(research, staff), "tech_staff": wider}


def _equity(rng: np.random.Generator, profile: Profile, revenue: FloatArray) -> FloatArray:
    """Rounds of qualified investors: rare, except where a firm lives on them."""
    chance = np.where(profile.doer, 0.02, 0.002) + 0.06 * profile.strong
    chance = np.where(profile.is_any(Layer.UNICORN, Layer.YOUNG_UNICORN), 0.55, chance)
    unicorn = np.where(
        profile.layer == Layer.UNICORN, 3e8, np.where(profile.layer == Layer.YOUNG_UNICORN, 8e7, 5e6)
    )
    amount = np.maximum(unicorn, 0.2 * revenue * profile.strong) * np.exp(rng.normal(0, 0.8, revenue.shape))
    return np.where(rng.random(revenue.shape) < chance, np.rint(amount / 1e5) * 1e5, 0.0)


def _steady(
    rng: np.random.Generator, persistence: float, shape: tuple[int, ...], leaning: FloatArray, by: float
) -> FloatArray:
    """Standard normals that agree from year to year with this correlation, and with ``leaning`` by ``by``."""
    own = rng.standard_normal(BLOCK) * np.sqrt(persistence - by * by) + by * leaning
    steady: FloatArray = own + rng.standard_normal(shape) * np.sqrt(1 - persistence)
    return steady
