"""The database a command works on: made and migrated where that needs nobody's leave, checked elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models.errors import Text, TiduiError
from models.registry.database import Database
from models.registry.migrate import is_current, upgrade
from models.settings import Settings


class SchemaOld(TiduiError):
    """The database has another schema than this version was written for."""

    status = 503


@contextmanager
def database_for(settings: Settings) -> Iterator[Database]:
    """The configured database: SQLite is migrated on the way, PostgreSQL must be (SchemaOld, D002)."""
    database = Database(settings.database_url)
    try:
        if settings.is_sqlite:
            upgrade(database)
        elif not is_current(database):
            raise SchemaOld(
                "D002",
                Text("数据库表结构还没有建立或更新", "the database has no schema yet, or an old one"),
                Text("先运行 tidui registry migrate", "Run tidui registry migrate first"),
            )
        yield database
    finally:
        database.close()
