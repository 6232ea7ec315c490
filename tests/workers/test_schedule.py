"""The beat: one works, another takes over, and losing Redis's memory stops nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import redis

from models.jobs.scheduled import last_started
from models.registry.database import Database
from models.seeds import ROOT
from models.settings import Settings
from tests.registry.conftest import NOW
from workers.queue import QUEUE, holder, make_celery
from workers.schedule import nightly, tick

WAIT = 60.0
Beat = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def memory(redis_url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(redis_url)
    yield client
    client.close()


@pytest.fixture
def beat(redis_url: str, tmp_path: Path) -> Iterator[Beat]:
    """``beat()`` starts one more; all are killed at the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(_beating(redis_url, tmp_path))


@contextmanager
def _beating(redis_url: str, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    database = f"sqlite:///{tmp_path / 'beat.sqlite'}"
    command = [sys.executable, "-m", "tests.workers.beating", database, redis_url, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT.parent, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def more_than(memory: redis.Redis, number: int) -> int:
    """Wait until so many messages and more were put into the queue; how many there are."""
    deadline = time.monotonic() + WAIT
    while (found := int(memory.llen(QUEUE))) <= number:
        assert time.monotonic() < deadline, f"no message beyond {found}"
        time.sleep(0.1)
    return found


def test_a_killed_beat_is_taken_over_when_its_lock_times_out(memory: redis.Redis, beat: Beat) -> None:
    first = beat()
    more_than(memory, 1)
    holder_of_lock = memory.get("tidui:beat::lock")
    second = beat()
    more_than(memory, 3)
    assert memory.get("tidui:beat::lock") == holder_of_lock is not None  # the second stands by
    first.kill()
    first.wait()
    more_than(memory, int(memory.llen(QUEUE)) + 2)
    assert memory.get("tidui:beat::lock") not in {None, holder_of_lock}
    assert second.poll() is None


def test_an_emptied_redis_gets_its_schedule_back(memory: redis.Redis, beat: Beat) -> None:
    running = beat()
    more_than(memory, 1)
    memory.flushdb()
    more_than(memory, 2)
    assert memory.exists("tidui:beat:nightly") == 1
    assert running.poll() is None


def test_asked_to_stop_it_stops_and_lets_go_of_the_lock(memory: redis.Redis, beat: Beat) -> None:
    running = beat()
    more_than(memory, 0)
    running.terminate()
    assert running.wait(20) == 0
    assert memory.get("tidui:beat::lock") is None


def test_what_was_started_last_is_on_record(settings: Settings, database: Database) -> None:
    celery = make_celery(settings)
    celery.set_current()
    holder(celery).clock = lambda: NOW
    for task in (tick, nightly, tick):
        celery.tasks[task.name].apply()
    with database.read() as connection:
        kept = last_started(connection)
    assert {name: one.at for name, one in kept.items()} == {"nightly": NOW, "sweep": NOW}
    assert kept["nightly"].result == {"as_of": "2026-11-23", "reasons": [], "run": None}
    holder(celery).database.close()
