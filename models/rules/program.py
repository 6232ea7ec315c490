"""The small program every rule pack compiles to, and the builder that shares what is the same.

A program is a list of nodes; a node's arguments are earlier nodes, by number (its *slot*). Equal
nodes are one node, so a quantity that ten standards use is computed once. There are four sorts:

* **figure**: a number, date, text or flag, or nothing (None / null)
* **truth**: true, false, or nothing when a figure it needs is missing
* **verdict**: 0..3 of :class:`models.verdict.Verdict`, never nothing
* **points**: a number, never nothing

The two readers (:mod:`models.rules.table`, :mod:`models.rules.firm`) know these operations and no
rule; what an operation does to a missing figure is said here, once:

==============  ==========================================================================
input           the column's value
const           a constant
add sub mul     nothing if either side is; ``wide`` where 64 bits could overflow
lower           the lesser of two, nothing if either is
first           the first, or the second where the first is nothing
instead         the figure, or a constant where it is nothing
above_zero      the figure where it is > 0, else nothing
where           the figure where the truth is true, else nothing
pick            one of two figures by a truth; nothing if the truth is
classify        number of the run (span) the industry code falls in, 0 for none; nothing for
                codes too short to tell
lookup          a constant by number; nothing if the number is nothing or not listed
ge gt le lt eq  nothing if either side is
among           is the figure one of some constants
starts          does the text begin so
spans           does the code fall in one of some runs; nothing for codes too short to tell
known           is there a figure (never nothing)
judge           met / unmet, or the given verdict where the truth is nothing
reach           met where reached, else unmet where complete, else unknown
all any not     minimum, maximum, swap of met and unmet
chain           points of the first true truth, else the last; a given number where they are nothing
total best cap  sum, maximum, minimum with a constant
within          from [low, high]: met where low passes, unmet where high does not, else unknown
pack            up to six verdicts as one whole number, two bits each
mask            whole number with bit k set where verdict k of some packs is one of some verdicts
size            3 large 2 medium 1 small 0 micro, -1 unknown, from the three classes' verdicts
highest         the greatest of some numbers whose verdict is at least a given one, else 0
==============  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from models.verdict import Verdict

Slot = int
Sort = Literal["figure", "truth", "verdict", "points", "mask", "class"]
Comparison = Literal["ge", "gt", "le", "lt"]

_SORTS: dict[str, Sort] = {
    **dict.fromkeys(
        ["input", "const", "add", "sub", "mul", "lower", "first", "instead", "above_zero", "where", "pick"],
        "figure",
    ),
    **dict.fromkeys(["classify", "lookup"], "figure"),
    **dict.fromkeys(["ge", "gt", "le", "lt", "eq", "among", "starts", "spans", "known"], "truth"),
    **dict.fromkeys(["judge", "reach", "all", "any", "not", "within"], "verdict"),
    **dict.fromkeys(["chain", "total", "best", "cap"], "points"),
    **dict.fromkeys(["pack", "mask"], "mask"),
    **dict.fromkeys(["size", "highest"], "class"),
}


PACKED = 6
"""Verdicts in a pack: a table of all packs stays in the processor's cache."""


