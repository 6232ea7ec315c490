"""The nearest values of one figure at which a condition holds, found by asking the rules themselves.

Nothing is known here of ratios, growth or cards: a figure is moved up and down until the condition's verdict
turns, and the line is then found by halving, to the 元. So the advice cannot disagree with the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any, Literal, NamedTuple

from models.advice_changes import when_of
from models.codes import districts
from models.fields import COUNT_LIMIT, MONEY_LIMIT, NO_TITLE, Field
from models.figures import Column
from models.rules.quantity import Figures, Period

Holds = Callable[[Figures], bool]
"""Does the condition hold for these figures?"""

STEPS = {"ratio": 10_000, "decimal": 10, "score": 10}
"""How finely a figure that is no whole number is moved: a share by 0.01 %, others by a tenth."""
_INDUSTRIES = (39114, 65104, 51904)
MIXED = 4
"""So many blanks are tried in every combination."""


Bound = Literal["at_least", "at_most"]


class Move(NamedTuple):
    """A value of one figure that will do, and on which side of it others will do too."""

    value: Any
    bound: Bound | None = None


Way = dict[str, Move]
"""Column → move: figures that together turn a condition."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A figure's values as whole numbers: 元, heads, days, or hundredths of a per cent."""

    low: int
    high: int
    parts: int = 1
    is_date: bool = False

    @property
    def nothing(self) -> int:
        """Where to begin with a blank: nought, or today."""
        return self.high if self.is_date else max(self.low, 0)

    def number(self, value: Any) -> int:
        return int(value.toordinal() if self.is_date else round(value * self.parts))

    def value(self, number: int) -> Any:
        if self.is_date:
            return date.fromordinal(number)
        return number if self.parts == 1 else number / self.parts


def scale_of(field: Field, period: Period) -> Scale | None:
    """None where the field's values are no numbers, or codes."""
    parts = STEPS.get(field.type, 1)
    if field.range:
        return Scale(field.range[0] * parts, field.range[1] * parts, parts)
    days = Scale(date(1900, 1, 1).toordinal(), period.as_of.toordinal(), is_date=True)
    return {
        "money": Scale(-MONEY_LIMIT if field.negative_allowed else 0, MONEY_LIMIT),
        "count": Scale(0, COUNT_LIMIT),
        "date": days,
        "ratio": Scale(0, parts, parts),
        "decimal": Scale(0, 200 * parts, parts),
        "score": Scale(0, 200 * parts, parts),
    }.get(field.type)


def moves(holds: Holds, column: Column, figures: Figures, period: Period) -> Iterator[Move]:
    """Values of the column, all else unchanged, at which the condition holds: the nearest up and down."""
    before = figures.get(column.name)
    if before is not None and when_of(column, period) == "never":
        return
    scale = scale_of(column.field, period)
    if scale is None:
        tried = [value for value in choices(column.field, period) if value != before]
        yield from (Move(value) for value in tried if holds({**figures, column.name: value}))
        return

    def at(number: int) -> bool:
        return holds({**figures, column.name: scale.value(number)})

    if before is None:
        yield from (Move(scale.value(number), bound) for number, bound in _from_blank(at, scale))
        return
    start = scale.number(before)
    ends: tuple[tuple[int, Bound], ...] = ((scale.high, "at_least"), (scale.low, "at_most"))
    for limit, bound in ends:
        number = _nearest(at, start, limit)
        if number is not None:
            yield Move(scale.value(number), bound)


def choices(field: Field, period: Period) -> list[Any]:
    """What a field that is no number can be."""
    if field.key == "industry":
        return list(_INDUSTRIES)
    if field.key == "district":
        return [next(iter(districts().names)), "320000"]
    if field.options:
        return list(field.options)
    if field.type == "title":
        return [period.as_of, NO_TITLE]
    if field.type == "year":
        return [*(period.year(back) for back in range(4)), 0]
    return [True, False] if field.type == "bool" else []


def _nearest(at: Callable[[int], bool], start: int, limit: int) -> int | None:
    """The number nearest to ``start``, towards ``limit``, at which it holds."""
    sign, reach = (1 if limit > start else -1), abs(limit - start)
    step, last = 1, 0
    while last < reach:
        step = min(step, reach)
        if at(start + sign * step):
            return start + sign * _halved(lambda far: at(start + sign * far), last, step)
        last, step = step, step * 2
    return None


