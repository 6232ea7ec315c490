"""Figures as they are written outside and as they are held inside.

Outside (API bodies and answers, documents in the database, Parquet of editions): canonical column →
JSON value. Money, counts and years whole numbers, shares and scores numbers, flags true or false,
dates ``"2026-06-30"``, titles a date or ``"none"``, options by their key, district six digits,
industry its digits as text (``"0111"``). A blank is left out. Inside: the table of :mod:`models.fields`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from models.codes import decode_industry, districts, encode_industry, industries
from models.errors import Text
from models.fields import NO_TITLE, Field, catalogue
from models.tabular.cells import issue_details, reader_for
from models.tabular.issues import issue_kinds

LONGEST_TEXT = 200
NOT_FIGURES = frozenset({"uscc", "name"})
"""What a firm is, not how it stands: no figure, and never changed as one."""

_NUMBERS = frozenset({"money", "count", "decimal", "score", "ratio", "year"})
_WARNINGS = frozenset({"E211"})

_UNKNOWN = Text("没有“{column}”这一列", "there is no column “{column}”")
_UNKNOWN_FIX = Text(
    "列名见 GET /v1/fields，按年的带年份，如 revenue_2025、ip_class1",
    "GET /v1/fields lists them; yearly ones carry their year: revenue_2025, ip_class1",
)
_IDENTITY = Text("“{column}”是企业身份，不是指标", "“{column}” says who the firm is; it is no figure")
_IDENTITY_FIX = Text("名称和代码随登记数据更新，这里不能改", "Names and codes come with the registry's files")
_YEAR = Text("“{label}”的年份还没到", "{label_en}: that year has not come yet")
_YEAR_FIX = Text("年份最晚写 {year}", "{year} is the last year there can be figures of")
_TYPE = Text("“{label}”应为{wanted_zh}", "{label_en}: {wanted_en} is needed")
_TYPE_FIX = Text("请改成{wanted_zh}；不清楚就写 null", "Write {wanted_en}, or null for a blank")


@dataclass(frozen=True, slots=True)
class Column:
    """A canonical column: its field, its year, its name for people."""

    name: str
    field: Field
    year: int | None

    @property
    def label(self) -> Text:
        """``2025年营业收入`` / ``operating revenue 2025``."""
        zh, en = self.field.header_zh, self.field.header_en
        return Text(f"{self.year}年{zh}", f"{en} {self.year}") if self.year else Text(zh, en)

    @property
    def unit(self) -> str:
        """Shares are decimals outside (0.105) and have no unit."""
        return self.field.unit


@dataclass(frozen=True, slots=True)
class FigureIssue:
    """What is wrong with one value, and what to do."""

    column: str
    code: str
    message: Text
    fix: Text


@dataclass(frozen=True)
class Reading:
    """Values that were read, as they are held inside; what could not be, and what looks odd."""

    figures: dict[str, Any] = field(default_factory=dict)
    blanks: tuple[str, ...] = ()
    issues: tuple[FigureIssue, ...] = ()
    warnings: tuple[FigureIssue, ...] = ()

    @property
    def external(self) -> dict[str, Any]:
        """The figures again, as they are written outside, by column."""
        return {column: external(column, value) for column, value in sorted(self.figures.items())}


@lru_cache(maxsize=8192)
def column_of(name: str) -> Column | None:
    """What a canonical column is; None if it is none."""
    parsed = catalogue().parse_column(name)
    return Column(name, *parsed) if parsed else None


def read_figures(written: Mapping[str, Any], last_year: int | None = None) -> Reading:
    """Read figures from a JSON object. Never raises; every value that cannot be used is an issue.

    ``last_year``: a figure of a later year is an issue (F105); a blank is not, so that one can be taken back.
    """
    figures: dict[str, Any] = {}
    blanks: list[str] = []
    issues: list[FigureIssue] = []
    warnings: list[FigureIssue] = []
    for name, value in written.items():
        column = column_of(name) if len(name) <= LONGEST_TEXT else None
        if column is None or name in NOT_FIGURES:
            issues.append(_no_figure(name, column))
            continue
        held, issue = _read(column, value)
        if held is not None and last_year and column.year and column.year > last_year:
            held, issue = None, _year_to_come(column, last_year)
        if issue is not None:
            (issues if held is None else warnings).append(issue)
        if held is not None:
            figures[name] = held
        elif issue is None:
            blanks.append(name)
    return Reading(figures, tuple(blanks), tuple(issues), tuple(warnings))


def _no_figure(name: str, column: Column | None) -> FigureIssue:
    shown = name[:LONGEST_TEXT]
    if column is None:
        return FigureIssue(name, "F101", _UNKNOWN.format(column=shown), _UNKNOWN_FIX)
    return FigureIssue(name, "F103", _IDENTITY.format(column=shown), _IDENTITY_FIX)


def _year_to_come(column: Column, last_year: int) -> FigureIssue:
    label = column.label
    message = _YEAR.format(label=label.zh, label_en=label.en)
    return FigureIssue(column.name, "F105", message, _YEAR_FIX.format(year=last_year))


def _read(column: Column, value: Any) -> tuple[Any, FigureIssue | None]:
    kind = column.field.type
    if value is None:
        return None, None
    if isinstance(value, bool):
        return (value, None) if kind == "bool" else (None, _wrong_type(column))
    if isinstance(value, int | float):
        return _cell(column, _number_text(value)) if kind in _NUMBERS else (None, _wrong_type(column))
    if isinstance(value, str) and len(value) <= LONGEST_TEXT:
        return _cell(column, value)
    return None, _wrong_type(column)


def _number_text(value: float) -> str:
    # Whole numbers too long to be figures: as a power of ten, which the reader calls too large.
    return repr(value) if isinstance(value, float) or abs(value) < 10**30 else "1e30"


def _cell(column: Column, text: str) -> tuple[Any, FigureIssue | None]:
    value, code = reader_for(column.field)(text)
    if code is None:
        return value, None
    kind, details = issue_kinds()[code], issue_details(column.field, code, text)
    message, fix = kind.text.format(**details), kind.fix.format(**details)
    label = column.label
    said = Text(f"{label.zh}：{message.zh}", f"{label.en}: {message.en}")
    return value if code in _WARNINGS else None, FigureIssue(column.name, code, said, fix)


_WANTED = {
    "bool": Text(" true 或 false", "true or false"),
    "date": Text('日期，如 "2020-01-02"', 'a date such as "2020-01-02"'),
    "title": Text('有效期截止日，如 "2027-06-30"，或 "none"', 'a date such as "2027-06-30", or "none"'),
    "enum": Text("可选值之一", "one of the options"),
    "code": Text('文本，如 "310115"、"0111"', 'text such as "310115" or "0111"'),
}


def _wrong_type(column: Column) -> FigureIssue:
    wanted, label = _WANTED.get(column.field.type, Text("数字", "a number")), column.label
    if column.field.options:
        keys = "、".join(column.field.options)
        wanted = Text(f"{wanted.zh}：{keys}", f"{wanted.en}: {', '.join(column.field.options)}")
    values = {
        "label": label.zh,
        "label_en": label.en,
        "wanted_zh": wanted.zh,
        "wanted_en": wanted.en,
    }
    return FigureIssue(column.name, "F102", _TYPE.format(**values), _TYPE_FIX.format(**values))


def internal(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Figures that were checked before (facts of the registry), held as inside; unknown ones stay out."""
    found: dict[str, Any] = {}
    for name, value in figures.items():
        known, turn = _inward(name)
        if known and value is not None:
            found[name] = turn(value) if turn is not None else value
    return found


