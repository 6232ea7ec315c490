"""How a field is written in a file, in the words of the person who fills it in.

Notes and examples: ``seeds/fields/notes.yaml``. The template and ``docs/files.md`` both speak from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import yaml

from models.errors import Text
from models.fields import Field, catalogue
from models.seeds import seed

_FORMATS = {
    "text": Text("文字", "text"),
    "money": Text("数字，可带小数；单位见表头", "a number, decimals allowed; the header names the unit"),
    "ratio": Text("百分数，如 10.5%（也可写 0.105）", "a percentage such as 10.5%, or 0.105"),
    "bool": Text("是 或 否", "是 (yes) or 否 (no)"),
    "date": Text("日期，如 2020-01-02", "a date such as 2020-01-02"),
    "title": Text(
        "有效期截止日，如 2027-06-30；没有该称号填“无”",
        "last day of validity, e.g. 2027-06-30; 无 for no such title",
    ),
    "count": Text("整数", "a whole number"),
    "decimal": Text("数字，可带小数", "a number, decimals allowed"),
    "score": Text("数字，可带小数", "a number, decimals allowed"),
    "year": Text("四位年份；0 表示从未", "a four-digit year; 0 means never"),
}
_CODES = {
    "uscc": Text("18 位文本", "18 characters, as text"),
    "district": Text("区名，或六位代码", "the district's name or its six digits"),
    "industry": Text("2～4 位数字，可带门类字母", "two to four digits, section letter optional"),
}
_BLANKS = {
    "required": Text("必填", "required"),
    "unknown": Text("缺数据（不当作 0 或否）", "counts as missing, never as 0 or no"),
    "review": Text("待核验（由人核对）", "left to be reviewed by a person"),
}
_EXAMPLES = {"bool": "是", "ratio": "10.5%", "title": "2027-06-30"}


def file_header(field: Field, year: int | None = None) -> str:
    """The header as the template writes it: ``2025年营业收入（万元）``."""
    unit = {"元": "万元", "美元": "万美元", "级": ""}.get(field.unit, field.unit)
    when = f"{year}年" if field.yearly else ""
    return f"{when}{field.header_zh}" + (f"（{unit}）" if unit else "")


def note(field: Field) -> Text:
    """What the field means."""
    zh, en = _notes()[field.key]["note"]
    return Text(zh, en)


def format_text(field: Field) -> Text:
    """What a cell of the field may hold."""
    if field.type == "enum":
        labels = list((field.options or {}).values())
        return Text(
            "从下拉列表选：" + "、".join(label.zh for label in labels),
            "one of: " + ", ".join(f"{label.zh} ({label.en})" for label in labels),
        )
    text = _CODES[field.key] if field.type == "code" else _FORMATS[field.type]
    if field.range:
        low, high = field.range
        text = Text(f"{text.zh}，{low}～{high}", f"{text.en}, {low} to {high}")
    if field.none_is_zero:
        text = Text(f"{text.zh}；没有则填 0", f"{text.en}; 0 for none")
    return text


def blank_text(field: Field) -> Text:
    """What leaving the cell blank means."""
    if field.key == "uscc":
        return Text("该行无法评估", "the row cannot be judged")
    if field.key == "name":
        return Text("照常评估，但会提醒", "judged all the same, with a warning")
    return _BLANKS[field.when_missing]


def required_text(field: Field) -> Text:
    if field.when_missing == "required":
        return Text("必填", "required")
    return Text("选填", "optional")


def example(field: Field) -> str:
    """A cell of the field as one would type it."""
    given = _notes()[field.key].get("example")
    if given is not None:
        return str(given)
    if field.type == "enum":
        return next(iter((field.options or {}).values())).zh
    return _EXAMPLES[field.type]


@cache
def _notes() -> Mapping[str, Mapping[str, list[str]]]:
    notes: dict[str, Mapping[str, list[str]]] = yaml.load(
        seed("fields", "notes.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader
    )
    strays = set(notes) ^ {field.key for field in catalogue()}
    if strays:
        raise ValueError(f"notes.yaml and fields.csv differ: {sorted(strays)}")
    return notes
