"""Does a synthetic registry look like a real one? Every measured quantity beside what it should be.

The targets, in ``seeds/learning/calibration.yaml``, were measured on real small firms. Rows about firms
traded over the counter look at those (``listed_board`` is neeq), rows about all registered firms at the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import yaml
from scipy.stats import kurtosis, spearmanr

from models.codes import encode_industry
from models.errors import Text
from models.learn.columns import FloatArray
from models.learn.groups import sizes_of
from models.learn.synth.frame import generate_aside
from models.rules.rulebook import rulebook
from models.seeds import seed

FIRMS = 100_000
AS_OF = date(2025, 6, 30)
YEARS = 6
WAN = 10_000.0
WITHIN = 0.20


@dataclass(frozen=True)
class Row:
    """One quantity: ``target`` is a figure or a range, ``got`` what the registry shows."""

    name: Text
    unit: str
    low: float
    high: float
    got: float
    slack: float

    @property
    def fits(self) -> bool:
        """Within 20 % of the figure or of the range's ends; within ``slack`` where a figure is about zero."""
        spare = [max(WITHIN * abs(end), self.slack) for end in (self.low, self.high)]
        return bool(self.low - spare[0] <= self.got <= self.high + spare[1])

    @property
    def target(self) -> str:
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g}–{self.high:g}"


