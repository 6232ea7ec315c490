"""What the clock started last, and what came of it: one row of ``scheduled`` a thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.registry.job_tables import scheduled


@dataclass(frozen=True, slots=True)
class Started:
    """The last time something was started."""

    name: str
    at: datetime | None
    result: Mapping[str, Any] | None


def record(connection: Connection, name: str, now: datetime, result: Mapping[str, Any]) -> None:
    """Within the caller's transaction."""
    values = {"last_at": now, "last_result": orjson.dumps(result).decode()}
    kept = update(scheduled).where(scheduled.c.name == name).values(values)
    if connection.execute(kept).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(scheduled).values(name=name, **values))
    except IntegrityError:  # another was quicker
        connection.execute(kept)


def last_started(connection: Connection) -> dict[str, Started]:
    """By name."""
    rows = connection.execute(select(scheduled).order_by(scheduled.c.name))
    return {
        row.name: Started(row.name, row.last_at, orjson.loads(row.last_result) if row.last_result else None)
        for row in rows
    }
