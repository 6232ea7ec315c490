"""The end of a run: its counts are added up; if all went well it becomes the registry's standing at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

import orjson
import polars as pl
from sqlalchemy import Connection, delete, func, insert, literal, select, update

from models.jobs.leases import Lease, end, take
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.job_tables import movement, run_part, title_expiry
from models.registry.judging import LADDER
from models.registry.learning_tables import prospect
from models.registry.runs import drop_rows, forget_older_runs
from models.registry.staging import clear, count_rows, insert_frame
from models.registry.state import changed
from models.registry.tables import plan_count, run, standing
from models.registry.tables import state as state_table
from models.rules.rulebook import rulebook
from models.runs.counting import add_up
from models.runs.record import Run, may_stand, read_run, run_folder
from models.settings import Settings
from models.store import store_of
from models.targets import COUNTS

FINISH_SECONDS = 600
"""A finish that takes longer is stopped. Its slowest step compares two whole runs within the database."""
WORKER = Actor("worker", "service", "worker", "整库评估")
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended; ``stood``: it is the registry's standing now."""

    status: str
    stood: bool


def finish_run(
    database: Database,
    settings: Settings,
    run_id: int,
    now: datetime,
    progress: Progress = lambda step: None,
) -> Finished | None:
    """End a run whose parts are all at their end, or clear up after a cancelled one. None: nothing to do.

    Raises RunUnknown (J404), DatabaseAway.
    """
    with database.write() as connection:
        found = read_run(connection, run_id)
        ready = run.c.parts_left == 0
        lease = take(connection, run, {"id": run_id}, settings.lease_seconds, waiting=(), where=ready)
    if lease is None:
        if found.status == "cancelled":
            _clear_up(database, settings, found)
        return None
    progress("taken")
    # Of a run it has not counted the planner thinks it has one row, and may read all for one firm.
    count_rows(database, (standing, movement, title_expiry, prospect))
    with database.read() as connection:
        sums = _sums(connection, run_id)
    with database.write() as connection:
        finished = _end(connection, found, lease, sums, now, progress)
    if finished and finished.stood:
        forget_older_runs(database, found.edition_id, {run_id, found.previous_run_id or run_id})
    return finished


@dataclass(frozen=True)
class _Sums:
    """The parts of a run taken together."""

    status: str
    counts: dict[str, Any]
    failed: Sequence[str]
    """Why, for each part that failed."""


def _sums(connection: Connection, run_id: int) -> _Sums:
    columns = run_part.c
    asked = select(columns.status, columns.counts, columns.error).where(columns.run_id == run_id)
    rows = connection.execute(asked.order_by(columns.part)).all()
    done = [orjson.loads(row.counts) for row in rows if row.status == "done"]
    failed = [row.error or "" for row in rows if row.status != "done"]
    status = "succeeded" if not failed else "partly_succeeded" if done else "failed"
    return _Sums(status, reduce(add_up, done) if done else {}, failed)


def _end(
    connection: Connection, found: Run, lease: Lease, sums: _Sums, now: datetime, progress: Progress
) -> Finished | None:
    values = {
        "status": sums.status,
        "firms": sums.counts.get("firms", 0),
        "summary": orjson.dumps({k: v for k, v in sums.counts.items() if k != "plan"}).decode(),
        "active_key": None,
        "finished_at": now,
        "problem": _problem(sums.failed),
    }
    if not end(connection, run, {"id": found.id}, lease.token, **values):
        return None
    _count_plan(connection, found.id, sums.counts.get("plan", {}))
    stood = False
    if sums.status == "succeeded":
        _note_gone(connection, found, sums.counts.get("matched", 0))
        stood = _stand(connection, found, now)
    progress("ending")
    event = WORKER.event("run.end", f"run:{found.id}", status=sums.status, firms=values["firms"], stood=stood)
    append(connection, [event], now)
    return Finished(sums.status, stood)


def _problem(failed: Sequence[str]) -> str | None:
    if not failed:
        return None
    return f"{len(failed)} 个部分没有完成 {len(failed)} parts failed: {failed[0]}"


def _count_plan(connection: Connection, run_id: int, counts: dict[str, dict[str, list[int]]]) -> None:
    connection.execute(delete(plan_count).where(plan_count.c.run_id == run_id))
    rows = [
        {"run_id": run_id, "target": target, "district": district, **dict(zip(COUNTS, numbers, strict=True))}
        for target, districts in counts.items()
        for district, numbers in districts.items()
    ]
    if rows:
        insert_frame(connection, plan_count, pl.DataFrame(rows))


def _note_gone(connection: Connection, found: Run, matched: int) -> None:
    """Movements of firms that the run before had and this one has not; mostly there are none."""
    if found.previous_run_id is None:
        return
    was, here = standing.alias("was"), standing.alias("here")
    before = select(func.count()).select_from(was).where(was.c.run_id == found.previous_run_id)
    if connection.execute(before).scalar_one() == matched:
        return
    joined = was.outerjoin(here, (here.c.run_id == found.id) & (here.c.uscc == was.c.uscc))
    gone = (
        select(
            literal(found.id), was.c.uscc, literal(-1), was.c.district, *(was.c[name] for name in LADDER),
            literal("[]"),
        )
        .select_from(joined)
        .where(was.c.run_id == found.previous_run_id, here.c.uscc.is_(None))
    )  # fmt: skip
    columns = ["run_id", "uscc", "part", "district", *(f"{name}_before" for name in LADDER), "deciding"]
    connection.execute(insert(movement).from_select(columns, gone))


def _stand(connection: Connection, found: Run, now: datetime) -> bool:
    """Point look-ups at this run, unless another edition is active, something newer stands, it was judged by
    other rules than those look-ups use, or for a day that was still to come.
    """
    current = connection.execute(select(state_table.c.run_id).with_for_update()).scalar_one()
    newer = current is not None and current > found.id
    if newer or not may_stand(connection, found, rulebook().hash):
        return False
    changed(connection, run_id=found.id)
    connection.execute(update(run).where(run.c.id == found.id).values(stood_at=now))
    return True


def _clear_up(database: Database, settings: Settings, found: Run) -> None:
    """What a cancelled run had stored already goes."""
    store_of(settings).delete(run_folder(found.id))
    drop_rows(database, found.id)
    clear(database, movement, "run_id", found.id)
    with database.write() as connection:
        stored = (run_part.c.run_id == found.id, run_part.c.status == "done")
        connection.execute(update(run_part).where(*stored).values(status="cancelled", counts=None))
