"""Deleting uploads, and what a sweep finds to do."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from models.jobs.leases import database_now
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.job_tables import upload
from models.settings import Settings
from models.store import store_of
from models.uploads.rows import find_upload, folder_key, move
from models.uploads.turns import Work, park, waits

DELETABLE = ("queued", "checking", "checked", "refused", "confirmed", "failed")


def delete_upload(
    database: Database, settings: Settings, upload_id: str, *, owner: str | None, actor: Actor, now: datetime
) -> None:
    """Remove an upload with its files, at any time before its import begins. Raises U404, U409.

    The row stays, with name and hash but without the report, for the audit's sake.
    """
    with database.write() as connection:
        one = find_upload(connection, upload_id, owner)
        move(connection, one, DELETABLE, "deleted", report=None, mapping=None, problem=None, ended_at=now)
        append(connection, [actor.event("upload.delete", f"upload:{one.id}", one.sha256, None)], now)
    store_of(settings).delete(folder_key(one.id))


class Due(NamedTuple):
    """How many uploads wait with nobody at them, and how many somebody is at."""

    waiting: int
    at_work: int


def due(database: Database, work: Work) -> Due:
    """What there is of this work; uploads whose workers keep dying are parked meanwhile."""
    with database.write() as connection:
        park(connection, work)
        now = database_now(connection)
        count = select(func.count()).select_from(upload)
        at_work = count.where(upload.c.status == work.working, upload.c.lease_until >= now)
        waiting = count.where(waits(now, work))
        return Due(*(int(connection.execute(query).scalar_one()) for query in (waiting, at_work)))
