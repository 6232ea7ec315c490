"""Titles over the years: who applies, who is granted one by the rules and by judgement, who loses it again.

A firm's yearly chance is that it applies (sector, size, strength) times what the conditions on its figures
leave of it (:class:`models.learn.gates.Gates`): all met, or one or two short, which a reviewer may overlook.
A title lasts three years; then one in five fails its review.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import polars as pl

from models.codes import encode_industry
from models.learn.gates import Gates
from models.learn.synth.profile import BLOCK, BoolArray, FloatArray, Profile
from models.learn.synth.sectors import SECTORS, sector_table
from models.learn.synth.standing import NO_TITLE_DAY
from models.rules.rulebook import rulebook

TERM = 3 * 365
PASSED = 0.8
"""Share of holders that pass the review when their title ends."""

#            ordinary strong srdi  giant champion leader unicorn young upper
_CHAMPION = np.array([0.0, 0.0, 0.0, 0.05, 0.70, 0.15, 0.0, 0.0, 0.0])
_HNTE = np.array([0.0, 0.60, 0.90, 0.96, 0.95, 0.80, 0.70, 0.40, 0.60])

_STAFF, _BY_STAFF = (10, 30, 100, 280, 320, 800, 1000, 3000), (0.05, 0.28, 0.58, 0.95, 4.2, 4.0, 1.0, 0.4)
"""Chance by number of employees, of a title to which they matter."""
_READ = (
    "revenue", "main_revenue", "net_profit", "total_assets", "total_liabilities", "rd_expense", "rd_staff",
    "employees", "equity_raised",
)  # fmt: skip
"""Figures that the conditions look at."""


@dataclass(frozen=True)
class Award:
    """One title: how often a firm gets it a year when all speaks for it, and what speaks how loud."""

    key: str
    pack: str
    yearly: float
    sizes: tuple[float, ...]
    by_size: tuple[float, ...]
    makers: float
    software: float
    services: float
    others: float
    short: tuple[float, ...]
    """What is left of the chance with so many conditions not met."""
    strength: float
    researchers: float
    """Power of the share of R&D staff against a fifth."""
    loss: float
    """What is left of it where the firm loses money."""
    staff: float
    """Power of what the number of employees does."""
    large: float
    """What is left of it for those who make nothing, from 300 employees on."""
    special: tuple[float, ...]
    """Share of holders by layer, for the layers that are made to hold it."""


SRDI = Award(
    "title_srdi_until", "srdi.n63", 0.14,
    (300, 800, 2000, 5000, 10_000, 20_000, 40_000, 100_000), (0.0, 0.02, 0.45, 1.1, 0.85, 0.12, 0.0, 0.0),
    1.0, 0.07, 0.27, 0.04, (1.0, 0.6, 0.12, 0.02), 0.20, 3.0, 0.7, 0.0, 0.5,
    (0.0, 0.0, 0.92, 0.98, 0.0, 0.0, 0.0, 0.0, 0.0),
)  # fmt: skip
GIANT = Award(
    "title_giant_until", "giant.n63", 0.036,
    (1500, 4600, 5200, 10_000, 20_000, 40_000, 100_000, 400_000), (0.0, 0.02, 0.85, 1, 1.7, 0.9, 0.12, 0.0),
    1.0, 0.31, 0.36, 0.008, (1.0, 0.7, 0.25, 0.05), 0.36, 0.0, 0.32, 1.0, 0.4,
    (0.0, 0.02, 0.15, 0.85, 0.05, 0.0, 0.0, 0.0, 0.0),
)  # fmt: skip


def draw_titles(
    rng: np.random.Generator, profile: Profile, figures: Mapping[str, FloatArray], as_of: date
) -> dict[str, FloatArray]:
    """Days since 1970-01-01, or :data:`NO_TITLE_DAY`.

    专精特新 and 小巨人 of shape (years, BLOCK): row k as of this day k years before; the others (BLOCK,).
    """
    layer, draw = profile.layer, rng.random((5, BLOCK))
    old = profile.established < np.datetime64(as_of, "D").astype(np.int64) - 500
    srdi, giant = (_career(rng, award, profile, figures, as_of) for award in (SRDI, GIANT))
    srdi = np.where((giant > NO_TITLE_DAY) & (srdi < giant), giant, srdi)  # the higher one brings the lower
    able = profile.doer & old
    bent = np.clip(0.35 + 0.15 * profile.strength, 0.02, 0.8)
    small = np.nan_to_num(figures["revenue"][0]) <= 2e8
    holds_srdi = srdi[0] > NO_TITLE_DAY
    holds = {
        "title_techsme_until": able & small & (draw[0] < np.where(profile.strong, 0.75, bent)),
        "title_innovative_until": able & ((draw[1] < 0.6 * bent) | (holds_srdi & (draw[1] < 0.85))),
        "title_champion_until": draw[2] < _CHAMPION[layer],
        "title_hnte_until": able & (draw[3] < np.where(profile.strong, _HNTE[layer], 0.8 * bent)),
        "title_tech_demo_until": able & (draw[4] < np.where(profile.strong, 0.12, 0.01)),
    }
    others = {key: _until(rng, who, key, as_of) for key, who in holds.items()}
    return {SRDI.key: srdi, GIANT.key: giant, **others}


def _career(
    rng: np.random.Generator, award: Award, profile: Profile, figures: Mapping[str, FloatArray], as_of: date
) -> FloatArray:
    """The end of the title as it stood in each year, latest first."""
    years = len(figures["revenue"])
    found = np.full((years, BLOCK), NO_TITLE_DAY)
    special = profile.strong & (np.array(award.special)[profile.layer] > 0)
    ordinary = ~profile.strong & profile.doer & (np.nan_to_num(figures["revenue"][0]) > 5e6)
    who = np.flatnonzero(special | profile.upper | ordinary)
    share = np.array(award.special)[profile.layer][who]
    chance = _chances(award, profile, figures, who, as_of)
    until = np.full(len(who), NO_TITLE_DAY)
    lasting = (1 - PASSED) / 3
    stationary = np.where(special[who], share, chance[-1] / (chance[-1] + lasting))
    for k in range(years - 1, -1, -1):
        day = _day(as_of, k)
        first = k == years - 1
        granted = rng.random(len(who)) < (
            stationary if first else np.where(special[who], 0.3 * share, chance[k])
        )
        ends = day + np.where(first, rng.integers(1, TERM, len(who)), TERM - rng.integers(0, 150, len(who)))
        ended = (until > NO_TITLE_DAY) & (until < day)
        passed = ended & (until > day - 365) & (rng.random(len(who)) < PASSED)
        until = np.where(passed, until + TERM, until)
        old = profile.established[who] < day - 500
        until = np.where(granted & old & (until < day), ends, until)
        found[k, who] = until
    return found


def _chances(
    award: Award, profile: Profile, figures: Mapping[str, FloatArray], who: np.ndarray, as_of: date
) -> FloatArray:
    """Yearly chance to be granted the title, shape (years, firms); a year's figures are those before it."""
    table, years = sector_table(), len(figures["revenue"])
    sector = profile.sector[who]
    division = np.array([int(one.division) for one in SECTORS])[sector]
    lean = np.where(
        table.maker[sector], award.makers,
        np.where(np.isin(division, (63, 64, 65)), award.software,
                 np.where(np.isin(division, (73, 74, 75)), award.services, award.others)),
    )  # fmt: skip
    lean = award.yearly * lean * np.exp(award.strength * profile.strength[who] - award.strength**2 / 2)
    code = np.array([encode_industry(one[1:]) for one in table.codes])[profile.code[who]]
    found = np.empty((years, len(who)))
    for k in range(years - 1, -1, -1):
        judged = min(k, max(years - 3, 0))  # growth looks at three years
        short = _short(award.pack, figures, who, code, judged, as_of.year - judged)
        revenue = figures["revenue"][k, who] / 1e4
        by_size = np.interp(np.nan_to_num(revenue), award.sizes, award.by_size)
        losing = np.nan_to_num(figures["net_profit"][k, who]) < 0
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.nan_to_num(figures["rd_staff"][k, who] / figures["employees"][k, who])
        by_size = by_size * np.clip(share / 0.2, 0.02, 3.0) ** award.researchers
        staff = np.nan_to_num(figures["employees"][k, who])
        by_size = by_size * np.interp(staff, _STAFF, _BY_STAFF) ** award.staff
        # Of 300 employees a maker is of medium size, anybody else large.
        by_size = np.where(~table.maker[sector] & (staff >= 300), by_size * award.large, by_size)
        left = np.array(award.short)[np.minimum(short, len(award.short) - 1)]
        found[k] = lean * by_size * left * np.where(losing, award.loss, 1.0)
    return np.clip(np.nan_to_num(found), 0, 0.9)


