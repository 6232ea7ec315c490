"""A firm as it will stand on a later day if nothing is done: the window has moved on with the years.

A figure of a year that is over stays what it is. On 1 January the year before becomes the last complete
one, so a condition looks at figures that are open today; where nothing is said of them they are taken to be
as in the last known year (``carry`` in changes.yaml), and an answer lists what was taken so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.advice_fields import is_closed, nature_of
from models.figures import Column, column_of
from models.rules.quantity import Figures, Period

LOOK_BACK = 30
"""Years in which a last known figure is looked for."""


@dataclass(frozen=True)
class Outlook:
    """What is known on the day of asking, and what is taken for granted on the day of assessing."""

    asked: date
    period: Period
    """Of the assessment."""
    figures: Figures
    """What is known, and what is carried on."""
    carried: Mapping[str, str | None]
    """Column → the column whose figure stands for it; None: taken to be nought."""

    @property
    def years_on(self) -> int:
        return self.period.as_of.year - self.asked.year

    def is_closed(self, column: Column) -> bool:
        """A known figure that nothing can change any more."""
        return column.name not in self.carried and is_closed(column.field, column.year, self.asked.year)

    def can_change(self, column: Column) -> bool:
        """Could a known figure of it be another one on the day of assessing, and the firm better off?"""
        nature = nature_of(column.field)
        return not (nature.when == "never" or nature.better == "none" or self.is_closed(column))

    def is_to_come(self, column: Column) -> bool:
        """Of a year that is not over on the day of asking: nobody can know it yet."""
        if column.year is None or self.period.as_of == self.asked:
            return False
        return column.year > self.asked.year or (
            column.year == self.asked.year and not nature_of(column.field).once
        )


def outlook(asked: date, period: Period, known: Figures, columns: Iterable[str]) -> Outlook:
    """The firm on the day of ``period``; ``columns`` are those that are read then."""
    carried: dict[str, str | None] = {}
    figures: dict[str, Any] = dict(known)
    for column in map(figure_column, sorted(columns)):
        if period.as_of == asked or column.year is None or column.year < asked.year:
            continue
        if known.get(column.name) is not None:
            continue
        source = None if nature_of(column.field).carry == "zero" else _last_known(column, known)
        if source is not None:
            carried[column.name], figures[column.name] = source, known[source]
        elif nature_of(column.field).carry == "zero":
            carried[column.name], figures[column.name] = None, 0
    return Outlook(asked, period, figures, carried)


def _last_known(column: Column, known: Figures) -> str | None:
    assert column.year is not None
    for back in range(1, LOOK_BACK):
        name = column.field.column(column.year - back)
        if known.get(name) is not None:
            return name
    return None


def figure_column(name: str) -> Column:
    """The column of an input of the rules."""
    column = column_of(name)
    assert column is not None
    return column