def report(seed_number: int = 2026, firms: int = FIRMS) -> list[Row]:
    """The table of a registry of so many firms, whose figures end with the last year that was measured."""
    frame, aside = generate_aside(firms, seed_number, AS_OF, years=YEARS)
    sample = Sample(frame, aside.firms)
    targets = yaml.load(seed("learning", "calibration.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    rows = []
    for entry in targets:
        got = _MEASURES[entry["measure"]](sample, *entry.get("of", []))
        target = entry["target"]
        low, high = target if isinstance(target, list) else (target, target)
        rows.append(
            Row(Text(*entry["name"]), entry.get("unit", ""), low, high, got, entry.get("within", 0.0))
        )
    return rows


class Sample:
    """A registry with what is known beside it."""

    def __init__(self, frame: pl.DataFrame, firms: pl.DataFrame) -> None:
        code = pl.col("industry").str.slice(1)
        numbers = {one: encode_industry(one) for one in frame.select(code).to_series().drop_nulls().unique()}
        typed = frame.with_columns(code.replace_strict(numbers, return_dtype=pl.Int32).alias("industry"))
        section = frame["industry"].str.slice(0, 1)
        self.all = typed.with_columns(
            section=section,
            division=frame["industry"].str.slice(1, 2),
            size=sizes_of(typed, AS_OF.year, rulebook()),
            giant=_held(frame["title_giant_until"]),
            srdi=_held(frame["title_srdi_until"]),
        )
        self.firms = firms
        self.upper = self.all.filter(pl.col("listed_board") == "neeq")

    def revenue(self, year: int) -> FloatArray:
        """万元, of the firms traded over the counter."""
        return _numbers(self.upper, f"revenue_{year}") / WAN

    def growth(self, year: int) -> FloatArray:
        """Log growth from ``year`` to the next, NaN where a figure is missing."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found: FloatArray = np.log(self.revenue(year + 1) / self.revenue(year))
        return np.where(np.isfinite(found), found, np.nan)


def _held(until: pl.Series) -> pl.Series:
    return (until >= AS_OF.isoformat()) & (until != "none")


def _numbers(frame: pl.DataFrame, name: str) -> FloatArray:
    return frame[name].cast(pl.Float64).to_numpy()


def _ratio(frame: pl.DataFrame, over: str, under: str, year: int = AS_OF.year - 1) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return _numbers(frame, f"{over}_{year}") / _numbers(frame, f"{under}_{year}")


def _share(condition: Any, known: Any) -> float:
    return float(np.mean(condition[known]))


LAST = AS_OF.year - 1
BASES = range(LAST - YEARS + 1, LAST)
"""Years from which growth to the next is known."""


def _log_mean(sample: Sample) -> float:
    return float(np.nanmean(_logs(sample)))


def _logs(sample: Sample) -> FloatArray:
    revenue = sample.revenue(LAST)
    logs: FloatArray = np.log(revenue[revenue > 0])
    return logs


def _tail(sample: Sample) -> float:
    """Hill's estimate over the largest twelfth, as the 150 largest of 1,835 were."""
    top = np.sort(_logs(sample))[::-1]
    top = top[: len(top) // 12]
    return float(1 / np.mean(top - top[-1]))


def _spread(sample: Sample, low: float, high: float) -> float:
    """Laplace scale: mean distance from the median."""
    found = []
    for year in BASES:
        base, growth = sample.revenue(year), sample.growth(year)
        found.append(growth[(base >= low) & (base < high) & ~np.isnan(growth)])
    values = np.concatenate(found)
    return float(np.mean(np.abs(values - np.median(values))))


def _all_growth(sample: Sample) -> FloatArray:
    values: FloatArray = np.concatenate([sample.growth(year) for year in BASES])
    return values[~np.isnan(values)]


def _correlation(sample: Sample) -> float:
    pairs = [(sample.growth(year), sample.growth(year + 1)) for year in range(BASES.start, BASES.stop - 1)]
    first, second = (np.concatenate(side) for side in zip(*pairs, strict=True))
    known = ~np.isnan(first) & ~np.isnan(second)
    return float(spearmanr(first[known], second[known])[0])


def _fast(sample: Sample, year: int) -> float:
    growth = sample.growth(year)
    return _share(growth >= np.log(1.2), ~np.isnan(growth))


def _twice(sample: Sample, year: int) -> float:
    first, second = sample.growth(year - 2), sample.growth(year - 1)
    line = np.log(1.2)
    return _share((first >= line) & (second >= line), ~np.isnan(first) & ~np.isnan(second))


def _three_years(sample: Sample, year: int) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = sample.revenue(year) / sample.revenue(year - 3)
    return _share(ratio >= 1.2**3, np.isfinite(ratio))


def _crossing(sample: Sample, low: float) -> float:
    """Of firms from ``low`` to 2,000 万元 those that reach 2,000 next year, over all years."""
    crossed, firms = 0, 0
    for year in BASES:
        base, then = sample.revenue(year), sample.revenue(year + 1)
        asked = (base >= low) & (base < 2000) & ~np.isnan(then)
        crossed, firms = crossed + int((then[asked] >= 2000).sum()), firms + int(asked.sum())
    return crossed / max(firms, 1)


def _quantile(sample: Sample, over: str, under: str, share: float) -> float:
    return float(100 * np.nanquantile(_ratio(sample.upper, over, under), share))


def _research(sample: Sample, division: str) -> float:
    return _median(sample.upper.filter(pl.col("division") == division), "rd_expense", "revenue")


def _researchers(sample: Sample, division: str) -> float:
    return _median(sample.upper.filter(pl.col("division") == division), "rd_staff", "employees")


def _median(frame: pl.DataFrame, over: str, under: str) -> float:
    return float(100 * np.nanmedian(_ratio(frame, over, under)))


def _research_by_size(sample: Sample, size: str) -> float:
    """Sum over sum, %."""
    told = sample.upper.filter(pl.col("size") == size).select(f"rd_expense_{LAST}", f"revenue_{LAST}")
    told = told.drop_nulls()
    return 100 * float(told[f"rd_expense_{LAST}"].sum()) / float(told[f"revenue_{LAST}"].sum())


def _persistence(sample: Sample, now: bool) -> float:
    before, then = (_ratio(sample.upper, "rd_expense", "revenue", year) for year in (LAST - 1, LAST))
    known = np.isfinite(before) & np.isfinite(then) & ((before >= 0.03) == now)
    return _share(then >= 0.03, known)


def _research_rank(sample: Sample) -> float:
    before, then = (_ratio(sample.upper, "rd_expense", "revenue", year) for year in (LAST - 1, LAST))
    known = np.isfinite(before) & np.isfinite(then)
    return float(spearmanr(before[known], then[known])[0])


_GOOD = 2020
"""The year from which growth of 5 % was measured, as far as its share tells: a good one."""
_GATES: dict[str, pl.Expr] = {
    "growth": 100 * pl.col(f"revenue_{_GOOD + 1}") >= 105 * pl.col(f"revenue_{_GOOD}"),
    "revenue": pl.col(f"revenue_{LAST}") >= 5000 * WAN,
    "debt": 10 * pl.col(f"total_liabilities_{LAST}") <= 7 * pl.col(f"total_assets_{LAST}"),
    "margin": pl.col(f"net_profit_{LAST}") > 0,
    "sector": pl.col("section").is_in(["C", "I", "M"]),
}


def _mean(frame: pl.DataFrame, condition: pl.Expr) -> float:
    """Mean over the firms of which it is known."""
    return float(frame.select(condition.mean()).item())


def _gate(sample: Sample, gate: str, holder: bool) -> float:
    told = sample.upper.filter(pl.col("giant") == holder)
    return _mean(told, _GATES[gate])


def _giants(sample: Sample, column: str | None = None, value: str | None = None) -> float:
    told = sample.upper.filter(pl.col("giant").is_not_null())
    if column is not None:
        told = told.filter(pl.col(column) == value)
    return _mean(told, pl.col("giant"))


def _holders(sample: Sample) -> pl.DataFrame:
    """专精特新 firms that are no 小巨人."""
    return sample.all.filter(pl.col("srdi") & ~pl.col("giant").fill_null(True))


def _holders_revenue(sample: Sample) -> float:
    return float(np.nanmean(_numbers(_holders(sample), f"revenue_{LAST}"))) / WAN


def _holders_margin(sample: Sample) -> float:
    """Mean over firms, a loss of more than the whole revenue counted as that."""
    found = _ratio(_holders(sample), "net_profit", "revenue")
    return 100 * float(np.mean(np.clip(found[np.isfinite(found)], -1, 1)))


def _holders_ratio(sample: Sample, over: str, under: str) -> float:
    found = _ratio(_holders(sample), over, under)
    return 100 * float(np.median(found[np.isfinite(found)]))


def _holders_rights(sample: Sample) -> float:
    return _mean(_holders(sample), pl.col("ip_class1") + pl.col("ip_class2"))


def _holders_section(sample: Sample, section: str) -> float:
    return _mean(_holders(sample), pl.col("section") == section)


def _small_or_micro(sample: Sample) -> float:
    known = sample.all.filter(pl.col("size") != "unknown")
    return _mean(known, pl.col("size").is_in(["small", "micro"]))


def _capital_log(sample: Sample, what: str) -> float:
    logs = np.log(sample.firms["registered_capital"].to_numpy())
    return float(logs.mean() if what == "mean" else logs.std())


def _capital(sample: Sample, share: float) -> float:
    return float(np.quantile(sample.firms["registered_capital"].to_numpy(), share))


def _ages(sample: Sample, low: float, high: float) -> float:
    mass = sample.all.filter(pl.col("listed_board").is_null() | (pl.col("listed_board") != "neeq"))
    days = pl.lit(AS_OF) - pl.col("established_on")
    ages = mass.select((days.dt.total_days() / 365.25).alias("age"))["age"].drop_nulls().to_numpy()
    return float(np.mean((ages >= low) & (ages < high)))


def _exits(sample: Sample, age: int) -> float:
    """Yearly exit of firms of an age in years, over the years of the registry's history."""
    told = sample.all.select("uscc", "established_on", "listed_board").join(sample.firms, on="uscc")
    told = told.filter(pl.col("layer") == "ordinary", pl.col("established_on").is_not_null())
    founded, gone = told["established_on"].dt.year().to_numpy(), told["gone"].fill_null(9999).to_numpy()
    year = founded + age
    there = (year >= AS_OF.year - 12) & (year <= AS_OF.year) & (gone >= year)
    return float(np.mean(gone[there] == year[there]))


def _blank(sample: Sample, key: str) -> float:
    return sample.upper[f"{key}_{LAST}"].null_count() / sample.upper.height


def _growth_median(sample: Sample, year: int) -> float:
    return float(100 * np.expm1(np.nanmedian(sample.growth(year))))


_MEASURES: Mapping[str, Callable[..., float]] = {
    "log_mean": _log_mean,
    "log_spread": lambda sample: float(np.nanstd(_logs(sample))),
    "revenue": lambda sample, share: float(np.nanquantile(sample.revenue(LAST), share)),
    "tail": _tail,
    "small_or_micro": _small_or_micro,
    "capital_log": _capital_log,
    "capital": _capital,
    "spread": _spread,
    "kurtosis": lambda sample: float(kurtosis(_all_growth(sample))),
    "correlation": _correlation,
    "growth_median": _growth_median,
    "fast": _fast,
    "twice": _twice,
    "three_years": _three_years,
    "crossing": _crossing,
    "quantile": _quantile,
    "research": _research,
    "research_by_size": _research_by_size,
    "persistence": _persistence,
    "research_rank": _research_rank,
    "researchers": _researchers,
    "gate": _gate,
    "giants": _giants,
    "holders_revenue": _holders_revenue,
    "holders_margin": _holders_margin,
    "holders_ratio": _holders_ratio,
    "holders_rights": _holders_rights,
    "holders_section": _holders_section,
    "ages": _ages,
    "exits": _exits,
    "blank": _blank,
}


def as_dicts(rows: list[Row]) -> Iterator[dict[str, object]]:
    """For programs."""
    for row in rows:
        yield {
            "zh": row.name.zh,
            "en": row.name.en,
            "unit": row.unit,
            "target": row.low if row.low == row.high else [row.low, row.high],
            "got": row.got,
            "fits": row.fits,
        }
