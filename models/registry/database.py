"""The database: PostgreSQL or SQLite behind two words, ``read`` and ``write``.

The engine is made when it is first needed, so that a process that forks inherits no connection.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models.errors import Text, TiduiError

BUSY_SECONDS = 15
"""How long a writer waits for another one on SQLite before it is told to try again."""

LEASE_SECONDS = 0.02
"""How long a process may answer by counters of ``state`` it has read; see :mod:`.pulse`."""

LIVELY: Mapping[str, int] = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""For libpq: a path to the database that silently drops everything is noticed within half a minute."""


class DatabaseAway(TiduiError):
    """The database does not answer, or another writer holds it for too long. Try again."""

    status = 503


class Database:
    """Connections to one database. Safe to share between threads, and across a fork that has not used it."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = url
        self._pool_size = pool_size
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def engine(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = _sqlite(self.url) if self.is_sqlite else _postgres(self.url, self._pool_size)
            return self._engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that changes nothing: one consistent view on both databases. Raises DatabaseAway."""
        with _told(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end, or leaves nothing. Raises DatabaseAway.

        On SQLite the write lock is taken at once: two writers wait, they do not fail half-way.
        After :func:`outdates` it ends no sooner than every process must have seen the change.
        """
        outdated: list[bool] = []
        with _told(), self.engine.connect() as connection:
            writing = connection.execution_options(tidui_write=True, tidui_outdated=outdated)
            with writing.begin():
                yield writing
        if outdated:
            time.sleep(LEASE_SECONDS)

    def forget(self) -> None:
        """In a forked child: drop the parent's connections without closing them."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose(close=False)

    def close(self) -> None:
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None


def outdates(connection: Connection) -> None:
    """Said within :meth:`Database.write` by whoever counts a counter of ``state`` up."""
    options = connection.get_execution_options()
    assert "tidui_outdated" in options, "state changes only within Database.write"
    options["tidui_outdated"].append(True)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise DatabaseAway(
            "D001",
            Text("数据库暂时不能使用，请稍后再试", "the database cannot be used just now"),
            Text("几秒后重试；仍不行请联系管理员", "Try again in a few seconds"),
        ) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseAway(
                "D001",
                Text("数据库连接中断，请重试", "the connection to the database broke"),
                Text("请重试", "Try again"),
            ) from error
        raise


def _postgres(url: str, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        pool_pre_ping=False,  # a broken connection is told of, and the pool then makes new ones
        pool_recycle=1800,
        isolation_level="READ COMMITTED",
        # No JIT: the planner overrates the lineage of editions, and compiling that took 250 ms a question.
        connect_args={**LIVELY, "options": "-c jit=off"},
    )
    return engine


def _sqlite(url: str) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    # Transactions begin by our own word, not at the driver's guess.
    connection.isolation_level = None
    for pragma in (
        "page_size=8192",  # of a new file: facts are some 2 kB a firm, one to a page of 4 kB
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "cache_size=-65536",
        "mmap_size=268435456",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("tidui_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
