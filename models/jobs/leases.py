"""Leases: a row of work belongs to one worker until a moment, by the database's clock.

A worker's own clock may be an hour off, so it is never asked. Whoever takes a row gets a new token; only
who holds it may end the work. A worker that dies leaves a lease that runs out, and the sweep gives the row
out again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, or_, select, true, update

MOST_DELIVERIES = 2
"""A row that was given out so often and never came back is parked: it may be what kills its workers."""

Key = Mapping[str, Any]
"""The row's primary key: column → value."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What shows that a row is ours."""

    token: str
    until: datetime
    deliveries: int
    """How often the row was given out, this time included; 0 where its table does not count."""


def database_now(connection: Connection) -> datetime:
    """The database's clock, in UTC; it moves on within a transaction."""
    if connection.dialect.name == "sqlite":
        said = connection.exec_driver_sql("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')").scalar_one()
        return datetime.fromisoformat(said).replace(tzinfo=UTC)
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now.astimezone(UTC)


def take(
    connection: Connection,
    table: Table,
    key: Key,
    seconds: float,
    *,
    waiting: Sequence[str] = ("queued",),
    working: str = "running",
    where: ColumnElement[bool] | None = None,
) -> Lease | None:
    """Take a row that waits, or whose worker let its lease run out; its status becomes ``working``.

    None: somebody else has it, it is done, or it was given out :data:`MOST_DELIVERIES` times. Commit at once,
    before the work. ``where`` is asked besides.
    """
    now = database_now(connection)
    lease = Lease(secrets.token_hex(16), now + timedelta(seconds=seconds), 0)
    columns = table.c
    values: dict[str, Any] = {"status": working, "lease_until": lease.until, "lease_owner": lease.token}
    counted = "deliveries" in columns
    if counted:
        values["deliveries"] = columns.deliveries + 1
    statement = (
        update(table)
        .where(_is(table, key), free(table, now, waiting, working), true() if where is None else where)
        .values(values)
        .returning(columns.deliveries if counted else columns.lease_owner)
    )
    if counted:
        statement = statement.where(columns.deliveries < MOST_DELIVERIES)
    taken = connection.execute(statement).first()
    if taken is None:
        return None
    return Lease(lease.token, lease.until, taken[0] if counted else 0)


def mine(connection: Connection, table: Table, key: Key, token: str) -> bool:
    """Is the row still ours? On PostgreSQL nobody else can take it until this transaction ends."""
    asked = select(table.c.lease_owner).where(_is(table, key)).with_for_update()
    return connection.execute(asked).scalar_one_or_none() == token


def renew(connection: Connection, table: Table, key: Key, token: str, seconds: float) -> bool:
    """Hold the row for so many seconds from now, if it is still ours."""
    until = database_now(connection) + timedelta(seconds=seconds)
    statement = update(table).where(_is(table, key), table.c.lease_owner == token)
    return connection.execute(statement.values(lease_until=until)).rowcount == 1


def end(connection: Connection, table: Table, key: Key, token: str, **values: Any) -> bool:
    """Give the row back with these values (``status`` among them); False, and nothing done, if not ours."""
    statement = update(table).where(_is(table, key), table.c.lease_owner == token)
    done = connection.execute(statement.values(lease_until=None, lease_owner=None, **values))
    return done.rowcount == 1


def free(table: Table, now: datetime, waiting: Sequence[str], working: str) -> ColumnElement[bool]:
    """Rows that can be taken: those that wait, and those whose worker let the lease run out."""
    columns = table.c
    lapsed = or_(columns.lease_until.is_(None), columns.lease_until < now)
    return or_(columns.status.in_(tuple(waiting)), and_(columns.status == working, lapsed))


def lapsed(connection: Connection, table: Table, *, working: str = "running") -> Sequence[Row[Any]]:
    """Whole rows that somebody took and whose lease has run out: to be given out again, or parked."""
    columns = table.c
    gone = or_(columns.lease_until.is_(None), columns.lease_until < database_now(connection))
    return connection.execute(select(table).where(columns.status == working, gone)).all()


def _is(table: Table, key: Key) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in key.items()))
