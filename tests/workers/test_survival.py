"""Workers killed, Redis and PostgreSQL in trouble, a full disk, a wrong clock: a run ends whole."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import psycopg
import pytest

from models.registry.database import Database
from models.registry.importing import import_file
from models.registry.migrate import upgrade
from models.registry.state import read_state
from models.runs.cancel import cancel_run
from models.runs.retry import retry_run
from models.seeds import seed
from models.settings import Settings
from tests.services import POSTGRES, missing, postgres_database, postgres_url
from tests.workers.own_postgres import own_postgres
from tests.workers.staff import ACTOR, NOW, OwnRedis, Staff, kill, own_redis, staff

FIRMS = 320
HOUR = 3600.0


@pytest.fixture(scope="module")
def registry(postgres_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A little registry on PostgreSQL, for all tests of this file: each judges another day."""
    folder = tmp_path_factory.mktemp("survival")
    with postgres_database(postgres_template) as name:
        settings = Settings(data=folder / "data", database_url=postgres_url(name), redis_url=None)
        database = Database(settings.database_url)
        bring_firms(database, settings, folder)
        database.close()
        yield settings


def bring_firms(database: Database, settings: Settings, folder: Path) -> None:
    firms = folder / "firms.csv"
    pl.read_csv(seed("demo/firms.csv"), infer_schema=False).head(FIRMS).write_csv(firms)
    import_file(database, settings, firms, dated=date(2026, 6, 30), actor=ACTOR, now=NOW)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    if shutil.which("redis-server") is None:
        missing("redis", "no redis-server on PATH")
    with own_redis(tmp_path_factory.mktemp("redis")) as started:
        yield started


@pytest.fixture
def crew(registry: Settings, server: OwnRedis, tmp_path: Path) -> Iterator[Staff]:
    database = Database(registry.database_url)
    server.empty()
    with staff(replace(registry, redis_url=server.url), database, tmp_path / "traps") as hired:
        yield hired
    database.close()


def test_one_worker_then_both_are_killed_amid_a_part(crew: Staff) -> None:
    crew.trap("hold-judged")
    run_id = crew.begin(date(2026, 7, 1))
    first, second = crew.hire(), crew.hire()
    crew.wait_held(2)
    kill(first)
    crew.release("hold-judged")
    crew.wait_done(run_id, 3)
    crew.trap("hold-ending")
    crew.wait_held()
    kill(second)
    crew.release("hold-ending")
    crew.hire()
    assert crew.wait_ended(run_id)["status"] == "succeeded"
    with crew.database.read() as connection:
        assert read_state(connection).run_id == run_id


def test_a_part_that_always_kills_its_worker_is_parked(crew: Staff) -> None:
    crew.trap("kill-5")
    run_id = crew.begin(date(2026, 7, 2))
    crew.hire()
    report = crew.wait_ended(run_id)
    assert report["status"] == "partly_succeeded"
    assert [(one["part"], one["deliveries"]) for one in report["failed_parts"]] == [(5, 2)]
    assert "搁置" in report["failed_parts"][0]["error"]
    crew.release("kill-5")
    retry_run(crew.database, run_id, actor=ACTOR, now=NOW)
    crew.send("sweep")
    assert crew.wait_ended(run_id)["status"] == "succeeded"


def test_every_message_five_times_to_two_workers(crew: Staff) -> None:
    run_id = crew.begin(date(2026, 7, 3))
    for part in range(16):
        crew.send("run_part", run_id, part, times=5)
    crew.hire()
    crew.hire()
    crew.send("run_finish", run_id, times=5)
    assert crew.wait_ended(run_id)["status"] == "succeeded"
    assert set(crew.deliveries(run_id).values()) == {1}


def test_a_worker_whose_clock_is_an_hour_fast_takes_nothing_from_others(crew: Staff) -> None:
    crew.settings = replace(crew.settings, lease_seconds=60)
    crew.trap("hold-judged-0")
    run_id = crew.begin(date(2026, 7, 4))
    crew.hire()
    crew.wait_held()
    crew.hire(ahead=HOUR)
    crew.wait_done(run_id, 15)
    crew.release("hold-judged-0")
    assert crew.wait_ended(run_id)["status"] == "succeeded"
    assert set(crew.deliveries(run_id).values()) == {1}


def test_redis_emptied_stopped_and_restarted(crew: Staff, server: OwnRedis) -> None:
    crew.trap("hold-read")
    run_id = crew.begin(date(2026, 7, 5))
    crew.hire()
    crew.wait_held()
    server.empty()
    crew.release("hold-read")
    crew.wait_done(run_id, 4)
    server.signal(signal.SIGSTOP)
    time.sleep(30)
    server.signal(signal.SIGCONT)
    crew.wait_done(run_id, 8)
    server.kill()
    time.sleep(1)
    server.start()
    assert crew.wait_ended(run_id)["status"] == "succeeded"


def test_connections_to_postgresql_are_cut(crew: Staff) -> None:
    name = crew.settings.database_url.rsplit("/", 1)[1]
    crew.trap("hold-ending")
    run_id = crew.begin(date(2026, 7, 6))
    crew.hire()
    crew.hire()
    crew.wait_held(2)
    cut(name)
    crew.release("hold-ending")
    for _ in range(3):
        time.sleep(0.5)
        cut(name)
    crew.database.close()
    assert crew.wait_ended(run_id)["status"] == "succeeded"


def test_postgresql_goes_down_during_a_run_and_comes_back(server: OwnRedis, tmp_path: Path) -> None:
    server.empty()
    with own_postgres() as postgres:
        settings = Settings(data=tmp_path / "data", database_url=postgres.url, redis_url=server.url)
        database = Database(settings.database_url)
        upgrade(database)
        bring_firms(database, settings, tmp_path)
        with staff(settings, database, tmp_path / "traps") as crew:
            crew.trap("hold-read")
            run_id = crew.begin(date(2026, 7, 11))
            crew.hire()
            crew.hire()
            crew.wait_held(2)
            postgres.stop()
            crew.release("hold-read")
            time.sleep(3)
            postgres.start()
            database.close()
            assert crew.wait_ended(run_id)["status"] == "succeeded"
        database.close()


def test_the_disk_is_full_at_the_result_store(crew: Staff) -> None:
    crew.trap("full")
    run_id = crew.begin(date(2026, 7, 7))
    crew.hire()
    report = crew.wait_ended(run_id)
    assert report["status"] == "failed"
    assert report["parts"]["failed"] == 16
    assert {one["error"].split()[0] for one in report["failed_parts"]} == {"E402"}
    crew.release("full")
    retry_run(crew.database, run_id, actor=ACTOR, now=NOW)
    crew.send("sweep")
    assert crew.wait_ended(run_id)["status"] == "succeeded"


def test_a_run_is_cancelled_while_workers_are_at_it(crew: Staff) -> None:
    crew.trap("hold-ending")
    run_id = crew.begin(date(2026, 7, 8))
    crew.hire()
    crew.wait_held()
    crew.release("hold-ending")
    crew.wait_done(run_id, 2)
    cancel_run(crew.database, run_id, actor=ACTOR, now=NOW)
    crew.send("run_finish", run_id)
    crew.wait_gone(run_id)
    again = crew.begin(date(2026, 7, 8))
    assert again != run_id
    assert crew.wait_ended(again)["status"] == "succeeded"


def cut(database: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,)
        )
