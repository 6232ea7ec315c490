"""Scorecards: points with a range ``[low, high]``, so that missing data is never guessed.

contract.md, *Verdicts*: an indicator whose quantity is missing ranges over all its points;
alternatives range one by one (best low, best high); items that add up to a cap add first, then
both ends are capped; a blank flag counts as missing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from models.errors import Text
from models.fields import Field
from models.rules.program import Builder, Slot
from models.rules.quantity import Figures, Period, Quantity
from models.rules.units import show, show_value

End = Literal["low", "high"]


@dataclass(frozen=True)
class Item(ABC):
    """Something that gives points."""

    @property
    @abstractmethod
    def limits(self) -> tuple[int, int]:
        """Least and most points it can give."""

    @abstractmethod
    def build(self, b: Builder, period: Period, end: End) -> Slot:
        """The low or the high end's slot."""

    @abstractmethod
    def rows(self, period: Period) -> Iterator[tuple[Text, int]]:
        """Each line of the table with its points, in words."""

    def leaves(self) -> Iterator[Item]:
        yield self

    def _missing(self, end: End) -> int:
        return self.limits[0 if end == "low" else 1]


class Leaf(Item):
    """An item that reads one figure."""

    @abstractmethod
    def label(self, period: Period) -> Text: ...

    @abstractmethod
    def actual(self, figures: Figures, period: Period) -> Any: ...

    def read_from(self, period: Period) -> str | None:
        """The column whose figure :meth:`actual` is, as it stands; None where it is worked out."""
        return None

    def told(self, value: Any, figures: Figures, period: Period) -> Text:
        """``value``, which is :meth:`actual`, for people."""
        return show_value(value, self.unit)

    @property
    def unit(self) -> str:
        return ""


@dataclass(frozen=True)
class Bands(Leaf):
    """Points by the first line that a quantity reaches (``ge``) or stays within (``le``)."""

    quantity: Quantity
    op: Literal["ge", "le"]
    steps: tuple[tuple[Fraction, int], ...]
    otherwise: int

    @property
    def limits(self) -> tuple[int, int]:
        points = [points for _, points in self.steps] + [self.otherwise]
        return min(points), max(points)

    def build(self, b: Builder, period: Period, end: End) -> Slot:
        truths = [self.quantity.truth(b, period, self.op, line) for line, _ in self.steps]
        return b.chain(truths, [points for _, points in self.steps], self.otherwise, self._missing(end))

    def label(self, period: Period) -> Text:
        return self.quantity.label(period)

    def actual(self, figures: Figures, period: Period) -> Any:
        return self.quantity.actual(figures, period)

    def read_from(self, period: Period) -> str | None:
        return self.quantity.column(period)

    def told(self, value: Any, figures: Figures, period: Period) -> Text:
        return self.quantity.shown(figures, period, value)

    @property
    def unit(self) -> str:
        return self.quantity.unit

    def rows(self, period: Period) -> Iterator[tuple[Text, int]]:
        sign = "≥" if self.op == "ge" else "≤"
        label = self.label(period)
        for line, points in self.steps:
            shown = show(line, self.unit)
            yield Text(f"{label.zh}{sign}{shown.zh}", f"{label.en} {sign} {shown.en}"), points
        yield Text("其他", "otherwise"), self.otherwise


@dataclass(frozen=True)
class FlagPoints(Leaf):
    """Points for yes and for no."""

    field: Field
    yes: int
    no: int

    @property
    def limits(self) -> tuple[int, int]:
        return min(self.yes, self.no), max(self.yes, self.no)

    def build(self, b: Builder, period: Period, end: End) -> Slot:
        truth = b.among(b.input(self.field.column()), (True,))
        return b.chain([truth], [self.yes], self.no, self._missing(end))

    def label(self, period: Period) -> Text:
        return self.field.label

    def actual(self, figures: Figures, period: Period) -> Any:
        return figures.get(self.field.column())

    def read_from(self, period: Period) -> str | None:
        return self.field.column()

    def rows(self, period: Period) -> Iterator[tuple[Text, int]]:
        yield self.field.label, self.yes
        yield Text(f"不属于“{self.field.label.zh}”", f"not “{self.field.label.en}”"), self.no


@dataclass(frozen=True)
class ChoicePoints(Leaf):
    """Points by the value of an enum."""

    field: Field
    points: tuple[tuple[str, int], ...]

    @property
    def limits(self) -> tuple[int, int]:
        given = [points for _, points in self.points]
        return min(given), max(given)

    def build(self, b: Builder, period: Period, end: End) -> Slot:
        column = b.input(self.field.column())
        groups: dict[int, list[str]] = {}
        for key, points in self.points:
            groups.setdefault(points, []).append(key)
        *graded, (last, _) = sorted(groups.items(), reverse=True)
        truths = [b.among(column, tuple(keys)) for _, keys in graded]
        return b.chain(truths, [points for points, _ in graded], last, self._missing(end))

    def label(self, period: Period) -> Text:
        return self.field.label

    def actual(self, figures: Figures, period: Period) -> Any:
        return figures.get(self.field.column())

    def read_from(self, period: Period) -> str | None:
        return self.field.column()

    def told(self, value: Any, figures: Figures, period: Period) -> Text:
        return (self.field.options or {})[value]

    def rows(self, period: Period) -> Iterator[tuple[Text, int]]:
        for key, points in self.points:
            yield (self.field.options or {})[key], points


