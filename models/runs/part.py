"""One part of a run: taken, read, judged, put into the store, and ended in one transaction.

Doing it twice changes nothing: the file lies under the part's own name, and rows, the part's state and the
run's counter are committed together by the one who holds the lease.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import polars as pl
import psycopg
from sqlalchemy import Connection, exists, select, update

from models.errors import Text, TiduiError
from models.jobs.leases import MOST_DELIVERIES, Lease, end, renew, take
from models.plan import plan
from models.registry.database import Database, DatabaseAway
from models.registry.job_tables import movement, run_part, title_expiry
from models.registry.judging import LADDER
from models.registry.learning_tables import prospect
from models.registry.staging import insert_frame
from models.registry.tables import run, standing
from models.reviews import finding
from models.reviews.finding import Finding
from models.reviews.keeping import keep
from models.rules.rulebook import rulebook
from models.runs.comparing import Before, Moved, moved_of
from models.runs.estimating import estimating_of, outlook_key, store_estimates
from models.runs.judges import Judges, judges_of
from models.runs.outcome import TITLES, expiries_of, store_part
from models.runs.reading import Slice, firms_of, pinned_registry
from models.runs.record import OPEN, Run, RunConflict, may_stand, part_key, read_run
from models.settings import Settings
from models.store import Store, store_of
from models.targets import MASKS

Step = Literal["taken", "read", "judged", "stored", "ending"]
Progress = Callable[[Step], None]
"""Hears what comes next."""


@dataclass(frozen=True, slots=True)
class PartDone:
    """A part that we did; ``last``: no part of the run is left, so it wants its finish."""

    firms: int
    moved: int
    last: bool


def do_part(
    database: Database,
    settings: Settings,
    run_id: int,
    part: int,
    progress: Progress = lambda step: None,
) -> PartDone | None:
    """Do a part; None where it is not to be had: done, at work elsewhere, cancelled.

    What goes wrong is noted on the part, which is then given out once more or, the second time, failed; a
    database that was away does not count. It is raised all the same: TiduiError or a fault.
    """
    began = time.perf_counter()
    key = {"run_id": run_id, "part": part}
    with database.write() as connection:
        lease = _take(connection, key, settings)
    if lease is None:
        return None
    try:
        progress("taken")
        made = _make(database, settings, run_id, part, _holding(database, settings, key, lease, progress))
        return _end(database, key, lease, made, time.perf_counter() - began, progress)
    except Exception as error:
        _set_back(database, key, lease, error)
        raise


def _take(connection: Connection, key: dict[str, int], settings: Settings) -> Lease | None:
    wanted = exists().where(run.c.id == run_part.c.run_id, run.c.status.in_(OPEN))
    lease = take(connection, run_part, key, settings.lease_seconds, where=wanted)
    if lease is not None:
        queued = (run.c.id == key["run_id"], run.c.status == "queued")
        connection.execute(update(run).where(*queued).values(status="running"))
    return lease


def _holding(
    database: Database, settings: Settings, key: dict[str, int], lease: Lease, progress: Progress
) -> Progress:
    """``progress`` that renews the lease on the way, so that a slow machine does not lose its work."""
    renewed = time.monotonic()

    def step(which: Step) -> None:
        nonlocal renewed
        progress(which)
        if time.monotonic() - renewed > settings.lease_seconds / 4:
            renewed = time.monotonic()
            with database.write() as connection:
                renew(connection, run_part, key, lease.token, settings.lease_seconds)

    return step


@dataclass(frozen=True)
class _Made:
    """What a part comes to: rows without their run, and counts."""

    judged: pl.DataFrame
    moved: Moved
    expiries: pl.DataFrame
    prospects: pl.DataFrame
    findings: list[Finding]
    counts: str


def _make(database: Database, settings: Settings, run_id: int, part: int, progress: Progress) -> _Made:
    store = store_of(settings)
    with database.read() as connection:
        of = read_run(connection, run_id)
        _check_plan(of)
        judges = judges_of(connection, of)
        estimating = estimating_of(connection, of, judges.book)
        place = _slice(connection, run_id, part)
        registry = pinned_registry(connection, settings, of, place)
        progress("read")
        looks = may_stand(connection, of, rulebook().hash)
        columns = judges.judging.columns | {"industry", *TITLES} | finding.inputs(of.as_of.year)
        firms = firms_of(registry, place, columns | (estimating.columns if estimating else frozenset()))
        judged = judges.judging(firms)
        progress("judged")
        moved = _moved(connection, store, of, place, judged, judges)
    counts = {**judges.counting(firms, judged), "matched": moved.matched, "moved": moved.rows.height}
    store_part(store, part_key(run_id, part), judged, firms, judges.words)
    prospects, opinions = pl.DataFrame(), None
    if estimating is not None:
        estimates = estimating(firms, judged)
        store_estimates(store, outlook_key(run_id, part), estimates)
        prospects, counts["outlook"] = estimates.prospects, estimates.counts
        opinions = estimating.opinions(estimates, judged)
    findings = finding.find(firms, of.as_of.year, opinions) if looks else []
    progress("stored")
    told = orjson.dumps(counts).decode()
    return _Made(judged, moved, expiries_of(firms, of.as_of), prospects, findings, told)


def _check_plan(of: Run) -> None:
    """RunConflict (J413) where this worker's plan is not the run's."""
    if of.plan_hash != plan().hash:
        raise RunConflict(
            "J413",
            Text(
                "工作进程的计划目标与评估开始时不同", "this worker has another plan than the run began with"
            ),
            Text("所有进程换到同一版本后重试", "Bring all workers to one version, then retry"),
        )


def _slice(connection: Connection, run_id: int, part: int) -> Slice:
    columns = run_part.c
    asked = select(columns.part, columns.bucket, columns.slice, columns.slices)
    row = connection.execute(asked.where(columns.run_id == run_id, columns.part == part)).one()
    return Slice(row.part, row.bucket, row.slice, row.slices)


def _moved(
    connection: Connection, store: Store, of: Run, place: Slice, judged: pl.DataFrame, judges: Judges
) -> Moved:
    if of.previous_run_id is None:
        return Moved(pl.DataFrame(), 0)
    standards = judges.judging.standards
    before = Before.read(connection, store, of.previous_run_id, place, judged["uscc"], standards)
    return moved_of(judged, before, standards, judges.words)


class _NotOurs(Exception):
    """The lease was lost, or the run cancelled: nothing is committed."""


def _end(
    database: Database, key: dict[str, int], lease: Lease, made: _Made, seconds: float, progress: Progress
) -> PartDone | None:
    firms, moved = made.judged.height, made.moved.rows.height
    values = {"firms": firms, "moved": moved, "seconds": seconds, "counts": made.counts, "error": None}
    try:
        with database.write() as connection:
            if not end(connection, run_part, key, lease.token, status="done", **values):
                raise _NotOurs
            _insert(connection, key, made)
            progress("ending")
            # Last, for all parts of the run wait for this row.
            left = _count_down(connection, key["run_id"])
            if left is None:
                raise _NotOurs
    except _NotOurs:
        return None
    return PartDone(firms, moved, left == 0)


def _insert(connection: Connection, key: dict[str, int], made: _Made) -> None:
    run_column = pl.lit(key["run_id"], dtype=pl.Int32).alias("run_id")
    part_column = pl.lit(key["part"], dtype=pl.Int32).alias("part")
    stood = made.judged.select("uscc", "district", *LADDER, *MASKS.values())
    kept = (
        (standing, stood), (movement, made.moved.rows), (title_expiry, made.expiries),
        (prospect, made.prospects),
    )  # fmt: skip
    for table, rows in kept:
        if rows.height:
            owned = [run_column, part_column] if "part" in table.c else [run_column]
            insert_frame(connection, table, rows.with_columns(owned))
    keep(connection, key["run_id"], made.findings)


def _count_down(connection: Connection, run_id: int) -> int | None:
    """One part fewer; None where the run is no longer running."""
    statement = update(run).where(run.c.id == run_id, run.c.status == "running")
    done = connection.execute(statement.values(parts_left=run.c.parts_left - 1).returning(run.c.parts_left))
    left: int | None = done.scalar_one_or_none()
    return left


def _set_back(database: Database, key: dict[str, int], lease: Lease, error: Exception) -> None:
    """Give a part back that went wrong. Where the database stays away, the sweep does it later."""
    away = isinstance(error, DatabaseAway | psycopg.OperationalError | psycopg.InterfaceError)
    values: dict[str, Any] = {"status": "queued", "error": words_of(error)}
    if away:
        values["deliveries"] = run_part.c.deliveries - 1
    elif lease.deliveries >= MOST_DELIVERIES:
        values["status"] = "failed"
    for pause in (1.0, 2.0, 4.0, None):
        try:
            with database.write() as connection:
                mine = end(connection, run_part, key, lease.token, **values)
                if mine and values["status"] == "failed":
                    _count_down(connection, key["run_id"])
            return
        except DatabaseAway:
            if pause is None:
                return
            time.sleep(pause)


def words_of(error: Exception) -> str:
    """An error in one line of both languages, for people who look at the part."""
    if isinstance(error, TiduiError):
        return f"{error.code} {error.message.zh} {error.message.en}"
    return f"程序出错 a fault: {type(error).__name__}: {error}"[:500]
