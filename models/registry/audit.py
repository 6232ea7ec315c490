"""The audit: who did what to which object and why, every record chained to the one before by SHA-256.

A record's hash covers all its fields, its number and the hash before it, so that a record changed, dropped,
swapped or put in between shows; ``audit_head`` keeps number and hash of the last, so that a cut-off end shows
too. Someone who can rewrite the whole table and its head can only be found by a head noted elsewhere: see
``anchor``.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, func, inspect, select, update

from models.errors import Text
from models.registry.tables import audit, audit_head

BATCH = 1000
HASHED = (
    "seq", "id", "at", "actor", "role", "client", "action", "object", "purpose", "before", "after", "details",
    "previous",
)  # fmt: skip


@dataclass(frozen=True)
class Event:
    """What happened. ``before`` and ``after`` are :func:`fingerprint`s, ``details`` plain JSON.

    ``id`` and ``at`` are given for events that were noted earlier and enter the chain now; an id enters once.
    """

    actor: str
    role: str
    client: str
    action: str
    object: str
    purpose: str
    before: str | None = None
    after: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Actor:
    """Who does something (``key:…``, ``user:…``, ``cli:…``), from where, and why."""

    name: str
    role: str
    client: str
    purpose: str = ""

    def event(
        self, action: str, object: str, /, before: str | None = None, after: str | None = None, **details: Any
    ) -> Event:
        return Event(self.name, self.role, self.client, action, object, self.purpose, before, after, details)


@dataclass(frozen=True)
class Record:
    """One record as it stands in the chain."""

    seq: int
    id: str
    at: str
    actor: str
    role: str
    client: str
    action: str
    object: str
    purpose: str
    before: str | None
    after: str | None
    details: str
    previous: str
    hash: str


@dataclass(frozen=True)
class Verification:
    """``bad`` is the number of the first record that does not fit; ``reason`` what is wrong, None if nothing.

    Sound says nothing of records after the anchor: an end cut off with its head leaves no trace here.
    """

    records: int
    head: str
    bad: int | None = None
    reason: Text | None = None

    anchor: int | None = None
    """Number of the record that a hash noted elsewhere was found to fit."""

    @property
    def sound(self) -> bool:
        return self.reason is None


def fingerprint(value: Any) -> str:
    """SHA-256 of a JSON value in canonical form, for ``before`` and ``after``."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def append(
    connection: Connection, events: Sequence[Event], now: datetime, *, first_time: bool = False
) -> int:
    """Add to the chain within the caller's transaction; the number of records added.

    Takes the lock on the chain's head until that transaction ends: do it last, and commit soon.
    Events whose id stands in the chain already are left out; ``first_time`` says that none can.
    """
    head = connection.execute(select(audit_head.c.seq, audit_head.c.hash).with_for_update()).one()
    seen = set() if first_time else _known(connection, [event.id for event in events if event.id])
    rows: list[dict[str, Any]] = []
    seq, previous = head.seq, head.hash
    for event in events:
        if event.id in seen:
            continue
        seq += 1
        row = _row(event, seq, previous, now)
        previous = row["hash"]
        seen.add(row["id"])
        rows.append(row)
    if rows:
        _insert(connection, rows)
        connection.execute(update(audit_head).values(seq=seq, hash=previous))
    return len(rows)


def records(
    connection: Connection,
    *,
    object: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Record]:
    """The newest first; ``before`` is the number of the last record of the page before."""
    query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
    for column, wanted in ((audit.c.object, object), (audit.c.actor, actor), (audit.c.action, action)):
        if wanted is not None:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(audit.c.seq < before)
    return [Record(**row) for row in connection.execute(query).mappings()]


def every(connection: Connection) -> Iterator[Record]:
    """All records, oldest first, without holding them in memory."""
    return (Record(**row) for row in _rows(connection))


