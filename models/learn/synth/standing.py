"""What each firm holds: rights, place in its niche, attestations, titles, valuation, years in the directory.

All arrays have shape (BLOCK,) unless said; a flag is 0 or 1, an enum the position of its key in the
catalogue, a date days since 1970-01-01, :data:`NO_TITLE_DAY` for "holds no such title", and NaN a blank.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from models.learn.synth.figures import Book
from models.learn.synth.profile import BLOCK, BoolArray, FloatArray, Layer, Profile
from models.learn.synth.sectors import sector_table

NO_TITLE_DAY = -1e9
NEEQ = 5
"""Position of ``neeq`` among the boards."""

_UNICORNS = (Layer.UNICORN, Layer.YOUNG_UNICORN)

FLAGS = {
    "legal_person": (0.985, 0.998, 1.0),
    "new_product_field": (0.02, 0.12, 0.15),
    "market_position": (0.05, 0.20, 0.85),
    "fills_chain_gap": (0.02, 0.15, 0.65),
    "six_basics": (0.03, 0.20, 0.60),
    "key_chain_link": (0.03, 0.18, 0.65),
    "priority_field": (0.05, 0.40, 0.85),
    "serves_chain_leader": (0.05, 0.25, 0.55),
    "time_honoured": (0.003, 0.003, 0.01),
    "strategic_emerging": (0.08, 0.60, 0.85),
    "hightech_field": (0.08, 0.80, 0.97),
    "champion_qualitative": (0.0, 0.01, 0.15),
    "star_staged_product": (0.0, 0.01, 0.03),
    "star_attested_route": (0.0, 0.01, 0.08),
    "city_priority_industry": (0.10, 0.50, 0.80),
    "own_brand": (0.30, 0.55, 0.92),
    "quality_award": (0.002, 0.01, 0.12),
    "quality_certificate": (0.12, 0.45, 0.92),
    "standards_participant": (0.02, 0.12, 0.60),
    "standards_led_5y": (0.003, 0.03, 0.25),
    "management_certificate": (0.15, 0.50, 0.93),
    "overseas_product_certificate": (0.02, 0.08, 0.35),
    "information_system": (0.25, 0.55, 0.95),
    "abnormal_listed": (0.04, 0.01, 0.003),
    "dishonest_listed": (0.006, 0.002, 0.001),
    "prohibited_product": (0.01, 0.003, 0.002),
    "member_dragonhead": (0.0, 0.0, 0.03),
    "member_gongfu_chain": (0.0, 0.0, 0.015),
}
"""Share of yes among ordinary firms, ordinary firms that do research, strong firms."""


def draw_standing(
    rng: np.random.Generator, profile: Profile, book: Book, as_of: date
) -> dict[str, FloatArray]:
    """Fields that have no year, and yearly ones that are no figures: shape (years + 1, BLOCK), Y first."""
    years = len(book.columns["revenue"])
    return {
        **_flags(rng, profile),
        **_rights(rng, profile, book),
        **_niche(rng, profile, as_of.year),
        **_record(rng, profile),
        **_money(rng, profile, book),
        **_directory(rng, profile, book, as_of.year),
        "dev_score": _development(rng, profile, as_of.year, years),
    }


def _flags(rng: np.random.Generator, profile: Profile) -> dict[str, FloatArray]:
    able = profile.strong | (profile.upper & (profile.strength > 0.4))
    group = np.where(able, 2, np.where(profile.doer, 1, 0))
    found = {key: _yes(rng, np.array(share)[group]) for key, share in FLAGS.items()}
    table = sector_table()
    found["construction_qualification"] = _yes(rng, np.where(table.building[profile.sector], 0.5, 0.004))
    found["real_estate_activity"] = _yes(rng, np.where(table.estate[profile.sector], 0.3, 0.002))
    champion = profile.is_any(Layer.CHAMPION, Layer.LEADER)
    found["champion_qualitative"] = np.where(champion, _yes(rng, 0.9), found["champion_qualitative"])
    leader = profile.layer == Layer.LEADER
    for key, share in (("member_dragonhead", 0.5), ("member_gongfu_chain", 0.3)):
        found[key] = np.where(leader, _yes(rng, share), found[key])
    recent = _yes(rng, 0.006)
    found["incident_1y"] = recent
    found["incident_2y"] = np.maximum(recent, _yes(rng, 0.005))
    found["incident_3y"] = np.maximum(recent, _yes(rng, 0.01))
    return found


def _rights(rng: np.random.Generator, profile: Profile, book: Book) -> dict[str, FloatArray]:
    spent = np.nan_to_num(book.columns["rd_expense"][0]) / 1e6
    level = profile.is_any(Layer.GIANT, Layer.CHAMPION)
    mean = 0.7 * spent**0.7 * np.exp(0.4 * profile.strength) * np.where(level, 1.6, 1.0) + 2.5 * level
    class1 = rng.poisson(np.clip(mean, 0, 5000))
    class2 = rng.poisson(np.clip(5.0 * mean + 1.5 * profile.doer + 0.15, 0, 8000))
    found = {
        "ip_class1": class1,
        "ip_class1_self": rng.binomial(class1, 0.88),
        "ip_class1_high_value": rng.binomial(class1, 0.15),
        "ip_class1_counted_2026": rng.binomial(class1, 0.85),
        "ip_class2": class2,
        "invention_patents": rng.binomial(class1, 0.93),
    }
    return {key: value.astype(np.float64) for key, value in found.items()}


def _niche(rng: np.random.Generator, profile: Profile, year: int) -> dict[str, FloatArray]:
    """Years in the niche never exceed the firm's own age at the end of Y-1."""
    end = np.datetime64(f"{year}-01-01", "D").astype(np.int64)
    age = np.maximum((end - profile.established) / 365.25, 0.0)
    years = np.floor(age * rng.uniform(np.where(profile.strong, 0.75, 0.3), 1.0) * 10) / 10
    high = profile.is_any(Layer.GIANT, Layer.CHAMPION, Layer.LEADER)
    log_share = np.where(high, np.log(0.2), np.where(profile.strong, np.log(0.06), np.log(0.002)))
    share = np.exp(log_share + rng.normal(0, np.where(profile.strong, 0.5, 1.2)))
    national = _rank(rng, profile, (0.0, 0.5, 0.7, 0.85, 1.0, 1.0, 0.7, 0.5, 0.3), high)
    world = _rank(
        rng, profile, (0.0, 0.1, 0.15, 0.35, 0.9, 0.8, 0.3, 0.1, 0.05), profile.layer == Layer.CHAMPION
    )
    abroad = share * rng.uniform(0.05, 0.9, BLOCK)
    return {
        "niche_years": years,
        "niche_share": np.round(np.clip(share, 0.0001, 0.85), 4),
        "niche_share_world": np.round(np.clip(abroad, 0.0, 0.85), 4),
        "niche_rank_national": national,
        "niche_rank_world": world,
    }


