"""Headers → fields: canonical keys and Chinese headers with year and unit in any usual order.

``2025年营业收入（万元）``, ``营业收入_2025(元)``, ``营业收入（2025年，万元）`` and
``2025年度营业收入 单位：万元`` all name the same field. A header is taken apart into year, unit and name,
and the name must be a known one exactly: nothing is matched by likeness.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from models.fields import Field, catalogue
from models.tabular.cells import MONEY_TENS
from models.tabular.choices import NO_CHOICES, Choices
from models.tabular.former import FORMER_NAME
from models.tabular.issues import Issue, refusal

How = Literal["key", "header", "synonym", "chosen", "ignored", "unusable"]
"""``chosen``: somebody said so; ``unusable``: known, but without the year or a unit that fits."""

HEADER_SEARCH_ROWS = 20
"""Title rows may stand above the header; it is looked for in this many rows."""


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """What one column of a file was taken for. ``position`` counts from 0, ``unit`` is as written."""

    header: str
    position: int
    field: Field | None
    year: int | None
    unit: str | None
    how: How

    @property
    def name(self) -> str | None:
        """The canonical column it gives, None if it gives none."""
        if self.field is None or self.how in {"ignored", "unusable"}:
            return None
        return self.field.column(self.year)


@dataclass(frozen=True, slots=True)
class _Match:
    field: Field
    how: How
    year: int | None
    unit: str | None


_BRACKETS = str.maketrans("[]【】〔〕「」《》{}", "()()()()()()")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_YEAR_WORDS = ("年度", "年", "")
_MONEY = r"(?:人民币)?(?:百万美元|千美元|万美元|亿美元|美元|百万元|千元|万元|亿元)(?:人民币)?"
_FOREIGN = r"[百千万亿]?(?:欧元|日元|港元|港币|英镑|韩元|加元|澳元|新台币|欧)"
_SHORT = r"人民币元|元|万|亿|人|名|位|件|个|家|项|级|分|年|%|‰|万人|万件"
_UNIT = re.compile(
    rf"(?:单位:?)?(?P<long>{_MONEY}|{_FOREIGN})|(?:单位:?|(?<=[(,/_\-;:、]))(?P<short>{_SHORT})(?![^),/_\-;:、\d])"
)
_LEFTOVER = re.compile(r"\([,:;/_\-、]*\)")
_CLASS_ONE = re.compile(r"(?<!\d)[1一]类")
_CLASS_TWO = re.compile(r"(?<!\d)[2二]类")
_EDGES = ",:;/_-、"
_LONGEST = 200
"""Characters of a header. A whole line taken for one cell, under the wrong separator, names nothing."""
_COUNTS = {
    "人": {"人", "名", "位"},
    "件": {"件", "个", "项"},
    "年": {"年"},
    "分": {"分"},
    "级": {"级"},
}
_OWN_OUTPUT = re.compile(r"[a-z][a-z0-9_]*\.[a-z0-9_]+(?:\.(?:low|high|unmet|open))?", re.ASCII)
ERROR_COLUMNS = ("错误代码", "错误说明", "建议", "多出的单元格")
"""What an error workbook has beside a file's own columns; read again, they say nothing."""
_OWN_NAMES = frozenset(["recognised", "qualifies", "could_reach", "error", *ERROR_COLUMNS])


def normal_header(text: str) -> str:
    """NFKC, lower case, without blanks and line breaks, all brackets round; Ⅰ类, 1类 and 一类 are one."""
    text = "".join(unicodedata.normalize("NFKC", text).translate(_BRACKETS).lower().split())
    return _CLASS_TWO.sub("ii类", _CLASS_ONE.sub("i类", text))


def known_field(header: str) -> Field | None:
    """The field that a header names, if it names one."""
    match = _match(header)
    return match.field if match else None


def holds_code_header(cells: Sequence[str], choices: Choices = NO_CHOICES) -> bool:
    """Whether one of the cells heads the column of the unified social credit code."""
    matches = (_match(cell, choices) for cell in cells if cell)
    return any(match is not None and match.field.key == "uscc" for match in matches)


def find_header(rows: Sequence[Sequence[str]], choices: Choices = NO_CHOICES) -> int | None:
    """Index of the first of ``rows`` that holds a code header, None if none of the first twenty does."""
    searched = rows[:HEADER_SEARCH_ROWS]
    return next((index for index, row in enumerate(searched) if holds_code_header(row, choices)), None)


def known_positions(headers: Sequence[str], choices: Choices = NO_CHOICES) -> list[int]:
    """Positions of the columns whose header names a field."""
    return [position for position, header in enumerate(headers) if _match(header, choices)]


def units_of(field: Field) -> frozenset[str]:
    """The units that a header may name for ``field``; empty where it has none."""
    return frozenset(_units(field))


def read_headers(
    headers: Sequence[str], last_year: int | None = None, choices: Choices = NO_CHOICES
) -> tuple[list[ColumnReading], list[Issue]]:
    """What each column is, and what is to be said about the columns (E301–E305).

    A year after ``last_year`` is reported (E304). Raises E013 where two columns equally mean the same.
    """
    readings: list[ColumnReading] = []
    notes: list[Issue] = []
    for position, header in enumerate(headers):
        reading, note = _read_header(header, position, choices)
        readings.append(reading)
        notes += [note] if note else []
    readings, passed_over = _without_rivals(readings)
    notes += passed_over
    for reading in readings:
        if reading.name and reading.year and last_year and reading.year > last_year:
            notes.append(Issue("E304", column=reading.header, details={"year": reading.year}))
    return readings, notes


