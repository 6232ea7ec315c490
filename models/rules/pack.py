"""A rule pack: one standard or programme as it is released, immutable, with its source and its hash."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Literal

from models.errors import Text
from models.rules.card import Card
from models.rules.condition import Clause, Condition, Group
from models.rules.growth import StagedGrowth
from models.rules.quantity import Period, Quantity
from models.rules.size import SizeTable

Kind = Literal["new", "review"]
KINDS: tuple[Kind, ...] = ("new", "review")


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document: number, title, when in force, the page to check."""

    key: str
    title: str
    number: str
    start: date | None
    end: date | None
    page: str | None


@dataclass(frozen=True, slots=True)
class InForce:
    """A span of dates, for one kind of application or for any."""

    kind: str | None
    start: date | None
    end: date | None

    def covers(self, day: date) -> bool:
        return (self.start is None or day >= self.start) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure shown with the standard and never a condition (高企 growth block)."""

    id: str
    name: Text
    growth: StagedGrowth
    points: tuple[tuple[Fraction, str], ...]
    otherwise: str

    def points_for(self, value: Fraction) -> str:
        # ">0" is the lowest band: exactly zero gives nothing (rules.md §10).
        return next(
            (text for line, text in self.points if (value > line if line == 0 else value >= line)),
            self.otherwise,
        )


@dataclass(frozen=True, slots=True)
class Label:
    """A name a firm may carry when it meets the standard and more (OECD gazelle)."""

    id: str
    name: Text
    also: Group


@dataclass(frozen=True, slots=True)
class Amount:
    """What a programme pays: at most a sum, or a share of a quantity up to a sum."""

    at_most: int
    share: Fraction | None = None
    of: Quantity | None = None


@dataclass(frozen=True)
class Pack:
    """One standard (or programme) as data. ``hash`` covers its file and the shared one."""

    id: str
    name: Text
    short: str
    document: Document
    clause: Clause
    in_force: tuple[InForce, ...]
    kinds: tuple[str, ...]
    root: Group
    hash: str
    file: str
    card: Card | None = None
    size_table: SizeTable | None = None
    """Set where the answer is a size class, not a verdict."""
    note: Text | None = None
    shown: tuple[Shown, ...] = ()
    labels: tuple[Label, ...] = ()
    options: tuple[Condition | Group, ...] = ()
    operational: Text | None = None
    amount: Amount | None = None
    programme: bool = False

    def effective(self, period: Period) -> Period:
        """A kind that a standard does not list is judged as ``new`` (contract.md)."""
        return period if period.kind in self.kinds else Period(period.as_of, "new")

    def in_force_on(self, period: Period) -> bool:
        return any(span.covers(period.as_of) for span in self._spans(period))

    def came_into_force(self, period: Period) -> date | None:
        """The latest day by ``as_of`` on which this version began for the kind; None if it had not."""
        starts = [span.start or date.min for span in self._spans(period)]
        return max((start for start in starts if start <= period.as_of), default=None)

    def _spans(self, period: Period) -> list[InForce]:
        kind = self.effective(period).kind
        return [span for span in self.in_force if span.kind is None or span.kind == kind]

    def terms(self, period: Period) -> list[Condition | Group]:
        """What must all hold: conditions, and groups of alternatives, nested *all of* opened up."""
        return list(_flat(self.root, self.effective(period)))


def _flat(group: Group, period: Period) -> list[Condition | Group]:
    found: list[Condition | Group] = []
    for member in group.live(period):
        if isinstance(member, Group) and member.mode == "all":
            found.extend(_flat(member, period))
        else:
            found.append(member)
    return found


@dataclass(frozen=True, slots=True)
class Information:
    """A voucher that turns on a contract, not on the firm: listed, never judged."""

    id: str
    name: Text
    clause: Clause
    who: Text
    money: Text


@dataclass(frozen=True)
class Shared:
    """What packs use by name."""

    documents: dict[str, Document] = field(default_factory=dict)
    sectors: dict[str, tuple[Text, tuple[tuple[int, int], ...], tuple[int, ...]]] = field(
        default_factory=dict
    )
    quantities: dict[str, Quantity] = field(default_factory=dict)
