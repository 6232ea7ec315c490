"""What the service says of itself, and how it lives through a database that goes and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from flask import Flask

from models.registry.audit import verify
from models.registry.database import Database
from models.registry.migrate import upgrade
from models.settings import Settings
from service.app import create_app
from tests.service.conftest import ADMINISTRATOR, Client, Clock, KeyMaker
from tests.services import POSTGRES


def test_the_process_answers_without_anything_behind_it(settings: Settings) -> None:
    app = create_app(
        replace(
            settings, database_url="postgresql+psycopg://x@127.0.0.1:1/x", redis_url="redis://127.0.0.1:1/0"
        )
    )
    client: Client = app.test_client()
    assert client.get("/healthz").json == {"status": "ok"}
    response = client.get("/readyz")
    assert (response.status_code, response.json["status"]) == (503, "not_ready")
    parts = response.json["parts"]
    assert {name for name, part in parts.items() if not part["ok"]} == {"database", "redis", "edition"}
    assert "127.0.0.1" not in response.get_data(as_text=True)
    app.extensions["tidui"].close()


def test_an_empty_registry_is_ready_and_says_so(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json["status"]) == (200, "degraded")
    assert response.json["parts"]["edition"]["zh"] == "还没有导入名册"
    assert response.json["parts"]["database"]["ok"]
    assert response.json["parts"]["redis"]["ok"]


def test_redis_away_is_told_but_look_ups_are_ready(settings: Settings, database: Database) -> None:
    app = create_app(replace(settings, redis_url="redis://127.0.0.1:1/0"))
    response: Any = app.test_client().get("/readyz")
    assert response.status_code == 200
    assert not response.json["parts"]["redis"]["ok"]
    app.extensions["tidui"].close()


def test_a_database_without_its_schema_is_not_ready(settings: Settings) -> None:
    app = create_app(replace(settings, database_url=f"sqlite:///{settings.data}/new.sqlite"))
    response: Any = app.test_client().get("/readyz")
    assert response.status_code == 503
    assert not response.json["parts"]["database"]["ok"]
    app.extensions["tidui"].close()


def test_the_database_away_is_503_with_when_to_try_again(
    settings: Settings, database: Database, key: KeyMaker
) -> None:
    headers = key("lookup").headers
    app = create_app(replace(settings, database_url="postgresql+psycopg://x@127.0.0.1:1/x"))
    response: Any = app.test_client().get("/v1/standards", headers=headers)
    assert (response.status_code, response.json["code"]) == (503, "D001")
    assert response.headers["Retry-After"] == "5"
    app.extensions["tidui"].close()


@pytest.fixture
def away(postgresql_url: str) -> Callable[[bool], None]:
    """``away(True)``: PostgreSQL shuts every connection to the database and takes no new one."""
    name = postgresql_url.rsplit("/", 1)[1]

    def switch(gone: bool) -> None:
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(
                f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {"false" if gone else "true"}'.encode()
            )
            if gone:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
                )

    return switch


def test_a_database_that_goes_and_comes_back_needs_no_restart(
    away: Callable[[bool], None], postgresql_url: str, settings: Settings, clock: Clock
) -> None:
    database = Database(postgresql_url)
    upgrade(database)
    ours = replace(settings, database_url=postgresql_url)
    app: Flask = create_app(ours, clock=clock)
    client: Client = app.test_client()
    headers = _admin(database, ours, clock)
    assert client.get("/v1/audit", headers=headers).status_code == 200
    away(True)
    seen = [client.get("/v1/audit", headers=headers) for _ in range(3)]
    assert {(response.status_code, response.json["code"]) for response in seen} == {(503, "D001")}
    assert client.get("/readyz").status_code == 503
    away(False)
    assert client.get("/v1/audit", headers=headers).status_code == 200
    away(True)
    time.sleep(1.2)  # the audit's thread meets it too
    away(False)
    assert client.get("/v1/audit", headers=headers).status_code == 200
    app.extensions["tidui"].close()
    database.close()
    again = Database(postgresql_url)
    with again.read() as connection:
        assert verify(connection).records == 1 + 3  # the key, and the three look-ups that were answered
    again.close()


def _admin(database: Database, settings: Settings, clock: Clock) -> dict[str, str]:
    from models.registry.keys import create  # noqa: PLC0415
    from models.registry.secrets import pepper  # noqa: PLC0415

    with database.write() as connection:
        issued = create(
            connection, pepper(settings), label="test", scopes=["admin"], actor=ADMINISTRATOR, now=clock()
        )
    return {"Authorization": f"Bearer {issued.token}"}
