"""A little registry, and workers that are only function calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import func, select, update

from models.jobs.leases import database_now
from models.registry.job_tables import run_part
from models.registry.tables import run, standing
from models.runs.begin import Begun, begin_run
from models.runs.cancel import cancel_run
from models.runs.finish import Finished, finish_run
from models.runs.part import PartDone, Progress, do_part
from models.runs.progress import run_report
from models.runs.sweep import Work, sweep
from models.seeds import seed
from tests.registry.conftest import ACTOR, SEPTEMBER, Shelf, shelf

__all__ = ["shelf"]
LATER = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass
class Yard:
    """A registry and the runs over it."""

    shelf: Shelf

    def begin(self, as_of: date = SEPTEMBER, **asked: Any) -> Begun:
        return begin_run(
            self.shelf.database, self.shelf.settings, as_of=as_of, actor=ACTOR, now=LATER, **asked
        )

    def sweep(self) -> list[Work]:
        return sweep(self.shelf.database, self.shelf.settings)

    def part(self, run_id: int, part: int, progress: Progress = lambda step: None) -> PartDone | None:
        return do_part(self.shelf.database, self.shelf.settings, run_id, part, progress)

    def finish(self, run_id: int) -> Finished | None:
        return finish_run(self.shelf.database, self.shelf.settings, run_id, LATER)

    def cancel(self, run_id: int) -> None:
        cancel_run(self.shelf.database, run_id, actor=ACTOR, now=LATER)

    def work(self, skip: Callable[[str, tuple[int, ...]], bool] = lambda name, arguments: False) -> None:
        """Do what sweeps give out until nothing is left, but for what is to be skipped."""
        while works := [work for work in self.sweep() if not skip(*work)]:
            for name, arguments in works:
                if name == "run_part":
                    self.part(arguments[0], arguments[1])
                else:
                    self.finish(arguments[0])

    def done(self, as_of: date = SEPTEMBER, **asked: Any) -> int:
        """A run from beginning to end."""
        begun = self.begin(as_of, **asked)
        self.work()
        assert self.report(begun.run_id)["status"] == "succeeded"
        return begun.run_id

    def report(self, run_id: int) -> dict[str, Any]:
        with self.shelf.database.read() as connection:
            return run_report(connection, run_id, LATER + timedelta(seconds=10))

    def lapse(self, run_id: int, part: int | None = None) -> None:
        """Time passes, by the database's clock, until leases have run out."""
        with self.shelf.database.write() as connection:
            past = database_now(connection) - timedelta(seconds=1)
            of = run_part.c.run_id == run_id if part is None else (run_part.c.part == part)
            connection.execute(update(run_part).where(of).values(lease_until=past))

    def rows(self, run_id: int) -> int:
        return self.shelf.count(standing, standing.c.run_id == run_id)

    def standing_of(self, run_id: int) -> list[tuple[Any, ...]]:
        with self.shelf.database.read() as connection:
            asked = select(standing).where(standing.c.run_id == run_id).order_by(standing.c.uscc)
            return [tuple(row[1:]) for row in connection.execute(asked)]

    @contextmanager
    def impatient(self, seconds: int) -> Iterator[None]:
        before = self.shelf.settings
        self.shelf.settings = replace(before, lease_seconds=seconds)
        yield
        self.shelf.settings = before

    def assert_whole(self, run_id: int) -> None:
        """Every firm has exactly one row for the run, sums are equal, nothing stays running."""
        with self.shelf.database.read() as connection:
            rows, firms = connection.execute(
                select(func.count(), func.count(standing.c.uscc.distinct())).where(
                    standing.c.run_id == run_id
                )
            ).one()
            parts = connection.execute(
                select(func.sum(run_part.c.firms)).where(run_part.c.run_id == run_id)
            ).scalar_one()
            open_parts = select(func.count()).where(
                run_part.c.run_id == run_id, run_part.c.status.in_(("queued", "running"))
            )
            assert connection.execute(open_parts).scalar_one() == 0
            kept = connection.execute(select(run.c.firms, run.c.status).where(run.c.id == run_id)).one()
        assert rows == firms == parts == kept.firms
        assert kept.status not in ("queued", "running")


@pytest.fixture
def yard(shelf: Shelf) -> Yard:
    return Yard(shelf)


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """Three hundred firms of the demonstration registry."""
    path = tmp_path / "demo.csv"
    pl.read_csv(seed("demo/firms.csv"), infer_schema=False).head(300).write_csv(path)
    return path
