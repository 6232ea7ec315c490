"""Rule packs with one small thing wrong, made in memory, to see whether a policy case notices.

Each mutant is a name and the pack: a line moved by the smallest step of its unit, an operator made
strict or lax, a year offset moved, a condition left out, points or codes changed by one. A change
that reads every code the same as before is no mutant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from models.rules.card import Card
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
from models.rules.pack import Pack
from tests.rules.code_mutants import run_mutants, size_mutants
from tests.rules.figure_mutants import (
    BOTH,
    OTHER_OP,
    Mutants,
    card_mutants,
    put,
    quantity_mutants,
    shifted,
    signed,
    step,
    without,
)


@dataclass(frozen=True)
class Mutant:
    """A pack with one thing changed."""

    name: str
    pack: Pack


def mutants(pack: Pack) -> Iterator[Mutant]:
    """All mutants of one pack. Programmes' options and amounts are not judged, so they are left alone."""
    for name, root in _group(pack.root):
        yield Mutant(name, replace(pack, root=root))
    for name, card in card_mutants(pack.card) if pack.card else ():
        yield Mutant(f"card.{name}", replace(pack, card=card, root=_with_card(pack.root, card)))
    for name, table in size_mutants(pack.size_table) if pack.size_table else ():
        yield Mutant(name, replace(pack, size_table=table))
    for place, label in enumerate(pack.labels):
        for name, also in _group(label.also):
            labels = put(pack.labels, place, replace(label, also=also))
            yield Mutant(f"label.{name}", replace(pack, labels=labels))


# conditions


def _group(group: Group) -> Mutants:
    if len(group.members) > 1 and group.id:
        yield (
            f"{group.id}: {group.mode} swapped",
            replace(group, mode="any" if group.mode == "all" else "all"),
        )
    for place, member in enumerate(group.members):
        if len(group.members) > 1:
            yield f"{member.id}: left out", replace(group, members=without(group.members, place))
        inner = _group(member) if isinstance(member, Group) else _condition(member)
        for name, changed in inner:
            yield name, replace(group, members=put(group.members, place, changed))
        for name, applies in _applies(member.applies) if member.applies else ():
            changed = replace(member, applies=applies)
            yield f"{member.id}: {name}", replace(group, members=put(group.members, place, changed))


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
        for days in BOTH if day else ():
            assert day is not None
            yield f"{end} {days:+} day", replace(applies, **{end: day + timedelta(days=days)})  # type: ignore[arg-type]


def _threshold(test: Threshold) -> Mutants:
    for sign in BOTH:
        yield f"line {signed(sign, test.unit)}", replace(test, line=test.line + sign * step(test.unit))
    other = OTHER_OP[test.op]
    if other in test.quantity.comparisons:
        yield f"{test.op} → {other}", replace(test, op=other)  # type: ignore[arg-type]
    for name, quantity in quantity_mutants(test.quantity):
        yield name, replace(test, quantity=quantity)


def _flag(test: Flag) -> Mutants:
    yield "flipped", replace(test, wanted=not test.wanted)
    yield from shifted(test, "back")


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
    for sign in BOTH:
        yield f"within {sign:+}", replace(test, within=test.within + sign)


def _score(test: Score) -> Mutants:
    for sign in BOTH:
        yield f"line {sign:+}", replace(test, line=test.line + sign)
    yield f"{test.op} → {OTHER_OP[test.op]}", replace(test, op=OTHER_OP[test.op])  # type: ignore[arg-type]


def _first_year(test: FirstYear) -> Mutants:
    for place, back in enumerate(test.backs):
        for sign in BOTH:
            changed = put(test.backs, place, back + sign)
            if set(changed) != set(test.backs):
                yield f"back {back} {sign:+}", replace(test, backs=changed)
    if test.inside:
        yield "any years", replace(test, inside=None)
        for end in (0, 1):
            for sign in BOTH:
                inside = put(test.inside, end, test.inside[end] + sign)
                yield f"inside[{end}] {sign:+}", replace(test, inside=inside)


def _sector(test: Sector) -> Mutants:
    yield "flipped", replace(test, outside=not test.outside)

    def reading(runs: tuple[tuple[int, int], ...], unclear: tuple[int, ...], code: int) -> bool | None:
        return None if code in unclear else any(low <= code <= high for low, high in runs)

    for place, run in enumerate(test.runs):
        for name, changed, witnesses in run_mutants(run):
            runs = put(test.runs, place, changed)
            if any(reading(runs, test.unclear, c) != reading(test.runs, test.unclear, c) for c in witnesses):
                yield name, replace(test, runs=runs)
    for place, code in enumerate(test.unclear):
        yield f"unclear {code} dropped", replace(test, unclear=without(test.unclear, place))


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
