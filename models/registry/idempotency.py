"""Idempotency keys: the first call with a key does the work, later ones get its answer.

The row is the lock: whoever inserts it works. A worker that died leaves a row without an answer, which the
next call takes over after the lease.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.errors import Text, TiduiError
from models.registry.database import Database
from models.registry.tables import idempotency

LEASE = timedelta(seconds=60)
KEPT = timedelta(hours=24)


class KeyReused(TiduiError):
    """The same key with another request."""

    status = 422


class StillRunning(TiduiError):
    """The first call with this key has not ended."""

    status = 409
    headers = (("Retry-After", "1"),)


@dataclass(frozen=True)
class Stored:
    """An answer as it was given."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Claim:
    """The right to do the work and to store its answer."""

    owner: str
    key: str
    made_at: datetime


def begin(database: Database, owner: str, key: str, request_hash: str, now: datetime) -> Claim | Stored:
    """Claim the key, or get the stored answer. KeyReused (I422), StillRunning (I409)."""
    claim = Claim(owner, key, now)
    try:
        with database.write() as connection:
            connection.execute(delete(idempotency).where(idempotency.c.made_at < now - KEPT))
            connection.execute(
                insert(idempotency).values(owner=owner, key=key, request_hash=request_hash, made_at=now)
            )
        return claim
    except IntegrityError:
        with database.write() as connection:
            return _second(connection, claim, request_hash)


def finish(database: Database, claim: Claim, answer: Stored) -> None:
    """Keep the answer, unless the claim was taken over meanwhile."""
    with database.write() as connection:
        connection.execute(
            update(idempotency)
            .where(_mine(claim))
            .values(
                status=answer.status,
                headers=orjson.dumps(dict(answer.headers)).decode(),
                body=zlib.compress(answer.body, 1),
            )
        )


def release(database: Database, claim: Claim) -> None:
    """Nothing was done: the key may be used again."""
    with database.write() as connection:
        connection.execute(delete(idempotency).where(_mine(claim)))


def _second(connection: Connection, claim: Claim, request_hash: str) -> Claim | Stored:
    row = connection.execute(
        select(idempotency).where(idempotency.c.owner == claim.owner, idempotency.c.key == claim.key)
    ).one_or_none()
    if row is None:
        raise _running()  # released this moment
    if row.request_hash != request_hash:
        raise KeyReused(
            "I422",
            Text(
                "这个 Idempotency-Key 已用于另一个请求", "this Idempotency-Key was used for another request"
            ),
            Text("不同的请求请用不同的键", "Use another key for another request"),
        )
    if row.status is not None:
        return Stored(row.status, orjson.loads(row.headers), zlib.decompress(row.body))
    if row.made_at > claim.made_at - LEASE or not _taken_over(connection, claim, row.made_at):
        raise _running()
    return claim


def _taken_over(connection: Connection, claim: Claim, seen: datetime) -> bool:
    taken = update(idempotency).where(_mine(claim, seen)).values(made_at=claim.made_at)
    return connection.execute(taken).rowcount == 1


def _mine(claim: Claim, made_at: datetime | None = None) -> ColumnElement[bool]:
    return and_(
        idempotency.c.owner == claim.owner,
        idempotency.c.key == claim.key,
        idempotency.c.made_at == (made_at or claim.made_at),
        idempotency.c.status.is_(None),
    )


def _running() -> StillRunning:
    return StillRunning(
        "I409",
        Text("同一 Idempotency-Key 的请求还在处理", "a request with this Idempotency-Key is still at work"),
        Text("1 秒后用同一个键重试", "Try again in a second with the same key"),
    )