@dataclass(frozen=True)
class Entered(Leaf):
    """Points that are entered as they stand (local items judged elsewhere)."""

    field: Field
    top: int

    @property
    def limits(self) -> tuple[int, int]:
        return 0, self.top

    def build(self, b: Builder, period: Period, end: End) -> Slot:
        return b.points_of(b.input(self.field.column()), self._missing(end))

    def label(self, period: Period) -> Text:
        return self.field.label

    def actual(self, figures: Figures, period: Period) -> Any:
        return figures.get(self.field.column())

    def read_from(self, period: Period) -> str | None:
        return self.field.column()

    @property
    def unit(self) -> str:
        return "分"

    def rows(self, period: Period) -> Iterator[tuple[Text, int]]:
        yield Text(f"按录入的得分计，0～{self.top}分", f"as entered, 0 to {self.top}"), self.top


@dataclass(frozen=True)
class Best(Item):
    """The better of several alternatives, each ranging on its own."""

    items: tuple[Item, ...]

    @property
    def limits(self) -> tuple[int, int]:
        return max(item.limits[0] for item in self.items), max(item.limits[1] for item in self.items)

    def build(self, b: Builder, period: Period, end: End) -> Slot:
        return b.best([item.build(b, period, end) for item in self.items])

    def rows(self, period: Period) -> Iterator[tuple[Text, int]]:
        for item in self.items:
            yield from item.rows(period)

    def leaves(self) -> Iterator[Item]:
        for item in self.items:
            yield from item.leaves()


@dataclass(frozen=True)
class Capped(Item):
    """Items that add up to a cap: they add first, then both ends are capped."""

    items: tuple[Item, ...]
    limit: int

    @property
    def limits(self) -> tuple[int, int]:
        low, high = (sum(item.limits[end] for item in self.items) for end in (0, 1))
        return min(low, self.limit), min(high, self.limit)

    def build(self, b: Builder, period: Period, end: End) -> Slot:
        return b.cap(b.total([item.build(b, period, end) for item in self.items]), self.limit)

    def rows(self, period: Period) -> Iterator[tuple[Text, int]]:
        for item in self.items:
            for text, points in item.rows(period):
                if points:
                    yield text, points
        yield Text(f"以上相加，最多{self.limit}分", f"added up, at most {self.limit}"), self.limit

    def leaves(self) -> Iterator[Item]:
        for item in self.items:
            yield from item.leaves()


@dataclass(frozen=True)
class Indicator:
    """One line of a card."""

    id: str
    name: Text
    top: int
    item: Item
    line: int


@dataclass(frozen=True)
class Part:
    """Indicators that add up to a part of the card."""

    id: str
    name: Text
    top: int
    indicators: tuple[Indicator, ...]
    line: int


@dataclass(frozen=True)
class Card:
    """A scorecard of parts. The total is always computed, whatever the other conditions say."""

    parts: tuple[Part, ...]

    @property
    def whole(self) -> bool:
        """Are all points whole numbers?"""
        return not any(isinstance(leaf, Entered) for i in self.indicators() for leaf in i.item.leaves())

    def indicators(self, of: str | None = None) -> Iterator[Indicator]:
        """All indicators, those of one part, or the one named."""
        for part in self.parts:
            for indicator in part.indicators:
                if of is None or of in (part.id, indicator.id):
                    yield indicator

    def ids(self) -> set[str]:
        return {part.id for part in self.parts} | {indicator.id for indicator in self.indicators()}

    def name_of(self, of: str | None) -> Text:
        if of is None:
            return Text("总分", "total score")
        part = next((part for part in self.parts if part.id == of), None)
        name = part.name if part else next(self.indicators(of)).name
        return Text(f"“{name.zh}”得分", f"score of “{name.en}”")

    def range(self, b: Builder, period: Period, of: str | None = None) -> tuple[Slot, Slot]:
        """Slots of the low and the high end."""
        # Entered points may have decimals: added last, they are rounded once and stay plain decimals.
        ordered = sorted(self.indicators(of), key=lambda indicator: isinstance(indicator.item, Entered))
        low, high = (
            b.total([indicator.item.build(b, period, end) for indicator in ordered])
            for end in ("low", "high")
        )
        return low, high