def _read_header(header: str, position: int, choices: Choices) -> tuple[ColumnReading, Issue | None]:
    match = _match(header, choices)
    if match is None:
        silent = not header.strip() or _is_own_output(header) or normal_header(header) in choices
        note = None if silent else Issue("E301", column=header)
        return ColumnReading(header, position, None, None, None, "ignored"), note
    note = _misfit(header, match)
    how = "unusable" if note else match.how
    return ColumnReading(header, position, match.field, match.year, match.unit, how), note


def _is_own_output(header: str) -> bool:
    name = header.strip().lower()
    return name in _OWN_NAMES or _OWN_OUTPUT.fullmatch(name) is not None


def _misfit(header: str, match: _Match) -> Issue | None:
    """Why a known column cannot be used: no year (E303), no unit (E302), a unit that does not fit (E305)."""
    field = match.field
    if field.yearly and match.year is None:
        return Issue("E303", column=header, details={"field": field.header_zh})
    if field.type == "money" and match.unit is None:
        return Issue("E302", column=header, details={"field": field.header_zh})
    if match.unit is not None and match.unit not in _units(field):
        return Issue("E305", column=header, details={"unit": match.unit, "field": field.header_zh})
    return None


def _units(field: Field) -> set[str]:
    if field.type == "money":
        return {unit for unit in MONEY_TENS if unit.endswith("美元") == (field.unit == "美元")}
    if field.type == "ratio":
        return {"%"}
    return _COUNTS.get(field.unit, set())


def _without_rivals(readings: Sequence[ColumnReading]) -> tuple[list[ColumnReading], list[Issue]]:
    """One column for each field and year: a chosen one wins, then the exact header over a synonym; equals are
    refused (E013).
    """
    chosen: dict[str, ColumnReading] = {}
    losers: set[int] = set()
    for reading in readings:
        name = reading.name
        if name is None:
            continue
        rival = chosen.setdefault(name, reading)
        if rival is reading:
            continue
        losers.add(_loser(rival, reading).position)
        chosen[name] = rival if reading.position in losers else reading
    notes = [Issue("E301", column=readings[position].header) for position in sorted(losers)]
    return [replace(r, how="ignored") if r.position in losers else r for r in readings], notes


def _loser(first: ColumnReading, second: ColumnReading) -> ColumnReading:
    if (first.how == "chosen") != (second.how == "chosen"):
        return second if first.how == "chosen" else first
    if (first.how == "synonym") == (second.how == "synonym"):
        assert first.field is not None
        raise refusal("E013", column=first.header, other=second.header, field=first.field.header_zh)
    return first if first.how == "synonym" else second


def _match(header: str, choices: Choices = NO_CHOICES) -> _Match | None:
    """The field that ``header`` names, with year and unit; None if it names none."""
    if len(header) > _LONGEST:
        return None
    text = normal_header(header)
    if text in choices:
        column, unit = choices[text]
        chosen = catalogue().parse_column(column) if column else None
        return _Match(chosen[0], "chosen", chosen[1], unit) if chosen else None
    for without_year, year in _year_readings(text):
        for name, unit in _unit_readings(without_year):
            found = _names().get(name)
            if found and (year is None or found[0].yearly):
                field, how = found
                own_unit = field.unit if how == "key" and field.type == "money" else None
                return _Match(field, how, year, unit or own_unit)
    return None


def _year_readings(text: str) -> Iterator[tuple[str, int | None]]:
    """``text`` as it is, then without each year it holds, ``2025年度`` before ``2025年`` before ``2025``."""
    yield text, None
    for match in _YEAR.finditer(text):
        for word in _YEAR_WORDS:
            if text.startswith(word, match.end()):
                yield text[: match.start()] + text[match.end() + len(word) :], int(match[1])


def _unit_readings(text: str) -> Iterator[tuple[str, str | None]]:
    """``text`` without each unit it holds, then as it is. ``企业估值(万美元)`` is also 企业估值(美元)."""
    for match in _UNIT.finditer(text):
        unit = (match["long"] or match["short"]).replace("人民币", "")
        unit = {"万": "万元", "亿": "亿元"}.get(unit, unit)
        before, after = text[: match.start()], text[match.end() :]
        if unit.endswith("美元"):
            yield _tidy(f"{before}美元{after}"), unit
        yield _tidy(before + after), unit
        if "人民币" in match[0]:
            yield _tidy(f"{before}人民币{after}"), unit
    yield _tidy(text), None


def _tidy(text: str) -> str:
    """Without the brackets and separators that a removed year or unit leaves behind."""
    text = re.sub(rf"\([{_EDGES}]+", "(", text)
    text = re.sub(rf"[{_EDGES}]+\)", ")", text)
    return _LEFTOVER.sub("", text).strip(_EDGES)


@cache
def _names() -> Mapping[str, tuple[Field, How]]:
    """Normalised name → field; the key and the header of a field before anybody's synonym."""
    names: dict[str, tuple[Field, How]] = {}
    fields = (*catalogue(), FORMER_NAME)
    for field in fields:
        names[field.key] = (field, "key")
        names[_tidy(normal_header(field.header_zh))] = (field, "header")
    for field in fields:
        for synonym in field.synonyms:
            names.setdefault(_tidy(normal_header(synonym)), (field, "synonym"))
    return names
