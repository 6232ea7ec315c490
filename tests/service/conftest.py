"""The service over a real database and Redis, with a clock that tests set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from models.registry.audit import Actor
from models.registry.database import Database
from models.registry.keys import create
from models.registry.secrets import pepper
from models.settings import Settings
from service.app import create_app

ADMINISTRATOR = Actor("cli:test", "operator", "test")


@dataclass
class Clock:
    """Stands still until it is told to go on."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 9, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True)
class GivenKey:
    id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "X-Purpose": "test"}


KeyMaker = Callable[..., GivenKey]
Client = Any
"""Flask's test client, untyped: it says of each answer's ``json`` that it may be missing."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(settings: Settings, database: Database, clock: Clock) -> Iterator[Flask]:
    """The service on a migrated database, limits high enough to be out of the way."""
    roomy = "100000 per minute"
    made = create_app(
        replace(settings, lookup_limit=roomy, check_limit=roomy, write_limit=roomy, login_limit=roomy),
        clock=clock,
    )
    yield made
    made.extensions["tidui"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def key(settings: Settings, database: Database, clock: Clock) -> KeyMaker:
    """``key("lookup,assess", district="310115")`` makes a key; ``.headers`` carries it."""

    def make(
        scopes: str = "lookup,assess", district: str | None = None, expires_at: datetime | None = None
    ) -> GivenKey:
        with database.write() as connection:
            issued = create(
                connection,
                pepper(settings),
                label="test",
                scopes=scopes.split(","),
                district=district,
                expires_at=expires_at,
                actor=ADMINISTRATOR,
                now=clock(),
            )
        return GivenKey(issued.key.id, issued.token)

    return make
