"""Databases and services that several folders of tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from models.registry.database import Database
from models.registry.migrate import upgrade
from models.settings import Settings
from tests.services import missing, postgres_database, postgres_url, redis_database


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    """A migrated PostgreSQL database to copy from."""
    try:
        with postgres_database() as name:
            made = Database(postgres_url(name))
            upgrade(made)
            made.close()
            yield name
    except psycopg.OperationalError as error:
        missing("postgres", error)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'tidui.sqlite'}"


@pytest.fixture
def postgresql_url(postgres_template: str) -> Iterator[str]:
    with postgres_database(postgres_template) as name:
        yield postgres_url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each test that asks for it runs on both."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database of the test's own."""
    made = Database(database_url)
    upgrade(made)
    yield made
    made.close()


@pytest.fixture
def redis_url(worker_id: str) -> str:
    """An emptied Redis database of this test process's own."""
    number = 8 + int(worker_id.removeprefix("gw") or 0) % 8 if worker_id != "master" else 7
    try:
        return redis_database(number)
    except redis.RedisError as error:
        missing("redis", error)
        raise AssertionError from error


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", database_url=database_url, redis_url=redis_url)


os.environ.setdefault("OMP_NUM_THREADS", "1")
