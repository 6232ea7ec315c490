"""The smallest set of changes with which a firm would meet a standard, checked by the standard's own rules.

A search over what could change, condition by condition: a handful of the cheapest sets is kept at every
step (a beam), sets in which figures hang together (more revenue lowers the R&D share) are mended as they go,
and only what the rules then call met is offered. Cheap is, in this order: nothing that has to wait; few
changes; few blanks to answer; little effort.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.advice_changes import Change, change_of, figure_column, when_of
from models.advice_moves import Holds, Way, moves, reach, together
from models.errors import Text
from models.rules.compile import Branch, Compiled, Standards
from models.rules.condition import Condition, Group, Score
from models.rules.explain import member_text
from models.rules.firm import write_function
from models.rules.program import Slot
from models.rules.quantity import Figures
from models.verdict import Verdict

BEAM = 12
STEPS = 40
WAYS = 8
"""Sets kept at a step, steps at most, ways tried for one condition."""

Cost = tuple[int, int, int, float]
Set = Mapping[str, Change]


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes with which the standard is met; or what stands in the way of every such set."""

    changes: tuple[Change, ...]
    verdict: Verdict
    """What the rules say with the changes made."""
    as_of: date
    blocked: tuple[tuple[str, Text], ...] = ()
    """(condition, its sentence) that no figure that can change would turn."""

    @property
    def is_possible(self) -> bool:
        return self.verdict is Verdict.MET

    @property
    def earliest(self) -> date | None:
        """The first evaluation date at which all changes can count; None where one has no known day."""
        days = [change.earliest for change in self.changes]
        known = [day for day in days if day is not None]
        return max([self.as_of, *known]) if self.is_possible and len(known) == len(days) else None


class Planner:
    """Finds plans under one compiled set of standards. Safe between threads."""

    def __init__(self, standards: Standards) -> None:
        self._standards = standards
        self._functions: dict[tuple[Slot, ...], Callable[[Figures], dict[Slot, Any]]] = {}

    def plan(self, standard: str, figures: Figures) -> Plan | None:
        """The plan for one standard; None where its answer is a class and not a verdict."""
        compiled = self._standards.compiled[standard]
        return None if compiled.pack.size_table is not None else _Search(self, compiled, figures).run()

    def values(self, slots: Sequence[Slot], figures: Figures) -> dict[Slot, Any]:
        """These slots' values for these figures."""
        key = tuple(slots)
        if key not in self._functions:
            self._functions[key] = write_function(self._standards.program, key)
        return self._functions[key](figures)

    def columns(self, slot: Slot) -> list[str]:
        return sorted(self._standards.program.inputs([slot]))


