"""Counts over a whole result: verdicts by standard, firms by rung, and the conditions that decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from models.tabular.guide import ResultGuide, StandardGuide
from models.tabular.result_columns import LADDER, deciding

ASSESSED = ("qualifies", "could_reach")
"""Answers of the ladder that standards give, not titles."""
COMMONEST = 3
"""Conditions shown for each standard."""


@dataclass(frozen=True, slots=True)
class ConditionCount:
    """Over the firms that do not meet the standard: how many a condition holds up."""

    id: str
    unmet: int
    open: int
    alone: int
    """Nothing else stands against these."""


@dataclass(frozen=True, slots=True)
class StandardCount:
    standard: StandardGuide
    verdicts: Mapping[str, int]
    conditions: Sequence[ConditionCount]
    """The commonest first, at most :data:`COMMONEST`."""


@dataclass(frozen=True, slots=True)
class Summary:
    firms: int
    unreadable: int
    rungs: Mapping[str, Mapping[int, int]]
    """Column of the ladder → rung → firms."""
    unsettled: Mapping[str, int]
    """Column of the ladder → firms on rung 0 of which nothing better is known because figures are missing."""
    standards: Sequence[StandardCount]


def summarise(rows: pl.LazyFrame, guide: ResultGuide) -> Summary:
    """Count over ``rows``, columns as the contract orders them; those of no standard shown are left out."""
    names = rows.collect_schema().names()
    shown = [standard for standard in guide.standards if standard.id in names]
    ladder = [column for column in LADDER if column in names]
    unreadable = pl.col("error").is_not_null().sum() if "error" in names else pl.lit(0)
    total, *grouped = pl.collect_all(
        [
            rows.select(pl.len(), unreadable.alias("unreadable"), *_unsettled(guide, names)),
            *(rows.group_by(column).len() for column in ladder),
            *(rows.group_by(_keys(standard, names)).len() for standard in shown),
        ],
        engine="streaming",
    )
    firms, bad, *unsettled = total.row(0)
    rungs = {column: _rung_counts(frame) for column, frame in zip(ladder, grouped, strict=False)}
    counted = zip(shown, grouped[len(ladder) :], strict=True)
    return Summary(
        firms,
        bad,
        rungs,
        dict(zip(total.columns[2:], unsettled, strict=True)),
        [_standard_count(standard, frame) for standard, frame in counted],
    )


def _unsettled(guide: ResultGuide, names: Sequence[str]) -> list[pl.Expr]:
    """Firms on rung 0 with rung 1 unknown; for titles held, all on rung 0 where the file holds no title."""
    found = []
    if "recognised" in names and not guide.titles_given:
        found.append((pl.col("recognised") == 0).sum().alias("recognised"))
    if guide.scale is not None and guide.scale in names:
        unknown = pl.col(guide.scale) == "unknown"
        found += [((pl.col(c) == 0) & unknown).sum().alias(c) for c in ASSESSED if c in names]
    return found


def _rung_counts(frame: pl.DataFrame) -> dict[int, int]:
    return {rung: count for rung, count in frame.iter_rows() if rung is not None}


def _keys(standard: StandardGuide, names: Sequence[str]) -> list[pl.Expr]:
    """The verdict and both lists of ids, null where the result does not carry one."""
    parts = [f"{standard.id}.{part}" for part in ("unmet", "open")]
    absent = pl.lit(None, pl.String)
    return [pl.col(standard.id), *((pl.col(p) if p in names else absent).alias(p) for p in parts)]


def _standard_count(standard: StandardGuide, frame: pl.DataFrame) -> StandardCount:
    verdicts: Counter[str] = Counter()
    unmet: Counter[str] = Counter()
    still_open: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for verdict, missed, waiting, count in frame.iter_rows():
        if verdict is None:
            continue
        verdicts[verdict] += count
        missed_ids, waiting_ids = deciding(verdict, missed, waiting)
        unmet.update(dict.fromkeys(missed_ids, count))
        still_open.update(dict.fromkeys(waiting_ids, count))
        if len(missed_ids) + len(waiting_ids) == 1:
            alone[(missed_ids + waiting_ids)[0]] += count
    commonest = [condition for condition, _ in (unmet + still_open).most_common(COMMONEST)]
    conditions = [ConditionCount(c, unmet[c], still_open[c], alone[c]) for c in commonest]
    return StandardCount(standard, verdicts, conditions)
