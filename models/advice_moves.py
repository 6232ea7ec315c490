"""The nearest values of one figure at which a condition holds, found by asking the rules themselves.

Nothing is known here of ratios, growth or cards: a figure is moved up and down until the condition's verdict
turns, and the line is then found by halving, to the 元. So the advice cannot disagree with the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from models.advice_changes import Bound, change_of
from models.advice_fields import nature_of
from models.advice_outlook import Outlook
from models.advice_scale import Scale, choices, halved, nearest, scale_of
from models.fields import COUNT_LIMIT
from models.figures import Column
from models.rules.quantity import Figures, Period

Holds = Callable[[Figures], bool]
"""Does the condition hold for these figures?"""


class Move(NamedTuple):
    """A value of one figure that will do, and on which side of it others will do too."""

    value: Any
    bound: Bound | None = None


Way = dict[str, Move]
"""Column → move: figures that together turn a condition."""


def moves(holds: Holds, column: Column, figures: Figures, view: Outlook) -> Iterator[Move]:
    """Values of the column, all else unchanged, at which the condition holds and the firm does no worse."""
    before = figures.get(column.name)
    if view.figures.get(column.name) is not None and not view.can_change(column):
        return
    if nature_of(column.field).better == "rank":
        found: Iterator[Move] = _places(holds, column, figures)
    elif before is None:
        found = _answers(holds, column, figures, view.period)
    else:
        found = either_way(holds, column, figures, view.period)
    yield from (move for move in found if change_of(column, view, move.value) is not None)


def either_way(holds: Holds, column: Column, figures: Figures, period: Period) -> Iterator[Move]:
    """The nearest values up and down that will do, sensible or not."""
    before, scale = figures.get(column.name), scale_of(column.field, period)
    if scale is None:
        tried = [value for value in choices(column.field, period) if value != before]
        yield from (Move(value) for value in tried if holds({**figures, column.name: value}))
        return

    def at(number: int) -> bool:
        return holds({**figures, column.name: scale.value(number)})

    start = scale.number(before)
    ends: tuple[tuple[int, Bound], ...] = ((scale.high, "at_least"), (scale.low, "at_most"))
    for limit, bound in ends:
        number = nearest(at, start, limit)
        if number is not None:
            yield Move(scale.value(number), bound)


def _answers(holds: Holds, column: Column, figures: Figures, period: Period) -> Iterator[Move]:
    scale = scale_of(column.field, period)
    if scale is None:
        yield from either_way(holds, column, figures, period)
        return

    def at(number: int) -> bool:
        return holds({**figures, column.name: scale.value(number)})

    yield from (Move(scale.value(number), bound) for number, bound in _from_blank(at, scale))


def _places(holds: Holds, column: Column, figures: Figures) -> Iterator[Move]:
    """The last place that will do; 1 is the first, 0 is none."""

    def at(number: int) -> bool:
        return holds({**figures, column.name: number})

    if not at(1):
        return
    if at(COUNT_LIMIT):
        yield Move(1, "at_least")
        return
    beyond = nearest(lambda number: not at(number), 1, COUNT_LIMIT)
    assert beyond is not None
    yield Move(beyond - 1, "within")


def _from_blank(at: Callable[[int], bool], scale: Scale) -> Iterator[tuple[int, Bound | None]]:
    """The least value that will do where all greater ones do; else the greatest, where there is one."""
    nothing = scale.nothing
    for limit in (scale.high, scale.low):
        first = nothing if at(nothing) else nearest(at, nothing, limit)
        if first is None or limit == nothing:
            continue
        if at(limit):
            yield first, None if first == nothing else "at_least" if limit > nothing else "at_most"
        else:
            beyond = nearest(lambda number: not at(number), first, limit)
            last = limit if beyond is None else beyond - 1 if limit > nothing else beyond + 1
            yield last, "at_most" if limit > nothing else "at_least"
        return


def nearer(holds: Callable[[Any], bool], column: Column, before: Any, after: Any, view: Outlook) -> Any:
    """The value nearest to ``before`` that still will do, between it and ``after``."""
    scale = scale_of(column.field, view.period)
    if scale is None or nature_of(column.field).better == "rank":
        return after
    start, end = scale.number(before), scale.number(after)
    sign = 1 if end > start else -1
    far = halved(lambda number: holds(scale.value(start + sign * number)), 0, abs(end - start))
    return scale.value(start + sign * far)
