"""The one small read that every request begins with: is anything else than before, and does this firm stand
as it did? And the one read that tells all of a firm.

They go past SQLAlchemy, on connections of their own: these reads decide how many requests a second can be
answered, and there the layers above the driver cost several times the read itself.

What was read holds for a lease, LEASE_SECONDS from before the question was sent; then it is asked again, and
only if a counter has moved is anything forgotten. A change is answered to whoever made it no sooner than a
lease after its commit (:meth:`Database.write`). So a request that begins after that sees the change, in every
process on every host that was not suspended meanwhile: nobody is told, nobody listens, and no clocks are
compared. Whoever changes firms past this program and counts nothing is seen within KEPT_SECONDS.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url

from models.errors import Text
from models.registry.database import BUSY_SECONDS, LEASE_SECONDS, LIVELY, Database, DatabaseAway

Answer = TypeVar("Answer")
KEPT_FIRMS = 50_000
"""Some 20 MB a process."""
KEPT_SECONDS = 5.0
"""After which a firm is asked for anew although no counter has moved."""


class Stamp(NamedTuple):
    """The counters of ``state``, and of the firm asked about; ``firm_version`` None: no such firm."""

    edition_id: int | None
    run_id: int | None
    registry_version: int
    keys_version: int
    corrections_version: int
    firm_version: int | None = None
    district: str | None = None


COUNTERS = 5
"""How many of a stamp's fields come from ``state``."""

Words = tuple[str | None, ...]
"""One thing said of a firm, all in texts, which both databases give alike: its kind, then eight more."""

_STAMP = (
    "SELECT s.edition_id, s.run_id, s.registry_version, s.keys_version, s.corrections_version, "
    "f.version, f.district FROM state s LEFT JOIN firm f ON f.uscc = {} WHERE s.id = 1"
)


_FIRM = """
SELECT 'firm', CAST(edition_id AS text), name, district, CAST(industry AS text), CAST(version AS text),
    {null}, {null}, {null} FROM firm WHERE uscc = {code}
UNION ALL SELECT 'upload', CAST(f.edition_id AS text), f.document, CAST(e.dated AS text), e.source_name, NULL,
    NULL, NULL, NULL FROM facts f JOIN edition e ON e.id = f.edition_id WHERE f.uscc = {code}
UNION ALL SELECT 'hand', CAST(c.edition_id AS text), CAST(c.id AS text), c."column", c.value, c.actor,
    c.reason, CAST(c.made_at AS text), CAST(e.dated AS text)
    FROM correction c JOIN edition e ON e.id = c.edition_id WHERE c.uscc = {code}
UNION ALL SELECT 'entry', CAST(l.id AS text), l.title, CAST(l.dated AS text), l.source_name,
    CAST(t.valid_until AS text), CAST(t.certain AS text), NULL, NULL
    FROM title_entry t JOIN title_list l ON l.id = t.list_id WHERE t.uscc = {code}
UNION ALL SELECT 'silence', CAST(id AS text), title, CAST(dated AS text), source_name, NULL, NULL, NULL, NULL
    FROM title_list WHERE complete
"""


class _Line(Protocol):
    def stamp(self, uscc: str) -> Stamp: ...

    def firm(self, uscc: str) -> list[Words]: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Lease:
    """What was read under the same counters, until when they need not be asked for, when all of it ends."""

    counters: tuple[int | str | None, ...]
    until: float
    ends: float
    firms: dict[str, Stamp] = field(default_factory=dict)


