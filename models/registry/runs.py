"""All firms judged at once: where each stands, and how many count towards each target of the plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from sqlalchemy import Connection, insert, select, update

from models.plan import plan
from models.registry.database import Database
from models.registry.job_tables import title_expiry
from models.registry.judging import LADDER, Judging
from models.registry.learning_tables import prospect
from models.registry.merged import Registry
from models.registry.staging import clear, insert_frame, stage
from models.registry.tables import plan_count, run, standing
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.targets import MASKS, add_counts, count_targets

AT_ONCE = 30_000
"""About so many firms are judged by one query: writing it costs a tenth of a second, its columns memory."""


@dataclass(frozen=True, slots=True)
class StagedRun:
    """A run whose rows are stored and not yet seen."""

    id: int
    firms: int


def stage_run(
    database: Database,
    registry: Registry,
    book: Rulebook,
    period: Period,
    now: datetime,
    progress: Callable[[int], None] = lambda firms: None,
) -> StagedRun:
    """Judge every firm of ``registry`` and store the answers under a new run, in committed batches."""
    judging = Judging(book, period, ())
    run_id = _begin(database, registry, book, period, now)
    counts: list[pl.DataFrame] = []
    firms = 0
    for frame in _gathered(registry.buckets(judging.columns)):
        judged = judging(frame)
        counts.append(count_targets(plan(), judged))
        run_column = pl.lit(run_id, dtype=pl.Int32).alias("run_id")
        stage(database, standing, judged.select(run_column, "uscc", "district", *LADDER, *MASKS.values()))
        firms += frame.height
        progress(firms)
    counted = add_counts(counts).select(pl.lit(run_id, dtype=pl.Int32).alias("run_id"), pl.all())
    with database.write() as connection:
        insert_frame(connection, plan_count, counted)
        connection.execute(update(run).where(run.c.id == run_id).values(firms=firms))
    return StagedRun(run_id, firms)


def finish_run(connection: Connection, run_id: int, now: datetime) -> None:
    """Within the change that makes the run the current one."""
    connection.execute(update(run).where(run.c.id == run_id).values(status="succeeded", finished_at=now))


def latest_run(connection: Connection, edition_id: int) -> int | None:
    """The last run over an edition that succeeded and still has its rows."""
    query = (
        select(run.c.id)
        .where(run.c.edition_id == edition_id, run.c.status == "succeeded")
        .order_by(run.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def forget_older_runs(database: Database, edition_id: int, keep: set[int]) -> None:
    """Drop the rows of an edition's earlier runs; the runs themselves stay on record as ``replaced``.

    Those that a run still open compares with are kept.
    """
    compared = select(run.c.previous_run_id).where(
        run.c.status.in_(("queued", "running")), run.c.previous_run_id.is_not(None)
    )
    with database.read() as connection:
        query = select(run.c.id).where(
            run.c.edition_id == edition_id,
            run.c.id.not_in(keep),
            run.c.id.not_in(compared),
            run.c.status == "succeeded",
        )
        older = connection.execute(query).scalars().all()
    for run_id in older:
        with database.write() as connection:
            connection.execute(update(run).where(run.c.id == run_id).values(status="replaced"))
        drop_rows(database, run_id)


def fail_unfinished_runs(database: Database, now: datetime) -> None:
    """Runs that a killed process left behind: their rows go, the record says failed.

    Those of workers go on by themselves (:mod:`models.runs`).
    """
    left = select(run.c.id).where(run.c.status == "running", run.c.engine == "inline")
    with database.read() as connection:
        unfinished = connection.execute(left).scalars().all()
    for run_id in unfinished:
        drop_rows(database, run_id)
        with database.write() as connection:
            connection.execute(update(run).where(run.c.id == run_id).values(status="failed", finished_at=now))


def drop_rows(database: Database, run_id: int) -> None:
    clear(database, standing, "run_id", run_id)
    clear(database, title_expiry, "run_id", run_id)
    clear(database, prospect, "run_id", run_id)
    with database.write() as connection:
        connection.execute(plan_count.delete().where(plan_count.c.run_id == run_id))


def _gathered(buckets: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Buckets put together, or cut, until they are worth a query."""
    waiting: list[pl.DataFrame] = []
    for bucket in buckets:
        waiting.append(bucket)
        if sum(frame.height for frame in waiting) >= AT_ONCE:
            whole = pl.concat(waiting)
            waiting.clear()
            yield from whole.iter_slices(math.ceil(whole.height / round(whole.height / AT_ONCE)))
    if waiting:
        yield pl.concat(waiting)


def _begin(database: Database, registry: Registry, book: Rulebook, period: Period, now: datetime) -> int:
    values = {
        "edition_id": registry.editions[0].id,
        "as_of": period.as_of,
        "kind": period.kind,
        "rulebook_hash": book.hash,
        "plan_hash": plan().hash,
        "status": "running",
        "started_at": now,
    }
    with database.write() as connection:
        made = connection.execute(insert(run).values(values)).inserted_primary_key
    assert made is not None
    return int(made[0])