def _rank(
    rng: np.random.Generator, profile: Profile, chance: tuple[float, ...], near_top: BoolArray
) -> FloatArray:
    """A rank where the firm has one, else 0; ``chance`` is by layer."""
    rank = rng.geometric(np.where(near_top, 0.5, 0.15)).astype(np.float64)
    return np.where(rng.random(BLOCK) < np.array(chance)[profile.layer], rank, 0.0)


def _record(rng: np.random.Generator, profile: Profile) -> dict[str, FloatArray]:
    """Institutions, prizes, contests and scores."""
    high = profile.strong & (profile.layer >= Layer.GIANT)
    prize = np.where(high, 0.05, np.where(profile.strong, 0.02, 0.0005))
    national = _yes(rng, prize) * rng.integers(1, 7, BLOCK)
    level = 3 * profile.strong + 2 * (profile.layer == Layer.LEADER) + 0.8 * profile.strength
    lab = np.searchsorted((0.0, 1.2, 2.0, 3.0, 4.6), level + rng.normal(0, 0.6, BLOCK))
    lean = 6 * profile.strong + 2 * profile.doer + profile.strength
    return {
        "rd_institution": np.where(profile.doer, lab, 0).astype(np.float64),
        "award_national_rank": national,
        "award_national_rank_5y": np.where(
            national > 0, national, _yes(rng, prize) * rng.integers(1, 7, BLOCK)
        ),
        "award_provincial_rank": _yes(rng, prize * 3) * rng.integers(1, 7, BLOCK),
        "maker_contest": np.where(rng.random(BLOCK) < prize, rng.integers(1, 3, BLOCK), 0).astype(np.float64),
        "digital_level": np.clip(np.round(1.4 + 0.2 * lean + rng.normal(0, 0.5, BLOCK)), 1, 5),
        "local_feature_score": np.round(np.clip(4 + lean + rng.normal(0, 2, BLOCK), 0, 15)),
        "hnte_innovation_score": np.round(np.clip(52 + 4 * lean + rng.normal(0, 7, BLOCK), 0, 98), 1),
    }


