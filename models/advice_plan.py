"""The smallest set of changes with which a firm would meet a standard, and the first day that can be.

Every day on which something can come to count is tried in turn, by the rules and with the figures as they
will be looked at then: today, the firsts of January, days for which one only has to wait. What the firm can
do itself comes before what others decide; then the earlier day comes first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from models.advice_blocked import Blocked, blocked_by
from models.advice_changes import Change
from models.advice_fields import nature_of
from models.advice_judge import Judge
from models.advice_outlook import Outlook, figure_column, outlook
from models.advice_scale import nearest, scale_of
from models.advice_search import Search
from models.kept import Kept
from models.rules.compile import Branch, Standards
from models.rules.pack import Pack
from models.rules.quantity import Figures, Period
from models.verdict import Verdict

YEARS = 4
"""Years on that are tried: then no figure of a year that is over is looked at any more."""
LAST_YEAR = 2099
JUDGES = 256


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes with which the standard is met on a day; or what stands in the way of every such set."""

    changes: tuple[Change, ...]
    verdict: Verdict
    """What the rules say on that day with the changes made."""
    as_of: date
    """Day of asking."""
    day: date
    """Day of the assessment that was tried."""
    carried: tuple[tuple[str, str | None], ...] = ()
    """(column of an open year, the column whose figure was taken for it; None: nought)."""
    """Those that no change is about."""
    taken: Mapping[str, str | None] = field(default_factory=dict)
    """The same for those that a change is about."""
    blocked: tuple[Blocked, ...] = ()

    def taken_from(self, column: str) -> str | None:
        """The column of an earlier year whose figure stands for this one before the change."""
        return self.taken.get(column)

    @property
    def is_possible(self) -> bool:
        return self.verdict is Verdict.MET

    @property
    def earliest(self) -> date | None:
        """The first evaluation date at which all changes can count; None where one has no known day."""
        known = self.is_possible and not any(change.waits_for_others for change in self.changes)
        return self.day if known else None


