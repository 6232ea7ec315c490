"""Scorecards from YAML: band tables without holes, points that add up to what each line says."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal

from models.rules.card import (
    Bands,
    Best,
    Capped,
    Card,
    ChoicePoints,
    Entered,
    FlagPoints,
    Indicator,
    Item,
    Part,
)
from models.rules.pack import Shared
from models.rules.parse import Reader
from models.rules.quantity import Quantity
from models.rules.source import Block

_HEAD = ("id", "name", "max")


def parse_card(r: Reader, shared: Shared, block: Block) -> Card:
    parts = r.each(block["card"], block, "card", lambda part: _part(r, shared, part))
    return Card(tuple(parts))


def _part(r: Reader, shared: Shared, block: Block) -> Part:
    r.only(block, (*_HEAD, "indicators"))
    indicators = r.each(
        r.need(block, "indicators"), block, "indicators", lambda item: _indicator(r, shared, item)
    )
    part = Part(
        str(r.need(block, "id")), r.text(block, "name"), r.count(block, "max"), tuple(indicators), block.line
    )
    _adds_up(r, block, sum(indicator.top for indicator in indicators), part.top)
    return part


def _indicator(r: Reader, shared: Shared, block: Block) -> Indicator:
    item = _item(r, shared, block, _HEAD)
    top = r.count(block, "max")
    _adds_up(r, block, item.limits[1], top)
    return Indicator(str(r.need(block, "id")), r.text(block, "name"), top, item, block.line)


def _adds_up(r: Reader, block: Block, got: int, top: int) -> None:
    if got != top:
        r.complain(
            block,
            "R020",
            f"满分写的是 {top}，各档最多却是 {got}",
            f"max says {top}, its points give {got}",
            "max",
        )


def _item(r: Reader, shared: Shared, block: Block, head: tuple[str, ...] = ()) -> Item:
    """An indicator's table: bands, a flag, a choice, entered points, the best of several, or a capped sum."""
    if "best" in block:
        r.only(block, (*head, "best"))
        return Best(tuple(r.each(block["best"], block, "best", lambda item: _item(r, shared, item))))
    if "sum" in block:
        r.only(block, (*head, "sum", "cap"))
        items = r.each(block["sum"], block, "sum", lambda item: _item(r, shared, item))
        return Capped(tuple(items), r.count(block, "cap"))
    if "entered" in block:
        r.only(block, (*head, "entered"))
        field = r.field(block, "entered", types=("score",))
        return Entered(field, field.range[1] if field.range else 0)
    if "flag" in block:
        r.only(block, (*head, "flag", "points"))
        field = r.field(block, "flag", types=("bool",))
        points = _points(r, block, {"true", "false"})
        return FlagPoints(field, points["true"], points["false"])
    if "choice" in block:
        r.only(block, (*head, "choice", "points"))
        field = r.field(block, "choice", types=("enum",))
        return ChoicePoints(field, tuple(_points(r, block, set(field.options or ())).items()))
    return _bands(r, shared, block, head)


def _points(r: Reader, block: Block, wanted: set[str]) -> dict[str, int]:
    table = r.need(block, "points")
    missing, extra = wanted - set(table), set(table) - wanted
    if missing or extra:
        zh = f"分档表有缺口：{'、'.join(sorted(missing)) or '无'}；多余：{'、'.join(sorted(extra)) or '无'}"
        en = f"the table has a hole: {sorted(missing)}; not values of the field: {sorted(extra)}"
        raise r.complain(block, "R021", zh, en, "points")
    return {key: _whole(r, table, key) for key in table}


def _whole(r: Reader, table: Block, key: str) -> int:
    return r.count(table, key)


def _bands(r: Reader, shared: Shared, block: Block, head: tuple[str, ...]) -> Item:
    words: dict[str, Literal["ge", "le"]] = {"at_least": "ge", "at_most": "le"}
    word = next((word for word in words if word in block), None)
    if word is None:
        raise r.complain(
            block, "R003", "缺 at_least 或 at_most 分档表", "a table at_least or at_most is missing"
        )
    r.only(block, (*head, "quantity", word))
    quantity = named_quantity(r, shared, block)
    table = block[word]
    if not isinstance(table, Block) or "else" not in table:
        raise r.complain(block, "R021", "分档表有缺口：没有 else", "the table has a hole: no else", word)
    if list(table)[-1] != "else":
        raise r.complain(table, "R021", "else 应在最后", "else must come last", "else")
    steps = tuple(
        (r.line(table, key, quantity.unit, key), _whole(r, table, key)) for key in table if key != "else"
    )
    _check_order(r, table, word, steps)
    return Bands(quantity, words[word], steps, _whole(r, table, "else"))


def _check_order(r: Reader, table: Block, word: str, steps: tuple[tuple[Fraction, int], ...]) -> None:
    """A later line that the one before already covers is never reached."""
    for (line, points), (after, fewer), key in zip(steps, steps[1:], list(table)[1:], strict=False):
        reached = after < line if word == "at_least" else after > line
        if not reached:
            r.complain(table, "R022", f"分档“{key}”永远到不了", f"band “{key}” is never reached", key)
        elif fewer >= points:
            r.complain(
                table, "R023", f"分档“{key}”的分数没有递减", f"the points of band “{key}” do not fall", key
            )


def named_quantity(r: Reader, shared: Shared, block: Block, key: str = "quantity") -> Quantity:
    name: Any = r.need(block, key)
    if name not in shared.quantities:
        raise r.complain(block, "R014", f"没有名为“{name}”的量", f"no quantity is named “{name}”", key)
    return shared.quantities[name]
