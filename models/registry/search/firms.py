"""Reading firms with their names: by entry id, by code, within filters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from models.codes import industries, industry_span
from models.errors import Text, UsageRefused
from models.registry.search.dialect import among, listed
from models.registry.search.judge import Firm
from models.registry.search.tables import HAND
from models.registry.state import State

_FIRM = "f.uscc, f.name, f.district, f.industry, s.recognised"
_STANDING = "LEFT JOIN standing s ON s.run_id = :run AND s.uscc = f.uscc"
_NOWHERE = "-"
_FEW = 2500


@dataclass(frozen=True, slots=True)
class Filters:
    """What a firm must be to be shown; None asks nothing."""

    district: str | None = None
    industry: Sequence[tuple[int, int]] | None = None
    """Runs of industry numbers, as of :func:`models.codes.industry_span`."""
    rung: int | None = None

    @property
    def question(self) -> list[object]:
        """What makes two questions the same."""
        return [self.district, self.industry, self.rung]

    def __bool__(self) -> bool:
        return self.district is not None or self.industry is not None or self.rung is not None


def read_filters(
    district: str | None, industry: str | None, rung: int | None, only_district: str | None
) -> Filters:
    """UsageRefused (R421) where the industry is neither digits nor a section letter."""
    asked = district or only_district
    if only_district is not None and asked != only_district:
        asked = _NOWHERE  # what the caller may not see is simply not there
    if asked and not re.fullmatch(r"[0-9]{6}", asked):
        asked = _NOWHERE
    return Filters(asked or None, _spans(industry.strip().upper()) if industry else None, rung)


def _spans(industry: str) -> Sequence[tuple[int, int]]:
    sections = industries().sections
    divisions = [division for division, letter in sections.items() if letter == industry[:1]]
    digits = industry[1:] if divisions else industry
    if digits.isascii() and digits.isdigit() and len(digits) <= 4:
        fitting = not divisions or digits[:2] in divisions or len(digits) == 1
        return [industry_span(digits)] if fitting else [(1, 0)]
    if divisions and not digits:
        return [industry_span(division) for division in sorted(divisions)]
    raise UsageRefused(
        "R421",
        Text(
            f"行业“{industry}”应写门类字母或二至四位数字",
            f"industry “{industry}”: a section letter or digits",
        ),
        Text("例如 C、39、3911", "For example C, 39, 3911"),
        "industry",
    )


class Reader:
    """Reads firms for one question. ``editions`` are those whose names are seen."""

    def __init__(self, connection: Connection, state: State, filters: Filters) -> None:
        self._connection = connection
        self._filters = filters
        self._where, given = _condition(filters)
        self._given: dict[str, Any] = {
            **given,
            "run": -1 if state.run_id is None else state.run_id,
            "editions": listed(connection, [HAND, *state.lineage]),
        }
        self._seen = among(connection, "o.edition_id", "editions", "integer")

    @property
    def filtered(self) -> bool:
        return bool(self._filters)

    def by_entries(self, ids: Sequence[int]) -> Mapping[int, Firm]:
        """Entry id → its firm with all its names; what the filters leave out is missing."""
        if not ids:
            return {}
        rows = self._rows(
            f"SELECT n.id AS asked, {_FIRM}, o.id, o.name AS other FROM firm_name n "
            f"JOIN firm f ON f.uscc = n.uscc {_STANDING} "
            f"JOIN firm_name o ON o.uscc = n.uscc AND {self._seen} "
            f"WHERE {among(self._connection, 'n.id', 'ids')} {self._where}",
            ids=listed(self._connection, ids),
        )
        return _firms(rows)

    def by_codes(self, codes: Sequence[str]) -> Mapping[str, Firm]:
        """Code → firm, nameless ones too."""
        return self._by_code(
            among(self._connection, "f.uscc", "codes", "varchar"), codes=listed(self._connection, codes)
        )

    def listed(self, after: str, most: int) -> Mapping[str, Firm]:
        """Firms within the filters by code; where the filters leave few, these are asked first."""
        if self.filtered and (codes := self.few(_FEW)) is not None:
            found = self.by_codes(sorted(code for code in codes if code > after)[:most])
            return {code: found[code] for code in sorted(found)}
        return self.code_span(after, "Z" * 18, after, most)

    def code_span(self, first: str, last: str, after: str, most: int) -> Mapping[str, Firm]:
        """Firms with codes in ``first … last`` and above ``after``, in the order of their codes."""
        codes = self._rows(
            f"SELECT f.uscc FROM firm f {self._standing_join} WHERE f.uscc BETWEEN :first AND :last "
            f"AND f.uscc > :after {self._where} ORDER BY f.uscc LIMIT :most",
            first=first, last=last, after=after, most=most,
        )  # fmt: skip
        found = self.by_codes([code for (code,) in codes])
        return {code: found[code] for code in sorted(found)}

    def span(self, after: int, most: int) -> Sequence[int]:
        """The next entry ids above one, of whatever names."""
        rows = self._rows(
            f"SELECT o.id FROM firm_name o WHERE o.id > :after AND {self._seen} ORDER BY o.id LIMIT :most",
            after=after,
            most=most,
        )
        return [number for (number,) in rows]

    def few(self, most: int) -> Sequence[str] | None:
        """Codes of all the firms within the filters, in no order, if they are no more than ``most``."""
        rows = self._rows(
            f"SELECT f.uscc FROM firm f {self._standing_join} WHERE 1 = 1 {self._where} LIMIT :most",
            most=most + 1,
        )
        return None if len(rows) > most else [code for (code,) in rows]

    def few_entries(self, most: int) -> Sequence[int] | None:
        """Entry ids, rising, of all the names within the filters, if they are no more than ``most``."""
        rows = self._rows(
            f"SELECT o.id FROM firm f {self._standing_join} "
            f"JOIN firm_name o ON o.uscc = f.uscc AND {self._seen} WHERE 1 = 1 {self._where} LIMIT :most",
            most=most + 1,
        )
        return None if len(rows) > most else sorted(number for (number,) in rows)

    @property
    def _standing_join(self) -> str:
        return _STANDING if self._filters.rung is None else _STANDING.removeprefix("LEFT ")

    def _by_code(self, condition: str, **given: Any) -> Mapping[str, Firm]:
        rows = self._rows(
            f"SELECT f.uscc AS asked, {_FIRM}, o.id, o.name AS other FROM firm f {_STANDING} "
            f"LEFT JOIN firm_name o ON o.uscc = f.uscc AND {self._seen} WHERE {condition} {self._where}",
            **given,
        )
        return _firms(rows)

    def _rows(self, statement: str, **given: Any) -> Sequence[Any]:
        asked = {name: value for name, value in {**self._given, **given}.items() if f":{name}" in statement}
        return self._connection.execute(text(statement), asked).all()


def _condition(filters: Filters) -> tuple[str, dict[str, Any]]:
    parts: list[str] = []
    given: dict[str, Any] = {}
    if filters.district is not None:
        parts.append("f.district = :district")
        given["district"] = filters.district
    if filters.industry is not None:
        runs = [f"f.industry BETWEEN :from_{at} AND :to_{at}" for at in range(len(filters.industry))]
        parts.append(f"({' OR '.join(runs)})")
        for at, (first, last) in enumerate(filters.industry):
            given |= {f"from_{at}": first, f"to_{at}": last}
    if filters.rung is not None:
        parts.append("s.recognised = :rung")
        given["rung"] = filters.rung
    return "".join(f" AND {part}" for part in parts), given


def _firms(rows: Iterable[Any]) -> dict[Any, Firm]:
    """One firm for each ``asked``, its names gathered from the rows."""
    heads: dict[Any, Any] = {}
    names: dict[Any, list[tuple[int, str]]] = {}
    for row in rows:
        heads[row.asked] = row
        known = names.setdefault(row.asked, [])
        if row.id is not None:
            known.append((row.id, row.other))
    return {
        asked: Firm(
            row.uscc, row.name or "", row.district, row.industry, row.recognised, sorted(names[asked])
        )
        for asked, row in heads.items()
    }
