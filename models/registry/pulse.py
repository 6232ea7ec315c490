"""The one small read that every request begins with: is anything else than before, and does this firm stand
as it did?

It goes past SQLAlchemy, on connections of its own: this read decides how many requests a second an unchanged
answer (304) can be given, and there the layers above the driver cost several times the read itself.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from typing import NamedTuple, Protocol

import psycopg
from psycopg import pq
from sqlalchemy.engine import make_url

from models.errors import Text
from models.registry.database import BUSY_SECONDS, Database, DatabaseAway


class Stamp(NamedTuple):
    """The counters of ``state``, and of the firm asked about; ``firm_version`` None: no such firm."""

    edition_id: int | None
    run_id: int | None
    registry_version: int
    keys_version: int
    firm_version: int | None = None
    district: str | None = None


_SQL = (
    "SELECT s.edition_id, s.run_id, s.registry_version, s.keys_version, f.version, f.district "
    "FROM state s LEFT JOIN firm f ON f.uscc = {} WHERE s.id = 1"
)


class _Line(Protocol):
    def read(self, uscc: str) -> Stamp: ...

    def close(self) -> None: ...


class Pulse:
    """Reads stamps. Threads may share it; it opens a connection for each that reads at the same time."""

    def __init__(self, database: Database) -> None:
        self._url = database.url
        self._is_sqlite = database.is_sqlite
        self._idle: deque[_Line] = deque()

    def read(self, uscc: str | None = None) -> Stamp:
        """The stamp now, for this firm if one is named. Raises DatabaseAway (D001)."""
        try:
            try:
                return self._read(self._idle.pop(), uscc or "")
            except (IndexError, sqlite3.Error, psycopg.Error):
                # No idle line, or a dead one: the database was away. A new one tells whether it still is.
                return self._read(self._open(), uscc or "")
        except (sqlite3.Error, psycopg.Error) as error:
            raise DatabaseAway(
                "D001",
                Text("数据库暂时不能使用，请稍后再试", "the database cannot be used just now"),
                Text("几秒后重试；仍不行请联系管理员", "Try again in a few seconds"),
            ) from error

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _read(self, line: _Line, uscc: str) -> Stamp:
        try:
            stamp = line.read(uscc)
        except BaseException:
            line.close()
            raise
        self._idle.append(line)
        return stamp

    def _open(self) -> _Line:
        return _Sqlite(self._url) if self._is_sqlite else _Postgres(self._url)


class _Sqlite:
    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(
            make_url(url).database or "", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._sql = _SQL.format("?")

    def read(self, uscc: str) -> Stamp:
        # All rows are taken, so that the statement ends and holds no lock.
        ((*values,),) = self._connection.execute(self._sql, (uscc,)).fetchall()
        return Stamp(*values)

    def close(self) -> None:
        self._connection.close()


class _Postgres:
    NAME = b"tidui_stamp"

    def __init__(self, url: str) -> None:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(plain, autocommit=True, connect_timeout=5)
        self._check(self._connection.pgconn.prepare(self.NAME, _SQL.format("$1").encode()))

    def read(self, uscc: str) -> Stamp:
        result = self._check(self._connection.pgconn.exec_prepared(self.NAME, [uscc.encode()]))
        edition, run, registry, keys, version, district = (result.get_value(0, place) for place in range(6))
        return Stamp(
            int(edition) if edition else None,
            int(run) if run else None,
            int(registry or 0),
            int(keys or 0),
            int(version) if version else None,
            district.decode() if district else None,
        )

    def close(self) -> None:
        self._connection.close()

    def _check(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status not in {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK}:
            raise psycopg.OperationalError(result.error_message.decode(errors="replace"))
        return result
