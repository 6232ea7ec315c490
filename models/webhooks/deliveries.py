"""The messages: one row for each message to one webhook, until it has arrived or is dead."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from models.errors import Text, TiduiError
from models.jobs.leases import database_now
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.job_tables import webhook, webhook_delivery
from models.registry.search.cursor import Mark, read_mark, write_mark

Status = str
STATUSES = ("pending", "delivered", "dead")
NAMED = timedelta(minutes=1)
"""A message that was given out waits so long for its worker before it is given out again."""
_QUESTION = b"webhook deliveries"


class DeliveryUnknown(TiduiError):
    """No message has this id, or it is of another district's webhook."""

    status = 404


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message. ``fault``: a key of :data:`models.webhooks.posting.FAULTS`."""

    id: str
    webhook_id: str
    event: str
    body: str
    status: Status
    attempts: int
    next_at: datetime | None
    answer: int | None
    fault: str | None
    made_at: datetime
    ended_at: datetime | None


def message(event: str, at: datetime, data: Mapping[str, Any]) -> str:
    """The body, as Standard Webhooks has it: what kind, when, and the data."""
    return orjson.dumps({"type": event, "timestamp": at, "data": data}).decode()


def enqueue(
    connection: Connection, webhook_id: str, event: str, body: str, now: datetime, *, id: str | None = None
) -> str:
    """A message to be sent from now on. One with an ``id`` that is there already changes nothing."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {
        "id": id or str(uuid.uuid4()), "webhook_id": webhook_id, "event": event, "body": body,
        "status": "pending", "attempts": 0, "next_at": now, "made_at": now,
    }  # fmt: skip
    connection.execute(dialect.insert(webhook_delivery).values(row).on_conflict_do_nothing())
    return str(row["id"])


def claim_due(database: Database, limit: int = 500) -> list[str]:
    """Messages whose time has come, the longest waiting first, to be given to workers now.

    They are not named again for a minute, unless a worker has taken them and given them back by then.
    """
    columns = webhook_delivery.c
    with database.read() as connection:
        asked = select(columns.id).where(_waits(database_now(connection)))
        found = connection.execute(asked.order_by(columns.next_at).limit(limit)).scalars().all()
    if not found:
        return []
    with database.write() as connection:
        now = database_now(connection)
        claim = update(webhook_delivery).where(columns.id.in_(found), _waits(now))
        values = {"lease_until": now + NAMED, "lease_owner": None}
        claimed = set(connection.execute(claim.values(values).returning(columns.id)).scalars())
    return [id_ for id_ in found if id_ in claimed]


def _waits(now: datetime) -> ColumnElement[bool]:
    columns = webhook_delivery.c
    untouched = or_(columns.lease_until.is_(None), columns.lease_until < now)
    return and_(columns.status == "pending", columns.next_at <= now, untouched)


def takeable(now: datetime) -> ColumnElement[bool]:
    """Due, and no worker holds it; that it was named does not count."""
    columns = webhook_delivery.c
    unheld = or_(columns.lease_owner.is_(None), columns.lease_until < now)
    return and_(columns.next_at <= now, unheld)


def bury_waiting(connection: Connection, webhook_id: str, fault: str, now: datetime) -> None:
    """What still waits for one webhook will not be sent."""
    mine = and_(webhook_delivery.c.webhook_id == webhook_id, webhook_delivery.c.status == "pending")
    values = {"status": "dead", "error": fault, "ended_at": now, "lease_until": None, "lease_owner": None}
    connection.execute(update(webhook_delivery).where(mine).values(values))


def page(
    connection: Connection, webhook_id: str, *, status: Status | None, cursor: str | None, limit: int
) -> tuple[list[Delivery], str | None]:
    """The newest first, and the cursor of the next page. UsageRefused (R420)."""
    columns = webhook_delivery.c
    query = select(webhook_delivery).where(columns.webhook_id == webhook_id)
    if status is not None:
        query = query.where(columns.status == status)
    question = _QUESTION + f"{webhook_id} {status}".encode()
    if cursor is not None:
        query = query.where(_after(connection, str(read_mark(cursor, question).after)))
    query = query.order_by(columns.made_at.desc(), columns.id.desc()).limit(limit + 1)
    found = [_delivery(row) for row in connection.execute(query)]
    more = len(found) > limit
    return found[:limit], write_mark(Mark(0, found[limit - 1].id), question) if more else None


def replay(connection: Connection, id: str, *, district: str | None, actor: Actor, now: datetime) -> Delivery:
    """Send it again, with all its attempts anew and its id as it was. DeliveryUnknown (W405)."""
    found = find(connection, id, district)
    columns = webhook_delivery.c
    values = {"status": "pending", "attempts": 0, "next_at": now, "ended_at": None}
    ended = and_(columns.id == id, columns.status != "pending")
    connection.execute(update(webhook_delivery).where(ended).values(values))
    about = {"delivery": id, "was": found.status}
    append(connection, [actor.event("webhook.replay", f"webhook:{found.webhook_id}", **about)], now)
    return find(connection, id, district)


def find(connection: Connection, id: str, district: str | None) -> Delivery:
    """A message of a webhook that is not deleted. DeliveryUnknown (W405)."""
    query = select(webhook_delivery).join_from(webhook_delivery, webhook)
    query = query.where(webhook_delivery.c.id == id, webhook.c.secrets != "[]")
    if district is not None:
        query = query.where(webhook.c.district == district)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise DeliveryUnknown(
            "W405",
            Text("没有这条消息", "there is no such message"),
            Text("见 GET /v1/webhooks/编号/deliveries", "GET /v1/webhooks/{id}/deliveries lists them"),
        )
    return _delivery(row)


def _after(connection: Connection, id: str) -> Any:
    columns = webhook_delivery.c
    last = connection.execute(select(columns.made_at).where(columns.id == id)).scalar_one_or_none()
    return or_(columns.made_at < last, and_(columns.made_at == last, columns.id < id))


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        row.id, row.webhook_id, row.event, row.body, row.status, row.attempts,
        row.next_at if row.status == "pending" else None,
        row.answer, row.error, row.made_at, row.ended_at,
    )  # fmt: skip
