"""Real services for tests. ``TIDUI_REQUIRE=postgres,redis`` makes a missing one a failure, not a skip."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import redis

POSTGRES = os.environ.get("TIDUI_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("TIDUI_TEST_REDIS", "redis://127.0.0.1:6379")


def missing(service: str, reason: object) -> None:
    """Skip, or fail where the service is required."""
    required = os.environ.get("TIDUI_REQUIRE", "").split(",")
    (pytest.fail if service in required else pytest.skip)(f"no {service}: {reason}")


@contextmanager
def postgres_database(template: str | None = None) -> Iterator[str]:
    """The name of a new database, dropped afterwards."""
    name = f"tidui_test_{uuid.uuid4().hex[:12]}"
    like = f' TEMPLATE "{template}"' if template else ""
    _administer(f'CREATE DATABASE "{name}"{like}')
    try:
        yield name
    finally:
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


def postgres_url(name: str) -> str:
    return POSTGRES.replace("postgresql://", "postgresql+psycopg://").rsplit("/", 1)[0] + f"/{name}"


def _administer(statement: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement.encode())


def redis_database(number: int) -> str:
    """The URL of one emptied Redis database."""
    url = f"{REDIS}/{number}"
    client = redis.Redis.from_url(url, socket_connect_timeout=2)
    client.flushdb()
    client.close()
    return url
