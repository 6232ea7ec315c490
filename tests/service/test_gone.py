"""Redis or PostgreSQL is gone, really: the connection is cut amid work, refused meanwhile, and mended."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from flask import Flask

from models.registry.audit import verify
from models.registry.database import LEASE_SECONDS, Database
from models.settings import Settings
from service import limits
from service.app import create_app
from tests.service.cable import Cable
from tests.service.conftest import Client, Clock, GivenKey, KeyMaker
from tests.service.little_registry import bring_in, code
from tests.services import POSTGRES

FIRM = code(1)
PATH = f"/v1/firms/{FIRM}"
WRONG = {"Authorization": f"Bearer tdk_{'a' * 12}_{'b' * 43}"}


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    """SQLite does not go away."""
    return postgresql_url


@pytest.fixture
def registry(database: Database, settings: Settings) -> None:
    bring_in(database, settings, {FIRM: {"name": "上海甲精密机械有限公司"}}, dated=date(2026, 5, 1))


@pytest.fixture
def given(key: KeyMaker) -> GivenKey:
    return key("lookup,assess,write")


@pytest.fixture
def cables(settings: Settings) -> Iterator[dict[str, tuple[Cable, str]]]:
    """To the database and to Redis, each with the URL through it."""
    laid = {
        "database": Cable.before(settings.database_url, 5432),
        "redis": Cable.before(str(settings.redis_url), 6379),
    }
    yield laid
    for cable, _ in laid.values():
        cable.cut()


@pytest.fixture
def app(settings: Settings, cables: dict[str, tuple[Cable, str]], clock: Clock) -> Iterator[Flask]:
    ours = replace(settings, database_url=cables["database"][1], redis_url=cables["redis"][1])
    made = create_app(ours, clock=clock)
    yield made
    made.extensions["tidui"].close()


def seen(response: Any) -> tuple[int, str | None]:
    return response.status_code, (response.json or {}).get("code")


@pytest.mark.usefixtures("registry")
def test_redis_gone_look_ups_go_on_log_ins_wait_and_readyz_tells(
    client: Client, given: GivenKey, cables: dict[str, tuple[Cable, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BACK_OFF_SECONDS", 0.0)
    cable, _ = cables["redis"]
    assert "RateLimit" in client.get(PATH, headers=given.headers).headers
    assert seen(client.get(PATH, headers=WRONG)) == (401, "K102")

    cable.cut()
    for _ in range(60):  # more than a handful that was in hand
        assert client.get(PATH, headers=given.headers).status_code == 200
    assert seen(client.get(PATH, headers=WRONG)) == (503, "L002")
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (200, "degraded")
    assert not ready.json["parts"]["redis"]["ok"]
    assert ready.json["parts"]["redis"]["uncounted"] > 0

    cable.mend()
    assert seen(client.get(PATH, headers=WRONG)) == (401, "K102")
    assert "RateLimit" in client.get(PATH, headers=given.headers).headers
    assert client.get("/readyz").json["parts"]["redis"]["ok"]


@pytest.mark.usefixtures("registry")
def test_postgresql_gone_is_told_and_comes_back_without_a_restart(
    app: Flask, client: Client, given: GivenKey, cables: dict[str, tuple[Cable, str]], database: Database
) -> None:
    cable, _ = cables["database"]
    before = client.get(PATH, headers=given.headers)
    assert before.status_code == 200
    for _ in range(2):  # it may go more than once
        cable.cut()
        time.sleep(LEASE_SECONDS)  # what was read just before is still answered by
        away = [client.get(PATH, headers=given.headers), client.get("/v1/standards", headers=given.headers)]
        assert [seen(response) for response in away] == [(503, "D001")] * 2
        assert {response.headers["Retry-After"] for response in away} == {"5"}
        assert seen(correct(client, given, before.headers["ETag"], 1)) == (503, "D001")
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        cable.mend()
        again = client.get(PATH, headers=given.headers)
        assert (again.status_code, again.data) == (200, before.data)
        assert client.get("/readyz").status_code == 200
    assert correct(client, given, before.headers["ETag"], 1).status_code == 200
    app.extensions["tidui"].auditor.flush()
    with database.read() as connection:
        assert verify(connection).sound


@pytest.mark.usefixtures("registry")
def test_connections_that_postgresql_ended_are_replaced(
    app: Flask, given: GivenKey, database: Database
) -> None:
    """Idle ones fail once at the most, and never with anything but D001; then all is well."""
    threads = [threading.Thread(target=app.test_client().get, args=(PATH,), kwargs={"headers": given.headers})
               for _ in range(6)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    name = database.url.rsplit("/", 1)[1]
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", [name]
        ).fetchone()
    assert ended
    assert ended[0] > 0
    client: Client = app.test_client()
    answers = [seen(client.get(PATH, headers=given.headers)) for _ in range(40)]
    assert set(answers) <= {(200, None), (503, "D001")}
    assert answers[-20:] == [(200, None)] * 20


@pytest.mark.usefixtures("registry")
def test_a_cut_amid_many_writes_loses_none_that_was_answered(
    app: Flask, given: GivenKey, cables: dict[str, tuple[Cable, str]], database: Database
) -> None:
    """What was answered 200 is there; what was not is there whole or not at all, and the chain holds."""
    cable, _ = cables["database"]
    done: list[int] = []
    begun = threading.Event()

    def write() -> None:
        client: Client = app.test_client()
        for number in range(1, 30):
            read = client.get(PATH, headers=given.headers)
            if (
                read.status_code == 200
                and correct(client, given, read.headers["ETag"], number).status_code == 200
            ):
                done.append(number)
                if len(done) == 5:
                    begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert begun.wait(30)
    cable.cut()
    cable.mend()
    writer.join()
    assert len(done) >= 20
    now = app.test_client().get(PATH, headers=given.headers)
    assert now.json is not None
    assert now.json["version"] - 1 >= len(done)
    (fact,) = [fact for fact in now.json["facts"] if fact["column"] == "ip_class1"]
    assert fact["value"] == done[-1]
    app.extensions["tidui"].auditor.flush()
    with database.read() as connection:
        assert verify(connection).sound


def correct(client: Client, given: GivenKey, tag: str, number: int) -> Any:
    body = {"changes": {"ip_class1": number}, "reason": "企业来函更正"}
    return client.patch(f"{PATH}/facts", json=body, headers={**given.headers, "If-Match": tag})
