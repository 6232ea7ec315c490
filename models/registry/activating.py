"""Making another edition, or a fresh run, the one that look-ups see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, exists, select

from models.plan import plan
from models.registry import firms, runs
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.listing import Edition
from models.registry.lock import one_at_a_time
from models.registry.merged import read_registry
from models.registry.state import State, active, changed, lineage_of, read_state
from models.registry.tables import correction, run, title_list
from models.registry.unfinished import clear_unfinished
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook, rulebook
from models.settings import Settings

Progress = Callable[[int], None]
"""Hears how many firms are judged."""


def _silent(firms: int) -> None:
    """Progress that nobody listens to."""


@dataclass(frozen=True, slots=True)
class Activated:
    """What an activation did."""

    run_id: int
    changed_firms: int
    judged_anew: bool
    """Its last run was older than a correction, a list, the rules or the plan."""
    already: bool = False


def activate(
    database: Database,
    settings: Settings,
    edition: Edition,
    *,
    actor: Actor,
    now: datetime,
    book: Rulebook | None = None,
    progress: Progress = _silent,
) -> Activated:
    """Show an edition and its parents, and nothing of any other. Raises Busy (G001), DatabaseAway."""
    book = book or rulebook()
    with one_at_a_time(database, settings):
        clear_unfinished(database, settings, now)
        with database.read() as connection:
            before = read_state(connection)
            if before.edition_id == edition.id and before.run_id is not None:
                return Activated(before.run_id, 0, judged_anew=False, already=True)
            after = State(
                edition.id, edition.hash, lineage_of(connection, edition.id), None,
                before.registry_version, before.keys_version,
            )  # fmt: skip
            registry = read_registry(connection, settings, after)
            last = runs.latest_run(connection, edition.id)
            assert last is not None  # no edition is ready without one
            period = _period(connection, last)
            run_id = None if _overtaken(connection, last, book) else last
        projection = firms.project(database, registry)
        if run_id is None:
            staged = runs.stage_run(database, registry, book, period, now, progress)
        with database.write() as connection:
            firms.apply(connection, after, projection)
            if run_id is None:
                runs.finish_run(connection, staged.id, now)
            current = staged.id if run_id is None else run_id
            changed(connection, edition_id=edition.id, run_id=current)
            event = actor.event(
                "registry.activate", f"edition:{edition.id}", before.edition_hash, edition.hash
            )
            append(connection, [event], now)
        runs.forget_older_runs(database, edition.id, {current, last})
    return Activated(current, projection.firms, judged_anew=run_id is None)


def restand(
    database: Database,
    settings: Settings,
    *,
    as_of: date | None = None,
    kind: str | None = None,
    actor: Actor,
    now: datetime,
    book: Rulebook | None = None,
    progress: Progress = _silent,
) -> runs.StagedRun:
    """Judge every firm anew, for the date and kind of the current run where none is given, and show that.

    Raises NoEdition (G003), Busy (G001), DatabaseAway.
    """
    book = book or rulebook()
    with one_at_a_time(database, settings):
        clear_unfinished(database, settings, now)
        with database.read() as connection:
            state = read_state(connection)
            edition_id = active(state)
            registry = read_registry(connection, settings, state)
            assert state.run_id is not None
            last = _period(connection, state.run_id)
        period = Period(as_of or last.as_of, kind or last.kind)
        staged = runs.stage_run(database, registry, book, period, now, progress)
        with database.write() as connection:
            runs.finish_run(connection, staged.id, now)
            changed(connection, run_id=staged.id)
            event = actor.event("registry.restand", f"run:{staged.id}", as_of=period.as_of.isoformat())
            append(connection, [event], now)
        runs.forget_older_runs(database, edition_id, {staged.id, state.run_id})
    return staged


def _period(connection: Connection, run_id: int) -> Period:
    row = connection.execute(select(run.c.as_of, run.c.kind).where(run.c.id == run_id)).one()
    return Period(row.as_of, row.kind)


def _overtaken(connection: Connection, run_id: int, book: Rulebook) -> bool:
    """Whether the run would turn out otherwise today."""
    row = connection.execute(select(run).where(run.c.id == run_id)).one()
    if (row.rulebook_hash, row.plan_hash) != (book.hash, plan().hash):
        return True
    later = select(
        exists().where(correction.c.made_at >= row.started_at)
        | exists().where(title_list.c.imported_at >= row.started_at)
    )
    return bool(connection.execute(later).scalar_one())
