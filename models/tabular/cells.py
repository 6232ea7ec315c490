"""One cell → its value or the code of what is wrong with it, by field type (contract.md, *Firms as tables*).

Slow and exact. Tables come here with the few cells that the vectorised reading (:mod:`.convert`) leaves
over; single firms (API bodies) come here with every cell. Numbers of a spreadsheet arrive as the repr of a
float (``3911.0``), so that a numeric cell can be told from text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from typing import NamedTuple

from stdnum.cn import uscc as uscc_number

from models.codes import districts, encode_industry, industries
from models.fields import COUNT_LIMIT, MONEY_LIMIT, NO_TITLE, Field
from models.tabular.numerals import (
    BLANKS,
    EXCEL_ERRORS,
    date_is_uncertain,
    half_away,
    is_blank,
    parse_date,
    parse_number,
    plain,
    scaled,
)

Value = int | float | bool | str | date | None

CODE_LENGTH = 18
CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
YEARS = (1900, 2100)

MONEY_TENS: Mapping[str, int] = {
    "元": 0,
    "千元": 3,
    "万元": 4,
    "百万元": 6,
    "亿元": 8,
    "美元": 0,
    "千美元": 3,
    "万美元": 4,
    "百万美元": 6,
    "亿美元": 8,
}
"""Unit → power of ten to whole 元 (whole 美元)."""

TRUE_WORDS = frozenset(["true", "1", "1.0", "是", "有", "y", "yes", "√", "✓", "✔"])
FALSE_WORDS = frozenset(["false", "0", "0.0", "否", "无", "n", "no", "×", "✗", "✘"])
NONE_WORDS = frozenset(["无", "none"])

_NAME_BLANKS = BLANKS - {"na", "null"}
_NUMERIC_CODE = re.compile(r"\d+\.0|\d+(?:\.\d+)?e\+?\d+", re.IGNORECASE | re.ASCII)
_WHOLE_FLOAT = re.compile(r"(-?\d+)\.0", re.ASCII)
_INDUSTRY = re.compile(r"[A-Ta-t]?[ .\-]?(\d{2,4})(?![\d]|\.\d)", re.ASCII)
_YEAR = re.compile(r"(\d{4})年度?", re.ASCII)
_STREET = re.compile(r"\d{6}(?:\d{3}){0,2}", re.ASCII)


class Cell(NamedTuple):
    """``value`` None with ``code`` None is a blank; a value with a code is used, with a warning."""

    value: Value = None
    code: str | None = None


Reader = Callable[[str], Cell]
"""The text of a cell as written → what it holds."""


def reader_for(field: Field, unit: str | None = None) -> Reader:
    """How cells of ``field`` are read under a header that names ``unit`` (None: the field's own)."""
    if field.type == "code":
        return {"uscc": read_uscc, "district": read_district, "industry": read_industry}[field.key]
    if field.type == "text":
        return read_name
    if field.type == "enum":
        return partial(_read_figure, partial(_enum, _written_options(field)))
    return partial(_read_figure, partial(_FIGURES[field.type], field, unit or field.unit))


def issue_details(field: Field, code: str, value: str = "") -> dict[str, object]:
    """What the text of issue ``code`` needs beside the cell and its column."""
    if code == "E103":
        return {"length": len(_code_text(value))}
    if code == "E203":
        low, high = YEARS if field.type == "year" else field.range or (0, 0)
        return {"low": low, "high": high}
    if code == "E208":
        options = field.options or {}
        return {"options": "、".join(f"{label.zh}（{key}）" for key, label in options.items())}
    return {}


def as_text(value: object) -> str:
    """A typed cell (spreadsheet, Parquet) as text: a number as the repr of a float, to show as one."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(float(value) + 0.0)  # no -0.0
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else str(value)


def without_float_tail(text: str) -> str:
    """A number as a spreadsheet shows it: ``12.0`` → ``12``."""
    whole = _WHOLE_FLOAT.fullmatch(text)
    return whole[1] if whole else text


def read_name(text: str) -> Cell:
    """The registered name as written; E107 if there is none. A firm may be called NA."""
    name = without_float_tail(text.strip())
    return Cell(None, "E107") if plain(name).lower() in _NAME_BLANKS else Cell(name)


def read_uscc(text: str) -> Cell:
    """The code, normalised. E102 comes with a value; E101, E103, E104, E105 make the row unreadable."""
    code = _code_text(text)
    if is_blank(code):
        return Cell(None, "E101")
    if _NUMERIC_CODE.fullmatch(code):
        return Cell(None, "E105")
    if len(code) != CODE_LENGTH:
        return Cell(None, "E103")
    if not set(code) <= set(CODE_ALPHABET):
        return Cell(None, "E104")
    if check_character(code) == code[-1]:
        return Cell(code)
    return Cell(None, "E105") if code.isdigit() and code.endswith("000") else Cell(code, "E102")


def check_character(code: str) -> str:
    """What GB 32100-2015 asks for in place 18 of ``code``, whose characters are all allowed ones."""
    return str(uscc_number.calc_check_digit(code[:-1]))


def _code_text(text: str) -> str:
    return plain(text).lstrip("'").upper()


def read_district(text: str) -> Cell:
    """Six digits of GB/T 2260; former districts of Shanghai become today's."""
    written = without_float_tail(plain(text))
    if is_blank(written):
        return Cell()
    if written.lower() in EXCEL_ERRORS:
        return Cell(None, "E215")
    table = districts()
    if _STREET.fullmatch(written):
        written = written[:6]
        if written[:2] in table.provinces and not written.startswith("31"):
            return Cell(written)
    for name in (written, written.removeprefix("上海市"), written.removeprefix("上海")):
        if name and name in table.readings:
            return Cell(table.readings[name])
    return Cell(None, "E213")


def read_industry(text: str) -> Cell:
    """The code as :func:`models.codes.encode_industry` holds it; an exact GB/T name gives its code."""
    written = plain(text)
    if is_blank(written):
        return Cell()
    if written.lower() in EXCEL_ERRORS:
        return Cell(None, "E215")
    digits = without_float_tail(written)
    if digits != written and industry_lost_zero(digits):
        return Cell(None, "E212")
    match = _INDUSTRY.match(digits)
    found = match[1] if match else _industry_by_name(written)
    if found is None:
        return Cell(None, "E210")
    return Cell(encode_industry(found), None if industries().listed(found) else "E211")


def industry_lost_zero(digits: str) -> bool:
    """A numeric cell whose leading zero may be gone: 111 for 0111, 5 for 05."""
    return len(digits) == 1 or (len(digits) == 3 and industries().listed("0" + digits))


def _industry_by_name(written: str) -> str | None:
    return _industry_names().get(_name_key(written))


@cache
def _industry_names() -> Mapping[str, str | None]:
    table = industries()
    return {_name_key(name): table.by_name(name) for name in table.names.values()}


def _name_key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).replace(" ", "")


