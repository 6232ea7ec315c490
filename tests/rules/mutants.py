"""Rule packs with one small thing wrong, made in memory, to see whether a policy case notices.

Each mutant is a name and the pack: a line moved by the smallest step of its unit, an operator made
strict or lax, a year offset moved, a condition left out, points or codes changed by one. A change
that reads every code the same as before is no mutant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from models.rules.card import Bands, Best, Capped, Card, ChoicePoints, Entered, FlagPoints, Item
from models.rules.condition import (
    Applies,
    Choice,
    Condition,
    FirstYear,
    Flag,
    Group,
    Rank,
    Score,
    Sector,
    Test,
    Threshold,
    Title,
)
from models.rules.growth import Change, Growth
from models.rules.pack import Pack
from models.rules.quantity import FirstOf, Lower, Quantity, Ratio, Sum, SumRatio, Value
from models.rules.size import SizeRow, SizeTable

Mutants = Iterator[tuple[str, Any]]
_OTHER_OP = {"ge": "gt", "gt": "ge", "le": "lt", "lt": "le"}
_BOTH = (-1, 1)


@dataclass(frozen=True)
class Mutant:
    """A pack with one thing changed."""

    name: str
    pack: Pack


def mutants(pack: Pack) -> Iterator[Mutant]:
    """All mutants of one pack. Programmes' options and amounts are not judged, so they are left alone."""
    for name, root in _group(pack.root):
        yield Mutant(name, replace(pack, root=root))
    for name, card in _card(pack.card) if pack.card else ():
        yield Mutant(f"card.{name}", replace(pack, card=card, root=_with_card(pack.root, card)))
    for name, table in _size_table(pack.size_table) if pack.size_table else ():
        yield Mutant(name, replace(pack, size_table=table))
    for place, label in enumerate(pack.labels):
        for name, also in _group(label.also):
            labels = _put(pack.labels, place, replace(label, also=also))
            yield Mutant(f"label.{name}", replace(pack, labels=labels))


def _put(items: tuple[Any, ...], place: int, item: Any) -> tuple[Any, ...]:
    return items[:place] + (item,) + items[place + 1 :]