class _Search:
    """One search, for one firm and one standard."""

    def __init__(self, planner: Planner, compiled: Compiled, figures: Figures) -> None:
        self._planner, self._compiled, self._figures = planner, compiled, figures
        self._slots = tuple(sorted(set(compiled.all_slots())))
        self._found: dict[tuple[Slot, tuple[Any, ...]], list[Way]] = {}
        self._blocked: dict[str, Text] = {}

    def run(self) -> Plan:
        beam = [_Tried({}, self._values({}), self._compiled)]
        seen = {beam[0].key}
        for _ in range(STEPS):
            if beam[0].open == 0:
                return self._plan(beam[0].changes)
            following = [tried for tried in beam if tried.open == 0]
            for tried in beam:
                for changes in self._grown(tried.changes, tried.values) if tried.open else ():
                    more = _Tried(changes, self._values(changes), self._compiled)
                    if more.key not in seen:
                        seen.add(more.key)
                        following.append(more)
            beam = sorted(following, key=lambda tried: tried.order)[:BEAM]
            if not beam:
                break
        verdict = Verdict(self._values({})[self._compiled.verdict])
        return Plan((), verdict, self._compiled.period.as_of, tuple(self._blocked.items()))

    def _plan(self, changes: Set) -> Plan:
        needed = self._pruned(changes)
        ordered = sorted(needed.values(), key=lambda change: (change.kind == "answer", change.column.name))
        verdict = Verdict(self._values(needed)[self._compiled.verdict])
        return Plan(tuple(ordered), verdict, self._compiled.period.as_of)

    def _pruned(self, changes: Set) -> Set:
        """Without changes that later ones made needless."""
        kept = dict(changes)
        for name in sorted(changes, key=lambda column: -changes[column].effort):
            fewer = {column: change for column, change in kept.items() if column != name}
            if self._values(fewer)[self._compiled.verdict] == Verdict.MET:
                kept = fewer
        return kept

    def _changed(self, changes: Set) -> dict[str, Any]:
        return {**self._figures, **{name: change.after for name, change in changes.items()}}

    def _values(self, changes: Set) -> dict[Slot, Any]:
        return self._planner.values(self._slots, self._changed(changes))

    def _grown(self, changes: Set, values: Mapping[Slot, Any]) -> Iterator[Set]:
        """The sets that turn the first condition that does not hold yet."""
        term = next(branch for branch in self._compiled.branches if values[branch.slot] != Verdict.MET)
        leaves = list(_leaves(term, values))
        grown = [
            more for leaf in leaves for way in self._ways(leaf, changes) if (more := self._with(changes, way))
        ]
        if not grown:
            member = term.member
            self._blocked[member.id or ""] = member_text(member, self._compiled.period)
        yield from sorted(grown, key=_cost)[:WAYS]

    def _with(self, changes: Set, way: Way) -> Set | None:
        """The set with more changes; None where it would go back on one, or change what cannot be."""
        period, more = self._compiled.period, dict(changes)
        for name, move in way.items():
            change = change_of(
                figure_column(name), self._figures, move.value, period,
                bound=move.bound, joint=len(way) > 1,
            )  # fmt: skip
            held = changes.get(name)
            if change.when == "never" or move.value == change.before:
                return None
            if held is not None and held.kind == "change" and _goes_back(change, held):
                return None
            more[name] = change
        return more

    def _ways(self, leaf: Branch, changes: Set) -> list[Way]:
        """Changes of columns that turn one condition, as column → value."""
        figures = self._changed(changes)
        columns = self._planner.columns(leaf.slot)
        key = (leaf.slot, tuple(figures.get(column) for column in columns))
        if key not in self._found:
            self._found[key] = self._new_ways(leaf, columns, figures)
        return self._found[key]

    def _new_ways(self, leaf: Branch, columns: Sequence[str], figures: Figures) -> list[Way]:
        member, period = leaf.member, self._compiled.period
        assert isinstance(member, Condition)

        def holds(tried: Figures) -> bool:
            return bool(self._planner.values([leaf.slot], tried)[leaf.slot] == Verdict.MET)

        if isinstance(member.test, Score):
            return self._climbs(member.test, columns, figures, holds)
        found = [
            {column: move}
            for column in columns
            for move in moves(holds, figure_column(column), figures, period)
        ]
        if found:
            return found
        # Blanks of the firm, also where this set has answered them already.
        blanks = [figure_column(column) for column in columns if self._figures.get(column) is None]
        joint = together(holds, blanks, figures, period)
        return [joint] if joint else []

    def _climbs(self, test: Score, columns: Sequence[str], figures: Figures, holds: Holds) -> list[Way]:
        """Sets of figures that lift a score over its line: by answers alone, by changes now, by all."""
        compiled, period = self._compiled, self._compiled.period
        slots = compiled.score if test.of is None else compiled.indicators[test.of]
        assert slots is not None
        low = slots[0]

        def points(tried: Figures) -> float:
            return float(self._planner.values([low], tried)[low])

        found: list[Way] = []
        for allowed in ((), ("now",), ("now", "year", "round", "time")):
            usable = [
                column
                for column in map(figure_column, columns)
                if figures.get(column.name) is None or when_of(column, period) in allowed
            ]
            way = reach(holds, points, usable, figures, period)
            if way and way not in found:
                found.append(way)
        return found


def _leaves(branch: Branch, values: Mapping[Slot, Any]) -> Iterator[Branch]:
    """Conditions one of which has to turn next: of *any of* every way's first, of *all of* the first."""
    member = branch.member
    if not isinstance(member, Group):
        yield branch
        return
    open_children = [child for child in branch.children if values[child.slot] != Verdict.MET]
    for child in open_children if member.mode == "any" else open_children[:1]:
        yield from _leaves(child, values)


def _goes_back(change: Change, held: Change) -> bool:
    """Would the change undo, or fall short of, one that is held already? Blanks may be answered anew."""
    if held.is_more is None or held.is_more != change.is_more:
        return True
    return bool(change.after < held.after) if held.is_more else bool(change.after > held.after)


def _cost(changes: Set) -> Cost:
    known = [change for change in changes.values() if change.kind == "change"]
    later = sum(change.when != "now" for change in known)
    return later, len(known), len(changes) - len(known), sum(change.effort for change in known)


class _Tried:
    """A set of changes, what the rules say with it, and how near it is."""

    def __init__(self, changes: Set, values: Mapping[Slot, Any], compiled: Compiled) -> None:
        self.changes, self.values = changes, values
        self.open = sum(values[branch.slot] != Verdict.MET for branch in compiled.branches)
        later, known, answers, effort = _cost(changes)
        # A blank answered so that more conditions hold comes before fewer blanks answered.
        self.order = (later, known, self.open, answers, effort)
        self.key = tuple(sorted((name, str(change.after)) for name, change in changes.items()))
