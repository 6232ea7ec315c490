"""Who is told: adding, listing, turning the secret, switching off."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row, func, insert, select, update

from models.errors import Text, TiduiError, UsageRefused
from models.registry.audit import Actor, append
from models.registry.job_tables import webhook
from models.webhooks.addresses import Network, read_url
from models.webhooks.deliveries import bury_waiting, enqueue, message
from models.webhooks.signing import new_secret

EVENTS = ("movements",)
MOST = 50
"""Webhooks in use at once."""
BOTH_LIVE = timedelta(hours=24)
"""How long the secret before the present one still signs."""


class WebhookUnknown(TiduiError):
    """No webhook has this id, or it was deleted, or belongs to another district."""

    status = 404


@dataclass(frozen=True, slots=True)
class Webhook:
    """One subscription. ``district`` None: of the whole city. Its secrets are not told again."""

    id: str
    url: str
    events: Sequence[str]
    district: str | None
    made_by: str
    made_at: datetime
    disabled_at: datetime | None
    live_secrets: int


def add(
    connection: Connection,
    url: str,
    events: Sequence[str],
    *,
    district: str | None,
    allowed: Sequence[Network],
    actor: Actor,
    now: datetime,
) -> tuple[Webhook, str]:
    """The webhook and its secret, which is shown this once; a ``ping`` waits to be sent.

    UsageRefused: W001 no such URL, W002 an address that is not allowed, W003 too many.
    """
    read_url(url, allowed)
    used = select(func.count()).select_from(webhook).where(webhook.c.disabled_at.is_(None))
    if connection.execute(used).scalar_one() >= MOST:
        raise UsageRefused(
            "W003",
            Text(f"订阅已有 {MOST} 个，不能再加", f"there are {MOST} webhooks already"),
            Text("先删去不用的", "Delete those that are not used"),
        )
    secret = new_secret()
    id_ = str(uuid.uuid4())
    kept = {
        "id": id_, "url": url, "secrets": _spelt([(secret, None)]), "events": orjson.dumps(events).decode(),
        "district": district, "made_by": actor.name, "made_at": now,
    }  # fmt: skip
    connection.execute(insert(webhook).values(kept))
    enqueue(connection, id_, "ping", message("ping", now, {"webhook": id_}), now)
    append(connection, [actor.event("webhook.create", f"webhook:{id_}", url=url, district=district)], now)
    return find(connection, id_, now, district), secret


def all_webhooks(connection: Connection, now: datetime, district: str | None) -> list[Webhook]:
    """Those not deleted, oldest first; of one district where given."""
    query = select(webhook).where(webhook.c.secrets != "[]").order_by(webhook.c.made_at, webhook.c.id)
    if district is not None:
        query = query.where(webhook.c.district == district)
    return [_webhook(row, now) for row in connection.execute(query)]


def find(connection: Connection, id: str, now: datetime, district: str | None) -> Webhook:
    """WebhookUnknown (W404)."""
    return _webhook(_row(connection, id, district), now)


def rotate(
    connection: Connection, id: str, *, district: str | None, actor: Actor, now: datetime
) -> tuple[Webhook, str]:
    """A new secret, shown this once; the one before signs beside it for a day. WebhookUnknown (W404)."""
    row = _row(connection, id, district, lock=True)
    newest = orjson.loads(row.secrets)[0]["secret"]
    secret = new_secret()
    secrets = _spelt([(secret, None), (newest, now + BOTH_LIVE)])
    # A webhook that a 410 switched off is in use again.
    connection.execute(update(webhook).where(webhook.c.id == id).values(secrets=secrets, disabled_at=None))
    append(connection, [actor.event("webhook.rotate", f"webhook:{id}")], now)
    return find(connection, id, now, district), secret


def delete(connection: Connection, id: str, *, district: str | None, actor: Actor, now: datetime) -> None:
    """Its secrets go and what waits is not sent; what was sent stays on record. WebhookUnknown (W404)."""
    _row(connection, id, district, lock=True)
    connection.execute(update(webhook).where(webhook.c.id == id).values(secrets="[]", disabled_at=now))
    bury_waiting(connection, id, "deleted", now)
    append(connection, [actor.event("webhook.delete", f"webhook:{id}")], now)


def live_secrets(kept: str, now: datetime) -> list[str]:
    """Of the column ``secrets``: those that sign now, the newest first."""
    return [
        one["secret"]
        for one in orjson.loads(kept)
        if one["until"] is None or datetime.fromisoformat(one["until"]) > now
    ]


def _spelt(secrets: Sequence[tuple[str, datetime | None]]) -> str:
    return orjson.dumps([{"secret": secret, "until": until} for secret, until in secrets]).decode()


def _row(connection: Connection, id: str, district: str | None, *, lock: bool = False) -> Row[Any]:
    query = select(webhook).where(webhook.c.id == id, webhook.c.secrets != "[]")
    if district is not None:
        query = query.where(webhook.c.district == district)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise WebhookUnknown(
            "W404",
            Text("没有这个订阅", "there is no such webhook"),
            Text("见 GET /v1/webhooks", "GET /v1/webhooks lists them"),
        )
    return row


def _webhook(row: Row[Any], now: datetime) -> Webhook:
    return Webhook(
        row.id, row.url, orjson.loads(row.events), row.district, row.made_by, row.made_at, row.disabled_at,
        len(live_secrets(row.secrets, now)),
    )  # fmt: skip
