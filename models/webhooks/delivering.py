"""Sending one message: take it by a lease, sign it, post it, write down what came of it.

Times here are the database's: a worker's clock may be wrong, and receivers refuse a timestamp that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from models.errors import UsageRefused
from models.jobs import leases
from models.registry.database import Database
from models.registry.job_tables import webhook, webhook_delivery
from models.webhooks.addresses import Network, Resolver, read_url, system_resolver
from models.webhooks.deliveries import bury_waiting, takeable
from models.webhooks.posting import SECONDS, Reply, post
from models.webhooks.signing import headers
from models.webhooks.subscriptions import live_secrets

DELAYS = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds between attempts, as Standard Webhooks proposes; ten attempts within some three days."""
LEASE_SECONDS = 180.0
"""Well above the time that a message can take, the look-up of its name included."""
AGENT = "tidui-webhooks/1"


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that this process holds."""

    id: str
    webhook_id: str
    url: str
    secrets: Sequence[str]
    body: bytes
    attempts: int
    owner: str
    at: datetime


def deliver(
    database: Database,
    delivery_id: str,
    *,
    allowed: Sequence[Network],
    resolve: Resolver = system_resolver,
    seconds: float = SECONDS,
) -> Reply | None:
    """Send one message once. None: it is not due, or somebody else is sending it."""
    with database.write() as connection:
        taken = _take(connection, delivery_id)
    if taken is None:
        return None
    reply = _sent(taken, allowed, resolve, seconds)
    with database.write() as connection:
        _settle(connection, taken, reply)
    return reply


def _sent(taken: Taken, allowed: Sequence[Network], resolve: Resolver, seconds: float) -> Reply:
    from_us = {"Content-Type": "application/json", "User-Agent": AGENT}
    signed = headers(taken.secrets, taken.id, taken.at, taken.body)
    try:
        target = read_url(taken.url, allowed)
    except UsageRefused:  # it was allowed when the webhook was made
        return Reply(None, "address_refused")
    return post(target, taken.body, {**from_us, **signed}, allowed=allowed, resolve=resolve, seconds=seconds)


def _take(connection: Connection, id: str) -> Taken | None:
    now, columns = leases.database_now(connection), webhook_delivery.c
    key, pending = {"id": id}, ("pending",)
    lease = leases.take(
        connection,
        webhook_delivery,
        key,
        LEASE_SECONDS,
        waiting=pending,
        working="pending",
        where=takeable(now),
    )
    if lease is None:
        return None
    counted = update(webhook_delivery).where(columns.id == id).values(attempts=columns.attempts + 1)
    returning = counted.returning(columns.webhook_id, columns.body, columns.attempts)
    row = connection.execute(returning).one()
    to = connection.execute(select(webhook).where(webhook.c.id == row.webhook_id)).one()
    signed_by = live_secrets(to.secrets, now)
    taken = Taken(id, to.id, to.url, signed_by, row.body.encode(), row.attempts, lease.token, now)
    if row.attempts > len(DELAYS) + 1:  # every worker that took it was lost
        _settle(connection, taken, Reply(None, "lost"))
        return None
    return taken


def _settle(connection: Connection, taken: Taken, reply: Reply) -> None:
    now = leases.database_now(connection)
    values: dict[str, Any] = {"answer": reply.status, "error": reply.fault}
    wait = None if reply.final else next(iter(DELAYS[taken.attempts - 1 :]), None)
    if reply.fault is None:
        values |= {"status": "delivered", "ended_at": now}
    elif wait is None:
        values |= {"status": "dead", "ended_at": now}
    else:
        values |= {"next_at": now + timedelta(seconds=wait)}
    ours = leases.end(connection, webhook_delivery, {"id": taken.id}, taken.owner, **values)
    if ours and reply.fault == "gone":
        _switch_off(connection, taken.webhook_id, now)


def _switch_off(connection: Connection, webhook_id: str, now: datetime) -> None:
    """The receiver said 410: it wants no more of this."""
    connection.execute(update(webhook).where(webhook.c.id == webhook_id).values(disabled_at=now))
    bury_waiting(connection, webhook_id, "gone", now)
