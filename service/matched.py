"""Lists of names as callers write them (districts by name), and only what their key may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from models.errors import Text
from models.matching import Match, Query, match
from models.tabular.cells import read_district
from service.extension import reading, state
from service.security import caller


def matched(queries: Sequence[Query]) -> list[Match]:
    """An answer for each query, in their order. ``district`` as it was written: six digits or a name.

    A query whose district cannot be read is *invalid*; the others are answered all the same.
    UsageRefused (R422) for too many.
    """
    districts = [read_district(query.district or "") for query in queries]
    asked = [
        replace(query, district=cell.value if isinstance(cell.value, str) else None)
        for query, cell in zip(queries, districts, strict=True)
    ]
    found = match(reading(), state(), asked, only_district=caller().district)
    return [
        one if cell.code is None else _unreadable(query.district or "")
        for query, cell, one in zip(queries, districts, found, strict=True)
    ]


def codes_of(matches: Iterable[Match]) -> list[str]:
    """Every firm that an answer shows, each once, for the audit."""
    return list(dict.fromkeys(hit.uscc for one in matches for hit in one.candidates))


def _unreadable(district: str) -> Match:
    why = Text(
        f"不认识区“{district}”，请填 浦东新区 或 310115",
        f"“{district}” is no district; write 310115 for example",
    )
    return Match("invalid", (), why)
