"""Several figures at once, where none alone turns a condition: blanks that hang together, and scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

from models.advice_changes import change_of
from models.advice_fields import nature_of
from models.advice_moves import Holds, Move, Way
from models.advice_outlook import Outlook
from models.advice_scale import Scale, choices, nearest, scale_of
from models.figures import Column
from models.rules.quantity import Figures

MIXED = 5
"""So many blanks are tried in every combination."""


def together(holds: Holds, columns: Sequence[Column], figures: Figures, view: Outlook) -> Way | None:
    """Several figures at once, where none alone makes the condition hold; None where none do."""
    ends = [_open_ends(column, figures, view) for column in columns]
    tried = product(*ends) if len(columns) <= MIXED else zip(*ends, strict=False)
    for values in tried:
        chosen = {column.name: value for column, value in zip(columns, values, strict=True)}
        if chosen and holds({**figures, **chosen}):
            return _taken_back(holds, chosen, {c.name: c for c in columns}, figures, view)
    return None


def reach(
    holds: Holds,
    points: Callable[[Figures], float],
    columns: Sequence[Column],
    figures: Figures,
    view: Outlook,
    whens: Sequence[str],
) -> Way | None:
    """Values of several figures that together lift points over a line; None where even all of them do not.

    Blanks may be answered, known figures change only as ``whens`` allows. Each is first taken as far as it
    helps, those that help most first; then what is not needed is left out, and the others are taken back to
    the nearest value that will still do.
    """
    far = [best for column in columns if (best := _furthest(points, column, figures, view, whens))]
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
    return _taken_back(holds, chosen, {c.name: c for c in columns}, figures, view)


def _ends(column: Column, view: Outlook) -> list[Any]:
    """A few values far apart: everything a condition can ask lies between them."""
    scale = scale_of(column.field, view.period)
    if scale is None:
        return choices(column.field, view.period)
    span = scale.high - scale.nothing
    middle = scale.nothing + max(span // 10**6, min(span // 2, 1000))
    numbers = [middle, scale.high, scale.nothing, scale.low]
    before = view.figures.get(column.name)
    if nature_of(column.field).when == "time" and before is not None and not scale.is_date:
        numbers.insert(0, scale.number(before) + view.years_on * scale.parts)
    return list(dict.fromkeys(scale.value(number) for number in numbers))


def _open_ends(column: Column, figures: Figures, view: Outlook) -> list[Any]:
    """Those that may be advised; what is there now is one of them."""
    known = figures.get(column.name)
    ends = [v for v in _ends(column, view) if v == known or change_of(column, view, v) is not None]
    return ends if known is None or known in ends else [*ends, known]


def _furthest(
    points: Callable[[Figures], float], column: Column, figures: Figures, view: Outlook, whens: Sequence[str]
) -> tuple[float, str, Any] | None:
    """(points won, column, value) for the end that helps most; None where none does."""
    before, now = figures.get(column.name), points(figures)

    def allowed(value: Any) -> bool:
        change = None if value == before else change_of(column, view, value)
        return change is not None and (change.kind == "answer" or change.when in whens)

    ends = [value for value in _ends(column, view) if allowed(value)]
    tried = [(points({**figures, column.name: value}) - now, value) for value in ends]
    won, value = max(tried, key=lambda pair: pair[0], default=(0.0, None))
    # Points of a ratio whose other figure is blank too come only with both answers.
    return None if value is None or (won <= 0 and before is not None) else (won, column.name, value)


def _taken_back(
    holds: Holds, chosen: dict[str, Any], columns: Mapping[str, Column], figures: Figures, view: Outlook
) -> Way:
    way: Way = {}
    for name in list(chosen):
        scale = scale_of(columns[name].field, view.period)
        if scale is None:
            way[name] = Move(chosen[name])
            continue
        before, limit = figures.get(name), scale.number(chosen[name])
        start = scale.nothing if before is None else scale.number(before)

        def at(number: int, name: str = name, scale: Scale = scale) -> bool:
            return holds({**figures, **chosen, name: scale.value(number)})

        if limit == start:
            continue
        number = start if at(start) else nearest(at, start, limit)
        chosen[name] = scale.value(limit if number is None else number)
        way[name] = Move(chosen[name], "at_least" if limit > start else "at_most")
    return way
