"""A search for the smallest set of changes with which a firm meets a standard on one day.

Over what could change, condition by condition: a handful of the cheapest sets is kept at every
step (a beam), sets in which figures hang together (more revenue lowers the R&D share) are mended as they go,
and only what the rules then call met is offered. Cheap is, in this order: nothing that others decide; few
changes; no prize hoped for; few blanks to answer; little effort.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.advice_changes import Change, change_of
from models.advice_fields import nature_of
from models.advice_joint import reach, together
from models.advice_judge import Judge
from models.advice_moves import Holds, Way, moves, nearer
from models.advice_outlook import Outlook, figure_column
from models.advice_sets import Set, Tried, cost, goes_back
from models.figures import Column
from models.rules.compile import Branch
from models.rules.condition import Condition, Group, Score
from models.rules.program import Slot
from models.rules.quantity import Figures
from models.verdict import Verdict

BEAM = 12
STEPS = 40
WAYS = 8
"""Sets kept at a step, steps at most, ways tried for one condition."""
ROUNDS = 100
"""How often all amounts are brought down: less of one may allow less of another."""
WHENS = ((), ("now", "year", "time"), ("now", "year", "time", "round", "others"))
"""What lifts a score: answers alone, then what is the firm's own to do, then everything."""


class Search:
    """One search, for one firm, one standard and one day."""

    def __init__(self, judge: Judge, view: Outlook) -> None:
        self._judge, self._view, self._compiled = judge, view, judge.compiled
        self._found: dict[tuple[Slot, tuple[Any, ...]], list[Way]] = {}

    def run(self) -> list[Change] | None:
        """The changes, those of known figures first; None where none were found."""
        beam = [Tried({}, self._values({}), self._compiled)]
        seen = {beam[0].key}
        for _ in range(STEPS):
            if beam[0].open == 0:
                return self._finished(beam[0].changes)
            following = [tried for tried in beam if tried.open == 0]
            for tried in beam:
                for changes in self._grown(tried.changes, tried.values) if tried.open else ():
                    more = Tried(changes, self._values(changes), self._compiled)
                    if more.key not in seen:
                        seen.add(more.key)
                        following.append(more)
            beam = sorted(following, key=lambda tried: tried.order)[:BEAM]
            if not beam:
                break
        return None

    def hopeless(self) -> list[Branch]:
        """Conditions that do not hold and that nothing which may change would turn."""
        values = self._values({})
        terms = [branch for branch in self._compiled.branches if values[branch.slot] != Verdict.MET]
        return [term for term in terms if not self._sets(term, {}, values)]

    def least_others(self) -> int:
        """At least so many changes that others decide are needed, as far as conditions show one by one."""
        values, count = self._values({}), 0
        counted: set[str] = set()
        for term in (t for t in self._compiled.branches if values[t.slot] != Verdict.MET):
            sets = self._sets(term, {}, values)
            waiting = [{n for n, c in made.items() if c.waits_for_others} for made in sets]
            if waiting and all(waiting) and counted.isdisjoint(set().union(*waiting)):
                counted |= set().union(*waiting)
                count += 1
        return count

    def _finished(self, changes: Set) -> list[Change]:
        needed = self._lowered(self._pruned(changes))
        return sorted(needed.values(), key=lambda change: (change.kind == "answer", change.column.name))

    def _pruned(self, changes: Set) -> Set:
        """Without changes that later ones made needless."""
        kept = dict(changes)
        for name in sorted(changes, key=lambda column: -changes[column].effort):
            fewer = {column: change for column, change in kept.items() if column != name}
            if self._will_do(fewer):
                kept = fewer
        return kept

    def _lowered(self, changes: Set) -> Set:
        """With every amount as small as the others allow."""
        kept = dict(changes)
        for _ in range(ROUNDS):
            before = dict(kept)
            for name, change in before.items():
                fewer = {column: held for column, held in kept.items() if column != name}
                if self._will_do(fewer):
                    kept = fewer
                elif change.is_more is not None:
                    kept[name] = self._nearest(kept, change)
            if kept == before:
                break
        return kept

    def _nearest(self, changes: Set, change: Change) -> Change:
        name = change.column.name

        def holds(value: Any) -> bool:
            tried = change_of(change.column, self._view, value, bound=change.bound, joint=change.joint)
            return tried is not None and self._will_do({**changes, name: tried})

        after = nearer(holds, change.column, change.before, change.after, self._view)
        made = change_of(change.column, self._view, after, bound=change.bound, joint=change.joint)
        assert made is not None
        return made

    def _will_do(self, changes: Set) -> bool:
        figures = self._changed(changes)
        parts = [name for name, change in changes.items() if change.kind == "change"]
        return self._judge.is_met(self._compiled.verdict, figures) and not any(
            self._outgrown(name, figures) for name in parts
        )

    def _outgrown(self, name: str, figures: Figures) -> str | None:
        """The whole of which this figure is a part, where the part would be larger."""
        column = figure_column(name)
        whole = nature_of(column.field).part_of
        if whole is None or column.year is None:
            return None
        whole = f"{whole}_{column.year}"
        part, limit = figures.get(name), figures.get(whole)
        return whole if part is not None and limit is not None and part > limit else None

    def _changed(self, changes: Set) -> dict[str, Any]:
        return {**self._view.figures, **{name: change.after for name, change in changes.items()}}

    def _values(self, changes: Set) -> dict[Slot, Any]:
        return self._judge.values(self._judge.slots, self._changed(changes))

    def _grown(self, changes: Set, values: Mapping[Slot, Any]) -> list[Set]:
        """The sets that turn the first condition that does not hold yet."""
        term = next(branch for branch in self._compiled.branches if values[branch.slot] != Verdict.MET)
        return sorted(self._sets(term, changes, values), key=cost)[:WAYS]

    def _sets(self, term: Branch, changes: Set, values: Mapping[Slot, Any]) -> list[Set]:
        leaves = _leaves(term, values)
        ways = [way for leaf in leaves for way in self._ways(leaf, changes)]
        return [more for way in ways if (more := self._with(changes, way))]

    def _with(self, changes: Set, way: Way) -> Set | None:
        """The set with more changes; None where it would go back on one, or change what cannot be."""
        more = dict(changes)
        for name, move in way.items():
            change = change_of(
                figure_column(name), self._view, move.value, bound=move.bound, joint=len(way) > 1
            )
            held = changes.get(name)
            if change is None:
                return None
            if held is not None and held.before is not None and goes_back(change, held):
                return None
            more[name] = change
        return self._whole(more, way)

    def _whole(self, changes: dict[str, Change], way: Way) -> Set | None:
        """The set with wholes as large as their parts."""
        for name in way:
            figures = self._changed(changes)
            whole = self._outgrown(name, figures)
            if whole is not None:
                change = change_of(figure_column(whole), self._view, figures[name], bound="at_least")
                if change is None:
                    return None
                changes[whole] = change
        return changes

    def _ways(self, leaf: Branch, changes: Set) -> list[Way]:
        """Changes of columns that turn one condition, as column → value."""
        figures = self._changed(changes)
        columns = self._judge.columns(leaf.slot)
        key = (leaf.slot, tuple(figures.get(column) for column in columns))
        if key not in self._found:
            self._found[key] = self._new_ways(leaf, columns, figures)
        return self._found[key]

    def _new_ways(self, leaf: Branch, columns: Sequence[str], figures: Figures) -> list[Way]:
        assert isinstance(leaf.member, Condition)

        def holds(tried: Figures) -> bool:
            return self._judge.is_met(leaf.slot, tried)

        if isinstance(leaf.member.test, Score):
            return self._climbs(leaf.member.test, columns, figures, holds)
        found = [
            {column: move}
            for column in columns
            for move in moves(holds, figure_column(column), figures, self._view)
        ]
        if found:
            return found
        # Blanks of the firm, also where this set has answered them already; then with what can change.
        for known in (False, True):
            usable = [c for c in map(figure_column, columns) if self._is_usable(c, known)]
            joint = together(holds, usable, figures, self._view)
            if joint:
                return [joint]
        return []

    def _is_usable(self, column: Column, known: bool) -> bool:
        if self._view.figures.get(column.name) is None:
            return True
        return known and self._view.can_change(column)

    def _climbs(self, test: Score, columns: Sequence[str], figures: Figures, holds: Holds) -> list[Way]:
        """Sets of figures that lift a score over its line."""
        slots = self._compiled.score if test.of is None else self._compiled.indicators[test.of]
        assert slots is not None
        low = slots[0]

        def points(tried: Figures) -> float:
            return float(self._judge.values((low,), tried)[low])

        found: list[Way] = []
        usable = [figure_column(column) for column in columns]
        for whens in WHENS:
            way = reach(holds, points, usable, figures, self._view, whens)
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