def _halved(at: Callable[[int], bool], fails: int, passes: int) -> int:
    while passes - fails > 1:
        middle = (fails + passes) // 2
        if at(middle):
            passes = middle
        else:
            fails = middle
    return passes


def _from_blank(at: Callable[[int], bool], scale: Scale) -> Iterator[tuple[int, Bound | None]]:
    """The least value that will do where all greater ones do; else the greatest, where there is one."""
    nothing = scale.nothing
    for limit in (scale.high, scale.low):
        first = nothing if at(nothing) else _nearest(at, nothing, limit)
        if first is None or limit == nothing:
            continue
        if at(limit):
            yield first, None if first == nothing else "at_least" if limit > nothing else "at_most"
        else:
            beyond = _nearest(lambda number: not at(number), first, limit)
            last = limit if beyond is None else beyond - 1 if limit > nothing else beyond + 1
            yield last, "at_most" if limit > nothing else "at_least"
        return


def together(holds: Holds, columns: Sequence[Column], figures: Figures, period: Period) -> Way | None:
    """Answers to several blanks at once, where none alone makes the condition hold; None where none do."""
    ends = [_ends(column, period) for column in columns]
    tried = product(*ends) if len(columns) <= MIXED else zip(*ends, strict=False)
    for values in tried:
        chosen = {column.name: value for column, value in zip(columns, values, strict=True)}
        if chosen and holds({**figures, **chosen}):
            return _taken_back(holds, chosen, {c.name: c for c in columns}, figures, period)
    return None


def reach(
    holds: Holds,
    points: Callable[[Figures], float],
    columns: Sequence[Column],
    figures: Figures,
    period: Period,
) -> Way | None:
    """Values of several figures that together lift points over a line; None where even all of them do not.

    Each is first taken as far as it helps, those that help most first; then what is not needed is left out,
    and the others are taken back to the nearest value that will still do.
    """
    far = [best for column in columns if (best := _furthest(points, column, figures, period))]
    far.sort(key=lambda best: (-best[0], best[1]))
    chosen: dict[str, Any] = {}
    for _, name, value in far:
        chosen[name] = value
        if holds({**figures, **chosen}):
            break
    else:
        return None
    for name in list(chosen):
        fewer = {other: value for other, value in chosen.items() if other != name}
        if holds({**figures, **fewer}):
            chosen = fewer
    return _taken_back(holds, chosen, {c.name: c for c in columns}, figures, period)


def _ends(column: Column, period: Period) -> list[Any]:
    """A few values far apart: everything a condition can ask lies between them."""
    scale = scale_of(column.field, period)
    if scale is None:
        return choices(column.field, period)
    span = scale.high - scale.nothing
    middle = scale.nothing + max(span // 10**6, min(span // 2, 1000))
    return list(
        dict.fromkeys(scale.value(number) for number in (middle, scale.high, scale.nothing, scale.low))
    )


def _furthest(
    points: Callable[[Figures], float], column: Column, figures: Figures, period: Period
) -> tuple[float, str, Any] | None:
    """(points won, column, value) for the end that helps most; None where none does."""
    before, now = figures.get(column.name), points(figures)
    ends = [value for value in _ends(column, period) if value != before]
    tried = [(points({**figures, column.name: value}) - now, value) for value in ends]
    won, value = max(tried, key=lambda pair: pair[0], default=(0.0, None))
    # Points of a ratio whose other figure is blank too come only with both answers.
    return None if value is None or (won <= 0 and before is not None) else (won, column.name, value)


def _taken_back(
    holds: Holds, chosen: dict[str, Any], columns: Mapping[str, Column], figures: Figures, period: Period
) -> Way:
    way: Way = {}
    for name in list(chosen):
        scale = scale_of(columns[name].field, period)
        if scale is None:
            way[name] = Move(chosen[name])
            continue
        before, limit = figures.get(name), scale.number(chosen[name])
        start = scale.nothing if before is None else scale.number(before)

        def at(number: int, name: str = name, scale: Scale = scale) -> bool:
            return holds({**figures, **chosen, name: scale.value(number)})

        number = start if at(start) else _nearest(at, start, limit)
        chosen[name] = scale.value(limit if number is None else number)
        way[name] = Move(chosen[name], "at_least" if limit > start else "at_most")
    return way