class Planner:
    """Finds plans under one compiled set of standards. Safe between threads."""

    def __init__(self, standards: Standards) -> None:
        self._standards = standards
        self._judges: Kept[tuple[str, date], Judge] = Kept(JUDGES)

    def plan(self, standard: str, figures: Figures) -> Plan | None:
        """The plan for one standard; None where its answer is a class and not a verdict."""
        compiled = self._standards.compiled[standard]
        return None if compiled.pack.size_table is not None else self._best(compiled.pack, figures)

    def judge(self, standard: str, day: date) -> Judge:
        """The standard's rules on another day."""
        return self._judge(self._standards.compiled[standard].pack, day)

    def _best(self, pack: Pack, figures: Figures) -> Plan:
        best: Plan | None = None
        fewest, stuck = 0, []
        for day in self._days(pack, figures):
            judge = self._judge(pack, day)
            view = self._view(judge, figures)
            search = Search(judge, view)
            hopeless = search.hopeless()
            if hopeless or (best is not None and search.least_others() >= fewest):
                stuck.append(hopeless)
                continue
            changes = search.run()
            if changes is None:
                stuck.append([])
                continue
            others = sum(change.waits_for_others for change in changes)
            if best is None or others < fewest:
                best, fewest = self._planned(pack, judge, view, changes), others
            if fewest == 0:
                break
        return best or self._blocked(pack, figures, stuck)

    def _planned(self, pack: Pack, judge: Judge, view: Outlook, changes: list[Change]) -> Plan:
        made = {**view.figures, **{change.column.name: change.after for change in changes}}
        slot, day = judge.compiled.verdict, view.period.as_of
        verdict = Verdict(judge.values((slot,), made)[slot])
        changed = {change.column.name for change in changes}
        read = judge.columns(slot)
        carried = tuple((c, view.carried[c]) for c in read if c in view.carried and c not in changed)
        waits = self._waits(pack, view)
        taken = {name: view.carried[name] for name in changed if name in view.carried}
        return Plan((*changes, *waits), verdict, view.asked, day, carried, taken)

    def _waits(self, pack: Pack, view: Outlook) -> Iterator[Change]:
        """Days of the past that only have to lie further back, of conditions that must hold."""
        terms = self._judge(pack, view.asked).compiled.branches
        for leaf, name, turns in self._turns(pack, view.figures):
            column = figure_column(name)
            if column.field.type == "date" and leaf in terms and view.asked < turns <= view.period.as_of:
                since = view.figures[name]
                yield Change(column, "wait", since, since, "time", turns)

    def _blocked(self, pack: Pack, figures: Figures, stuck: list[list[Branch]]) -> Plan:
        """What is hopeless on every day, said of the day of asking."""
        today = self._judge(pack, self._standards.period.as_of)
        always = [{branch.member.id for branch in branches} for branches in stuck]
        ids = set.intersection(*always) or min(filter(None, always), key=len, default=set())
        # Where each could be turned, but not all of them together, all are named.
        terms = [b for b in today.compiled.branches if b.member.id in ids or not ids]
        terms = [term for term in terms if not today.is_met(term.slot, figures)]
        verdict = Verdict(today.values((today.compiled.verdict,), figures)[today.compiled.verdict])
        day = self._standards.period.as_of
        blocked = tuple(blocked_by(term, today, figures, self._period(pack, day)) for term in terms)
        return Plan((), verdict, day, day, blocked=blocked)

    def _days(self, pack: Pack, figures: Figures) -> list[date]:
        """Days on which something can come to count, the day of asking first."""
        asked = self._standards.period.as_of
        days = {date(asked.year + years, 1, 1) for years in range(1, YEARS + 1)}
        days |= {turns for _, _, turns in self._turns(pack, figures)}
        return [asked, *sorted(day for day in days if asked < day and day.year <= LAST_YEAR)]

    def _turns(self, pack: Pack, figures: Figures) -> Iterator[tuple[Branch, str, date]]:
        """(condition, column, day from which it holds), for those that come to hold by waiting."""
        today = self._judge(pack, self._standards.period.as_of)
        for leaf in today.leaves():
            for name in today.columns(leaf.slot):
                column = figure_column(name)
                known = figures.get(name) is not None and nature_of(column.field).when == "time"
                if known and not today.is_met(leaf.slot, figures):
                    day = self._turn(today, leaf, name, figures)
                    if day is not None:
                        yield leaf, name, day

    def _turn(self, judge: Judge, leaf: Branch, name: str, figures: Figures) -> date | None:
        period = judge.compiled.period
        scale = scale_of(figure_column(name).field, period)
        if scale is None:
            return None
        start = scale.number(figures[name])
        limit = scale.low if scale.is_date else scale.high

        def at(number: int) -> bool:
            return judge.is_met(leaf.slot, {**figures, name: scale.value(number)})

        number = nearest(at, start, limit)
        if number is None:
            return None
        if not scale.is_date:
            years = math.ceil(scale.value(number) - figures[name])
            return date(period.as_of.year + years, 1, 1) if period.as_of.year + years <= LAST_YEAR else None
        return self._first_day(judge.compiled.pack, leaf, figures, period.as_of + timedelta(start - number))

    def _first_day(self, pack: Pack, leaf: Branch, figures: Figures, near: date) -> date | None:
        """The first day it holds, near one reckoned in days: anniversaries know leap years."""
        for days in range(-3, 4):
            day = near + timedelta(days)
            if day.year > LAST_YEAR:
                return None
            judge = self._judge(pack, day)
            same = next((b for b in judge.leaves() if b.member is leaf.member), None)
            if same is not None and judge.is_met(same.slot, figures):
                return day
        return None

    def _view(self, judge: Judge, figures: Figures) -> Outlook:
        read = judge.columns(judge.compiled.verdict)
        return outlook(self._standards.period.as_of, judge.compiled.period, figures, read)

    def _period(self, pack: Pack, day: date) -> Period:
        return pack.effective(Period(day, self._standards.period.kind))

    def _judge(self, pack: Pack, day: date) -> Judge:
        return self._judges.get((pack.id, day), lambda: Judge(pack, self._period(pack, day)))
