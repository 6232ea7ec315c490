"""Clearing away what a killed import or run left behind. Nothing of it was ever seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from models.registry.database import Database
from models.registry.editions import remove_edition, remove_unfinished
from models.registry.runs import fail_unfinished_runs
from models.registry.search.write import clear_names
from models.registry.staging import clear
from models.registry.tables import edition, facts, firm, run
from models.settings import Settings


def clear_unfinished(database: Database, settings: Settings, now: datetime) -> None:
    """To be called under the registry's lock: then whatever is half done is nobody's."""
    remove_unfinished(settings)
    fail_unfinished_runs(database, now)
    with database.read() as connection:
        query = select(edition.c.id, edition.c.hash).where(edition.c.status == "building")
        editions = connection.execute(query).all()
    for edition_id, edition_hash in editions:
        _clear_edition(database, edition_id)
        remove_edition(settings, edition_hash)


def _clear_edition(database: Database, edition_id: int) -> None:
    clear(database, facts, "edition_id", edition_id)
    clear(database, firm, "edition_id", edition_id)
    clear_names(database, edition_id)
    with database.write() as connection:
        connection.execute(delete(run).where(run.c.edition_id == edition_id))
        connection.execute(delete(edition).where(edition.c.id == edition_id))
