"""Workers of two hosts that share PostgreSQL, Redis and a bucket, and not one folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import func, select

from models.impacts.jobs import Asked, begin_impact, read_impact
from models.registry.database import Database
from models.registry.importing import import_file
from models.registry.tables import standing
from models.runs.begin import begin_run
from models.runs.estimating import outlook_key
from models.runs.progress import run_report
from models.runs.record import OPEN, part_key
from models.seeds import ROOT, seed
from models.settings import Settings
from models.store import store_of
from tests.buckets import CREDENTIALS, bucket
from tests.workers.staff import ACTOR, NOW, kill, until
from workers.alive import worker_lives
from workers.queue import make_celery, send

FIRMS = 2000
TIDUI = Path(sys.executable).with_name("tidui")


@dataclass
class Host:
    """A machine of its own, as far as files go: its worker is a process group with another data folder."""

    name: str
    data: Path
    worker: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        return (self.data / "worker.log").read_text("utf-8", "replace")

    def freeze(self) -> None:
        os.killpg(self.worker.pid, signal.SIGSTOP)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.worker.pid, signal.SIGCONT)
        kill(self.worker)


def start(name: str, folder: Path, settings: Settings) -> Host:
    data = folder / name
    data.mkdir()
    environment = {
        **os.environ,
        **CREDENTIALS,
        "TIDUI_DATA": str(data),
        "TIDUI_DATABASE_URL": settings.database_url,
        "TIDUI_REDIS_URL": str(settings.redis_url),
        "TIDUI_STORE": str(settings.store),
        "TIDUI_LEASE_SECONDS": "5",
        "TIDUI_SWEEP_SECONDS": "1",
        "POLARS_MAX_THREADS": "1",
    }
    command = [str(TIDUI), "worker", "--name", name, "--processes", "1"]
    with (data / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            command, cwd=ROOT.parent, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    return Host(name, data, worker)


@pytest.fixture(scope="module")
def store_url() -> Iterator[str]:
    with bucket() as url, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield url


@pytest.fixture
def office(postgresql_url: str, redis_url: str, store_url: str, tmp_path: Path) -> Settings:
    """The host that imported the registry, into the bucket."""
    url = store_url.replace("/registry?", f"/{tmp_path.name}?")
    settings = Settings(tmp_path / "office", postgresql_url, redis_url, store=url)
    database = Database(settings.database_url)
    import_file(database, settings, seed("demo", "firms.csv"), dated=date(2026, 6, 30), actor=ACTOR, now=NOW)
    database.close()
    return settings


@pytest.fixture
def hosts(office: Settings, tmp_path: Path) -> Iterator[list[Host]]:
    started = [start(name, tmp_path, office) for name in ("tidui", "second")]
    yield started
    for host in started:
        host.kill()


def begin(settings: Settings, database: Database, as_of: date) -> int:
    return begin_run(database, settings, as_of=as_of, actor=ACTOR, now=NOW).run_id


def ended(database: Database, run_id: int) -> str | None:
    with database.read() as connection:
        status = run_report(connection, run_id, NOW)["status"]
    return None if status in OPEN else str(status)


def whole(settings: Settings, database: Database, run_id: int) -> None:
    """Each firm has one row in the database and one in the store's files."""
    with database.read() as connection:
        rows = select(func.count(), func.count(standing.c.uscc.distinct())).where(standing.c.run_id == run_id)
        assert connection.execute(rows).one() == (FIRMS, FIRMS)
    store = store_of(replace(settings, data=settings.data.with_name("reader")))
    kinds = [[key(run_id, part) for part in range(16)] for key in (outlook_key, part_key)]
    assert store.list(f"runs/{run_id}") == [key for keys in kinds for key in keys]
    for keys in kinds:
        codes = pl.concat(pl.read_parquet(store.fetch(key), columns=["uscc"]) for key in keys)["uscc"]
        assert (codes.len(), codes.n_unique()) == (FIRMS, FIRMS)


def test_both_hosts_do_parts_of_a_run_whose_files_lie_in_the_bucket(
    office: Settings, hosts: list[Host]
) -> None:
    database = Database(office.database_url)
    until(lambda: all("ready" in host.log for host in hosts))
    run_id = begin(office, database, date(2026, 7, 1))
    assert until(lambda: ended(database, run_id)) == "succeeded"
    whole(office, database, run_id)
    done = [host.log.count(f"of run {run_id}:") for host in hosts]
    assert sum(done) == 16
    assert min(done) > 0
    for host in hosts:  # each fetched the edition's parts that it judged, and kept no result
        cached = sorted(path.name for path in host.data.glob("cache/editions/*/part-*"))
        assert cached
        assert not list(host.data.glob("runs/*"))
    assert not list(office.data.glob("runs/*"))
    database.close()


def test_one_host_goes_dark_amid_a_run_and_the_other_ends_it(office: Settings, hosts: list[Host]) -> None:
    database = Database(office.database_url)
    first, second = hosts
    until(lambda: "ready" in first.log)
    run_id = begin(office, database, date(2026, 7, 2))
    until(lambda: first.log.count(f"of run {run_id}:") > 0)
    first.freeze()  # it is not heard of, and comes back too late
    assert until(lambda: ended(database, run_id)) == "succeeded"
    whole(office, database, run_id)
    os.killpg(first.worker.pid, signal.SIGCONT)
    until(lambda: second.log)
    whole(office, database, run_id)
    database.close()


def test_an_impact_is_worked_out_by_a_host_that_never_saw_the_import(
    office: Settings, hosts: list[Host]
) -> None:
    database = Database(office.database_url)
    asked = Asked(date(2026, 6, 30), pairs=[("srdi.n63", "srdi.n2")])
    begun = begin_impact(database, asked, actor=ACTOR, now=NOW)
    celery = make_celery(office)
    send(celery, "impact", begun.id)

    def status() -> str | None:
        with database.read() as connection:
            found: str = read_impact(connection, begun.id).status
        return None if found in {"queued", "running"} else found

    assert until(status) == "succeeded"
    until(lambda: worker_lives(celery, "tidui"))
    hosts[0].kill()
    assert not worker_lives(celery, "tidui")
    celery.close()
    database.close()
