"""Uploads when workers and the web server are killed: nothing lost, nothing twice, nothing half visible."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
from sqlalchemy import select

from models.registry.database import Database
from models.registry.job_tables import upload
from models.registry.keys import create
from models.registry.secrets import pepper
from models.registry.state import read_state
from models.registry.tables import edition, firm
from models.seeds import seed
from models.settings import Settings
from models.store import store_of
from models.uploads.confirm import confirm
from models.uploads.rows import SETTLED, Upload, find_upload
from tests.e2e.served import Served, serve
from tests.registry.conftest import JUNE, code
from tests.services import postgres_database, postgres_url
from tests.uploads.conftest import UPLOADER, Desk
from tests.workers.staff import ACTOR, NOW, PATIENCE, Staff, kill, staff, until

UPLOADS = 200
CHECKED = UPLOADS if os.environ.get("TIDUI_TEST_ALL_UPLOADS") else 20
"""So many of them are checked before the rest are believed to be in good hands: each costs a process."""


@pytest.fixture
def place(postgres_template: str, redis_url: str, tmp_path: Path) -> Iterator[Settings]:
    with postgres_database(postgres_template) as name:
        yield Settings(data=tmp_path / "data", database_url=postgres_url(name), redis_url=redis_url)


@pytest.fixture
def crew(place: Settings, tmp_path: Path) -> Iterator[Staff]:
    database = Database(place.database_url)
    with staff(place, database, tmp_path / "traps") as hired:
        yield hired
    database.close()


@pytest.fixture
def desk(crew: Staff) -> Desk:
    return Desk(crew.database, crew.settings)


def firms(count: int, first: int = 1) -> str:
    rows = "".join(f"{code(first + number)},企业{number},{number}\n" for number in range(count))
    return "统一社会信用代码,企业名称,2025年营业收入（万元）\n" + rows


def settled(desk: Desk, one: Upload, patience: float = 2 * PATIENCE) -> Upload:
    found: Upload = until(lambda: now if (now := desk.find(one.id)).status in SETTLED else None, patience)
    return found


def reading_child(worker: subprocess.Popen[bytes]) -> psutil.Process | None:
    """The process that reads a file for this worker, once it has its limits."""
    for process in psutil.Process(worker.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            reads = "models.uploads.child" in process.cmdline()
            if reads and process.rlimit(psutil.RLIMIT_AS)[0] != psutil.RLIM_INFINITY:
                return process
    return None


def killed_amid_check(crew: Staff) -> None:
    """A worker is hired, begins to check, and dies with the file half read."""
    worker = crew.hire()
    child: psutil.Process = until(lambda: reading_child(worker))
    with suppress(psutil.NoSuchProcess):
        child.suspend()
    kill(worker)
    psutil.wait_procs([child], timeout=PATIENCE)
    assert not child.is_running(), "what reads a file outlives its worker"


def test_a_worker_is_killed_amid_a_check(crew: Staff, desk: Desk) -> None:
    one = desk.bring(firms(50))
    killed_amid_check(crew)
    assert desk.find(one.id).status == "checking"
    crew.hire()
    done = settled(desk, one)
    assert done.status == "checked"
    assert done.report is not None
    assert done.report["counts"]["good"] == 50


def test_a_file_that_always_kills_its_worker_is_parked(crew: Staff, desk: Desk) -> None:
    one, other = desk.bring(firms(5)), desk.bring(firms(6), owner="key:other")
    desk.set(other, status="deleted")  # in nobody's way
    killed_amid_check(crew)
    killed_amid_check(crew)
    crew.hire()
    done = settled(desk, one)
    assert (done.status, (done.problem or {})["code"]) == ("refused", "U501")


def test_a_worker_is_killed_amid_an_import(crew: Staff, desk: Desk) -> None:
    one = desk.bring(seed("demo/firms.csv").read_bytes())
    worker = crew.hire()
    assert settled(desk, one).status == "checked"
    confirm(crew.database, one.id, "good_rows", owner=one.owner, actor=UPLOADER, now=NOW)
    crew.send("upload_import")
    until(lambda: desk.find(one.id).status == "importing")
    time.sleep(0.3)
    kill(worker)
    assert desk.find(one.id).status == "importing"
    crew.hire()
    done = settled(desk, one)
    assert (done.status, done.problem) == ("imported", None)
    with crew.database.read() as connection:
        editions = connection.execute(select(edition.c.id, edition.c.status)).all()
        assert [tuple(row) for row in editions] == [(done.edition_id, "ready")]
        assert read_state(connection).edition_id == done.edition_id
        assert len(connection.execute(select(firm.c.uscc)).all()) == 2_000


def test_uploads_whose_messages_were_lost_are_found_by_the_sweep(crew: Staff, desk: Desk) -> None:
    several = [desk.bring(firms(3, first=10 * number)) for number in range(3)]
    crew.hire()
    assert {settled(desk, one).status for one in several} == {"checked"}


@dataclass
class Uploader:
    """Somebody with a key at a served registry."""

    served: Served
    token: str

    def send(self, content: str, name: str) -> Any:
        query = urllib.parse.urlencode({"dated": JUNE.isoformat(), "name": name})
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "text/csv"}
        address = f"{self.served.address}/v1/uploads?{query}"
        asked = urllib.request.Request(address, content.encode(), headers, method="POST")
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            assert answer.status == 202
            return orjson.loads(answer.read())


def uploader(served: Served, place: Settings, database: Database) -> Uploader:
    with database.write() as connection:
        issued = create(
            connection, pepper(place), label="test", scopes=["upload"], district=None, expires_at=None,
            actor=ACTOR, now=NOW,
        )  # fmt: skip
    return Uploader(served, issued.token)


def test_the_web_server_is_killed_amid_an_upload(place: Settings) -> None:
    environment = {"TIDUI_DATABASE_URL": place.database_url, "TIDUI_WORKERS": "0"}
    database = Database(place.database_url)
    incoming = place.data / "incoming"
    with serve(place.data, **environment) as served:
        token = uploader(served, place, database).token
        host, port = served.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as half:
            head = (
                f"POST /v1/uploads?dated={JUNE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: text/csv\r\nContent-Length: 50000000\r\n\r\n"
            )
            half.sendall(head.encode() + b"x" * 8_000_000)
            until(lambda: any(part.stat().st_size for part in incoming.glob("*.part")))
            family = [psutil.Process(served.process.pid)]
            family += family[0].children(recursive=True)
            for process in reversed(family):
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
            psutil.wait_procs(family, timeout=PATIENCE)
    assert list(incoming.glob("*.part"))
    with database.read() as connection:
        assert connection.execute(select(upload.c.id)).all() == []
    with serve(place.data, **environment) as served:
        made = uploader(served, place, database).send(firms(2), "名册.csv")
    assert list(incoming.iterdir()) == []
    assert store_of(place).list("uploads") == [f"uploads/{made['id']}/file"]
    database.close()


@pytest.mark.slow
def test_many_uploads_at_once_are_all_checked_and_fairly(place: Settings) -> None:
    """One uploader sends two hundred at once, another one more: it does not wait for them all."""
    database = Database(place.database_url)
    desk = Desk(database, place)
    environment = {"TIDUI_DATABASE_URL": place.database_url, "TIDUI_WORKERS": "0"}
    with serve(place.data, **environment) as served:
        many, single = (uploader(served, place, database) for _ in range(2))
        with ThreadPoolExecutor(32) as pool:
            contents = [firms(2, first=1000 + 2 * number) for number in range(UPLOADS)]
            made = list(pool.map(many.send, contents, [f"{n}.csv" for n in range(UPLOADS)]))
        last = single.send(firms(1), "一份.csv")
    assert len({one["id"] for one in made}) == UPLOADS
    with staff(place, database, place.data / "traps") as crew:
        crew.hire(), crew.hire()
        until(
            lambda: settled_ids(database) >= CHECKED and desk.find(last["id"]).status in SETTLED,
            20 * PATIENCE,
        )
    found = [desk.find(one["id"]) for one in made]
    alone = desk.find(last["id"])
    assert alone.status == "checked"
    assert {one.status for one in found} <= {"checked", "checking", "queued"}
    assert sum(one.status == "checked" for one in found) >= CHECKED - 1
    assert alone.checked_at is not None
    before = [one for one in found if one.checked_at is not None and one.checked_at < alone.checked_at]
    assert len(before) <= 4  # two workers at work, each with one begun before
    database.close()


def settled_ids(database: Database) -> int:
    with database.read() as connection:
        return len(connection.execute(select(upload.c.id).where(upload.c.status.in_(tuple(SETTLED)))).all())


def test_uploads_through_the_store_of_another_host(crew: Staff, desk: Desk, tmp_path: Path) -> None:
    """The worker has another data folder: only the store is shared."""
    shared = replace(crew.settings, store=str(tmp_path / "store"))
    one = Desk(crew.database, shared).bring(firms(4))
    crew.settings = replace(shared, data=tmp_path / "other-host")
    os.environ["TIDUI_STORE"] = str(tmp_path / "store")
    try:
        crew.hire()
        assert settled(desk, one).status == "checked"
    finally:
        del os.environ["TIDUI_STORE"]
    with crew.database.read() as connection:
        assert find_upload(connection, one.id).report is not None
    assert sorted(store_of(shared).list("uploads")) == [
        f"uploads/{one.id}/errors.xlsx", f"uploads/{one.id}/file",
    ]  # fmt: skip
