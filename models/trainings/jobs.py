"""Trainings that are asked for: one row each, worked out once, by whichever worker takes it.

What comes of one is a candidate in the registry; a person looks at its card and releases it.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Row, select

from models.errors import LearnRefused, Text, TiduiError
from models.fields import catalogue
from models.jobs.leases import Lease, renew
from models.jobs.single import Begun, do_row, open_rows, queue_row
from models.learn.history import DATED_BY, History, history_of_frame
from models.learn.tasks import task as task_of
from models.registry import learned
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.learning_tables import training
from models.registry.listing import edition_to_judge
from models.registry.merged import Registry, read_registry
from models.registry.state import state_of
from models.rules.rulebook import rulebook
from models.settings import Settings

LEASE_SECONDS = 90
"""Renewed by a thread while the training goes on."""
RENEW_SECONDS = 20
MOST_FIRMS = 500_000
"""More are not read: whole buckets of the registry, which are drawn by the hash of the code."""
WORKER = Actor("worker", "service", "worker", "模型训练")


class TrainingUnknown(TiduiError):
    """There is no such training (L404)."""

    status = 404


def begin_training(
    database: Database,
    task: str,
    *,
    until: int | None = None,
    seed: int = 0,
    edition_id: int | None = None,
    trained_on: date,
    actor: Actor,
    now: datetime,
) -> Begun:
    """Queue a training on an edition (default: the active one), of outcomes up to ``until`` (default: the
    last year of revenue). Then send the task ``train`` with its id.

    Raises UsageRefused (L101 task, G004 edition), NoEdition (G003), DatabaseAway.
    """
    chosen = task_of(task)
    with database.write() as connection:
        number = edition_to_judge(connection, edition_id)
        asked = {"task": chosen.id, "until": until, "seed": seed, "edition_id": number}
        begun = queue_row(
            connection, training, asked, dated=trained_on, requested_by=actor.name, queued_at=now
        )
        if begun.fresh:
            event = actor.event(
                "model.train", f"training:{begun.id}", task=chosen.id, until=until, seed=seed, edition=number
            )
            append(connection, [event], now)
        return begun


def read_training(connection: Connection, training_id: str) -> Row[Any]:
    """The whole row; TrainingUnknown (L404)."""
    row = connection.execute(select(training).where(training.c.id == training_id)).one_or_none()
    if row is None:
        raise TrainingUnknown(
            "L404",
            Text(f"没有训练“{training_id}”", f"there is no training “{training_id}”"),
            Text("编号见 POST /v1/models 的回答", "POST /v1/models answers with its id"),
        )
    return row


def list_trainings(connection: Connection, limit: int = 50) -> list[Row[Any]]:
    """The newest first."""
    asked = select(training).order_by(training.c.queued_at.desc(), training.c.id).limit(limit)
    return list(connection.execute(asked).all())


def do_training(
    database: Database, settings: Settings, training_id: str, clock: Callable[[], datetime]
) -> bool:
    """Train. False where there was nothing to do: it is done, another's, or gone.

    A refusal (too few outcomes, one class only, a file the store lost) is written down and ends it.
    """

    def work(lease: Lease) -> dict[str, str]:
        with _holding(database, training_id, lease):
            return {"model": _work(database, settings, training_id, clock)}

    return do_row(database, training, training_id, LEASE_SECONDS, work, clock)


def open_trainings(database: Database, clock: Callable[[], datetime]) -> list[str]:
    """For the sweep: trainings that nobody works at. One that was given out too often is parked as failed."""
    hint = Text("看 worker 的日志；可能是内存不够", "See the worker's log; memory may be short")
    return open_rows(database, training, "L405", hint, clock)


@contextmanager
def _holding(database: Database, training_id: str, lease: Lease) -> Iterator[None]:
    """Renews the lease while the block goes on: fitting says nothing on the way."""
    over = threading.Event()

    def hold() -> None:
        while not over.wait(RENEW_SECONDS):
            try:
                with database.write() as connection:
                    renew(connection, training, {"id": training_id}, lease.token, LEASE_SECONDS)
            except TiduiError:
                continue  # the database is away; the lease lasts a little

    thread = threading.Thread(target=hold, name="tidui-training-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _work(database: Database, settings: Settings, training_id: str, clock: Callable[[], datetime]) -> str:
    """The hash of the trained model, which is a candidate now."""
    # Only who trains waits for scikit-learn.
    from models.learn.filing import save  # noqa: PLC0415
    from models.learn.train import needed_fields, train  # noqa: PLC0415

    book = rulebook()
    with database.read() as connection:
        row = read_training(connection, training_id)
        registry = read_registry(connection, settings, state_of(connection, row.edition_id))
    history = _history(registry, needed_fields(row.task, book))
    until = row.until or history.tables[0].latest
    trained = train(history, row.task, until, book, row.dated, row.seed)
    with tempfile.TemporaryDirectory(prefix="tidui-training-") as folder:
        place = Path(folder) / row.task
        save(trained, place)
        by = Actor(row.requested_by, WORKER.role, WORKER.client, f"{WORKER.purpose} {training_id}")
        with database.write() as connection:
            return learned.add(connection, place, by, clock()).hash


def _history(registry: Registry, fields: frozenset[str]) -> History:
    """The registry as one wide table. LearnRefused (L103: no revenue)."""
    columns = sorted(column for column in registry.columns if _key(column) in fields | {DATED_BY})
    pieces: list[pl.DataFrame] = []
    for bucket in registry.buckets(columns):
        blank = [pl.lit(None).alias(column) for column in columns if column not in bucket.columns]
        pieces.append(bucket.with_columns(blank).select("uscc", *columns))
        if sum(piece.height for piece in pieces) >= MOST_FIRMS:
            break
    if not pieces:
        raise LearnRefused("L102", Text("名册是空的", "the registry is empty"))
    newest = registry.editions[0]
    firms = pl.concat(pieces, how="vertical_relaxed")
    return history_of_frame(firms, f"edition {newest.id}", newest.hash)


def _key(column: str) -> str:
    parsed = catalogue().parse_column(column)
    return parsed[0].key if parsed else column