def _read_figure(parse: Callable[[str], Cell], text: str) -> Cell:
    written = plain(text)
    if is_blank(written):
        return Cell()
    return Cell(None, "E215") if written.lower() in EXCEL_ERRORS else parse(written)


def _number(field: Field, text: str, code: str = "E201") -> Decimal | Cell:
    if field.none_is_zero and text in NONE_WORDS:
        return Decimal(0)
    number = parse_number(text)
    if number is None:
        return Cell(None, code)
    return Cell(None, "E202") if number < 0 and not field.negative_allowed else number


def _money(field: Field, unit: str, text: str) -> Cell:
    number = _number(field, text)
    if isinstance(number, Cell):
        return number
    amount = scaled(number, MONEY_TENS[unit])
    return Cell(None, "E214") if abs(amount) > MONEY_LIMIT else Cell(half_away(amount))


def _count(field: Field, _unit: str, text: str) -> Cell:
    number = _number(field, text)
    if isinstance(number, Cell):
        return number
    if number.adjusted() > 18:
        return Cell(None, "E214")
    if number != number.to_integral_value():
        return Cell(None, "E204")
    return _within(field, int(number))


def _decimal(field: Field, _unit: str, text: str) -> Cell:
    number = _number(field, text)
    return number if isinstance(number, Cell) else _within(field, float(number))


def _within(field: Field, number: int | float) -> Cell:
    if field.range and not field.range[0] <= number <= field.range[1]:
        return Cell(None, "E203")
    return Cell(None, "E214") if number > COUNT_LIMIT else Cell(number)


def _ratio(field: Field, unit: str, text: str) -> Cell:
    percent = text.endswith("%") or unit == "%"
    number = _number(field, text.removesuffix("%").rstrip())
    if isinstance(number, Cell):
        return number
    share = scaled(number, -2) if percent else number
    return Cell(None, "E209") if share > 1 else Cell(float(share))


def _year(field: Field, _unit: str, text: str) -> Cell:
    year = _YEAR.fullmatch(text)
    number = _number(field, year[1] if year else text)
    if isinstance(number, Cell):
        return number
    if number == 0 or YEARS[0] <= number <= YEARS[1]:
        return Cell(int(number)) if number == number.to_integral_value() else Cell(None, "E204")
    return Cell(None, "E203")


def _bool(_field: Field, _unit: str, text: str) -> Cell:
    word = text.lower()
    if word in TRUE_WORDS:
        return Cell(True)
    if word in FALSE_WORDS:
        return Cell(False)
    return Cell() if word == "不清楚" else Cell(None, "E207")


def _enum(options: Mapping[str, str], text: str) -> Cell:
    key = options.get(text.lower())
    return Cell(key) if key else Cell(None, "E208")


def _written_options(field: Field) -> Mapping[str, str]:
    """What may be written → key: the key, its label in either language, 无 for ``none``."""
    options = field.options or {}
    found = {"无": "none"} if "none" in options else {}
    for key, label in options.items():
        for written in (key, label.zh, label.en):
            found.setdefault(plain(written).lower(), key)
    return found


def _date(_field: Field, _unit: str, text: str) -> Cell:
    found = parse_date(text)
    if found:
        return Cell(found)
    return Cell(None, "E206" if date_is_uncertain(text) else "E205")


def _title(_field: Field, _unit: str, text: str) -> Cell:
    if text.lower() in NONE_WORDS:
        return Cell(NO_TITLE)
    found = parse_date(text)
    if found:
        return Cell(found)
    return Cell(None, "E206" if date_is_uncertain(text) else "E216")


_FIGURES: Mapping[str, Callable[[Field, str, str], Cell]] = {
    "money": _money,
    "count": _count,
    "decimal": _decimal,
    "score": _decimal,
    "ratio": _ratio,
    "year": _year,
    "bool": _bool,
    "date": _date,
    "title": _title,
}
