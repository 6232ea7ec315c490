"""The line a firm must reach, read off a rule pack: by sector, a quantity and an amount (规上, rules.md §4).

Only alternatives of the form *sector, and a figure at least so much* are lines; construction and real estate
ask for a licence or an activity instead, so a firm there has no line and is not estimated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from models.learn.columns import BoolArray, Columns, FloatArray
from models.learn.tasks import Task
from models.rules.condition import Condition, Group, Sector, Threshold
from models.rules.pack import Pack
from models.rules.quantity import FirstOf, Quantity, Value
from models.rules.rulebook import Rulebook


@dataclass(frozen=True)
class Line:
    """A sector's line: the fields that are read for it, the first known one, and the amount in 元."""

    sector: Sector
    fields: tuple[str, ...]
    amount: float


@lru_cache(maxsize=8)
def lines_of(pack: Pack) -> tuple[Line, ...]:
    """The lines of a pack. ValueError if it has none."""
    found = tuple(_lines(pack.root))
    if not found:
        raise ValueError(f"{pack.id} draws no line by sector")
    return found


def _lines(group: Group) -> Iterator[Line]:
    for member in group.members:
        if isinstance(member, Group):
            tests = [one.test for one in member.members if isinstance(one, Condition)]
            match tests:
                case [Sector() as sector, Threshold(op="ge") as threshold] if member.mode == "all":
                    yield Line(sector, _fields(threshold.quantity), float(threshold.line))
                case _:
                    yield from _lines(member)


def _fields(quantity: Quantity) -> tuple[str, ...]:
    if isinstance(quantity, FirstOf):
        return quantity.field.key, quantity.other.key
    if isinstance(quantity, Value):
        return (quantity.field.key,)
    raise ValueError(f"no line is drawn on a {type(quantity).__name__}")


class Lines:
    """Where every firm's line is, and what it has towards it."""

    def __init__(self, book: Rulebook, pack_id: str) -> None:
        self.lines = lines_of(book[pack_id])

    @property
    def fields(self) -> frozenset[str]:
        return frozenset({"industry", *(key for line in self.lines for key in line.fields)})

    def amount(self, columns: Columns) -> FloatArray:
        """元; NaN where the sector is unknown, too short to tell, or has no line."""
        found = np.full(columns.size, np.nan)
        for line, here in self._each(columns):
            found[here] = line.amount
        return found

    def reached(self, columns: Columns, back: int = 1) -> FloatArray:
        """元: the figure that counts towards the line, of year Y-``back``; NaN where there is none."""
        found = np.full(columns.size, np.nan)
        for line, here in self._each(columns):
            for key in reversed(line.fields):
                values = columns.field(key, back)
                found = np.where(here & ~np.isnan(values), values, found)
        return found

    def _each(self, columns: Columns) -> Iterator[tuple[Line, BoolArray]]:
        code = columns.field("industry")
        for line in self.lines:
            inside = np.zeros(columns.size, dtype=np.bool_)
            for low, high in line.sector.runs:
                inside |= (code >= low) & (code <= high)
            if line.sector.unclear:
                inside &= ~np.isin(code, line.sector.unclear)
            yield line, inside


def lines_for(chosen: Task, book: Rulebook) -> Lines | None:
    """The lines of a task that asks whether one is crossed, else None."""
    return Lines(book, chosen.outcome.of) if chosen.outcome.kind == "crosses" else None
