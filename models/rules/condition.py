"""Conditions: what is tested (a :class:`Test`), under which clause, and how they join.

A standard is one :class:`Group` of conditions and groups. *all of* is the minimum of verdicts,
*any of* the maximum (contract.md, *Verdicts*).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Literal

from models.codes import districts, industries
from models.errors import Text
from models.fields import Field
from models.rules.card import Card
from models.rules.program import Builder, Comparison, Slot
from models.rules.quantity import Figures, Period, Quantity, Shortfall
from models.rules.reason import NO_FIGURE
from models.rules.size import SizeTable
from models.rules.statement import statement
from models.rules.units import show, show_value
from models.verdict import Verdict

WORDS: Mapping[str, Text] = {
    "ge": Text("不低于", "at least"),
    "gt": Text("超过", "more than"),
    "le": Text("不超过", "at most"),
    "lt": Text("低于", "less than"),
}


@dataclass(frozen=True)
class Test(ABC):
    """Something that can be asked of one firm."""

    @abstractmethod
    def build(self, b: Builder, period: Period) -> Slot:
        """The verdict's slot."""

    @abstractmethod
    def text(self, period: Period) -> Text:
        """What is required, as a sentence made from the structure."""

    @abstractmethod
    def actual(self, figures: Figures, period: Period) -> Any:
        """The figure that decides, None where it is missing."""

    def read_from(self, period: Period) -> str | None:
        """The column whose figure :meth:`actual` is, as it stands; None where it is worked out."""
        return None

    @property
    def unit(self) -> str:
        return ""

    def shown(self, figures: Figures, period: Period) -> Text | None:
        """``actual`` for people."""
        value = self.actual(figures, period)
        return None if value is None else self.told(value, figures, period)

    def told(self, value: Any, figures: Figures, period: Period) -> Text | None:
        """``value``, which is :meth:`actual`, for people; None where it says nothing."""
        return show_value(value, self.unit)

    @property
    def blank(self) -> Text:
        """What is said in place of a figure that is missing."""
        return NO_FIGURE

    def shortfall(self, figures: Figures, period: Period) -> Shortfall | None:
        return None

    @property
    def attested(self) -> bool:
        """Answered by a person, not by a figure."""
        return False


@dataclass(frozen=True)
class Threshold(Test):
    """A quantity against a line."""

    quantity: Quantity
    op: Comparison
    line: Fraction

    @property
    def unit(self) -> str:
        return self.quantity.unit

    def build(self, b: Builder, period: Period) -> Slot:
        return self.quantity.verdict(b, period, self.op, self.line)

    def text(self, period: Period) -> Text:
        label, line, word = self.quantity.label(period), show(self.line, self.unit), WORDS[self.op]
        return Text(f"{label.zh}{word.zh}{line.zh}", f"{label.en} {word.en} {line.en}")

    def actual(self, figures: Figures, period: Period) -> Any:
        return self.quantity.actual(figures, period)

    def read_from(self, period: Period) -> str | None:
        return self.quantity.column(period)

    def told(self, value: Any, figures: Figures, period: Period) -> Text:
        return self.quantity.shown(figures, period, value)

    def shortfall(self, figures: Figures, period: Period) -> Shortfall | None:
        return self.quantity.shortfall(figures, period, self.line)


@dataclass(frozen=True)
class _OfField(Test):
    """A test of one field that has no year of its own, or of one year of it."""

    field: Field

    def column(self, period: Period) -> str:
        return self.field.column()

    def actual(self, figures: Figures, period: Period) -> Any:
        return figures.get(self.column(period))

    def read_from(self, period: Period) -> str | None:
        return self.column(period) if type(self).actual is _OfField.actual else None

    @property
    def blank(self) -> Text:
        return Text("未填", "blank")

    @property
    def missing(self) -> Verdict:
        return Verdict.REVIEW if self.field.when_missing == "review" else Verdict.UNKNOWN

    @property
    def attested(self) -> bool:
        return self.missing is Verdict.REVIEW


