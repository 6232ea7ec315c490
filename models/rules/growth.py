"""Quantities over time: growth in its several meanings (rules.md note 4), and age.

Powers and products are compared, never roots or quotients, so every boundary is exact.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, ClassVar

from models.errors import Text
from models.fields import Field
from models.rules.program import Builder, Comparison, Slot
from models.rules.quantity import Figures, Period, Quantity, Shortfall, exact, known


@dataclass(frozen=True)
class Growth(Quantity):
    """Compound yearly growth ``(x[to] / x[start]) ** (1/n) − 1`` over n years; n = 1 is plain growth.

    Powers are compared, never roots, so the boundary is exact. Missing where the base is ≤ 0.
    """

    field: Field
    start: int
    to: int

    @property
    def unit(self) -> str:
        return "%"

    def _power(self, line: Fraction) -> Fraction:
        return (1 + line) ** (self.start - self.to)

    def truth(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        power = self._power(line)
        now = b.input(period.column(self.field, self.to))
        base = b.above_zero(b.input(period.column(self.field, self.start)))
        return b.compare(op, b.times(now, power.denominator), b.times(base, power.numerator))

    def label(self, period: Period) -> Text:
        first, last, field = period.year(self.start), period.year(self.to), self.field.label
        if self.start - self.to == 1:
            return Text(f"{last}年{field.zh}增长率", f"growth of {field.en} {last}")
        return Text(f"{first}–{last}年{field.zh}年均复合增长率", f"CAGR of {field.en} {first}–{last}")

    def _ends(self, figures: Figures, period: Period) -> tuple[Any, Any] | None:
        now = figures.get(period.column(self.field, self.to))
        base = figures.get(period.column(self.field, self.start))
        return None if now is None or base is None or base <= 0 else (now, base)

    def actual(self, figures: Figures, period: Period) -> Any:
        ends = self._ends(figures, period)
        if ends is None:
            return None
        if self.start - self.to == 1:
            return (ends[0] - ends[1]) / ends[1]
        return (ends[0] / ends[1]) ** (1 / (self.start - self.to)) - 1

    def shortfall(self, figures: Figures, period: Period, line: Fraction) -> Shortfall | None:
        ends = self._ends(figures, period)
        return ends and self._shortfall(period, self.field, self.to, self._power(line) * ends[1] - ends[0])


@dataclass(frozen=True)
class MeanGrowth(Quantity):
    """Mean of the growth of Y-1 and of Y-2 (note 4), so it needs Y-3. Missing where a base is ≤ 0."""

    field: Field

    @property
    def unit(self) -> str:
        return "%"

    def truth(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        # (y1/y2 + y2/y3)/2 − 1 ≥ p/q  ⟺  q(y1·y3 + y2²) ≥ 2(p+q)·y2·y3
        y1, y2, y3 = (b.input(period.column(self.field, back)) for back in (1, 2, 3))
        y2, y3 = b.above_zero(y2), b.above_zero(y3)
        over = b.add(b.wide(y1, y3), b.wide(y2, y2))
        factor = 2 * (1 + line)
        return b.compare(op, b.times(over, factor.denominator), b.times(b.wide(y2, y3), factor.numerator))

    def label(self, period: Period) -> Text:
        years, field = f"{period.year(2)}、{period.year(1)}", self.field.label
        return Text(f"{years}年{field.zh}平均增长率", f"mean growth of {field.en} {years}")

    def _years(self, figures: Figures, period: Period) -> list[Any] | None:
        values = known(figures, [period.column(self.field, back) for back in (1, 2, 3)])
        return None if values is None or min(values[1:]) <= 0 else values

    def actual(self, figures: Figures, period: Period) -> Any:
        values = self._years(figures, period)
        return values and (values[0] / values[1] + values[1] / values[2]) / 2 - 1

    def shortfall(self, figures: Figures, period: Period, line: Fraction) -> Shortfall | None:
        values = self._years(figures, period)
        if values is None:
            return None
        needed = values[1] * (2 * (1 + line) - Fraction(values[1], values[2]))
        return self._shortfall(period, self.field, 1, needed - values[0])


@dataclass(frozen=True)
class Change(Quantity):
    """This year's figure less the year's before."""

    field: Field
    back: int

    @property
    def unit(self) -> str:
        return self.field.unit

    def truth(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        now, before = (b.input(period.column(self.field, back)) for back in (self.back, self.back + 1))
        return exact(b, op, b.sub(now, before), line, self.field)

    def label(self, period: Period) -> Text:
        last, first, field = period.year(self.back), period.year(self.back + 1), self.field.label
        return Text(
            f"{last}年{field.zh}比{first}年的增加额", f"increase of {field.en} from {first} to {last}"
        )

    def actual(self, figures: Figures, period: Period) -> Any:
        values = known(figures, [period.column(self.field, back) for back in (self.back, self.back + 1)])
        return values and values[0] - values[1]

    def shortfall(self, figures: Figures, period: Period, line: Fraction) -> Shortfall | None:
        value = self.actual(figures, period)
        return None if value is None else self._shortfall(period, self.field, self.back, line - value)


@dataclass(frozen=True)
class Age(Quantity):
    """Full years since the date: age ≤ n means ``as_of`` is not later than the n-th anniversary.

    The anniversary of 29 February is 28 February. A date after ``as_of`` counts as missing.
    """

    field: Field
    comparisons: ClassVar[frozenset[str]] = frozenset({"le", "gt"})

    @property
    def unit(self) -> str:
        return "年"

    def _founded(self, b: Builder, period: Period) -> Slot:
        founded = b.input(self.field.column())
        return b.where(b.compare("le", founded, b.const(period.as_of)), founded)

    def truth(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        earliest = b.const(_years_before(period.as_of, int(line)))
        return b.compare("ge" if op == "le" else "lt", self._founded(b, period), earliest)

    def label(self, period: Period) -> Text:
        return Text(f"至{period.as_of}的成立年限", f"age on {period.as_of}")

    def actual(self, figures: Figures, period: Period) -> Any:
        founded = figures.get(self.field.column())
        if founded is None or founded > period.as_of:
            return None
        return (period.as_of - founded).days / 365.25

    def shown(self, figures: Figures, period: Period, value: Any) -> Text:
        """``16年333天``: whole years since the date, and the days since the last anniversary."""
        founded, day = figures[self.field.column()], period.as_of
        years = day.year - founded.year
        years -= _anniversary(founded, years) > day
        days = (day - _anniversary(founded, years)).days
        if not days:
            return Text(f"{years}年", f"{years} years")
        return Text(f"{years}年{days}天", f"{years} years {days} days")


def _anniversary(founded: date, years: int) -> date:
    """The ``years``-th; that of 29 February is 28 February."""
    year = founded.year + years
    if (founded.month, founded.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 2, 28)
    return founded.replace(year=year)


def _years_before(day: date, years: int) -> date:
    """The earliest date whose anniversary after ``years`` years is not before ``day``."""
    year = max(day.year - years, 1)
    if (day.month, day.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 3, 1)
    return day.replace(year=year)


@dataclass(frozen=True)
class Days(Quantity):
    """Days since the date. A date after ``as_of`` counts as missing."""

    field: Field
    comparisons: ClassVar[frozenset[str]] = frozenset({"ge"})

    @property
    def unit(self) -> str:
        return "天"

    def truth(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        founded = b.input(self.field.column())
        founded = b.where(b.compare("le", founded, b.const(period.as_of)), founded)
        return b.compare("le", founded, b.const(period.as_of - timedelta(days=int(line))))

    def label(self, period: Period) -> Text:
        return Text(f"至{period.as_of}的注册天数", f"days registered by {period.as_of}")

    def actual(self, figures: Figures, period: Period) -> Any:
        founded = figures.get(self.field.column())
        return None if founded is None or founded > period.as_of else (period.as_of - founded).days


@dataclass(frozen=True)
class StagedGrowth:
    """高企 growth block of one item, ½(y2/y1 + y3/y2) − 1 with y3 = Y-1: shown, never a condition.

    y1 = 0: y3/y2 − 1; y2 = 0: 0 (rules.md §10). Net assets are assets less liabilities.
    """

    name: Text
    field: Field
    less: Field | None = None

    def actual(self, figures: Figures, period: Period) -> Fraction | None:
        values = [self._year(figures, period, back) for back in (3, 2, 1)]
        if any(value is None for value in values):
            return None
        y1, y2, y3 = (Fraction(value) for value in values)
        if y2 == 0:
            return Fraction(0)
        return y3 / y2 - 1 if y1 == 0 else (y2 / y1 + y3 / y2) / 2 - 1

    def _year(self, figures: Figures, period: Period, back: int) -> Any:
        value = figures.get(period.column(self.field, back))
        if value is None or self.less is None:
            return value
        less = figures.get(period.column(self.less, back))
        return None if less is None else value - less
