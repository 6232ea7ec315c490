"""When which run became the registry's standing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from models.registry.tables import run


def last_standing_before(connection: Connection, moment: datetime) -> int:
    """The id of the last run that stood before a moment; 0 if none did. Where the change feed begins."""
    asked = select(func.max(run.c.id)).where(run.c.stood_at < moment)
    return connection.execute(asked).scalar_one() or 0
