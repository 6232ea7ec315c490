"""A plan's targets that count firms, as data: what counts as recognised, what as qualifying (rules.md §16).

``seeds/plan/*.yaml`` use the packs' language of conditions; :mod:`models.targets` compiles them and counts.
What is wrong in a file is gathered and told by line (RulesRefused), as for rule packs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

from models.errors import Text
from models.fields import Catalogue, Field, catalogue
from models.rules.condition import Clause, Condition, Group, Test, Threshold
from models.rules.pack import Document
from models.rules.parse import Reader, Unreadable
from models.rules.parse_pack import Context, clause_of, parse_members
from models.rules.program import Builder, Comparison, Slot
from models.rules.quantity import Figures, Period, Value
from models.rules.rulebook import Rulebook, read_shared, rulebook
from models.rules.source import Block, Complaint, Complaints, load_block, rules_refused
from models.seeds import seed

Basis = Literal["held", "met"]
TargetKind = Literal["stock", "cumulative", "per_year"]

KINDS: Mapping[str, Text] = {
    "stock": Text("存量", "stock"),
    "cumulative": Text("累计新增", "cumulative"),
    "per_year": Text("每年新增", "per year"),
}
COMPARISONS: Mapping[str, Text] = {
    "=": Text("达到", "reach"),
    "≈": Text("约", "about"),
    ">": Text("超过", "more than"),
}
PLACES = 15
"""Targets that two bits each leave room for in a column of 32."""

_TARGET = ("id", "place", "clause", "name", "target", "counts", "held", "met", "no_held", "no_met",
           "not_counted", "readings", "note")  # fmt: skip


@dataclass(frozen=True)
class InYear(Test):
    """A figure of one calendar year against a line (a plan's base year), whatever the date asked for."""

    field: Field
    year: int
    op: Comparison
    line: Fraction

    def _test(self, period: Period) -> Threshold:
        return Threshold(Value(self.field, period.as_of.year - self.year), self.op, self.line)

    @property
    def unit(self) -> str:
        return self.field.unit

    def build(self, b: Builder, period: Period) -> Slot:
        return self._test(period).build(b, period)

    def text(self, period: Period) -> Text:
        return self._test(period).text(period)

    def actual(self, figures: Figures, period: Period) -> Any:
        return self._test(period).actual(figures, period)


@dataclass(frozen=True)
class Definition:
    """Who counts: all conditions hold, and any of the standards (a family: its version in force) is met."""

    conditions: tuple[Condition | Group, ...]
    families: tuple[str, ...] = ()
    standards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanReading:
    """A published number of firms, for a reference line."""

    at: str
    """``2023-05``."""
    comparison: str
    value: int
    confidence: str
    note: Text | None


@dataclass(frozen=True)
class PlanTarget:
    """One target: what the plan says, and what is counted towards it."""

    id: str
    place: int
    """Its two bits in the masks of standing: ``2 * place`` and the one above."""
    clause: Clause
    name: Text
    comparison: str
    value: int
    kind: TargetKind
    counts: Text
    held: Definition | None
    """Recognised; None where no title, list or directory says so (``no_held`` tells why)."""
    met: Definition | None
    """Qualifies; None where there is no standard (``no_met`` tells why)."""
    no_held: Text | None
    no_met: Text | None
    not_counted: tuple[tuple[Text, Text], ...]
    """Parts of the target that a registry of firms cannot know, and why."""
    readings: tuple[PlanReading, ...]
    note: Text | None

    def definition(self, basis: Basis) -> Definition | None:
        return self.held if basis == "held" else self.met


@dataclass(frozen=True)
class Plan:
    """A plan as it is released. ``hash`` names the file; what its standards say is the rulebook's."""

    id: str
    name: Text
    document: Document
    clause: Clause
    scope: tuple[Condition | Group, ...]
    targets: tuple[PlanTarget, ...]
    district_clauses: tuple[tuple[str, Text], ...]
    hash: str

    def target(self, target_id: str) -> PlanTarget | None:
        return next((target for target in self.targets if target.id == target_id), None)


@cache
def plan() -> Plan:
    """The plan that ships."""
    return load_plan(seed("plan", "manufacturing-2023-2025.yaml"), seed(), rulebook(), catalogue())


def load_plan(path: Path, root: Path, book: Rulebook, fields: Catalogue) -> Plan:
    """Load and check one plan; ``root/rules/shared.yaml`` has the names it uses. Raises RulesRefused."""
    found: list[Complaint] = []
    shared_block = load_block(root / "rules" / "shared.yaml", Complaints("rules/shared.yaml", found))
    own = Complaints(f"plan/{path.name}", found)
    block = load_block(path, own)
    if block is None or shared_block is None:
        raise rules_refused(found)
    shared, size = read_shared(Reader(Complaints("rules/shared.yaml", found), fields), shared_block)
    reader = Reader(own, fields)
    made: Plan | None = None
    try:
        document, clause = clause_of(reader, shared, block)
        context = Context(shared, shared_block.get("groups", {}), size, clause)
        made = _plan(reader, context, book, block, document, hashlib.sha256(path.read_bytes()).hexdigest())
    except Unreadable:
        pass
    if found or made is None:
        raise rules_refused(found)
    return made


def _plan(r: Reader, context: Context, book: Rulebook, block: Block, document: Document, digest: str) -> Plan:
    r.only(block, ("id", "name", "source", "scope", "targets", "district_clauses"))
    targets = r.each(r.need(block, "targets"), block, "targets", lambda item: _target(r, context, book, item))
    _check_places(r, block, targets)
    return Plan(
        id=str(r.need(block, "id")),
        name=r.text(block, "name"),
        document=document,
        clause=context.clause,
        scope=tuple(parse_members(r, context, r.need(block, "scope"), block, "scope")),
        targets=tuple(targets),
        district_clauses=tuple(
            (str(r.need(item, "id")), r.text(item, "text")) for item in block.get("district_clauses", ())
        ),
        hash=digest,
    )


def _check_places(r: Reader, block: Block, targets: list[PlanTarget]) -> None:
    """Ids and places stand in stored results: twice the same would mix two targets up."""
    for what in ("id", "place"):
        seen: set[object] = set()
        for target in targets:
            value = getattr(target, what)
            if value in seen:
                r.complain(
                    block, "R002", f"{what}“{value}”用了两次", f"{what} “{value}” stands twice", "targets"
                )
            seen.add(value)


def _target(r: Reader, outer: Context, book: Rulebook, block: Block) -> PlanTarget:
    r.only(block, _TARGET)
    clause = replace(outer.clause, annex=str(r.need(block, "clause")))
    context = replace(outer, clause=clause)
    aim = r.need(block, "target")
    r.only(aim, ("comparison", "value", "kind"))
    definitions = {basis: _definition(r, context, book, block, basis) for basis in ("held", "met")}
    return PlanTarget(
        id=str(r.need(block, "id")),
        place=_place(r, block),
        clause=clause,
        name=r.text(block, "name"),
        comparison=_among(r, aim, "comparison", COMPARISONS),
        value=r.count(aim, "value"),
        kind=_among(r, aim, "kind", KINDS),  # type: ignore[arg-type]
        counts=r.text(block, "counts"),
        held=definitions["held"],
        met=definitions["met"],
        no_held=_why(r, block, "held"),
        no_met=_why(r, block, "met"),
        not_counted=tuple(
            (r.text(item, "what"), r.text(item, "why")) for item in block.get("not_counted", ())
        ),
        readings=tuple(r.each(block["readings"], block, "readings", lambda item: _reading(r, item)))
        if "readings" in block
        else (),
        note=r.text(block, "note") if "note" in block else None,
    )


def _place(r: Reader, block: Block) -> int:
    place = r.count(block, "place")
    if not 0 <= place < PLACES:
        raise r.complain(block, "R005", f"place 应为 0～{PLACES - 1}", f"place is 0 to {PLACES - 1}", "place")
    return place


def _among(r: Reader, block: Block, key: str, known: Mapping[str, Text]) -> str:
    value = str(r.need(block, key))
    if value not in known:
        words = "、".join(known)
        raise r.complain(block, "R005", f"“{key}”只能是 {words}", f"“{key}” is one of {words}", key)
    return value


def _why(r: Reader, block: Block, basis: str) -> Text | None:
    """Why a number is null: needed where it is, idle where it is not."""
    key = f"no_{basis}"
    if (block.get(basis) is None) != (key in block):
        raise r.complain(
            block,
            "R003",
            f"“{basis}”为 null 时要写“{key}”，否则不要写",
            f"“{key}” is needed where “{basis}” is null, and only there",
            basis,
        )
    return r.text(block, key) if key in block else None


def _definition(r: Reader, context: Context, book: Rulebook, block: Block, key: str) -> Definition | None:
    written = block.get(key)
    if written is None:
        return None
    if not isinstance(written, Block):
        raise r.complain(block, "R005", f"“{key}”应为“键: 值”或 null", f"“{key}” is a mapping or null", key)
    r.only(written, ("all", "family", "standards", "base"))
    conditions = parse_members(r, context, written["all"], written, "all") if "all" in written else []
    if "base" in written:
        conditions.append(_base(r, context, written["base"]))
    families = (str(written["family"]),) if "family" in written else ()
    standards = tuple(str(name) for name in written.get("standards", ()))
    for name in (*families, *standards):
        if name not in (book.families if name in families else book.packs):
            r.complain(written, "R014", f"没有标准“{name}”", f"no standard “{name}”")
    if not (conditions or families or standards):
        raise r.complain(written, "R003", "没有写什么算数", "it does not say what counts")
    return Definition(tuple(conditions), families, standards)


def _base(r: Reader, context: Context, block: Block) -> Condition:
    r.only(block, ("figure", "in", "at_most"))
    field = r.field(block, "figure", types=("money", "count"))
    test = InYear(field, r.count(block, "in"), "le", r.line(block, "at_most", field.unit))
    return Condition("base", test, context.clause, block.line)


def _reading(r: Reader, block: Block) -> PlanReading:
    r.only(block, ("at", "comparison", "value", "confidence", "note"))
    at = str(r.need(block, "at"))
    if not re.fullmatch(r"\d{4}-\d{2}", at):
        raise r.complain(block, "R005", "at 应写成 2023-05", "at is written 2023-05", "at")
    return PlanReading(
        at,
        _among(r, block, "comparison", COMPARISONS),
        r.count(block, "value"),
        _among(r, block, "confidence", dict.fromkeys("ABC", Text("", ""))),
        r.text(block, "note") if "note" in block else None,
    )