def _without(items: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return items[:place] + items[place + 1 :]


# conditions


def _group(group: Group) -> Mutants:
    if len(group.members) > 1 and group.id:
        yield (
            f"{group.id}: {group.mode} swapped",
            replace(group, mode="any" if group.mode == "all" else "all"),
        )
    for place, member in enumerate(group.members):
        if len(group.members) > 1:
            yield f"{member.id}: left out", replace(group, members=_without(group.members, place))
        inner = _group(member) if isinstance(member, Group) else _condition(member)
        for name, changed in inner:
            yield name, replace(group, members=_put(group.members, place, changed))
        for name, applies in _applies(member.applies) if member.applies else ():
            changed = replace(member, applies=applies)
            yield f"{member.id}: {name}", replace(group, members=_put(group.members, place, changed))


def _condition(condition: Condition) -> Mutants:
    make = _TESTS.get(type(condition.test))
    for name, test in make(condition.test) if make else ():
        yield f"{condition.id}: {name}", replace(condition, test=test)


def _applies(applies: Applies) -> Mutants:
    yield "only ↔ except", replace(applies, only=not applies.only)
    if applies.kind:
        yield "other kind", replace(applies, kind="new" if applies.kind == "review" else "review")
    for end in ("start", "end"):
        day: date | None = getattr(applies, end)
        for days in _BOTH if day else ():
            assert day is not None
            yield f"{end} {days:+} day", replace(applies, **{end: day + timedelta(days=days)})  # type: ignore[arg-type]


def step(unit: str) -> Fraction:
    """The smallest step of a unit, in which lines are moved: 1 元, 1 件, 0.01 %."""
    return Fraction(1, 10_000) if unit == "%" else Fraction(1)


def _threshold(test: Threshold) -> Mutants:
    for sign in _BOTH:
        yield f"line {_signed(sign, test.unit)}", replace(test, line=test.line + sign * step(test.unit))
    other = _OTHER_OP[test.op]
    if other in test.quantity.comparisons:
        yield f"{test.op} → {other}", replace(test, op=other)  # type: ignore[arg-type]
    for name, quantity in _quantity(test.quantity):
        yield name, replace(test, quantity=quantity)


def _signed(sign: int, unit: str) -> str:
    return f"{sign:+}{unit}" if unit != "%" else f"{sign * 0.01:+.2f}%"


def _flag(test: Flag) -> Mutants:
    yield "flipped", replace(test, wanted=not test.wanted)
    yield from _shifted(test, "back")


def _title(test: Title) -> Mutants:
    yield "flipped", replace(test, held=not test.held)


def _choice(test: Choice) -> Mutants:
    for key in test.field.options or ():
        if key not in test.among:
            yield f"{key} added", replace(test, among=(*test.among, key))
        elif len(test.among) > 1:
            yield f"{key} dropped", replace(test, among=tuple(k for k in test.among if k != key))


def _rank(test: Rank) -> Mutants:
    if test.within is None:
        yield "any → 1", replace(test, within=1)
        return
    yield "any rank", replace(test, within=None)
    for sign in _BOTH:
        yield f"within {sign:+}", replace(test, within=test.within + sign)


def _score(test: Score) -> Mutants:
    for sign in _BOTH:
        yield f"line {sign:+}", replace(test, line=test.line + sign)
    yield f"{test.op} → {_OTHER_OP[test.op]}", replace(test, op=_OTHER_OP[test.op])  # type: ignore[arg-type]


def _first_year(test: FirstYear) -> Mutants:
    for place, back in enumerate(test.backs):
        for sign in _BOTH:
            changed = _put(test.backs, place, back + sign)
            if set(changed) != set(test.backs):
                yield f"back {back} {sign:+}", replace(test, backs=changed)
    if test.inside:
        yield "any years", replace(test, inside=None)
        for end in (0, 1):
            for sign in _BOTH:
                inside = _put(test.inside, end, test.inside[end] + sign)
                yield f"inside[{end}] {sign:+}", replace(test, inside=inside)


def _sector(test: Sector) -> Mutants:
    yield "flipped", replace(test, outside=not test.outside)

    def reading(runs: tuple[tuple[int, int], ...], unclear: tuple[int, ...], code: int) -> bool | None:
        return None if code in unclear else any(low <= code <= high for low, high in runs)

    for place, run in enumerate(test.runs):
        for name, changed, witnesses in run_mutants(run):
            runs = _put(test.runs, place, changed)
            if any(reading(runs, test.unclear, c) != reading(test.runs, test.unclear, c) for c in witnesses):
                yield name, replace(test, runs=runs)
    for place, code in enumerate(test.unclear):
        yield f"unclear {code} dropped", replace(test, unclear=_without(test.unclear, place))


def run_mutants(run: tuple[int, int]) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    """A run of codes longer or shorter by one code of its own length, and the first and last code concerned."""
    low, high = run
    one = 10 ** (5 - low % 10)
    span = one - 10 + 4 - low % 10
    """From a code to the last one that begins with it."""
    yield f"{low} −1", (low - one, high), (low - one, low - one + span)
    yield f"{low} +1", (low + one, high), (low, low + span)
    yield f"{high} −1", (low, high - one), (high - span, high)
    yield f"{high} +1", (low, high + one), (high - span + one, high + one)


_TESTS: dict[type[Test], Callable[[Any], Mutants]] = {
    Threshold: _threshold,
    Flag: _flag,
    Title: _title,
    Choice: _choice,
    Rank: _rank,
    Score: _score,
    FirstYear: _first_year,
    Sector: _sector,
}


# quantities


def _shifted(item: Any, name: str) -> Mutants:
    """A year offset moved by one; never into the future."""
    back = getattr(item, name)
    for sign in _BOTH:
        if back is not None and back + sign >= 0:
            yield f"{name} {sign:+}", replace(item, **{name: back + sign})


def _swapped(item: Any, first: str, second: str) -> Mutants:
    changed = {first: getattr(item, second), second: getattr(item, first)}
    yield f"{first} ↔ {second}", replace(item, **changed)


def _first_of(quantity: FirstOf) -> Mutants:
    yield from _shifted(quantity, "back")
    yield from _swapped(quantity, "field", "other")


def _ratio(quantity: Ratio) -> Mutants:
    yield from _shifted(quantity, "back")
    yield from _swapped(quantity, "over", "under")


def _years(quantity: Sum | SumRatio) -> Mutants:
    for sign in _BOTH:
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
        yield from ((n, q) for n, q in _shifted(quantity, name) if q.start > q.to)


def _lower(quantity: Lower) -> Mutants:
    for sign in _BOTH:
        backs = tuple(back + sign for back in quantity.backs)
        if min(backs) >= 0:
            yield f"years {sign:+}", replace(quantity, backs=backs)
    yield "other only", replace(quantity, field=quantity.other)
    yield "field only", replace(quantity, other=quantity.field)
    for place in range(len(quantity.backs)) if len(quantity.backs) > 1 else ():
        yield f"year {place + 1} left out", replace(quantity, backs=_without(quantity.backs, place))


_QUANTITIES: dict[type[Quantity], Callable[[Any], Mutants]] = {
    Value: lambda quantity: _shifted(quantity, "back"),
    Change: lambda quantity: _shifted(quantity, "back"),
    FirstOf: _first_of,
    Ratio: _ratio,
    Sum: _sum,
    SumRatio: _sum_ratio,
    Growth: _growth,
    Lower: _lower,
}


def _quantity(quantity: Quantity) -> Mutants:
    make = _QUANTITIES.get(type(quantity))
    return make(quantity) if make else iter(())


# scorecards


def _with_card(group: Group, card: Card) -> Group:
    """Score conditions hold the card they read."""
    members: list[Condition | Group] = []
    for member in group.members:
        if isinstance(member, Group):
            members.append(_with_card(member, card))
        elif isinstance(member.test, Score):
            members.append(replace(member, test=replace(member.test, card=card)))
        else:
            members.append(member)
    return replace(group, members=tuple(members))


def _card(card: Card) -> Mutants:
    for at, part in enumerate(card.parts):
        for place, indicator in enumerate(part.indicators):
            for name, item in _item(indicator.item):
                indicators = _put(part.indicators, place, replace(indicator, item=item))
                parts = _put(card.parts, at, replace(part, indicators=indicators))
                yield f"{indicator.id}: {name}", replace(card, parts=parts)


def _item(item: Item) -> Mutants:
    make = _ITEMS[type(item)]
    yield from make(item)


def _bands(item: Bands) -> Mutants:
    yield f"{item.op} → {_OTHER_OP[item.op]}", replace(item, op=_OTHER_OP[item.op])  # type: ignore[arg-type]
    for place, (line, points) in enumerate(item.steps):
        for sign in _BOTH:
            moved = (line + sign * step(item.unit), points)
            name = f"{points} points: line {_signed(sign, item.unit)}"
            yield name, replace(item, steps=_put(item.steps, place, moved))
            given = (line, points + sign)
            yield f"{points} points: {sign:+}", replace(item, steps=_put(item.steps, place, given))
    for sign in _BOTH:
        yield f"otherwise: {sign:+}", replace(item, otherwise=item.otherwise + sign)
    for name, quantity in _quantity(item.quantity):
        yield name, replace(item, quantity=quantity)


def _flag_points(item: FlagPoints) -> Mutants:
    for name in ("yes", "no"):
        for sign in _BOTH:
            yield f"{item.field.key} {name} {sign:+}", replace(item, **{name: getattr(item, name) + sign})  # type: ignore[arg-type]


def _choice_points(item: ChoicePoints) -> Mutants:
    for place, (key, points) in enumerate(item.points):
        for sign in _BOTH:
            yield f"{key} {sign:+}", replace(item, points=_put(item.points, place, (key, points + sign)))


def _entered(item: Entered) -> Mutants:
    for sign in _BOTH:
        yield f"top {sign:+}", replace(item, top=item.top + sign)


def _several(item: Best | Capped) -> Mutants:
    for place, inner in enumerate(item.items):
        yield f"[{place}] left out", replace(item, items=_without(item.items, place))
        for name, changed in _item(inner):
            yield f"[{place}] {name}", replace(item, items=_put(item.items, place, changed))


def _capped(item: Capped) -> Mutants:
    for sign in _BOTH:
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


# the size table


def _size_table(table: SizeTable) -> Mutants:
    for place, row in enumerate(table.rows):
        for name, changed in _size_bounds(table, row):
            yield f"row {row.number} {name}", replace(table, rows=_put(table.rows, place, changed))
        for at, run in enumerate(row.runs):
            for name, moved, witnesses in run_mutants(run):
                changed = replace(row, runs=_put(row.runs, at, moved))
                other = replace(table, rows=_put(table.rows, place, changed))
                if _reads_otherwise(table, other, witnesses):
                    yield f"row {row.number} codes {name}", other
    for place, code in enumerate(table.unclear):
        other = replace(table, unclear=_without(table.unclear, place))
        if _reads_otherwise(table, other, (code, code)):
            yield f"unclear {code} dropped", other


def _size_bounds(table: SizeTable, row: SizeRow) -> Mutants:
    for place, bounds in enumerate(row.bounds):
        for at, bound in enumerate(bounds or ()):
            for sign in _BOTH:
                assert bounds is not None
                moved = _put(bounds, at, bound + sign)
                name = f"{table.figures[place].key}[{SizeTable.KEYS[3 - at]}] {sign:+}"
                yield name, replace(row, bounds=_put(row.bounds, place, moved))


def _reads_otherwise(table: SizeTable, other: SizeTable, codes: tuple[int, int]) -> bool:
    """Does one of two codes get another row? Rows are compared by number: the first that fits counts."""

    def number(of: SizeTable, code: int) -> int | None:
        row = of.row_of(code)
        return row.number if row else None

    return any(number(table, code) != number(other, code) for code in codes)