@lru_cache(maxsize=64)
def _gates(pack: str, year: int) -> Gates:
    return Gates(rulebook(), pack, date(year, 6, 30))


def _short(
    pack: str, figures: Mapping[str, FloatArray], who: np.ndarray, code: np.ndarray, k: int, year: int
) -> np.ndarray:
    """How many of the conditions on figures are not met, by the figures of row ``k`` and the two before."""
    columns = {
        f"{key}_{year - 1 - back}": pl.Series(figures[key][k + back, who], nan_to_null=True).cast(pl.Int64)
        for key in _READ
        for back in range(min(3, len(figures["revenue"]) - k))
    }
    gates = _gates(pack, year)
    met = gates.of_frame(pl.DataFrame({"industry": pl.Series(code, dtype=pl.Int32), **columns}))
    return (gates.most - met).astype(np.int64)


def _day(as_of: date, back: int) -> float:
    return float(np.datetime64(as_of, "D").astype(np.int64)) - 365.25 * back


def _until(rng: np.random.Generator, holds: BoolArray, key: str, as_of: date) -> FloatArray:
    today = _day(as_of, 0)
    if key == "title_techsme_until":  # judged every year, so it ends with one
        ends = np.array([f"{as_of.year - 1}-12-31", f"{as_of.year}-12-31"], dtype="datetime64[D]")
        last = ends.astype(np.float64)[(rng.random(BLOCK) < 0.85).astype(np.int64)]
    else:
        lapsed = rng.random(BLOCK) < 0.08
        last = today + np.where(lapsed, rng.integers(-365, 0, BLOCK), rng.integers(0, TERM, BLOCK))
    return np.where(holds, last, NO_TITLE_DAY)
