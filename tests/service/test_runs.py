"""Runs over HTTP: begun once, watched, ended, cancelled, their failed parts done again."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from models.registry.database import Database
from models.registry.job_tables import run_part
from models.registry.tables import run
from models.settings import Settings
from service.app import create_app
from tests.service.cable import Cable
from tests.service.conftest import Client, Clock, KeyMaker
from tests.service.running import ORDER, done, headers, registry, started, work

__all__ = ["done", "headers", "registry"]


@pytest.mark.usefixtures("registry")
def test_a_run_is_begun_watched_and_ended(
    client: Client, headers: dict[str, str], database: Database, settings: Settings, clock: Clock
) -> None:
    response = client.post("/v1/runs", json=ORDER, headers=headers)
    begun = response.json
    assert (response.status_code, begun["status"], begun["status_text"]["zh"]) == (202, "queued", "排队中")
    assert (begun["firms"], begun["done"], begun["seconds_left"]) == (3, 0, None)
    assert begun["standards"] == ["srdi.n2", "innovative.n63"]
    work(database, settings, clock(), most=10)
    half = client.get(begun["links"]["self"], headers=headers).json
    assert (half["status"], half["parts"]["done"], half["parts"]["queued"]) == ("running", 10, 6)
    clock.advance(seconds=10)
    work(database, settings, clock())
    ended = client.get(begun["links"]["self"], headers=headers).json
    assert (ended["status"], ended["done"], ended["parts"]["done"]) == ("succeeded", 3, 16)
    assert (ended["rate"], ended["seconds_left"], ended["failed_parts"]) == (0.3, None, [])
    assert ended["stood_at"] is not None
    [listed] = client.get("/v1/runs", headers=headers).json["runs"]
    assert listed == ended


@pytest.mark.usefixtures("registry")
def test_the_standing_is_the_old_one_until_the_run_has_ended(
    client: Client,
    key: KeyMaker,
    headers: dict[str, str],
    database: Database,
    settings: Settings,
    clock: Clock,
) -> None:
    run_id = started(client, headers, standards=None)
    before = client.get("/v1/plan", headers=headers).json["run"]["as_of"]
    work(database, settings, clock(), most=12)
    assert client.get("/v1/plan", headers=headers).json["run"]["as_of"] == before
    work(database, settings, clock())
    assert client.get("/v1/plan", headers=headers).json["run"]["as_of"] == "2026-06-30"
    assert client.get(f"/v1/runs/{run_id}", headers=headers).json["stood_at"] is not None


@pytest.mark.usefixtures("registry")
def test_asking_again_gives_the_run_that_is_at_work(client: Client, headers: dict[str, str]) -> None:
    first = started(client, headers)
    assert started(client, headers) == first
    assert started(client, headers, kind="review") != first
    assert started(client, headers, standards=["srdi.n2"]) != first


@pytest.mark.usefixtures("registry")
def test_many_who_ask_at_once_get_one_run(app: Flask, headers: dict[str, str]) -> None:
    ready, found = threading.Barrier(8), []

    def ask() -> None:
        ready.wait(30)
        found.append(started(app.test_client(), headers))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8
    assert len(set(found)) == 1


def test_after_its_end_the_same_question_is_a_new_run(
    client: Client, headers: dict[str, str], done: int
) -> None:
    assert started(client, headers) > done


@pytest.mark.usefixtures("registry")
def test_an_idempotency_key_replays_the_answer(client: Client, headers: dict[str, str]) -> None:
    sent = {**headers, "Idempotency-Key": "one"}
    first = client.post("/v1/runs", json=ORDER, headers=sent)
    again = client.post("/v1/runs", json=ORDER, headers=sent)
    assert (first.json, again.headers["Location"]) == (again.json, first.headers["Location"])
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"as_of": None}, 422, "R422"), ({"kind": "old"}, 422, "R422"), ({"standards": []}, 422, "R422"),
        ({"standards": ["none.n1"]}, 422, "R422"), ({"rulebook": "0" * 64}, 404, "R061"),
        ({"edition": 999}, 400, "G004"), ({"edition": "zzzzzz"}, 400, "G004"), ({"what": 1}, 422, "R422"),
        ({"edition": True}, 422, "R422"), ({"edition": 2**40}, 422, "R422"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused(
    client: Client, headers: dict[str, str], changes: dict[str, Any], status: int, code: str
) -> None:
    response = client.post("/v1/runs", json={**ORDER, **changes}, headers=headers)
    assert (response.status_code, response.json["code"]) == (status, code)


def test_an_empty_registry_has_nothing_to_run(client: Client, headers: dict[str, str]) -> None:
    response = client.post("/v1/runs", json=ORDER, headers=headers)
    assert (response.status_code, response.json["code"]) == (409, "G003")


@pytest.mark.usefixtures("registry")
def test_an_edition_is_named_by_number_or_hash(client: Client, headers: dict[str, str]) -> None:
    first = client.get(f"/v1/runs/{started(client, headers)}", headers=headers).json
    assert started(client, headers, edition=first["edition"]) == first["id"]
    assert started(client, headers, edition=first["edition_hash"][:8]) == first["id"]
    assert started(client, headers, rulebook=first["rulebook"]) == first["id"]


@pytest.mark.usefixtures("registry")
def test_without_redis_the_run_stands_and_is_done_later(
    settings: Settings, database: Database, key: KeyMaker, clock: Clock
) -> None:
    assert settings.redis_url is not None
    cable, url = Cable.before(settings.redis_url, 6379)
    cable.cut()
    app = create_app(replace(settings, redis_url=url), clock=clock)
    headers, client = key("run,lookup").headers, app.test_client()
    run_id = started(client, headers)
    work(database, settings, clock())
    assert client.get(f"/v1/runs/{run_id}", headers=headers).json["status"] == "succeeded"
    app.extensions["tidui"].close()


@pytest.mark.usefixtures("registry")
def test_a_run_is_cancelled_and_may_be_begun_anew(
    client: Client, headers: dict[str, str], database: Database, settings: Settings, clock: Clock
) -> None:
    run_id = started(client, headers)
    work(database, settings, clock(), most=5)
    for _ in range(2):
        response = client.post(f"/v1/runs/{run_id}/cancel", headers=headers)
        assert (response.status_code, response.json["status"]) == (200, "cancelled")
    work(database, settings, clock())
    cancelled = client.get(f"/v1/runs/{run_id}", headers=headers).json
    assert (cancelled["status"], cancelled["parts"]["cancelled"]) == ("cancelled", 16)
    assert started(client, headers) != run_id
    assert client.get("/v1/runs/999999", headers=headers).status_code == 404


def test_a_run_that_has_ended_is_neither_cancelled_nor_retried(
    client: Client, headers: dict[str, str], done: int
) -> None:
    for what, refusal in (("cancel", "J409"), ("retry", "J410")):
        response = client.post(f"/v1/runs/{done}/{what}", headers=headers)
        assert (response.status_code, response.json["code"]) == (409, refusal)


@pytest.mark.usefixtures("registry")
def test_only_the_parts_that_failed_are_done_again(
    client: Client, headers: dict[str, str], database: Database, settings: Settings, clock: Clock
) -> None:
    run_id = started(client, headers)
    with database.write() as connection:
        mine = (run_part.c.run_id == run_id, run_part.c.part == 3)
        connection.execute(update(run_part).where(*mine).values(status="failed", error="J500 搁置 parked"))
        connection.execute(update(run).where(run.c.id == run_id).values(parts_left=15))
    work(database, settings, clock())
    partly = client.get(f"/v1/runs/{run_id}", headers=headers).json
    assert (partly["status"], partly["stood_at"]) == ("partly_succeeded", None)
    assert [(one["part"], one["error"]) for one in partly["failed_parts"]] == [(3, "J500 搁置 parked")]
    seconds = told_seconds(database, run_id)
    again = client.post(f"/v1/runs/{run_id}/retry", headers=headers)
    assert (again.status_code, again.json["parts"]["queued"], again.json["parts"]["done"]) == (202, 1, 15)
    work(database, settings, clock())
    assert client.get(f"/v1/runs/{run_id}", headers=headers).json["status"] == "succeeded"
    assert {part: told for part, told in told_seconds(database, run_id).items() if part != 3} == seconds


def told_seconds(database: Database, run_id: int) -> dict[int, float]:
    """How long each part that is done took: another number, had it been done again."""
    asked = select(run_part.c.part, run_part.c.seconds).where(
        run_part.c.run_id == run_id, run_part.c.status == "done"
    )
    with database.read() as connection:
        return {part: seconds for part, seconds in connection.execute(asked)}
