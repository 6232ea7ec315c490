"""The kinds of quantity a rule can name. Each owns its exact comparison, its label and its shortfall.

Source of every definition: rules.md (note 4 for growth) and contract.md (*Details that decide
boundary cases*). Amounts are whole 元, lines exact fractions, and a comparison is made between
whole numbers, so that one 元 below a line fails and on it passes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar

from models.errors import Text
from models.fields import Field, catalogue
from models.rules.program import Builder, Comparison, Slot
from models.rules.units import show

Figures = Mapping[str, Any]
"""One firm: column name → value, None or absent where missing."""


@dataclass(frozen=True, slots=True)
class Period:
    """When and for what a rule is applied. Y-1, the last complete fiscal year, is ``year(1)``."""

    as_of: date
    kind: str

    def year(self, back: int) -> int:
        return self.as_of.year - back

    def column(self, field: Field, back: int | None) -> str:
        return field.column() if back is None else _column(field.key, self.as_of.year - back)


@lru_cache(maxsize=4096)
def _column(key: str, year: int) -> str:
    return catalogue()[key].column(year)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """How far a figure is from its line, everything else unchanged: ``change`` > 0 must be added."""

    column: str
    field: Field
    change: Fraction
    unit: str


@dataclass(frozen=True)
class Quantity(ABC):
    """A number made from a firm's figures; missing when the contract says so."""

    comparisons: ClassVar[frozenset[str]] = frozenset({"ge", "gt", "le", "lt"})

    @property
    @abstractmethod
    def unit(self) -> str: ...

    @abstractmethod
    def truth(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        """Does the comparison hold; nothing where the quantity is missing."""

    def verdict(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        return b.judge(self.truth(b, period, op, line))

    @abstractmethod
    def label(self, period: Period) -> Text: ...

    @abstractmethod
    def actual(self, figures: Figures, period: Period) -> Any:
        """The figure to show (a float where it is a quotient), None where it is missing."""

    def column(self, period: Period) -> str | None:
        """The column whose figure :meth:`actual` is, as it stands; None where it is worked out."""
        return None

    def shown(self, figures: Figures, period: Period, value: Any) -> Text:
        """``value``, which is :meth:`actual`, for people."""
        return show(value, self.unit)

    def shortfall(self, figures: Figures, period: Period, line: Fraction) -> Shortfall | None:
        """The change of one figure that would reach the line, where there is one such figure."""
        return None

    def _shortfall(self, period: Period, field: Field, back: int | None, change: Fraction) -> Shortfall:
        whole = field.type in {"money", "count"}
        rounded = Fraction(math.ceil(change) if change > 0 else math.floor(change)) if whole else change
        return Shortfall(period.column(field, back), field, rounded, field.unit)


def exact(b: Builder, op: Comparison, figure: Slot, line: Fraction, field: Field) -> Slot:
    """Compare one field's figure with a line; whole numbers exactly, others as the nearest double."""
    if field.type in {"decimal", "score", "ratio"}:
        return b.compare(op, figure, b.const(float(line)))
    return b.compare(op, b.times(figure, line.denominator), b.const(line.numerator))


def year_label(period: Period, back: int, text: Text) -> Text:
    year = period.year(back)
    return Text(f"{year}年{text.zh}", f"{text.en} {year}")


def known(figures: Figures, columns: Sequence[str]) -> list[Any] | None:
    """The values of all columns, or None if one is missing."""
    values = [figures.get(column) for column in columns]
    return None if any(value is None for value in values) else values


@dataclass(frozen=True)
class Value(Quantity):
    """A figure as it stands."""

    field: Field
    back: int | None = None

    @property
    def unit(self) -> str:
        return "%" if self.field.type == "ratio" else self.field.unit or "名"

    def truth(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        return exact(b, op, b.input(period.column(self.field, self.back)), line, self.field)

    def label(self, period: Period) -> Text:
        return self.field.label if self.back is None else year_label(period, self.back, self.field.label)

    def column(self, period: Period) -> str | None:
        return period.column(self.field, self.back)

    def actual(self, figures: Figures, period: Period) -> Any:
        return figures.get(period.column(self.field, self.back))

    def shortfall(self, figures: Figures, period: Period, line: Fraction) -> Shortfall | None:
        value = self.actual(figures, period)
        return (
            None
            if value is None
            else self._shortfall(period, self.field, self.back, line - Fraction(str(value)))
        )


@dataclass(frozen=True)
class FirstOf(Quantity):
    """The first figure, or the second where the first is not reported (规上)."""

    field: Field
    other: Field
    back: int

    @property
    def unit(self) -> str:
        return self.field.unit

    def truth(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        first, other = (b.input(period.column(f, self.back)) for f in (self.field, self.other))
        return exact(b, op, b.first(first, other), line, self.field)

    def label(self, period: Period) -> Text:
        zh, en = self.field.label.zh, self.field.label.en
        other = self.other.label
        return year_label(period, self.back, Text(f"{zh}（未报时用{other.zh}）", f"{en} (else {other.en})"))

    def _used(self, figures: Figures, period: Period) -> Field:
        return self.other if figures.get(period.column(self.field, self.back)) is None else self.field

    def actual(self, figures: Figures, period: Period) -> Any:
        return figures.get(period.column(self._used(figures, period), self.back))

    def shortfall(self, figures: Figures, period: Period, line: Fraction) -> Shortfall | None:
        value = self.actual(figures, period)
        return (
            None
            if value is None
            else self._shortfall(period, self._used(figures, period), self.back, line - value)
        )


@dataclass(frozen=True)
class Sum(Quantity):
    """Sum (or mean) over Y-1..Y-n.

    ``partial``: a year missing counts as 0 for reaching the line, and the answer is unknown if that
    does not reach it (contract.md: new equity, R&D, main-business revenue). Otherwise every year is needed.
    """

    field: Field
    years: int
    partial: bool
    mean: bool = False

    @property
    def unit(self) -> str:
        return self.field.unit

    @property
    def comparisons(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset({"ge", "gt"}) if self.partial else Quantity.comparisons

    def _columns(self, period: Period) -> list[str]:
        return [period.column(self.field, back) for back in range(1, self.years + 1)]

    def _line(self, line: Fraction) -> Fraction:
        return line * self.years if self.mean else line

    def truth(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        return exact(b, op, b.sum([b.input(c) for c in self._columns(period)]), self._line(line), self.field)

    def verdict(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        if not self.partial:
            return super().verdict(b, period, op, line)
        inputs = [b.input(column) for column in self._columns(period)]
        at_least = b.sum([b.instead(figure, 0) for figure in inputs])
        return b.reach(exact(b, op, at_least, self._line(line), self.field), b.known(b.sum(inputs)))

    def label(self, period: Period) -> Text:
        first, last = period.year(self.years), period.year(1)
        kind = Text("年均", "mean") if self.mean else Text("合计", "sum")
        return Text(
            f"{first}–{last}年{self.field.label.zh}{kind.zh}",
            f"{kind.en} of {self.field.label.en} {first}–{last}",
        )

    def actual(self, figures: Figures, period: Period) -> Any:
        values = known(figures, self._columns(period))
        if values is None:
            return None
        return sum(values) / self.years if self.mean else sum(values)

    def shortfall(self, figures: Figures, period: Period, line: Fraction) -> Shortfall | None:
        values = known(figures, self._columns(period))
        return (
            None if values is None else self._shortfall(period, self.field, 1, self._line(line) - sum(values))
        )


@dataclass(frozen=True)
class Lower(Quantity):
    """The lower of two figures, summed over years (科创板: profit before and after non-recurring items)."""

    field: Field
    other: Field
    backs: tuple[int, ...]

    @property
    def unit(self) -> str:
        return self.field.unit

    def truth(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        lowers = [
            b.lower(b.input(period.column(self.field, back)), b.input(period.column(self.other, back)))
            for back in self.backs
        ]
        return exact(b, op, b.sum(lowers), line, self.field)

    def label(self, period: Period) -> Text:
        years = "、".join(str(period.year(back)) for back in self.backs)
        zh, en = self.field.label, self.other.label
        summed = Text("合计", "sum of ") if len(self.backs) > 1 else Text("", "")
        return Text(
            f"{years}年净利润{summed.zh}（{zh.zh}与{en.zh}取低）",
            f"{summed.en}{zh.en} {years} (the lower of it and {en.en})",
        )

    def actual(self, figures: Figures, period: Period) -> Any:
        pairs = [
            known(figures, [period.column(self.field, back), period.column(self.other, back)])
            for back in self.backs
        ]
        return None if any(pair is None for pair in pairs) else sum(min(pair) for pair in pairs if pair)


@dataclass(frozen=True)
class Ratio(Quantity):
    """One figure over another of the same year; missing where the denominator is ≤ 0."""

    over: Field
    under: Field
    back: int

    @property
    def unit(self) -> str:
        return "%"

    def truth(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        over = b.input(period.column(self.over, self.back))
        under = b.above_zero(b.input(period.column(self.under, self.back)))
        return b.compare(op, b.times(over, line.denominator), b.times(under, line.numerator))

    def label(self, period: Period) -> Text:
        over, under = self.over.label, self.under.label
        return year_label(period, self.back, Text(f"{over.zh}÷{under.zh}", f"{over.en} ÷ {under.en}"))

    def _pair(self, figures: Figures, period: Period) -> tuple[Any, Any] | None:
        over = figures.get(period.column(self.over, self.back))
        under = figures.get(period.column(self.under, self.back))
        return None if over is None or under is None or under <= 0 else (over, under)

    def actual(self, figures: Figures, period: Period) -> Any:
        pair = self._pair(figures, period)
        return pair and pair[0] / pair[1]

    def shortfall(self, figures: Figures, period: Period, line: Fraction) -> Shortfall | None:
        pair = self._pair(figures, period)
        return pair and self._shortfall(period, self.over, self.back, line * pair[1] - pair[0])


@dataclass(frozen=True)
class SumRatio(Quantity):
    """Sum over years over another sum; every year is needed.

    ``life``: years before the year of ``established`` are left out (高企: "or actual life").
    """

    over: Field
    under: Field
    years: int
    established: Field | None = None

    @property
    def unit(self) -> str:
        return "%"

    def _sum(self, b: Builder, period: Period, field: Field) -> Slot:
        return b.sum([self._year(b, period, field, back) for back in range(1, self.years + 1)])

    def _year(self, b: Builder, period: Period, field: Field, back: int) -> Slot:
        figure = b.input(period.column(field, back))
        if self.established is None:
            return figure
        # Without the date no year can be left out: all are needed.
        founded = b.first(b.input(self.established.column()), b.const(date(1, 1, 1)))
        later = b.compare("gt", founded, b.const(date(period.year(back), 12, 31)))
        return b.pick(later, b.const(0), figure)

    def truth(self, b: Builder, period: Period, op: Comparison, line: Fraction) -> Slot:
        over, under = self._sum(b, period, self.over), b.above_zero(self._sum(b, period, self.under))
        return b.compare(op, b.times(over, line.denominator), b.times(under, line.numerator))

    def label(self, period: Period) -> Text:
        first, last = period.year(self.years), period.year(1)
        life = Text("（不足的按实际经营年限）", " (or actual life)") if self.established else Text("", "")
        return Text(
            f"{first}–{last}年{self.over.label.zh}合计÷{self.under.label.zh}合计{life.zh}",
            f"{self.over.label.en} ÷ {self.under.label.en}, sums of {first}–{last}{life.en}",
        )

    def _sums(self, figures: Figures, period: Period) -> tuple[Any, Any] | None:
        founded = figures.get(self.established.column()) if self.established else None
        backs = [n for n in range(1, self.years + 1) if founded is None or founded.year <= period.year(n)]
        over = known(figures, [period.column(self.over, back) for back in backs])
        under = known(figures, [period.column(self.under, back) for back in backs])
        return None if over is None or under is None or sum(under) <= 0 else (sum(over), sum(under))

    def actual(self, figures: Figures, period: Period) -> Any:
        sums = self._sums(figures, period)
        return sums and sums[0] / sums[1]

    def shortfall(self, figures: Figures, period: Period, line: Fraction) -> Shortfall | None:
        sums = self._sums(figures, period)
        return sums and self._shortfall(period, self.over, 1, line * sums[1] - sums[0])
