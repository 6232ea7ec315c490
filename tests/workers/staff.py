"""Real workers, each a process group of its own, over a real PostgreSQL and a real Redis."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import func, select

from models.registry.audit import Actor
from models.registry.database import Database
from models.registry.job_tables import run_part
from models.registry.tables import run, standing
from models.runs.begin import begin_run
from models.runs.progress import run_report
from models.runs.record import OPEN
from models.seeds import ROOT
from models.settings import Settings
from tests.e2e.served import free_port
from workers.queue import TaskName, make_celery, send

PATIENCE = 240.0
"""Seconds until something that is to happen must have happened, on a busy machine."""
ACTOR = Actor("cli:test", "operator", "test", "测试")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def until(what: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Wait until ``what`` is true, and return it."""
    deadline = time.monotonic() + patience
    while not (found := what()):
        assert time.monotonic() < deadline, f"waited {patience} s in vain"
        time.sleep(0.05)
    return found


@dataclass
class Staff:
    """A registry, and workers that can be hired and killed."""

    settings: Settings
    database: Database
    traps: Path
    workers: ExitStack = field(default_factory=ExitStack)

    def hire(self, *, ahead: float = 0.0) -> subprocess.Popen[bytes]:
        """Another worker with one process, ready to work before long."""
        log = (self.traps / f"worker-{time.monotonic_ns()}.log").open("wb")
        options = ["--ahead", str(ahead)] if ahead else []
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.workers.trapped", str(self.traps), *options],
            cwd=ROOT.parent,
            env={**os.environ, **self._environment(), "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        self.workers.callback(kill, process)
        return process

    def _environment(self) -> dict[str, str]:
        settings = self.settings
        return {
            "TIDUI_DATA": str(settings.data),
            "TIDUI_DATABASE_URL": settings.database_url,
            "TIDUI_REDIS_URL": settings.redis_url or "",
            "TIDUI_LEASE_SECONDS": str(settings.lease_seconds),
            "TIDUI_SWEEP_SECONDS": str(settings.sweep_seconds),
        }

    def begin(self, as_of: date) -> int:
        begun = begin_run(self.database, self.settings, as_of=as_of, actor=ACTOR, now=NOW)
        self.send("sweep")
        return begun.run_id

    def send(self, task: TaskName, *arguments: int, times: int = 1) -> None:
        celery = make_celery(self.settings)
        for _ in range(times):
            send(celery, task, *arguments)
        celery.close()

    def trap(self, name: str) -> None:
        (self.traps / name).touch()

    def release(self, name: str) -> None:
        (self.traps / name).unlink()
        for left in self.traps.glob("at-*"):
            left.unlink()

    def held(self) -> dict[int, int]:
        """Part → process, of those that wait in a trap."""
        found = {}
        for path in self.traps.glob("at-*"):
            with suppress(OSError, ValueError):
                found[int(path.name.removeprefix("at-"))] = int(path.read_text())
        return found

    def wait_held(self, count: int = 1) -> dict[int, int]:
        found: dict[int, int] = until(lambda: self.held() if len(self.held()) >= count else None)
        return found

    def report(self, run_id: int) -> dict[str, Any]:
        with self.database.read() as connection:
            return run_report(connection, run_id, NOW)

    def wait_done(self, run_id: int, parts: int) -> None:
        until(lambda: self.report(run_id)["parts"]["done"] >= parts)

    def wait_ended(self, run_id: int) -> dict[str, Any]:
        """The run's report once it has ended; then the sums are looked at."""
        until(lambda: self.report(run_id)["status"] not in OPEN)
        report = self.report(run_id)
        self.assert_whole(run_id)
        return report

    def wait_gone(self, run_id: int) -> None:
        """Nothing of a cancelled run is left but its record."""
        until(lambda: self.report(run_id)["parts"]["cancelled"] == 16)
        with self.database.read() as connection:
            rows = select(func.count()).where(standing.c.run_id == run_id)
            assert connection.execute(rows).scalar_one() == 0
        assert self.report(run_id)["status"] == "cancelled"

    def deliveries(self, run_id: int) -> dict[int, int]:
        with self.database.read() as connection:
            asked = select(run_part.c.part, run_part.c.deliveries).where(run_part.c.run_id == run_id)
            return {row.part: row.deliveries for row in connection.execute(asked)}

    def assert_whole(self, run_id: int) -> None:
        """Every firm has exactly one row for the run, sums are equal, nothing stays running."""
        with self.database.read() as connection:
            rows, firms = connection.execute(
                select(func.count(), func.count(standing.c.uscc.distinct())).where(
                    standing.c.run_id == run_id
                )
            ).one()
            parts = select(func.coalesce(func.sum(run_part.c.firms), 0)).where(
                run_part.c.run_id == run_id, run_part.c.status == "done"
            )
            assert rows == firms == connection.execute(parts).scalar_one()
            assert rows == connection.execute(select(run.c.firms).where(run.c.id == run_id)).scalar_one()
            left = select(func.count()).where(
                run_part.c.run_id == run_id, run_part.c.status.in_(("queued", "running"))
            )
            assert connection.execute(left).scalar_one() == 0


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9 of a worker with its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass
class OwnRedis:
    """A redis-server that a test may do anything to."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--dir", str(self.folder), "--save", ""],
            stdout=subprocess.DEVNULL,
        )
        until(self.answers)

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def empty(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@contextmanager
def own_redis(folder: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(free_port(), folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def staff(settings: Settings, database: Database, traps: Path) -> Iterator[Staff]:
    """``settings``: leases of two seconds and a sweep each second make a test short."""
    shutil.rmtree(traps, ignore_errors=True)
    traps.mkdir()
    crew = Staff(replace(settings, lease_seconds=3, sweep_seconds=1), database, traps)
    with crew.workers:
        yield crew
