"""Limits per key, over Redis that is there, away, and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import redis
from flask import Flask

from models.registry.database import Database
from models.registry.migrate import upgrade
from models.settings import Settings
from service.app import create_app
from service.limits import Limiter, LimiterAway, LimitReached
from tests.service.conftest import Client, Clock, KeyMaker

PATH = "/v1/standards"
AWAY = "redis://127.0.0.1:1/0"
Make = Callable[..., Client]


@pytest.fixture
def settings(redis_url: str, sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One database is enough here."""
    return Settings(data=tmp_path_factory.mktemp("data"), database_url=sqlite_url, redis_url=redis_url)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    made = Database(settings.database_url)
    upgrade(made)
    yield made
    made.close()


@pytest.fixture
def make(settings: Settings, database: Database, clock: Clock) -> Iterator[Make]:
    apps: list[Flask] = []

    def made(**changes: object) -> Client:
        apps.append(create_app(replace(settings, **changes), clock=clock))  # type: ignore[arg-type]
        return apps[-1].test_client()

    yield made
    for app in apps:
        app.extensions["tidui"].close()


def test_the_answer_says_where_the_caller_stands(make: Make, key: KeyMaker) -> None:
    client, given = make(lookup_limit="10 per day"), key("lookup")
    first, second = (client.get(PATH, headers=given.headers).headers for _ in range(2))
    assert first["RateLimit-Policy"] == '"lookup";q=10;w=86400'
    assert first["RateLimit"].startswith('"lookup";r=9;t=')
    assert (first["X-RateLimit-Limit"], first["X-RateLimit-Remaining"]) == ("10", "9")
    assert second["X-RateLimit-Remaining"] == "8"


def test_beyond_the_limit_it_is_429_with_the_seconds_to_wait(make: Make, key: KeyMaker) -> None:
    client, given = make(lookup_limit="3 per day"), key("lookup")
    assert [client.get(PATH, headers=given.headers).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = client.get(PATH, headers=given.headers)
    assert refused.content_type == "application/problem+json"
    assert refused.json["code"] == "L001"
    assert 0 < int(refused.headers["Retry-After"]) <= 86400
    assert refused.headers["X-RateLimit-Remaining"] == "0"


def test_one_keys_haste_is_not_anothers(make: Make, key: KeyMaker) -> None:
    client, hasty, calm = make(lookup_limit="2 per day"), key("lookup"), key("lookup")
    for _ in range(3):
        client.get(PATH, headers=hasty.headers)
    assert client.get(PATH, headers=calm.headers).status_code == 200


def test_processes_share_one_limit_and_never_exceed_it(make: Make, key: KeyMaker) -> None:
    clients, given = [make(lookup_limit="100 per day") for _ in range(3)], key("lookup")
    passed = sum(
        client.get(PATH, headers=given.headers).status_code == 200 for _ in range(50) for client in clients
    )
    assert 100 - 3 * 2 < passed <= 100


def test_a_window_ends(settings: Settings) -> None:
    limiter = Limiter(replace(settings, lookup_limit="2 per second"))
    seen = 0
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        try:
            limiter.spend("lookup", "somebody")
            seen += 1
        except LimitReached as error:
            time.sleep(min(error.standing.reset, 0.2))
    assert 4 <= seen <= 8
    limiter.close()


def test_without_redis_look_ups_go_on_without_waiting_each_time(make: Make, key: KeyMaker) -> None:
    client, given = make(redis_url=AWAY, lookup_limit="1 per day"), key("lookup")
    client.get(PATH, headers=given.headers)
    start = time.perf_counter()
    answers = [client.get(PATH, headers=given.headers) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers
    assert time.perf_counter() - start < 2


def test_without_redis_log_ins_are_refused(settings: Settings) -> None:
    limiter = Limiter(replace(settings, redis_url=AWAY))
    for _ in range(2):
        with pytest.raises(LimiterAway):
            limiter.spend_closed("login", "10.0.0.1")


def test_when_redis_comes_back_it_counts_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.limits.BACK_OFF_SECONDS", 0.2)
    limiter = Limiter(replace(settings, lookup_limit="5 per day"))
    assert limiter.spend("lookup", "x") is not None
    server = redis.Redis.from_url(str(settings.redis_url))
    server.client_pause(600)  # it hangs, which is worse than being gone
    assert limiter.spend("lookup", "x") is None
    time.sleep(1.0)
    assert limiter.spend("lookup", "x") is not None
    server.close()
    limiter.close()


def test_without_any_redis_configured_the_process_counts(make: Make, key: KeyMaker) -> None:
    client, given = make(redis_url=None, lookup_limit="2 per day"), key("lookup")
    assert [client.get(PATH, headers=given.headers).status_code for _ in range(3)] == [200, 200, 429]
