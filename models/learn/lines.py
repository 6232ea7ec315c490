"""The line a firm must reach, read off a rule pack: by sector, a quantity and an amount (规上, rules.md §4).

Only alternatives of the form *sector, and a figure at least so much* are lines; construction and real estate
ask for a licence or an activity instead, so a firm there has no line and is not estimated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from models.learn.columns import Columns, FloatArray
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
        self._amounts = np.array([*(line.amount for line in self.lines), np.nan])
        self._place = _places(self.lines)

    @property
    def fields(self) -> frozenset[str]:
        return frozenset({"industry", *(key for line in self.lines for key in line.fields)})

    def amount(self, columns: Columns) -> FloatArray:
        """元; NaN where the sector is unknown, too short to tell, or has no line."""
        return self._amounts[self._of(columns)]

    def reached(self, columns: Columns, back: int = 1) -> FloatArray:
        """元: the figure that counts towards the line, of year Y-``back``; NaN where there is none."""
        place = self._of(columns)
        found = np.full(columns.size, np.nan)
        for number in np.unique(place[place < len(self.lines)]):
            here = place == number
            for key in reversed(self.lines[number].fields):
                values = columns.field(key, back)
                found = np.where(here & ~np.isnan(values), values, found)
        return found

    def of_industry(self, industry: float) -> Line | None:
        """The line of an industry as it is held; None where there is none or NaN is given."""
        known = int(industry) if 0 <= industry < len(self._place) else 0
        place = self._place[known]
        return self.lines[place] if place < len(self.lines) else None

    def _of(self, columns: Columns) -> npt.NDArray[np.int8]:
        """Which line is each firm's; one past the last where it has none."""
        code = columns.field("industry")
        known = np.where((code >= 0) & (code < len(self._place)), code, 0).astype(np.intp)
        return self._place[known]


def _places(lines: tuple[Line, ...]) -> npt.NDArray[np.int8]:
    """Industry as it is held (:mod:`models.codes`) → place of its line."""
    found = np.full(100_000, len(lines), dtype=np.int8)
    for number, line in enumerate(lines):
        for low, high in line.sector.runs:
            found[low : high + 1] = number
    for line in lines:
        found[list(line.sector.unclear)] = len(lines)
    return found


def lines_for(chosen: Task, book: Rulebook) -> Lines | None:
    """The lines of a task that asks whether one is crossed, else None."""
    return Lines(book, chosen.outcome.of) if chosen.outcome.kind == "crosses" else None
