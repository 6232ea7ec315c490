"""Work that is one row: worked out once, by whichever worker takes it; an impact, a training.

Its table has ``id, status, problem, active_key, queued_at, ended_at`` and a lease that counts. While it is
open, ``active_key`` is of what was asked, so that asking again gives the same row.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.errors import Text, TiduiError
from models.jobs.leases import MOST_DELIVERIES, Lease, database_now, end, free, lapsed, take
from models.registry.database import Database, DatabaseAway
from models.store import StoreAway


@dataclass(frozen=True, slots=True)
class Begun:
    """A row that was queued now, or the open one that already asks the same (``fresh`` False)."""

    id: str
    fresh: bool


class Lost(Exception):
    """The row was given to another worker meanwhile."""


def queue_row(connection: Connection, table: Table, asked: Mapping[str, Any], **beside: Any) -> Begun:
    """Queue what is ``asked`` for, unless an open row asks just that; ``beside``: columns that are no part of
    the question.
    """
    key = hashlib.sha256(repr(sorted(asked.items())).encode()).hexdigest()
    known = select(table.c.id).where(table.c.active_key == key)
    found = connection.execute(known).scalar_one_or_none()
    if found is not None:
        return Begun(found, False)
    row = {"id": str(uuid.uuid4()), "status": "queued", "active_key": key, "deliveries": 0}
    try:
        with connection.begin_nested():
            connection.execute(insert(table).values(**row, **asked, **beside))
    except IntegrityError:
        return Begun(str(connection.execute(known).scalar_one()), False)
    return Begun(str(row["id"]), True)


def do_row(
    database: Database,
    table: Table,
    row_id: str,
    seconds: float,
    work: Callable[[Lease], Mapping[str, Any]],
    clock: Callable[[], datetime],
) -> bool:
    """Take the row, work, and put down what ``work`` gives. False: it is done, another's, or gone.

    A refusal (TiduiError) is written down and ends it. Where the store is away it waits again, and this time
    does not count; any other exception leaves the lease to run out.
    """
    with database.write() as connection:
        lease = take(connection, table, {"id": row_id}, seconds)
    if lease is None:
        return False
    try:
        values: dict[str, Any] = {"status": "succeeded", **work(lease)}
    except Lost:
        return False
    except StoreAway:
        _give_back(database, table, row_id, lease.token)
        raise
    except DatabaseAway:
        raise  # it is taken again when the lease has run out
    except TiduiError as error:
        values = {"status": "failed", "problem": problem_of(error)}
    with database.write() as connection:
        ended = {**values, "active_key": None, "ended_at": clock()}
        return end(connection, table, {"id": row_id}, lease.token, **ended)


def open_rows(
    database: Database, table: Table, code: str, hint: Text, clock: Callable[[], datetime]
) -> list[str]:
    """For the sweep: rows that nobody works at, the oldest first. One that was given out too often is parked
    as failed, with ``code`` and ``hint``.
    """
    with database.write() as connection:
        for row in lapsed(connection, table):
            if row.deliveries >= MOST_DELIVERIES:
                _park(connection, table, row, code, hint, clock())
        now = database_now(connection)
        asked = select(table.c.id).where(free(table, now, ("queued",), "running"))
        return list(connection.execute(asked.order_by(table.c.queued_at)).scalars())


def problem_of(error: TiduiError) -> str:
    """An error as it stands in a row."""
    said: dict[str, Any] = {"code": error.code, "zh": error.message.zh, "en": error.message.en}
    if error.hint is not None:
        said["hint"] = {"zh": error.hint.zh, "en": error.hint.en}
    return orjson.dumps(said).decode()


def _give_back(database: Database, table: Table, row_id: str, token: str) -> None:
    """Nothing was wrong with it: it waits again, and this time does not count."""
    with database.write() as connection:
        fewer = table.c.deliveries - 1
        end(connection, table, {"id": row_id}, token, status="queued", deliveries=fewer)


def _park(connection: Connection, table: Table, row: Row[Any], code: str, hint: Text, now: datetime) -> None:
    parked = TiduiError(
        code,
        Text(
            f"处理它的进程 {row.deliveries} 次中断，已搁置",
            f"its worker was lost {row.deliveries} times; it is parked",
        ),
        hint,
    )
    values = {"problem": problem_of(parked), "active_key": None, "ended_at": now}
    mine = (table.c.id == row.id) & (table.c.lease_owner == row.lease_owner)
    connection.execute(update(table).where(mine).values(status="failed", lease_until=None, **values))
