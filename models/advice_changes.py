"""One figure that must become another: whether that may be advised, and from which day it can count."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from models.advice_fields import UNKNOWN_DAY, When, nature_of
from models.advice_outlook import Outlook
from models.errors import Text
from models.figures import Column

Kind = Literal["answer", "change", "wait"]
Bound = Literal["at_least", "at_most", "within"]


@dataclass(frozen=True, slots=True)
class Change:
    """One figure that must become another, a blank that must turn out so, or a day to wait for."""

    column: Column
    kind: Kind
    before: Any
    """What is known, or what the last known year lets expect."""
    after: Any
    """The nearest value that will do; held as inside."""
    when: When
    earliest: date | None
    """First evaluation date at which it can count; None: not known beforehand."""
    bound: Bound | None = None
    """On which side of ``after`` other values will do too; within: ranks from 1 to it."""
    joint: bool = False
    """One of several figures that only together settle a condition: of a blank, ``after`` is an example."""

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

    @property
    def waits_for_others(self) -> bool:
        """Nobody knows the day beforehand."""
        return self.kind == "change" and self.earliest is None


def change_of(
    column: Column, view: Outlook, after: Any, *, bound: Bound | None = None, joint: bool = False
) -> Change | None:
    """The change of one column to ``after``; None where it cannot be, or would mean doing worse."""
    before, nature = view.figures.get(column.name), nature_of(column.field)
    when = nature.when_to(after)
    if when == "year" and column.year is not None and column.year >= view.period.as_of.year:
        when = "now"  # of the running year, and looked at in that year
    if before is None:
        # Nothing at all is known of it: that it must stay low is a question, not a thing to do.
        low = bound == "at_most" and nature.better == "up"
        if when == "never" or low or not view.is_to_come(column):
            return Change(column, "answer", None, after, "now", view.asked, bound, joint)
        return Change(
            column, "change", None, after, when, _earliest(column, when, 0, after, view), bound, joint
        )
    if when == "never" or view.is_closed(column) or not nature.is_better(column.field, before, after):
        return None
    earliest = _earliest(column, when, before, after, view)
    if earliest is not None and earliest > view.period.as_of:
        return None
    return Change(column, "change", before, after, when, earliest, bound, joint)


def _earliest(column: Column, when: When, before: Any, after: Any, view: Outlook) -> date | None:
    if when in UNKNOWN_DAY or (isinstance(after, bool) and when == "time"):
        return None
    if when == "time":
        # Years are counted to the end of last year, so they grow on 1 January.
        return date(view.asked.year + math.ceil(after - before), 1, 1)
    if when == "year":
        return date((column.year or view.asked.year) + 1, 1, 1)
    return view.asked


def when_text(change: Change) -> Text:
    """From when on, and why not sooner, in words."""
    why, day = nature_of(change.column.field).why, change.earliest
    if change.kind == "answer":
        return Text(
            "空白，先问清；答案与所列相符才算数", "blank: ask first; it counts only if the answer is so"
        )
    if change.when == "year" and day is not None:
        year = day.year - 1
        reason = why or Text("已结束年份的数据不会再变", "figures of years that are over stay")
        return Text(
            f"{reason.zh}；{year}年做到，从{day}起的评估计入",
            f"{reason.en}; reached in {year} it counts in evaluations from {day}",
        )
    if change.when == "time":
        if day is None:
            return Text(
                "随时间推移；日期要看事情发生在哪一天",
                "it comes by waiting; when depends on the day it began",
            )
        return Text(f"随时间推移，最早{day}", f"it comes by waiting, on {day} at the earliest")
    return _others(change, why)


def _others(change: Change, why: Text | None) -> Text:
    lead = {
        "round": Text(
            "须经一轮申报或评选，时间以下一轮公布为准", "it takes a round; the next one's date is not known"
        ),
        "others": Text(
            "取决于他方，日期事先不知道", "it is for others to decide, on a day not known beforehand"
        ),
    }.get(change.when)
    if change.when != "now" and change.column.field.options:
        why = None  # the reason in the file is for what the firm can do itself
    if lead is None:
        return why or Text("本年数据还在变化", "a figure of the running year")
    return Text(f"{why.zh}；{lead.zh}", f"{why.en}; {lead.en}") if why else lead
