"""Looking for work of runs that was lost: it needs no memory but the database's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, update

from models.jobs.leases import MOST_DELIVERIES, database_now
from models.registry.database import Database
from models.registry.job_tables import run_part
from models.registry.tables import run
from models.runs.record import ENGINE, OPEN
from models.settings import Settings

AHEAD = 128
"""Parts of one run that are given out at a time: work of others that comes later need not wait for all."""
PARKED = (
    "J500 工作进程两次都没有做完就中断了，这一部分已搁置 "
    "its worker ended twice before it was done; the part is parked"
)

Work = tuple[Literal["run_part", "run_finish"], tuple[int, ...]]
"""A task's name and its arguments."""


def sweep(database: Database, settings: Settings) -> list[Work]:
    """Park what killed its workers twice, take back what a dead worker held, and name what is to be given
    out: parts that wait, and finishes. A part named is not named again until it had time to be taken.
    """
    with database.write() as connection:
        _park(connection)
        _take_back(connection)
        open_runs = select(run.c.id).where(run.c.status.in_(OPEN), run.c.engine == ENGINE)
        numbers = connection.execute(open_runs.order_by(run.c.id)).scalars().all()
    parts = [work for number in numbers for work in give_out(database, settings, number)]
    with database.read() as connection:
        return parts + [("run_finish", (number,)) for number in _ended(connection)]


def give_out(database: Database, settings: Settings, run_id: int) -> list[Work]:
    """The next parts of a run to be given out, as far as fewer than :data:`AHEAD` are."""
    columns = run_part.c
    with database.write() as connection:
        now = database_now(connection)
        waiting = and_(columns.run_id == run_id, columns.status == "queued")
        unnamed = and_(waiting, or_(columns.lease_until.is_(None), columns.lease_until < now))
        out = select(func.count()).where(waiting, columns.lease_until >= now)
        room = AHEAD - connection.execute(out).scalar_one()
        next_ones = select(columns.part).where(unnamed).order_by(columns.part).limit(max(room, 0))
        chosen = connection.execute(next_ones).scalars().all()
        until = now + timedelta(seconds=settings.lease_seconds)
        claim = update(run_part).where(unnamed, columns.part.in_(chosen)).values(lease_until=until)
        claimed = connection.execute(claim.returning(columns.part)).scalars().all() if chosen else []
    return [("run_part", (run_id, part)) for part in sorted(claimed)]


def _lost(connection: Connection) -> ColumnElement[bool]:
    """Parts that somebody took and whose lease has run out."""
    columns = run_part.c
    lapsed = or_(columns.lease_until.is_(None), columns.lease_until < database_now(connection))
    return and_(columns.status == "running", lapsed)


def _park(connection: Connection) -> None:
    lost = and_(_lost(connection), run_part.c.deliveries >= MOST_DELIVERIES)
    values = {"status": "failed", "error": PARKED, "lease_until": None, "lease_owner": None}
    parked = connection.execute(update(run_part).where(lost).values(values).returning(run_part.c.run_id))
    for run_id, count in Counter(parked.scalars()).items():
        left = run.c.parts_left - count
        running = (run.c.id == run_id, run.c.status == "running")
        connection.execute(update(run).where(*running).values(parts_left=left))


def _take_back(connection: Connection) -> None:
    values = {"status": "queued", "lease_until": None, "lease_owner": None}
    connection.execute(update(run_part).where(_lost(connection)).values(values))


def _ended(connection: Connection) -> Sequence[int]:
    """Runs that want their finish: no part is left, or they were cancelled and something is stored."""
    free = or_(run.c.lease_until.is_(None), run.c.lease_until < database_now(connection))
    stored = exists().where(run_part.c.run_id == run.c.id, run_part.c.status == "done")
    done = and_(run.c.status == "running", run.c.parts_left == 0, free)
    left_behind = and_(run.c.status == "cancelled", stored)
    return (
        connection.execute(
            select(run.c.id).where(run.c.engine == ENGINE, or_(done, left_behind)).order_by(run.c.id)
        )
        .scalars()
        .all()
    )
