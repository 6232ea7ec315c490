"""Conditions, groups and whole packs from YAML."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

from models.errors import Text
from models.rules.card import Card
from models.rules.condition import (
    Applies,
    Choice,
    Clause,
    Condition,
    FirstYear,
    Flag,
    Group,
    NotLarge,
    Place,
    Rank,
    Score,
    Sector,
    Test,
    Threshold,
    Title,
)
from models.rules.pack import KINDS, Amount, Document, InForce, Information, Label, Pack, Shared, Shown
from models.rules.parse import Reader, parse_staged
from models.rules.parse_card import named_quantity, parse_card
from models.rules.program import Comparison
from models.rules.size import SizeTable
from models.rules.source import Block, Items

_COMPARISONS: Mapping[str, Comparison] = {
    "at_least": "ge",
    "more_than": "gt",
    "at_most": "le",
    "less_than": "lt",
}
_COMMON = ("id", "item", "confidence", "note", "only", "except", "when_unmet")
_PACK = (
    "id", "name", "short", "source", "in_force", "kinds", "note", "all", "card", "value",
    "shown", "labels", "options", "operational", "amount",
)  # fmt: skip


@dataclass
class Context:
    """What the conditions of one pack can refer to."""

    shared: Shared
    groups: Mapping[str, Items]
    size_table: SizeTable | None
    clause: Clause
    card: Card | None = None


def clause_of(r: Reader, shared: Shared, block: Block) -> tuple[Document, Clause]:
    source = r.need(block, "source")
    if not isinstance(source, Block):
        raise r.complain(block, "R003", "source 应写明文件", "source must name a document", "source")
    r.only(source, ("document", "annex", "confidence"))
    key = r.need(source, "document")
    if key not in shared.documents:
        raise r.complain(source, "R024", f"文件表里没有“{key}”", f"no document “{key}”", "document")
    confidence = r.need(source, "confidence")
    if confidence not in {"A", "B", "C"}:
        raise r.complain(
            source, "R005", "confidence 应为 A、B 或 C", "confidence must be A, B or C", "confidence"
        )
    document = shared.documents[key]
    return document, Clause(
        document.number, str(r.need(source, "annex")), "", document.page or "", confidence
    )


def parse_pack(r: Reader, shared: Shared, groups: Mapping[str, Items], size: SizeTable | None, block: Block,
               text: bytes, file: str, programme: bool) -> Pack:  # fmt: skip
    r.only(block, _PACK)
    document, clause = clause_of(r, shared, block)
    kinds = tuple(block.get("kinds", ()))
    if any(kind not in KINDS for kind in kinds):
        raise r.complain(block, "R005", "kinds 只能是 new、review", "kinds can only be new, review", "kinds")
    context = Context(shared, groups, size, clause)
    context.card = parse_card(r, shared, block) if "card" in block else None
    root = Group(None, "all", (), clause, block.line)
    if "value" not in block:
        root = replace(root, members=tuple(parse_members(r, context, r.need(block, "all"), block, "all")))
    return Pack(
        id=str(r.need(block, "id")),
        name=r.text(block, "name"),
        short=str(r.need(block, "short")),
        document=document,
        clause=clause,
        in_force=tuple(r.each(r.need(block, "in_force"), block, "in_force", lambda span: _in_force(r, span))),
        kinds=kinds,
        root=root,
        hash=hashlib.sha256(text).hexdigest(),
        file=file,
        card=context.card,
        size_table=size if block.get("value") == "size_class" else None,
        note=_optional_text(r, block, "note"),
        shown=tuple(_shown(r, item) for item in block.get("shown", ())),
        labels=tuple(_label(r, context, item) for item in block.get("labels", ())),
        options=tuple(parse_members(r, context, block["options"], block, "options"))
        if "options" in block
        else (),
        operational=_optional_text(r, block, "operational"),
        amount=_amount(r, shared, block["amount"]) if block.get("amount") else None,
        programme=programme,
    )


def _optional_text(r: Reader, block: Block, key: str) -> Text | None:
    return r.text(block, key) if key in block else None


def _in_force(r: Reader, block: Block) -> InForce:
    r.only(block, ("kind", "from", "to"))
    if block.get("kind") not in (None, *KINDS):
        raise r.complain(block, "R005", "kind 只能是 new、review", "kind can only be new, review", "kind")
    return InForce(block.get("kind"), r.day(block, "from"), r.day(block, "to"))


def _shown(r: Reader, block: Block) -> Shown:
    points = r.need(block, "points")
    steps = tuple((Fraction(key.rstrip("%")) / 100, str(points[key])) for key in points if key != "else")
    return Shown(
        str(r.need(block, "id")), r.text(block, "name"), parse_staged(r, block), steps, str(points["else"])
    )


def _label(r: Reader, context: Context, block: Block) -> Label:
    members = parse_members(r, context, r.need(block, "also"), block, "also")
    group = Group(None, "all", tuple(members), context.clause, block.line)
    return Label(str(r.need(block, "id")), r.text(block, "name"), group)


def _amount(r: Reader, shared: Shared, block: Block) -> Amount:
    r.only(block, ("share", "of", "at_most"))
    share = r.line(block, "share", "%") if "share" in block else None
    of = named_quantity(r, shared, block, "of") if "of" in block else None
    return Amount(int(r.line(block, "at_most", "元")), share, of)


def parse_information(r: Reader, shared: Shared, block: Block) -> Information:
    r.only(block, ("id", "name", "source", "who", "money"))
    clause = clause_of(r, shared, block)[1]
    return Information(
        str(r.need(block, "id")), r.text(block, "name"), clause, r.text(block, "who"), r.text(block, "money")
    )


def parse_members(r: Reader, context: Context, items: Any, block: Block, key: str) -> list[Condition | Group]:
    found: list[Condition | Group] = []
    for member in r.each(items, block, key, lambda item: _member(r, context, item)):
        found.extend(member)
    return found


def _member(r: Reader, context: Context, block: Block) -> list[Condition | Group]:
    if "use" in block:
        r.only(block, ("use",))
        if block["use"] not in context.groups:
            raise r.complain(
                block, "R014", f"没有名为“{block['use']}”的条件组", f"no group “{block['use']}”", "use"
            )
        return parse_members(r, context, context.groups[block["use"]], block, "use")
    own = _own_clause(r, context.clause, block)
    if "any" in block or "all" in block:
        return [_group(r, replace(context, clause=own), block)]
    return [
        Condition(
            id=str(r.need(block, "id")),
            test=_test(r, context, block),
            clause=own,
            line=block.line,
            applies=_applies(r, block),
            note=_optional_text(r, block, "note"),
            when_unmet=_optional_text(r, block, "when_unmet"),
        )
    ]


def _own_clause(r: Reader, outer: Clause, block: Block) -> Clause:
    confidence = block.get("confidence", outer.confidence)
    if confidence not in {"A", "B", "C"}:
        raise r.complain(
            block, "R005", "confidence 应为 A、B 或 C", "confidence must be A, B or C", "confidence"
        )
    return replace(outer, item=str(block.get("item", outer.item)), confidence=confidence)


def _group(r: Reader, context: Context, block: Block) -> Group:
    mode: Literal["all", "any"] = "any" if "any" in block else "all"
    r.only(block, (*_COMMON, "name", mode))
    members = parse_members(r, context, block[mode], block, mode)
    name = _optional_text(r, block, "name")
    applies = _applies(r, block)
    return Group(str(r.need(block, "id")), mode, tuple(members), context.clause, block.line, applies, name)


def _applies(r: Reader, block: Block) -> Applies | None:
    for key in ("only", "except"):
        if key in block:
            span = _in_force(r, block[key])
            return Applies(key == "only", span.kind, span.start, span.end)
    return None


def _test(r: Reader, context: Context, block: Block) -> Test:
    for key, (allowed, read) in _TESTS.items():
        if key in block:
            r.only(block, (*_COMMON, key, *allowed))
            return read(r, context, block)
    raise r.complain(block, "R003", "条件没写要检验什么", "the condition does not say what it tests")


def _comparison(r: Reader, block: Block) -> tuple[str, Comparison]:
    found = [word for word in _COMPARISONS if word in block]
    if len(found) != 1:
        raise r.complain(
            block,
            "R003",
            "要写且只写一个界线（at_least、more_than、at_most、less_than）",
            "exactly one line is needed",
        )
    return found[0], _COMPARISONS[found[0]]


def _threshold(r: Reader, context: Context, block: Block) -> Test:
    quantity = named_quantity(r, context.shared, block)
    word, op = _comparison(r, block)
    if op not in quantity.comparisons:
        raise r.complain(
            block, "R016", f"这种量不能用 {word}", f"this quantity cannot be compared by {word}", word
        )
    return Threshold(quantity, op, r.line(block, word, quantity.unit))


def _score(r: Reader, context: Context, block: Block) -> Test:
    if context.card is None:
        raise r.complain(block, "R014", "本规则包没有评分表", "this pack has no card", "score")
    of = None if block["score"] == "total" else str(block["score"])
    if of is not None and of not in context.card.ids():
        raise r.complain(block, "R014", f"评分表里没有“{of}”", f"the card has no “{of}”", "score")
    word, op = _comparison(r, block)
    return Score(context.card, of, op, r.count(block, word))


def _flag(r: Reader, context: Context, block: Block) -> Test:
    field = r.field(block, "flag", types=("bool",))
    return Flag(field, bool(r.need(block, "is")), r.count(block, "year") if field.yearly else None)


def _title(r: Reader, context: Context, block: Block) -> Test:
    return Title(r.field(block, "title", types=("title",)), bool(r.need(block, "held")))


def _choice(r: Reader, context: Context, block: Block) -> Test:
    field = r.field(block, "choice", types=("enum",))
    among = tuple(r.need(block, "among"))
    unknown = set(among) - set(field.options or ())
    if unknown:
        raise r.complain(
            block,
            "R010",
            f"“{field.key}”没有这些值：{'、'.join(sorted(unknown))}",
            f"not values of {field.key}: {sorted(unknown)}",
            "among",
        )
    return Choice(field, among)


def _rank(r: Reader, context: Context, block: Block) -> Test:
    within = None if block.get("within") == "any" else r.count(block, "within")
    return Rank(r.field(block, "rank", types=("count",)), within)


def _sector(key: str) -> Callable[[Reader, Context, Block], Test]:
    def read(r: Reader, context: Context, block: Block) -> Test:
        if block[key] not in context.shared.sectors:
            raise r.complain(
                block, "R014", f"没有名为“{block[key]}”的行业组", f"no sector “{block[key]}”", key
            )
        name, runs, unclear = context.shared.sectors[block[key]]
        return Sector(r.fields["industry"], name, runs, unclear, outside=key == "not_sector")

    return read


def _place(r: Reader, context: Context, block: Block) -> Test:
    return Place(r.field(block, "place", types=("code",)))


def _first_year(r: Reader, context: Context, block: Block) -> Test:
    inside = tuple(block["inside"]) if "inside" in block else None
    return FirstYear(r.field(block, "first_year", types=("year",)), tuple(r.need(block, "back")), inside)


def _size(r: Reader, context: Context, block: Block) -> Test:
    if block["size"] != "not_large" or context.size_table is None:
        raise r.complain(block, "R005", "size 只能是 not_large", "size can only be not_large", "size")
    return NotLarge(context.size_table)


_TESTS: Mapping[str, tuple[tuple[str, ...], Callable[[Reader, Context, Block], Test]]] = {
    "quantity": (tuple(_COMPARISONS), _threshold),
    "score": (tuple(_COMPARISONS), _score),
    "flag": (("is", "year"), _flag),
    "title": (("held",), _title),
    "choice": (("among",), _choice),
    "rank": (("within",), _rank),
    "sector": ((), _sector("sector")),
    "not_sector": ((), _sector("not_sector")),
    "place": ((), _place),
    "first_year": (("back", "inside"), _first_year),
    "size": ((), _size),
}