def verify(connection: Connection, anchor: tuple[int, str] | None = None) -> Verification:
    """Read the whole chain. ``anchor`` is a number and a hash noted earlier, which must still stand in it."""
    if torn := torn_out(connection):
        return Verification(0, "", reason=torn)
    count, previous, upto = 0, "", None
    while True:
        for row in _rows(connection, count, upto):
            complaint = _complaint(row, count + 1, previous, anchor)
            if complaint:
                return Verification(count, previous, count + 1, complaint)
            count, previous = row["seq"], row["hash"]
        if upto is not None:
            break
        head = connection.execute(select(audit_head.c.seq, audit_head.c.hash)).one()
        upto = head.seq  # the service goes on: what entered while we read is read too, up to this head
    if (head.seq, head.hash) != (count, previous):
        return Verification(count, previous, count + 1, _end(head.seq, count))
    if anchor and anchor[0] > count:
        return Verification(count, previous, count + 1, _end(anchor[0], count))
    return Verification(count, previous, anchor=anchor[0] if anchor else None)


def torn_out(connection: Connection) -> Text | None:
    """What is said where a table of the audit, or the one row of its head, is not there any more."""
    tables = inspect(connection)
    for table in (audit, audit_head):
        if not tables.has_table(table.name):
            return Text(
                f"审计的表 {table.name} 不见了，有人动过数据库",
                f"the audit's table {table.name} is missing: the database was tampered with",
            )
    if connection.execute(select(func.count()).select_from(audit_head)).scalar_one() != 1:
        return Text(
            "审计的表 audit_head 应当只有一行，被人动过",
            "the audit's table audit_head should hold one row: it was tampered with",
        )
    return None


def _row(event: Event, seq: int, previous: str, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "seq": seq,
        "id": event.id or str(uuid.uuid4()),
        "at": (event.at or now).astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor,
        "role": event.role,
        "client": event.client,
        "action": event.action,
        "object": event.object,
        "purpose": event.purpose,
        "before": event.before,
        "after": event.after,
        "details": orjson.dumps(dict(event.details), option=orjson.OPT_SORT_KEYS).decode(),
        "previous": previous,
    }
    row["hash"] = _hash(row)
    return row


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Past SQLAlchemy's statements: look-ups pay for this, thousands a second."""
    names = (*HASHED, "hash")
    columns = ", ".join(f'"{name}"' for name in names)
    values = [tuple(row[name] for name in names) for row in rows]
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            f"INSERT INTO audit ({columns}) VALUES ({', '.join('?' * len(names))})", values
        )
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY audit ({columns}) FROM STDIN") as copy:
        for value in values:
            copy.write_row(value)


def _hash(row: Mapping[str, Any] | RowMapping) -> str:
    return hashlib.sha256(orjson.dumps([row[name] for name in HASHED])).hexdigest()


def _known(connection: Connection, ids: list[str]) -> set[str | None]:
    found: set[str | None] = set()
    for start in range(0, len(ids), BATCH):
        query = select(audit.c.id).where(audit.c.id.in_(ids[start : start + BATCH]))
        found.update(connection.execute(query).scalars())
    return found


def _rows(connection: Connection, last: int = 0, upto: int | None = None) -> Iterable[RowMapping]:
    while True:
        query = select(audit).where(audit.c.seq > last).order_by(audit.c.seq).limit(BATCH)
        if upto is not None:
            query = query.where(audit.c.seq <= upto)
        page = connection.execute(query).mappings().all()
        yield from page
        if len(page) < BATCH:
            return
        last = page[-1]["seq"]


def _complaint(row: RowMapping, seq: int, previous: str, anchor: tuple[int, str] | None) -> Text | None:
    if row["seq"] != seq:
        return Text(f"缺少第 {seq} 条", f"record {seq} is missing")
    if row["previous"] != previous:
        return Text("与上一条接不上：次序被调换或中间有增删", "does not follow the record before it")
    if row["hash"] != _hash(row):
        return Text("内容被改动", "its content was changed")
    if anchor and anchor[0] == seq and anchor[1] != row["hash"]:
        return Text(
            "与另存的校验值不符：整条链被重写过", "differs from the noted hash: the chain was rewritten"
        )
    return None


def _end(expected: int, found: int) -> Text:
    if found < expected:
        return Text(f"末尾缺少 {expected - found} 条", f"{expected - found} records are missing at the end")
    return Text("末尾多出记录，或末条记录被换掉", "records were added at the end without the chain's head")
