"""One at a time: imports, activations, title lists and runs change what is active."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from models.errors import Text, TiduiError
from models.registry.database import Database
from models.settings import Settings

_KEY = 7_420_117
"""Of the advisory lock on PostgreSQL; any number that nothing else uses."""


class Busy(TiduiError):
    """Another change of the registry is under way."""

    status = 409


@contextmanager
def one_at_a_time(database: Database, settings: Settings) -> Iterator[None]:
    """Hold the registry's lock; Busy (G001) at once where another holds it. A killed holder lets go."""
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            holder = connection.execution_options(isolation_level="AUTOCOMMIT")
            if not holder.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY}).scalar_one():
                raise _busy()
            try:
                yield
            finally:
                holder.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _KEY})
        return
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / "registry.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy() from None
        yield


def _busy() -> Busy:
    return Busy(
        "G001",
        Text(
            "另一次导入（或启用、名单、重评）正在进行",
            "another import (or activation, title list, run) is under way",
        ),
        Text("等它结束后再试", "Try again when it has finished"),
    )