def _development(rng: np.random.Generator, profile: Profile, year: int, years: int) -> FloatArray:
    """发展评价, by those who were ever evaluated; shape (years + 1, BLOCK)."""
    usual = (
        np.array([38.0, 50.0, 59.0, 73.0, 74.0, 76.0, 55.0, 48.0, 52.0])[profile.layer] + 4 * profile.strength
    )
    score = np.round(np.clip(usual + rng.normal(0, 3, (years + 1, BLOCK)), 0, 98), 1)
    judged = profile.strong | (profile.doer & (rng.random(BLOCK) < 0.3))
    evaluated = year - np.arange(years + 1)[:, None]
    return np.where(judged & (profile.established_year <= evaluated), score, np.nan)


def _money(rng: np.random.Generator, profile: Profile, book: Book) -> dict[str, FloatArray]:
    """Capital raised and what the firm is worth; a valuation exists only where there was a round."""
    recent = np.nansum(book.columns["equity_raised"], axis=0)
    unicorn = profile.layer == Layer.UNICORN
    earlier = np.where(profile.is_any(*_UNICORNS), recent * 0.5 + np.where(unicorn, 2e8, 3e7), 0.0)
    total = recent + np.round(earlier * rng.uniform(0.2, 1.5, BLOCK) / 1e5) * 1e5
    worth = total * rng.uniform(3.5, 12.0, BLOCK)
    worth = np.where(unicorn, 6.5e9 * (1 + rng.pareto(0.9, BLOCK)), worth)
    worth = np.where(profile.layer == Layer.YOUNG_UNICORN, 4e8 * (1 + rng.pareto(1.3, BLOCK)), worth)
    worth = np.clip(worth, 0, 2e12)
    board = _board(rng, profile)
    priced = profile.strong & ((board > 0) | (rng.random(BLOCK) < 0.25))
    market = np.exp(book.log_size + rng.normal(0.9, 0.6, BLOCK)) * 1e4
    return {
        "listed_board": board,
        "equity_raised_total": total,
        "private_funding": (total > 0).astype(np.float64),
        "valuation_cny": np.where(total > 0, np.round(worth / 1e6) * 1e6, np.nan),
        "valuation_usd": np.where(total > 0, np.round(worth / 7.1 / 1e5) * 1e5, np.nan),
        "market_value": np.where(priced, np.round(np.clip(market, 5e7, 2e12) / 1e6) * 1e6, np.nan),
    }


def _board(rng: np.random.Generator, profile: Profile) -> FloatArray:
    """Position in none|star|chinext|main|bse|neeq|overseas."""
    strong = np.searchsorted((0.78, 0.82, 0.85, 0.88, 0.90, 0.99), rng.random(BLOCK), side="right")
    ordinary = np.zeros(BLOCK, dtype=np.int64)
    # Nobody else is traded over the counter, so that the upper layer can be told by it.
    board = np.where(profile.strong & (strong != NEEQ), strong, np.where(profile.upper, NEEQ, ordinary))
    return np.where(profile.is_any(*_UNICORNS), 0, board).astype(np.float64)


def _directory(rng: np.random.Generator, profile: Profile, book: Book, year: int) -> dict[str, FloatArray]:
    """In the 规上 directory the year after the line was crossed, and still there while not far below it."""
    main = np.nan_to_num(book.columns["main_revenue"])
    line = sector_table().line[profile.sector]
    founded = profile.established_year
    years = len(main)
    listed = np.zeros((years + 1, BLOCK), dtype=bool)
    first = np.zeros(BLOCK)
    held = np.zeros(BLOCK, dtype=bool)
    for k in range(years, -1, -1):
        base = main[min(k, years - 1)]
        enters = (base >= line) & (founded < year - k) & (rng.random(BLOCK) < 0.9)
        first = np.where((first == 0) & enters, year - k, first)
        held = enters | (held & (base >= 0.6 * line))
        listed[k] = held
    # A firm already there in the oldest year may have come in at any time since it was founded.
    span = np.maximum(year - years - founded - 1, 0)
    first = np.where(listed[years], first - np.floor(span * rng.uniform(0, 0.9, BLOCK)), first)
    monthly = np.where(first <= founded + 2, 0.6, 0.05)
    path = np.where(first > 0, (rng.random(BLOCK) < monthly).astype(np.float64), np.nan)
    return {
        "in_directory": listed.astype(np.float64),
        "directory_first_year": first,
        "directory_entry_path": path,
    }


def _yes(rng: np.random.Generator, share: FloatArray | float) -> FloatArray:
    return (rng.random(BLOCK) < share).astype(np.float64)
