"""Whose turn it is: uploads are taken by leases, fairly between their uploaders, and kept while worked at.

The next one is of whoever has the fewest at work, then of whoever was served longest ago; among one
uploader's, the oldest. Two hundred files of one uploader so delay another's single file by one check.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, update

from models.errors import Text, TiduiError
from models.jobs.leases import MOST_DELIVERIES, database_now, lapsed, take
from models.registry.database import Database, DatabaseAway
from models.registry.job_tables import upload
from models.uploads.rows import Upload, as_upload, packed, problem_of

RENEWALS = 4
"""A lease is made longer so many times within its length."""
PAUSE_SECONDS = 10.0
"""Before an upload is tried again whose work could not be done now."""


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of work on uploads: the states it goes from, through and, where its workers die, to."""

    waiting: str
    working: str
    parked: str
    served: str
    """The column that says when an uploader was last served."""


CHECK = Work("queued", "checking", "refused", "checked_at")
IMPORT = Work("confirmed", "importing", "failed", "ended_at")


@dataclass(frozen=True, slots=True)
class Turn:
    """An upload that is ours until the lease ends."""

    upload: Upload
    token: str


def take_next(database: Database, work: Work, seconds: float) -> Turn | None:
    """Take the upload whose turn it is; None where none waits. Raises DatabaseAway."""
    with database.write() as connection:
        park(connection, work)
    while True:
        with database.write() as connection:
            chosen = next_waiting(connection, work)
            if chosen is None:
                return None
            turn = _taken(connection, chosen, work, seconds)
        if turn is not None:  # else another worker was quicker
            return turn


def take_this(database: Database, upload_id: str, work: Work, seconds: float) -> Turn | None:
    """Take one upload out of turn; None where it does not wait."""
    with database.write() as connection:
        return _taken(connection, upload_id, work, seconds)


@contextmanager
def kept(database: Database, turn: Turn, seconds: float) -> Iterator[None]:
    """Hold the lease for as long as the work takes; if this process dies, it runs out."""
    stop = threading.Event()

    def renew() -> None:
        while not stop.wait(seconds / RENEWALS):
            try:
                with database.write() as connection:
                    until = database_now(connection) + timedelta(seconds=seconds)
                    connection.execute(_mine(turn).values(lease_until=until))
            except DatabaseAway:
                continue  # it is back in time, or the lease runs out

    renewing = threading.Thread(target=renew, name="lease", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        stop.set()
        renewing.join()


def ended(connection: Connection, turn: Turn, **values: Any) -> bool:
    """Leave the upload as ``values`` say; False, and nothing done, where it is no longer ours."""
    done = connection.execute(
        _mine(turn).values({"lease_until": None, "lease_owner": None, "deliveries": 0, **values})
    )
    return done.rowcount == 1


def give_back(database: Database, turn: Turn, work: Work, seconds: float = PAUSE_SECONDS) -> None:
    """It could not be done now and nobody died: it waits again, and is not taken for a while."""
    with database.write() as connection:
        until = database_now(connection) + timedelta(seconds=seconds)
        ended(connection, turn, status=work.waiting, lease_until=until)


def park(connection: Connection, work: Work) -> int:
    """Uploads whose workers died each time are given up, with the reason; how many that were."""
    given_up = [
        row for row in lapsed(connection, upload, working=work.working) if row.deliveries >= MOST_DELIVERIES
    ]
    for row in given_up:
        values = {"status": work.parked, "lease_until": None, "lease_owner": None}
        again = update(upload).where(upload.c.id == row.id, upload.c.lease_owner == row.lease_owner)
        connection.execute(again.values(problem=packed(problem_of(_gave_up(row.deliveries))), **values))
    return len(given_up)


def next_waiting(connection: Connection, work: Work) -> str | None:
    """The id of the upload whose turn it is."""
    now = database_now(connection)
    columns = upload.c
    at_work = (
        select(columns.owner, func.count().label("number"))
        .where(columns.status == work.working, columns.lease_until >= now)
        .group_by(columns.owner)
        .subquery()
    )
    served = (
        select(columns.owner, func.max(columns[work.served]).label("last")).group_by(columns.owner).subquery()
    )
    query = (
        select(columns.id)
        .outerjoin(at_work, at_work.c.owner == columns.owner)
        .outerjoin(served, served.c.owner == columns.owner)
        .where(waits(now, work))
        .order_by(
            func.coalesce(at_work.c.number, 0),
            case((served.c.last.is_(None), 0), else_=1),
            served.c.last,
            columns.received_at,
            columns.id,
        )
    )
    found: str | None = connection.execute(query.limit(1)).scalar_one_or_none()
    return found


def waits(now: datetime, work: Work) -> ColumnElement[bool]:
    """Uploads that can be taken now: nobody is at them, and they are not set aside for a while."""
    columns = upload.c
    free = or_(columns.lease_until.is_(None), columns.lease_until < now)
    return and_(columns.status.in_((work.waiting, work.working)), free, columns.deliveries < MOST_DELIVERIES)


def _taken(connection: Connection, upload_id: str, work: Work, seconds: float) -> Turn | None:
    lease = take(
        connection, upload, {"id": upload_id}, seconds,
        waiting=(work.waiting,), working=work.working, where=waits(database_now(connection), work),
    )  # fmt: skip
    if lease is None:
        return None
    row = connection.execute(select(upload).where(upload.c.id == upload_id)).one()
    return Turn(as_upload(row), lease.token)


def _mine(turn: Turn) -> Any:
    return update(upload).where(upload.c.id == turn.upload.id, upload.c.lease_owner == turn.token)


def _gave_up(times: int) -> TiduiError:
    return TiduiError(
        "U501",
        Text(
            f"处理这个文件的程序 {times} 次中途停止，不再自动重试",
            f"what worked at this file stopped {times} times; it is not tried again by itself",
        ),
        Text(
            "删除后重传可再试一次；仍不行请把文件交给管理员",
            "Delete it and upload it again to try once more, or hand it to the administrator",
        ),
    )
