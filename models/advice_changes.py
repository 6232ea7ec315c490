"""How a figure can change, and from which day a changed one can count.

A figure of a year that is over stays what it is: the same condition looks at a later year's figure when it is
evaluated in a later year. A title takes a round, whose day nobody knows beforehand. Nothing here is a rule:
which value a condition asks for comes from the rules (:mod:`models.advice_moves`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, Literal

import yaml

from models.errors import Text
from models.fields import catalogue
from models.figures import Column, column_of
from models.rules.quantity import Figures, Period
from models.seeds import seed

When = Literal["now", "year", "round", "time", "never"]
Kind = Literal["answer", "change"]


@dataclass(frozen=True, slots=True)
class Change:
    """One figure that must become another, or a blank that must be answered so."""

    column: Column
    kind: Kind
    before: Any
    after: Any
    """The nearest value that will do; held as inside."""
    when: When
    earliest: date | None
    """First evaluation date at which it can count; None: not known beforehand."""
    bound: Literal["at_least", "at_most"] | None = None
    """On which side of ``after`` other values will do too."""
    joint: bool = False
    """One of several blanks that only together settle a condition: ``after`` is an example."""

    @property
    def is_more(self) -> bool | None:
        """Up or down; None where it is neither."""
        if isinstance(self.after, bool | str) or isinstance(self.before, bool | str) or self.before is None:
            return None
        return bool(self.after > self.before)

    @property
    def effort(self) -> float:
        """Between 0 (nothing) and 1 (from nothing, or to nothing): relative to the larger of the two."""
        before, after = self.before, self.after
        if self.is_more is None or isinstance(before, date) or isinstance(after, date):
            return 1.0
        return float(abs(after - before) / max(abs(before), abs(after)))


def change_of(
    column: Column,
    figures: Figures,
    after: Any,
    period: Period,
    *,
    bound: Literal["at_least", "at_most"] | None = None,
    joint: bool = False,
) -> Change:
    """The change of one column to ``after``, with the day it can count from."""
    before = figures.get(column.name)
    if before is None:
        return Change(column, "answer", None, after, "now", period.as_of, bound, joint)
    when = when_of(column, period)
    earliest = _EARLIEST[when](column, before, after, figures, period)
    if when == "time" and earliest is None and column.field.type == "date":
        when = "never"  # nobody grows younger
    return Change(column, "change", before, after, when, earliest, bound)


def when_of(column: Column, period: Period) -> When:
    """How a known figure of this column can become another."""
    named = _exceptions().get(column.field.key)
    if named is not None:
        return named
    if column.year is not None:
        return "year" if column.year < period.as_of.year else "now"
    return {"title": "round", "date": "time"}.get(column.field.type, "now")  # type: ignore[return-value]


def when_text(change: Change) -> Text:
    """From when on, in words."""
    if change.kind == "answer":
        return Text("空白，先问清", "blank: ask first")
    day, year = change.earliest, change.column.year
    if change.when == "year" and year is not None and day is not None:
        return Text(
            f"{year}年已结束，数据只能更正、不会再变；最早从{day}起的评估才会看后一年的数据",
            f"{year} is over: its figure can be corrected, not changed; "
            f"evaluations from {day} look at a later year's",
        )
    if change.when == "round":
        return Text(
            "须经一轮申报或评选，时间以下一轮公布为准", "it takes a round; the next one's date is not known"
        )
    if change.when == "time":
        if day is None:
            return Text(
                "随时间推移；日期要看事情发生在哪一天",
                "it comes by waiting; when depends on the day it began",
            )
        return Text(f"随时间推移，最早{day}", f"it comes by waiting, on {day} at the earliest")
    return Text("现在就可以改变", "it can change now")


def _now(column: Column, before: Any, after: Any, figures: Figures, period: Period) -> date | None:
    return period.as_of


def _unknown(column: Column, before: Any, after: Any, figures: Figures, period: Period) -> date | None:
    return None


def _by_year(column: Column, before: Any, after: Any, figures: Figures, period: Period) -> date | None:
    """1 January of the first year whose evaluation finds an open figure here, or one good enough."""
    assert column.year is not None
    back = period.as_of.year - column.year
    for later in range(1, back + 1):
        year = column.year + later
        value = figures.get(column.field.column(year)) if year < period.as_of.year else None
        as_good = value is not None and ((value >= after) if after > before else (value <= after))
        if year >= period.as_of.year or as_good:
            return date(period.as_of.year + later, 1, 1)
    return None


def _by_time(column: Column, before: Any, after: Any, figures: Figures, period: Period) -> date | None:
    if isinstance(after, date) and isinstance(before, date):
        # A day that must lie further back comes by waiting as long.
        return period.as_of + timedelta(days=(before - after).days) if after < before else None
    if isinstance(after, bool) or not isinstance(after, int | float) or after < before:
        return None
    # Years are counted to the end of last year, so they grow on 1 January.
    return date(period.as_of.year + math.ceil(after - before), 1, 1)


_EARLIEST = {"now": _now, "year": _by_year, "round": _unknown, "time": _by_time, "never": _unknown}


@cache
def _exceptions() -> Mapping[str, When]:
    named: dict[str, When] = yaml.load(
        seed("fields", "changes.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader
    )
    strays = {key for key in named if key not in catalogue()} | (set(named.values()) - set(_EARLIEST))
    if strays:
        raise ValueError(f"changes.yaml: {sorted(strays)}")
    return named


def figure_column(name: str) -> Column:
    """The column of an input of the rules."""
    column = column_of(name)
    assert column is not None
    return column
