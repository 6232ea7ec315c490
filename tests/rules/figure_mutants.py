"""Mutants of quantities and scorecards: years moved, fields swapped, lines and points changed by one step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from models.rules.card import Bands, Best, Capped, Card, ChoicePoints, Entered, FlagPoints, Item
from models.rules.growth import Change, Growth
from models.rules.quantity import FirstOf, Lower, Quantity, Ratio, Sum, SumRatio, Value

Mutants = Iterator[tuple[str, Any]]
"""What was changed, in words, and the changed thing."""
OTHER_OP = {"ge": "gt", "gt": "ge", "le": "lt", "lt": "le"}
BOTH = (-1, 1)


def put(items: tuple[Any, ...], place: int, item: Any) -> tuple[Any, ...]:
    return (*items[:place], item, *items[place + 1 :])


def without(items: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return items[:place] + items[place + 1 :]


def step(unit: str) -> Fraction:
    """The smallest step of a unit, in which lines are moved: 1 元, 1 件, 0.01 %."""
    return Fraction(1, 10_000) if unit == "%" else Fraction(1)


def signed(sign: int, unit: str) -> str:
    return f"{sign:+}{unit}" if unit != "%" else f"{sign * 0.01:+.2f}%"


# quantities


def shifted(item: Any, name: str) -> Mutants:
    """A year offset moved by one; never into the future."""
    back = getattr(item, name)
    for sign in BOTH:
        if back is not None and back + sign >= 0:
            yield f"{name} {sign:+}", replace(item, **{name: back + sign})


def _swapped(item: Any, first: str, second: str) -> Mutants:
    changed = {first: getattr(item, second), second: getattr(item, first)}
    yield f"{first} ↔ {second}", replace(item, **changed)


def _first_of(quantity: FirstOf) -> Mutants:
    yield from shifted(quantity, "back")
    yield from _swapped(quantity, "field", "other")


def _ratio(quantity: Ratio) -> Mutants:
    yield from shifted(quantity, "back")
    yield from _swapped(quantity, "over", "under")


def _years(quantity: Sum | SumRatio) -> Mutants:
    for sign in BOTH:
        if quantity.years + sign >= 1:
            yield f"years {sign:+}", replace(quantity, years=quantity.years + sign)


def _sum(quantity: Sum) -> Mutants:
    yield from _years(quantity)
    yield "sum ↔ mean", replace(quantity, mean=not quantity.mean)
    yield "blank rule", replace(quantity, partial=not quantity.partial)


def _sum_ratio(quantity: SumRatio) -> Mutants:
    yield from _years(quantity)
    yield from _swapped(quantity, "over", "under")
    if quantity.established:
        yield "not by life", replace(quantity, established=None)


def _growth(quantity: Growth) -> Mutants:
    for name in ("start", "to"):
        yield from ((n, q) for n, q in shifted(quantity, name) if q.start > q.to)


def _lower(quantity: Lower) -> Mutants:
    for sign in BOTH:
        backs = tuple(back + sign for back in quantity.backs)
        if min(backs) >= 0:
            yield f"years {sign:+}", replace(quantity, backs=backs)
    yield "other only", replace(quantity, field=quantity.other)
    yield "field only", replace(quantity, other=quantity.field)
    for place in range(len(quantity.backs)) if len(quantity.backs) > 1 else ():
        yield f"year {place + 1} left out", replace(quantity, backs=without(quantity.backs, place))


_QUANTITIES: dict[type[Quantity], Callable[[Any], Mutants]] = {
    Value: lambda quantity: shifted(quantity, "back"),
    Change: lambda quantity: shifted(quantity, "back"),
    FirstOf: _first_of,
    Ratio: _ratio,
    Sum: _sum,
    SumRatio: _sum_ratio,
    Growth: _growth,
    Lower: _lower,
}


def quantity_mutants(quantity: Quantity) -> Mutants:
    make = _QUANTITIES.get(type(quantity))
    return make(quantity) if make else iter(())


# scorecards


def card_mutants(card: Card) -> Mutants:
    for at, part in enumerate(card.parts):
        for place, indicator in enumerate(part.indicators):
            for name, item in _item(indicator.item):
                indicators = put(part.indicators, place, replace(indicator, item=item))
                parts = put(card.parts, at, replace(part, indicators=indicators))
                yield f"{indicator.id}: {name}", replace(card, parts=parts)


def _item(item: Item) -> Mutants:
    make = _ITEMS[type(item)]
    yield from make(item)


def _bands(item: Bands) -> Mutants:
    yield f"{item.op} → {OTHER_OP[item.op]}", replace(item, op=OTHER_OP[item.op])  # type: ignore[arg-type]
    for place, (line, points) in enumerate(item.steps):
        for sign in BOTH:
            moved = (line + sign * step(item.unit), points)
            name = f"{points} points: line {signed(sign, item.unit)}"
            yield name, replace(item, steps=put(item.steps, place, moved))
            given = (line, points + sign)
            yield f"{points} points: {sign:+}", replace(item, steps=put(item.steps, place, given))
    for sign in BOTH:
        yield f"otherwise: {sign:+}", replace(item, otherwise=item.otherwise + sign)
    for name, quantity in quantity_mutants(item.quantity):
        yield name, replace(item, quantity=quantity)


def _flag_points(item: FlagPoints) -> Mutants:
    for name in ("yes", "no"):
        for sign in BOTH:
            yield f"{item.field.key} {name} {sign:+}", replace(item, **{name: getattr(item, name) + sign})


def _choice_points(item: ChoicePoints) -> Mutants:
    for place, (key, points) in enumerate(item.points):
        for sign in BOTH:
            yield f"{key} {sign:+}", replace(item, points=put(item.points, place, (key, points + sign)))


def _entered(item: Entered) -> Mutants:
    for sign in BOTH:
        yield f"top {sign:+}", replace(item, top=item.top + sign)


def _several(item: Best | Capped) -> Mutants:
    for place, inner in enumerate(item.items):
        yield f"[{place}] left out", replace(item, items=without(item.items, place))
        for name, changed in _item(inner):
            other = replace(item, items=put(item.items, place, changed))
            # Less than the least of an alternative: the others' least stands, so nothing changes.
            if changed.limits[0] >= inner.limits[0] or other.limits != item.limits:
                yield f"[{place}] {name}", other


def _capped(item: Capped) -> Mutants:
    for sign in BOTH:
        yield f"cap {sign:+}", replace(item, limit=item.limit + sign)
    yield from _several(item)


_ITEMS: dict[type[Item], Callable[[Any], Mutants]] = {
    Bands: _bands,
    FlagPoints: _flag_points,
    ChoicePoints: _choice_points,
    Entered: _entered,
    Best: _several,
    Capped: _capped,
}
