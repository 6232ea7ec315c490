"""From YAML blocks to packs. Every complaint is tied to its line; parsing goes on after one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from fractions import Fraction
from typing import Any, TypeVar

from models.codes import encode_industry, industry_span
from models.errors import Text
from models.fields import Catalogue, Field
from models.rules.growth import Age, Change, Days, Growth, MeanGrowth, StagedGrowth
from models.rules.pack import Document
from models.rules.quantity import FirstOf, Lower, Quantity, Ratio, Sum, SumRatio, Value
from models.rules.source import Block, Complaints, Items
from models.rules.units import parse_line

T = TypeVar("T")
PARTIAL = "counts_as_zero_until_reached"


class Unreadable(Exception):
    """Raised to leave a block that has been complained about."""


class Reader:
    """Reads values out of blocks and complains where they are not what they must be."""

    def __init__(self, complaints: Complaints, fields: Catalogue) -> None:
        self.complaints = complaints
        self.fields = fields

    def complain(
        self, block: Block | Items, code: str, zh: str, en: str, key: str | None = None
    ) -> Unreadable:
        line = block.lines.get(key, block.line) if isinstance(block, Block) and key else block.line
        self.complaints.add(line, code, zh, en)
        return Unreadable()

    def need(self, block: Block, key: str) -> Any:
        if key not in block or block[key] is None:
            raise self.complain(block, "R003", f"缺“{key}”", f"“{key}” is missing")
        return block[key]

    def only(self, block: Block, keys: Iterable[str]) -> None:
        """Complain about keys that mean nothing here: a slip of the pen must not pass in silence."""
        allowed = set(keys)
        for key in block:
            if key not in allowed:
                self.complain(block, "R004", f"不认识的键“{key}”", f"unknown key “{key}”", key)

    def text(self, block: Block, key: str) -> Text:
        value = self.need(block, key)
        if isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value):
            return Text(*value)
        raise self.complain(
            block, "R005", f"“{key}”应写成 [中文, English]", f"“{key}” must be [Chinese, English]", key
        )

    def day(self, block: Block, key: str) -> date | None:
        value = block.get(key)
        if value is None or isinstance(value, date):
            return value
        raise self.complain(block, "R005", f"“{key}”不是日期", f"“{key}” is not a date", key)

    def field(self, block: Block, key: str, name: Any = None, types: Iterable[str] = ()) -> Field:
        name = block[key] if name is None else name
        if name not in self.fields:
            raise self.complain(block, "R010", f"字段表里没有“{name}”", f"unknown field “{name}”", key)
        field = self.fields[name]
        wanted = set(types)
        if wanted and field.type not in wanted:
            raise self.complain(
                block,
                "R011",
                f"“{name}”是 {field.type}，这里需要 {'/'.join(sorted(wanted))}",
                f"“{name}” is {field.type}; {'/'.join(sorted(wanted))} is needed here",
                key,
            )
        return field

    def line(self, block: Block, key: str, unit: str, written: Any = None) -> Fraction:
        written = block[key] if written is None else written
        try:
            return parse_line(str(written), unit)
        except (ValueError, ZeroDivisionError):
            raise self.complain(
                block,
                "R012",
                f"“{written}”的单位不对，应以“{unit}”为单位",
                f"the unit of “{written}” does not fit; it must be in “{unit}”",
                key,
            ) from None

    def count(self, block: Block, key: str, default: int | None = None) -> int:
        value = block.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self.complain(block, "R005", f"“{key}”应为整数", f"“{key}” must be a whole number", key)

    def each(self, items: Any, block: Block, key: str, read: Callable[[Block], T]) -> list[T]:
        """Read every block of a list, passing over those that were complained about."""
        if not isinstance(items, Items) or not items:
            raise self.complain(
                block, "R005", f"“{key}”应为非空列表", f"“{key}” must be a list that is not empty", key
            )
        found: list[T] = []
        for item in items:
            if not isinstance(item, Block):
                self.complain(
                    items, "R005", f"“{key}”的每一项应为“键: 值”", f"each item of “{key}” must be a mapping"
                )
                continue
            try:
                found.append(read(item))
            except Unreadable:
                continue
        return found


def parse_document(r: Reader, key: str, block: Block) -> Document:
    r.only(block, ("title", "number", "from", "to", "page"))
    title, number = str(r.need(block, "title")), str(r.need(block, "number"))
    return Document(key, title, number, r.day(block, "from"), r.day(block, "to"), block.get("page"))


def parse_codes(r: Reader, block: Block) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """``[13-43, "702"]`` → runs of encoded codes, and the codes too short to tell (beginnings of a run)."""
    runs: list[tuple[int, int]] = []
    unclear: set[int] = set()
    for written in r.need(block, "codes") or ():
        first, _, last = str(written).partition("-")
        last = last or first
        if not (first.isdigit() and last.isdigit() and len(first) == len(last) and first <= last):
            raise r.complain(
                block, "R013", f"行业代码写法不对：{written}", f"not an industry code: {written}", "codes"
            )
        runs.append((industry_span(first)[0], industry_span(last)[1]))
        unclear |= {encode_industry(first[:n]) for n in range(2, len(first))}
    unclear |= {encode_industry(str(code)) for code in block.get("too_short", ())}
    # 701 is held as 7010 and is not too short for it.
    return tuple(runs), tuple(sorted(c for c in unclear if not any(low <= c <= high for low, high in runs)))


def parse_quantity(r: Reader, block: Block) -> Quantity:
    """One named quantity; its first key says the kind."""
    kind = next(iter(block), "")
    reader = _KINDS.get(kind)
    if reader is None:
        raise r.complain(
            block, "R014", f"不认识的计算方式“{kind}”", f"unknown kind of quantity “{kind}”", kind
        )
    return reader(r, block)


def _back(r: Reader, block: Block, field: Field) -> int | None:
    if field.yearly != ("year" in block):
        zh = f"“{field.key}”{'要写 year' if field.yearly else '没有年度，不要写 year'}"
        en = f"“{field.key}” {'needs a year' if field.yearly else 'has no year'}"
        raise r.complain(block, "R015", zh, en, "year")
    return r.count(block, "year") if field.yearly else None


def _pair(r: Reader, block: Block, key: str) -> tuple[Field, Field]:
    names = block[key]
    if not isinstance(names, list) or len(names) != 2:
        raise r.complain(block, "R005", f"“{key}”应为两个字段", f"“{key}” must name two fields", key)
    first, second = (_yearly(r, block, key, name) for name in names)
    return first, second


def _yearly(r: Reader, block: Block, key: str, name: Any = None) -> Field:
    field = r.field(block, key, name, ("money", "count"))
    if not field.yearly:
        raise r.complain(block, "R015", f"“{field.key}”没有年度", f"“{field.key}” has no years", key)
    return field


def _value(r: Reader, block: Block) -> Quantity:
    r.only(block, ("value", "year"))
    field = r.field(block, "value", types=("money", "count", "decimal", "score", "ratio"))
    return Value(field, _back(r, block, field))


def _first_of(r: Reader, block: Block) -> Quantity:
    r.only(block, ("first_of", "year"))
    return FirstOf(*_pair(r, block, "first_of"), r.count(block, "year"))


def _sum(r: Reader, block: Block) -> Quantity:
    kind = "mean" if "mean" in block else "sum"
    r.only(block, (kind, "years", "blank"))
    blank = block.get("blank")
    if blank not in (None, PARTIAL):
        raise r.complain(block, "R005", f"blank 只能是 {PARTIAL}", f"blank can only be {PARTIAL}", "blank")
    field = _yearly(r, block, kind)
    if blank and field.negative_allowed:
        raise r.complain(
            block,
            "R016",
            "可为负数的字段不能把空白当 0",
            "a blank cannot count as 0 in a field that may be negative",
            "blank",
        )
    return Sum(field, r.count(block, "years"), blank == PARTIAL, kind == "mean")


def _lower_of(r: Reader, block: Block) -> Quantity:
    r.only(block, ("lower_of", "years"))
    return Lower(*_pair(r, block, "lower_of"), tuple(r.need(block, "years")))


def _ratio(r: Reader, block: Block) -> Quantity:
    r.only(block, ("ratio", "year"))
    return Ratio(*_pair(r, block, "ratio"), r.count(block, "year"))


def _sum_ratio(r: Reader, block: Block) -> Quantity:
    r.only(block, ("sum_ratio", "years", "life_from"))
    life = r.field(block, "life_from", types=("date",)) if "life_from" in block else None
    return SumRatio(*_pair(r, block, "sum_ratio"), r.count(block, "years"), life)


def _growth(r: Reader, block: Block) -> Quantity:
    r.only(block, ("growth", "year"))
    back = r.count(block, "year")
    return Growth(_yearly(r, block, "growth"), back + 1, back)


def _cagr(r: Reader, block: Block) -> Quantity:
    r.only(block, ("cagr", "from", "to"))
    start, to = r.count(block, "from"), r.count(block, "to")
    if start <= to:
        raise r.complain(block, "R005", "from 应早于 to", "from must lie before to", "from")
    return Growth(_yearly(r, block, "cagr"), start, to)


def _mean_growth(r: Reader, block: Block) -> Quantity:
    r.only(block, ("mean_growth",))
    return MeanGrowth(_yearly(r, block, "mean_growth"))


def _change(r: Reader, block: Block) -> Quantity:
    r.only(block, ("change", "year"))
    return Change(_yearly(r, block, "change"), r.count(block, "year"))


def _age(r: Reader, block: Block) -> Quantity:
    r.only(block, ("age",))
    return Age(r.field(block, "age", types=("date",)))


def _days(r: Reader, block: Block) -> Quantity:
    r.only(block, ("days_since",))
    return Days(r.field(block, "days_since", types=("date",)))


_KINDS: dict[str, Callable[[Reader, Block], Quantity]] = {
    "value": _value,
    "first_of": _first_of,
    "sum": _sum,
    "mean": _sum,
    "lower_of": _lower_of,
    "ratio": _ratio,
    "sum_ratio": _sum_ratio,
    "growth": _growth,
    "cagr": _cagr,
    "mean_growth": _mean_growth,
    "change": _change,
    "age": _age,
    "days_since": _days,
}


def parse_staged(r: Reader, block: Block) -> StagedGrowth:
    fields = [_yearly(r, block, "staged_growth", name) for name in r.need(block, "staged_growth")]
    return StagedGrowth(r.text(block, "name"), *fields)