@dataclass(frozen=True)
class Flag(_OfField):
    """A yes-or-no field that must be yes (or no). Blank: review where the field is attested, else unknown."""

    wanted: bool
    back: int | None = None

    def column(self, period: Period) -> str:
        return period.column(self.field, self.back)

    def build(self, b: Builder, period: Period) -> Slot:
        verdict = b.judge(b.among(b.input(self.column(period)), (True,)), self.missing)
        return verdict if self.wanted else b.negate(verdict)

    def text(self, period: Period) -> Text:
        said = statement(self.field, self.wanted)
        if self.back is None:
            return said
        year = period.year(self.back)
        return Text(f"{year}年{said.zh}", f"{said.en} in {year}")

    def told(self, value: Any, figures: Figures, period: Period) -> Text:
        """A sentence too: a bare no beside 未列入…名录 could be read either way."""
        return statement(self.field, value)


@dataclass(frozen=True)
class Title(_OfField):
    """A title valid on ``as_of`` (or not held): its date ≥ ``as_of``; 无 is unmet; blank unknown."""

    held: bool

    def build(self, b: Builder, period: Period) -> Slot:
        verdict = b.judge(b.compare("ge", b.input(self.field.column()), b.const(period.as_of)), self.missing)
        return verdict if self.held else b.negate(verdict)

    def text(self, period: Period) -> Text:
        label, day = self.field.label, period.as_of
        if self.held:
            return Text(f"{label.zh}不早于{day}（持有有效称号）", f"{label.en} {day} or later (title held)")
        return Text(
            f"{label.zh}早于{day}或为“无”（不持有有效称号）",
            f"{label.en} before {day} or none (title not held)",
        )


@dataclass(frozen=True)
class Choice(_OfField):
    """A field that must have one of some values."""

    among: tuple[str, ...]

    def build(self, b: Builder, period: Period) -> Slot:
        return b.judge(b.among(b.input(self.field.column()), self.among), self.missing)

    def text(self, period: Period) -> Text:
        options = self.field.options or {}
        zh = "、".join(options[key].zh for key in self.among)
        en = ", ".join(options[key].en for key in self.among)
        return Text(f"{self.field.label.zh}为：{zh}", f"{self.field.label.en} is one of: {en}")

    def told(self, value: Any, figures: Figures, period: Period) -> Text:
        return (self.field.options or {}).get(value, Text(value, value))


@dataclass(frozen=True)
class Rank(_OfField):
    """A rank from 1 to ``within`` (any rank where None); 0 means none."""

    within: int | None

    @property
    def unit(self) -> str:
        return "名"

    def build(self, b: Builder, period: Period) -> Slot:
        rank = b.input(self.field.column())
        verdict = b.judge(b.compare("ge", rank, b.const(1)), self.missing)
        if self.within is None:
            return verdict
        return b.all([verdict, b.judge(b.compare("le", rank, b.const(self.within)), self.missing)])

    def text(self, period: Period) -> Text:
        if self.within is None:
            return Text(f"{self.field.label.zh}：有名次", f"{self.field.label.en}: any rank")
        return Text(
            f"{self.field.label.zh}：第1～{self.within}名", f"{self.field.label.en}: 1 to {self.within}"
        )

    def told(self, value: Any, figures: Figures, period: Period) -> Text:
        return Text(f"第{value}名", f"rank {value}") if value else Text("无", "none")


@dataclass(frozen=True)
class Sector(_OfField):
    """The industry code falls in a named set of GB/T 4754-2017 codes; a code too short to tell is unknown."""

    name: Text
    runs: tuple[tuple[int, int], ...]
    unclear: tuple[int, ...]
    outside: bool = False

    def build(self, b: Builder, period: Period) -> Slot:
        verdict = b.judge(b.spans(b.input(self.field.column()), self.runs, self.unclear), self.missing)
        return b.negate(verdict) if self.outside else verdict

    def text(self, period: Period) -> Text:
        if self.outside:
            return Text(f"行业不属于：{self.name.zh}", f"industry is not: {self.name.en}")
        return Text(f"行业属于：{self.name.zh}", f"industry is: {self.name.en}")

    def actual(self, figures: Figures, period: Period) -> Any:
        """``C3911 计算机整机制造``."""
        code = figures.get(self.field.column())
        return None if code is None else industries().label(code)


@dataclass(frozen=True)
class Place(_OfField):
    """Registered in Shanghai: the district's code is one of Shanghai's."""

    beginning: str = "31"

    def build(self, b: Builder, period: Period) -> Slot:
        return b.judge(b.starts(b.input(self.field.column()), self.beginning), self.missing)

    def text(self, period: Period) -> Text:
        return Text("在上海市登记注册（所在区属上海）", "registered in Shanghai (by its district)")

    def actual(self, figures: Figures, period: Period) -> Any:
        """``310115 浦东新区``."""
        code = figures.get(self.field.column())
        return None if code is None else districts().label(code)


