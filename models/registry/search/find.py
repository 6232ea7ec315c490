"""Look a firm up by whatever was typed. How is told in :mod:`models.registry.search.stages`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import orjson
from sqlalchemy import Connection

from models.errors import Text
from models.registry.search.cursor import Mark, read_mark, write_mark
from models.registry.search.firms import Filters, Reader, read_filters
from models.registry.search.judge import Kind
from models.registry.search.normal import normal
from models.registry.search.postings import Postings
from models.registry.search.query import read_query
from models.registry.search.stages import Found, Search, Stage
from models.registry.search.words import LISTED
from models.registry.state import State

How = Literal["code", "name", "former", "prefix", "part", "pinyin", "initials", "similar"]
_HOW: Mapping[Kind, How] = {
    Kind.CODE: "code",
    Kind.CODE_START: "code",
    Kind.CODE_PART: "code",
    Kind.NAME: "name",
    Kind.CORE: "name",
    Kind.FORMER: "former",
    Kind.FORMER_PART: "former",
    Kind.PREFIX: "prefix",
    Kind.PART: "part",
    Kind.SOUND: "pinyin",
    Kind.INITIALS: "initials",
    Kind.INITIALS_PART: "initials",
    Kind.SIMILAR_CODE: "similar",
    Kind.SIMILAR: "similar",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A firm that was found, and why."""

    uscc: str
    name: str
    district: str | None
    industry: int | None
    recognised: int | None
    """Its rung in the current run."""
    score: float
    """0..100, to compare hits of one kind; the kinds come in their order."""
    how: How
    why: Text
    matched_name: str
    """The name that was found, a former one perhaps."""


@dataclass(frozen=True, slots=True)
class Page:
    """Hits in their order; the cursor leads on, None says that this was all.

    A page may hold fewer hits than were asked for and still have a cursor.
    """

    hits: tuple[Hit, ...]
    cursor: str | None


def search_firms(
    connection: Connection,
    state: State,
    query: str,
    *,
    district: str | None = None,
    industry: str | None = None,
    rung: int | None = None,
    limit: int = 20,
    cursor: str | None = None,
    only_district: str | None = None,
) -> Page:
    """Firms for what was typed: exact ones, those that begin with it or contain it, then sounds and likeness.

    ``industry`` is a section letter, digits, or both; ``rung`` the recognised one. A blank query lists firms
    by code. Raises UsageRefused: R420 for a cursor that is not this question's, R421 for an industry that
    cannot be read.
    """
    filters = read_filters(district, industry, rung, only_district)
    question = orjson.dumps([normal(query), query.strip() == "", filters.question])
    mark = read_mark(cursor, question) if cursor else Mark(0, -1)
    reader = Reader(connection, state, filters)
    if not query.strip():
        stages: Sequence[Stage] = [_listing(reader)]
    else:
        search = Search(read_query(query), Postings(connection, state.lineage), reader)
        stages = search.stages()
    return _page(stages, mark if cursor else None, limit, question)


def former_names(connection: Connection, state: State, usccs: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Names a firm bore besides its present one, oldest index entries first, for each firm that has any."""
    found = {}
    for uscc, firm in Reader(connection, state, Filters()).by_codes(usccs).items():
        others = dict.fromkeys(name for _, name in firm.names if name and normal(name) != normal(firm.name))
        if others:
            found[uscc] = tuple(others)
    return found


def hit(found: Found) -> Hit:
    """For one found firm."""
    firm = found.firm
    assert firm is not None
    return Hit(
        firm.uscc,
        firm.name,
        firm.district,
        firm.industry,
        firm.recognised,
        found.score,
        _HOW[found.kind],
        found.why,
        found.name,
    )


def _page(stages: Sequence[Stage], mark: Mark | None, limit: int, question: bytes) -> Page:
    hits: list[Hit] = []
    last = mark or Mark(0, -1)
    for place, found in islice(_stream(stages, mark), limit + 1):
        if found.firm is None:
            return Page(tuple(hits), write_mark(Mark(place, found.after), question))
        if len(hits) == limit:
            return Page(tuple(hits), write_mark(last, question))
        hits.append(hit(found))
        last = Mark(place, found.after)
    return Page(tuple(hits), None)


def _stream(stages: Sequence[Stage], mark: Mark | None) -> Iterator[tuple[int, Found]]:
    """Everything after the mark, stage by stage; a code that is there ends it."""
    for place, stage in enumerate(stages):
        if mark is not None and place < mark.stage:
            continue
        known = False
        for found in stage(mark.after if mark is not None and place == mark.stage else None):
            yield place, found
            known = found.kind is Kind.CODE
        if known:
            return


def _listing(reader: Reader) -> Stage:
    def stage(after: int | str | None) -> Iterator[Found]:
        last = after if isinstance(after, str) else ""
        while firms := reader.listed(last, 101):
            for last, firm in firms.items():
                yield Found(last, firm, Kind.CODE, 0.0, LISTED, firm.name)

    return stage
