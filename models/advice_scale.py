"""A figure's values as whole numbers, so that a line among them can be found by halving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.codes import districts
from models.fields import COUNT_LIMIT, MONEY_LIMIT, NO_TITLE, Field
from models.rules.quantity import Period

STEPS = {"ratio": 10_000, "decimal": 10, "score": 10}
"""How finely a figure that is no whole number is moved: a share by 0.01 %, others by a tenth."""
INDUSTRIES = (39114, 65104, 51904)


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


def choices(field: Field, period: Period) -> list[Any]:
    """What a field that is no number can be."""
    if field.key == "industry":
        return list(INDUSTRIES)
    if field.key == "district":
        return [next(iter(districts().names)), "320000"]
    if field.options:
        return list(field.options)
    if field.type == "title":
        return [period.as_of, NO_TITLE]
    if field.type == "year":
        return [*(period.year(back) for back in range(4)), 0]
    return [True, False] if field.type == "bool" else []


def nearest(at: Callable[[int], bool], start: int, limit: int) -> int | None:
    """The number nearest to ``start``, towards ``limit``, at which it holds."""
    sign, reach = (1 if limit > start else -1), abs(limit - start)
    step, last = 1, 0
    while last < reach:
        step = min(step, reach)
        if at(start + sign * step):
            return start + sign * halved(lambda far: at(start + sign * far), last, step)
        last, step = step, step * 2
    return None


def halved(at: Callable[[int], bool], fails: int, passes: int) -> int:
    while passes - fails > 1:
        middle = (fails + passes) // 2
        if at(middle):
            passes = middle
        else:
            fails = middle
    return passes