@dataclass(frozen=True)
class FirstYear(_OfField):
    """A year field falls in one of the years t, t−1, …, and inside a span of years where one is given."""

    backs: tuple[int, ...]
    inside: tuple[int, int] | None = None

    def years(self, period: Period) -> tuple[int, ...]:
        years = (period.year(back) for back in self.backs)
        low, high = self.inside or (0, 9999)
        return tuple(sorted(year for year in years if low <= year <= high))

    def build(self, b: Builder, period: Period) -> Slot:
        return b.judge(b.among(b.input(self.field.column()), self.years(period)), self.missing)

    def text(self, period: Period) -> Text:
        label, years = self.field.label, self.years(period)
        if not years:
            low, high = self.inside or (0, 9999)
            return Text(f"{label.zh}在{low}–{high}年内（已过期）", f"{label.en} within {low}–{high} (over)")
        zh, en = "或".join(map(str, years)), " or ".join(map(str, years))
        return Text(f"{label.zh}为{zh}年", f"{label.en} is {en}")

    def told(self, value: Any, figures: Figures, period: Period) -> Text:
        return Text(f"{value}年", str(value)) if value else Text("从未入规", "never")


@dataclass(frozen=True)
class NotLarge(Test):
    """SME = not large: met as soon as one known figure is below its bound (contract.md)."""

    table: SizeTable

    def build(self, b: Builder, period: Period) -> Slot:
        return b.negate(self.table.classes(b, period)[0])

    def text(self, period: Period) -> Text:
        return Text("属中小企业（不是大型）", "an SME (not large)")

    def actual(self, figures: Figures, period: Period) -> Any:
        return self.table.class_of(figures, period)

    def told(self, value: Any, figures: Figures, period: Period) -> Text | None:
        return None if value == "unknown" else SizeTable.LABELS[value]

    @property
    def blank(self) -> Text:
        return Text("规模定不下来", "the size is not certain")


@dataclass(frozen=True)
class Score(Test):
    """The card's total, one part or one indicator against a line, over its range [low, high]."""

    card: Card
    of: str | None
    op: Comparison
    line: int

    @property
    def unit(self) -> str:
        return "分"

    def build(self, b: Builder, period: Period) -> Slot:
        low, high = self.card.range(b, period, self.of)
        return b.within(self.op, low, high, self.line)

    def text(self, period: Period) -> Text:
        name = self.card.name_of(self.of)
        word = WORDS[self.op]
        return Text(f"{name.zh}{word.zh}{self.line}分", f"{name.en} {word.en} {self.line} points")

    def actual(self, figures: Figures, period: Period) -> Any:
        """None: a score is what the program computed; the firm reader shows its range."""
        return None


@dataclass(frozen=True, slots=True)
class Clause:
    """Where a condition is written."""

    document: str
    annex: str
    item: str
    page: str
    confidence: Literal["A", "B", "C"]


@dataclass(frozen=True, slots=True)
class Applies:
    """A condition that is examined only for a kind and between dates (or not then)."""

    only: bool
    kind: str | None
    start: date | None
    end: date | None

    def here(self, period: Period) -> bool:
        inside = (
            (self.kind is None or self.kind == period.kind)
            and (self.start is None or period.as_of >= self.start)
            and (self.end is None or period.as_of <= self.end)
        )
        return inside == self.only


@dataclass(frozen=True)
class Condition:
    """A test with its id and its clause."""

    id: str
    test: Test
    clause: Clause
    line: int
    applies: Applies | None = None
    note: Text | None = None
    when_unmet: Text | None = None
    """Shown in place of a refusal (成长券: purpose reached)."""


@dataclass(frozen=True)
class Group:
    """All of, or any of, its members. Only groups that joins by *any*, or stand inside one, need an id."""

    id: str | None
    mode: Literal["all", "any"]
    members: tuple[Condition | Group, ...]
    clause: Clause
    line: int
    applies: Applies | None = None
    name: Text | None = None

    def conditions(self) -> Iterator[Condition]:
        for member in self.members:
            if isinstance(member, Condition):
                yield member
            else:
                yield from member.conditions()

    def live(self, period: Period) -> list[Condition | Group]:
        """The members that are examined in this period."""
        return [m for m in self.members if m.applies is None or m.applies.here(period)]
