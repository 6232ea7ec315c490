"""Deleting uploads, and what a sweep finds to do."""

from __future__ import annotations

from datetime import datetime

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


def due(database: Database, work: Work) -> int:
    """How many uploads wait for this work with nobody at them; those whose workers keep dying are parked."""
    with database.write() as connection:
        park(connection, work)
        query = select(func.count()).select_from(upload).where(waits(database_now(connection), work))
        return int(connection.execute(query).scalar_one())