@lru_cache(maxsize=8192)
def _inward(name: str) -> tuple[bool, Callable[[Any], Any] | None]:
    column = column_of(name)
    if column is None or name in NOT_FIGURES:
        return False, None
    if column.field.key == "industry":
        return True, encode_industry
    turns: dict[str, Callable[[Any], Any]] = {
        "date": date.fromisoformat,
        "title": _title,
        "ratio": float,
        "decimal": float,
        "score": float,
    }
    return True, turns.get(column.field.type)


def _title(written: str) -> date:
    return NO_TITLE if written == "none" else date.fromisoformat(written)


def external(column: str, value: Any) -> Any:
    """One value as it is written outside; None stays None."""
    if value is None:
        return None
    if isinstance(value, date):
        return "none" if value == NO_TITLE else value.isoformat()
    return decode_industry(value) if column == "industry" else value


def place(district: str | None) -> dict[str, str] | None:
    """A district's code with its name."""
    if district is None:
        return None
    table = districts()
    return {"code": district, "name": table.names.get(district) or table.provinces.get(district[:2], "")}


def trade(industry: int | None) -> dict[str, str] | None:
    """An industry's digits with section and name in GB/T 4754-2017."""
    if industry is None:
        return None
    digits, table = decode_industry(industry), industries()
    return {
        "code": digits,
        "section": table.sections.get(digits[:2], ""),
        "name": table.names.get(digits, ""),
    }