@cache
def mask_table(verdicts: int, shown: tuple[int, ...], first: int) -> Sequence[int]:
    """For each pack of so many verdicts the bits it adds to a mask; its first verdict is bit ``first``."""
    return [
        sum(1 << first + place for place in range(verdicts) if pack >> 2 * place & 3 in shown)
        for pack in range(4**verdicts)
    ]


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: its name, the slots it reads, and constants."""

    op: str
    args: tuple[Slot, ...]
    data: Hashable = None

    @property
    def sort(self) -> Sort:
        return _SORTS[self.op]


@dataclass(frozen=True)
class Program:
    """Nodes in an order in which every argument comes before its use."""

    nodes: tuple[Node, ...]

    def inputs(self, slots: Iterable[Slot]) -> frozenset[str]:
        """Columns the given slots depend on."""
        return frozenset(str(self.nodes[s].data) for s in self.needed(slots) if self.nodes[s].op == "input")

    def needed(self, slots: Iterable[Slot]) -> list[Slot]:
        """The given slots and all they depend on, in program order."""
        seen: set[Slot] = set()
        todo = list(slots)
        while todo:
            slot = todo.pop()
            if slot not in seen:
                seen.add(slot)
                todo.extend(self.nodes[slot].args)
        return sorted(seen)


class Builder:
    """Makes nodes; the same node twice is the same slot."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._slots: dict[Node, Slot] = {}

    def program(self) -> Program:
        return Program(tuple(self._nodes))

    def _node(self, op: str, *args: Slot, data: Hashable = None) -> Slot:
        # A constant's type is part of what it is: 1, 1.0 and True are equal in Python.
        node = Node(op, args, data)
        key = Node(op, args, (data, type(data)))
        if key not in self._slots:
            self._slots[key] = len(self._nodes)
            self._nodes.append(node)
        return self._slots[key]

    # figures
    def input(self, column: str) -> Slot:
        return self._node("input", data=column)

    def const(self, value: int | float | date) -> Slot:
        return self._node("const", data=value)

    def add(self, first: Slot, second: Slot) -> Slot:
        return self._node("add", first, second)

    def sub(self, first: Slot, second: Slot) -> Slot:
        return self._node("sub", first, second)

    def times(self, figure: Slot, factor: int) -> Slot:
        return figure if factor == 1 else self._node("mul", figure, self.const(factor))

    def wide(self, first: Slot, second: Slot) -> Slot:
        """Product of two figures, in 128 bits."""
        return self._node("mul", first, second, data="wide")

    def lower(self, first: Slot, second: Slot) -> Slot:
        return self._node("lower", first, second)

    def first(self, first: Slot, second: Slot) -> Slot:
        return self._node("first", first, second)

    def instead(self, figure: Slot, value: int) -> Slot:
        return self._node("instead", figure, data=value)

    def above_zero(self, figure: Slot) -> Slot:
        return self._node("above_zero", figure)

    def where(self, truth: Slot, figure: Slot) -> Slot:
        return self._node("where", truth, figure)

    def pick(self, truth: Slot, then: Slot, otherwise: Slot) -> Slot:
        return self._node("pick", truth, then, otherwise)

    def classify(self, code: Slot, runs: Sequence[tuple[int, int, int]], unclear: Sequence[int]) -> Slot:
        return self._node("classify", code, data=(tuple(runs), tuple(unclear)))

    def lookup(self, number: Slot, values: Sequence[tuple[int, int]]) -> Slot:
        return self._node("lookup", number, data=tuple(values))

    def sum(self, figures: Sequence[Slot]) -> Slot:
        total, *rest = figures
        for figure in rest:
            total = self.add(total, figure)
        return total

    # truths
    def compare(self, op: Comparison | Literal["eq"], first: Slot, second: Slot) -> Slot:
        return self._node(op, first, second)

    def among(self, figure: Slot, values: Sequence[Hashable]) -> Slot:
        return self._node("among", figure, data=tuple(values))

    def starts(self, text: Slot, beginning: str) -> Slot:
        return self._node("starts", text, data=beginning)

    def spans(self, code: Slot, runs: Sequence[tuple[int, int]], unclear: Sequence[int]) -> Slot:
        return self._node("spans", code, data=(tuple(runs), tuple(unclear)))

    def known(self, figure: Slot) -> Slot:
        return self._node("known", figure)

    # verdicts
    def judge(self, truth: Slot, missing: Verdict = Verdict.UNKNOWN) -> Slot:
        return self._node("judge", truth, data=missing)

    def reach(self, reached: Slot, complete: Slot) -> Slot:
        return self._node("reach", reached, complete)

    def all(self, verdicts: Sequence[Slot]) -> Slot:
        return verdicts[0] if len(set(verdicts)) == 1 else self._node("all", *verdicts)

    def any(self, verdicts: Sequence[Slot]) -> Slot:
        return verdicts[0] if len(set(verdicts)) == 1 else self._node("any", *verdicts)

    def negate(self, verdict: Slot) -> Slot:
        return self._node("not", verdict)

    def within(self, op: Comparison, low: Slot, high: Slot, line: int) -> Slot:
        return self._node("within", low, high, data=(op, line))

    # points
    def chain(self, truths: Sequence[Slot], points: Sequence[int], otherwise: int, missing: int) -> Slot:
        return self._node("chain", *truths, data=(tuple(points), otherwise, missing))

    def total(self, points: Sequence[Slot]) -> Slot:
        return points[0] if len(points) == 1 else self._node("total", *points)

    def best(self, points: Sequence[Slot]) -> Slot:
        return points[0] if len(points) == 1 else self._node("best", *points)

    def cap(self, points: Slot, limit: int) -> Slot:
        return self._node("cap", points, data=limit)

    def points_of(self, figure: Slot, missing: int) -> Slot:
        """A figure that is points already (an entered score)."""
        return self.instead(figure, missing)

    # what the table shows
    def mask(self, verdicts: Sequence[Slot], shown: Sequence[Verdict]) -> Slot:
        groups = [verdicts[start : start + PACKED] for start in range(0, len(verdicts), PACKED)]
        packs = [self._node("pack", *group) for group in groups]
        return self._node("mask", *packs, data=(tuple(map(len, groups)), tuple(map(int, shown))))

    def size(self, large: Slot, medium: Slot, small: Slot) -> Slot:
        return self._node("size", large, medium, small)

    def highest(self, verdicts: Sequence[Slot], numbers: Sequence[int], least: Verdict) -> Slot:
        return self._node("highest", *verdicts, data=(tuple(numbers), least))