class Pulse:
    """Reads stamps. Threads may share it; it opens a connection for each that reads at the same time."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = database.url
        self._is_sqlite = database.is_sqlite
        self._clock = clock
        self._idle: deque[_Line] = deque()
        self._lease = _Lease((), 0, 0)

    def read(self, uscc: str | None = None) -> Stamp:
        """The stamp now, for this firm if one is named. Raises DatabaseAway (D001)."""
        lease, asked, began = self._lease, uscc or "", self._clock()
        if began < lease.until:
            known = lease.firms.get(asked)
            if known is not None:
                return known
        stamp = self._ask(lambda line: line.stamp(asked))
        counters, until = stamp[:COUNTERS], began + LEASE_SECONDS
        # Without a lock: threads that read at once may shorten a lease or forget a firm, no more.
        if lease.counters != counters or began >= lease.ends:
            self._lease = lease = _Lease(counters, until, began + KEPT_SECONDS)
        elif lease.until < until:
            lease.until = until
        if not asked or stamp.firm_version is not None:
            if len(lease.firms) >= KEPT_FIRMS:
                lease.firms.clear()
            lease.firms[asked] = stamp
        return stamp

    def firm(self, uscc: str) -> list[Words]:
        """Everything said of a firm, by any edition, hand or list: :mod:`.one_firm` makes sense of it."""
        return self._ask(lambda line: line.firm(uscc))

    def _ask(self, question: Callable[[_Line], Answer]) -> Answer:
        try:
            try:
                return self._put(question, self._idle.pop())
            except (IndexError, sqlite3.Error, psycopg.Error):
                # No idle line, or a dead one: the database was away. A new one tells whether it still is.
                return self._put(question, self._open())
        except (sqlite3.Error, psycopg.Error) as error:
            raise DatabaseAway(
                "D001",
                Text("数据库暂时不能使用，请稍后再试", "the database cannot be used just now"),
                Text("几秒后重试；仍不行请联系管理员", "Try again in a few seconds"),
            ) from error

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _put(self, question: Callable[[_Line], Answer], line: _Line) -> Answer:
        try:
            answer = question(line)
        except BaseException:
            line.close()
            raise
        self._idle.append(line)
        return answer

    def _open(self) -> _Line:
        return _Sqlite(self._url) if self._is_sqlite else _Postgres(self._url)


class _Sqlite:
    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(
            make_url(url).database or "", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._stamp, self._firm = _STAMP.format("?1"), _FIRM.format(code="?1", null="NULL")

    # All rows are taken, so that a statement ends and holds no lock.

    def stamp(self, uscc: str) -> Stamp:
        ((*values,),) = self._connection.execute(self._stamp, (uscc,)).fetchall()
        return Stamp(*values)

    def firm(self, uscc: str) -> list[Words]:
        return self._connection.execute(self._firm, (uscc,)).fetchall()

    def close(self) -> None:
        self._connection.close()


class _Postgres:
    STAMP, FIRM = b"tidui_stamp", b"tidui_firm"

    def __init__(self, url: str) -> None:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(make_conninfo(plain, **LIVELY), autocommit=True)
        self._connection.execute("SET TIME ZONE 'UTC'")  # moments as texts
        firm = _FIRM.format(code="$1", null="CAST(NULL AS text)")
        for name, sql in ((self.STAMP, _STAMP.format("$1")), (self.FIRM, firm)):
            self._check(self._connection.pgconn.prepare(name, sql.encode()))

    def firm(self, uscc: str) -> list[Words]:
        result = self._check(self._connection.pgconn.exec_prepared(self.FIRM, [uscc.encode()]))
        cells = range(result.nfields)
        return [
            tuple(None if (text := result.get_value(row, at)) is None else text.decode() for at in cells)
            for row in range(result.ntuples)
        ]

    def stamp(self, uscc: str) -> Stamp:
        result = self._check(self._connection.pgconn.exec_prepared(self.STAMP, [uscc.encode()]))
        edition, run, registry, keys, corrections, version, district = (
            result.get_value(0, place) for place in range(7)
        )
        return Stamp(
            int(edition) if edition else None,
            int(run) if run else None,
            int(registry or 0),
            int(keys or 0),
            int(corrections or 0),
            int(version) if version else None,
            district.decode() if district else None,
        )

    def close(self) -> None:
        self._connection.close()

    def _check(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status not in {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK}:
            raise psycopg.OperationalError(result.error_message.decode(errors="replace"))
        return result
