"""Names into the index. The contract is in :mod:`models.registry.search`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, delete, insert, select, text

from models.registry.database import Database
from models.registry.search.columns import LONGEST_CORE, PLACE_BITS, core_lengths, postings
from models.registry.search.dialect import among, insert_names, insert_postings, listed
from models.registry.search.normal import form
from models.registry.search.tables import HAND, firm_name, name_gram, name_segment

SEGMENT = 200_000
"""Entries that are indexed together; about 350 MB while they are."""
_MOST_HAND_SEGMENTS = 32
"""Names given by hand make small segments; more than these are put together."""


@dataclass(frozen=True, slots=True)
class NameEntry:
    """A name a firm bears or bore; ``""`` for a firm without one, which is then found by its code."""

    uscc: str
    name: str


def stage_names(
    database: Database, edition_id: int, entries: Iterable[NameEntry], *, lineage: Sequence[int] = ()
) -> int:
    """Add names of an edition that is being built. Returns how many were new to the lineage."""
    added = 0
    stream = iter(entries)
    while batch := list(islice(stream, SEGMENT)):
        added += _stage(database, edition_id, batch, lineage)
        batch.clear()  # before the next is read
    return added


def _stage(database: Database, edition_id: int, batch: Sequence[NameEntry], lineage: Sequence[int]) -> int:
    with database.read() as connection:
        fresh = _unseen(connection, batch, [edition_id, *lineage])
    if fresh:
        segment = _Segment(fresh)  # the long part, before anything is locked
        with database.write() as connection:
            segment.insert(connection, edition_id)
    return len(fresh)


def clear_names(database: Database, edition_id: int) -> None:
    """Forget what was staged for an edition. A killed clearing is finished by the next one."""
    with database.read() as connection:
        segments = _segments(connection, edition_id)
    for segment in segments:
        with database.write() as connection:
            _drop(connection, segment)


def replace_names(connection: Connection, entries: Iterable[NameEntry]) -> None:
    """Names given by hand, instead of those given by hand before for the same firms."""
    fresh = list(dict.fromkeys(entries))
    remove_names(connection, sorted({entry.uscc for entry in fresh}))
    if not fresh:
        return
    segments = _segments(connection, HAND)
    if len(segments) >= _MOST_HAND_SEGMENTS:
        kept = select(firm_name.c.uscc, firm_name.c.name).where(firm_name.c.edition_id == HAND)
        fresh += [NameEntry(uscc, name) for uscc, name in connection.execute(kept)]
        for segment in segments:
            _drop(connection, segment)
    _Segment(fresh).insert(connection, HAND)


def remove_names(connection: Connection, usccs: Sequence[str]) -> None:
    """Take back the names that were given by hand. Their tokens stay and lead nowhere."""
    given = among(connection, "uscc", "usccs", "varchar")
    connection.execute(
        text(f"DELETE FROM firm_name WHERE edition_id = {HAND} AND {given}"),
        {"usccs": listed(connection, usccs)},
    )


def _unseen(connection: Connection, batch: Sequence[NameEntry], editions: Sequence[int]) -> list[NameEntry]:
    """What no edition of the lineage shows yet, each once."""
    entries = list(dict.fromkeys(batch))
    shown = text(
        "SELECT uscc, name FROM firm_name WHERE "
        + among(connection, "uscc", "usccs", "varchar")
        + " AND "
        + among(connection, "edition_id", "editions", "integer")
    )
    given = {
        "usccs": listed(connection, [entry.uscc for entry in entries]),
        "editions": listed(connection, list(editions)),
    }
    seen = {NameEntry(uscc, name) for uscc, name in connection.execute(shown, given)}
    return [entry for entry in entries if entry not in seen] if seen else entries


class _Segment:
    """Entries in the order of their cores' length, then core, then code, with their tokens."""

    def __init__(self, entries: Sequence[NameEntry]) -> None:
        formed = sorted(
            ((form(entry.name), entry) for entry in entries),
            key=lambda both: (len(both[0].core), both[0].core, both[1].uscc),
        )
        forms = [each for each, _ in formed]
        self._entries = [entry for _, entry in formed]
        self._lengths = core_lengths(forms).tolist()
        self._postings = list(postings(forms, [entry.uscc for entry in self._entries]))

    def insert(self, connection: Connection, edition_id: int) -> None:
        made = insert(name_segment).values(edition_id=edition_id, entries=len(self._entries))
        number = int(connection.execute(made.returning(name_segment.c.id)).scalar_one())
        insert_names(connection, self._rows(edition_id, number))
        insert_postings(connection, number, self._postings)

    def _rows(self, edition_id: int, number: int) -> Iterator[tuple[int, int, str, str]]:
        for place, (length, entry) in enumerate(zip(self._lengths, self._entries, strict=True)):
            yield entry_id(length, number, place), edition_id, entry.uscc, entry.name


def _segments(connection: Connection, edition_id: int) -> list[int]:
    asked = select(name_segment.c.id).where(name_segment.c.edition_id == edition_id)
    return [number for (number,) in connection.execute(asked)]


def _drop(connection: Connection, segment: int) -> None:
    connection.execute(delete(name_gram).where(name_gram.c.segment == segment))
    for length in range(LONGEST_CORE + 1):
        first = entry_id(length, segment, 0)
        span = firm_name.c.id.between(first, first + (1 << PLACE_BITS) - 1)
        connection.execute(delete(firm_name).where(span))
    connection.execute(delete(name_segment).where(name_segment.c.id == segment))


def entry_id(length: int, segment: int, place: int) -> int:
    """The id of ``firm_name``: core length, segment, place, the shortest core first."""
    return length << 56 | segment << PLACE_BITS | place
