"""Idempotency-Key on a route: replayed, refused, needed, and at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask, Response

from models.registry.database import Database
from models.settings import Settings
from service import api
from service.app import create_app
from service.idempotency import idempotent
from service.security import needs
from service.wire import Blueprint, answer
from tests.service.conftest import Client, Clock, GivenKey, KeyMaker


class Order(ma.Schema):
    n = ma.fields.Integer(required=True)
    slow = ma.fields.Float(load_default=0)


class Work:
    """Counts how often the route's work was done."""

    done = 0


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def app(
    settings: Settings, database: Database, clock: Clock, work: Work, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    extra = Blueprint("extra", "extra", url_prefix="/v1/extra")

    @extra.post("")
    @needs("programme")
    @idempotent(required=True)
    @extra.arguments(Order)
    def order(body: dict[str, Any]) -> Response:
        work.done += 1
        time.sleep(body["slow"])
        if body["n"] < 0:
            raise ZeroDivisionError
        return answer({"n": body["n"], "done": work.done}, 201, headers={"Location": "/v1/extra/1"})

    monkeypatch.setattr(api, "BLUEPRINTS", (*api.BLUEPRINTS, extra))
    made = create_app(settings, clock=clock)
    yield made
    made.extensions["tidui"].close()


@pytest.fixture
def given(key: KeyMaker) -> GivenKey:
    return key("programme")


def post(client: Client, given: GivenKey, key: str | None = "k", **body: Any) -> Any:
    headers = given.headers if key is None else {**given.headers, "Idempotency-Key": key}
    return client.post("/v1/extra", json=body, headers=headers)


def test_the_same_call_again_gets_the_same_answer_and_does_nothing(
    client: Client, given: GivenKey, work: Work
) -> None:
    first, second = post(client, given, n=1), post(client, given, n=1)
    assert work.done == 1
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert second.headers["Location"] == first.headers["Location"] == "/v1/extra/1"
    assert second.content_type == "application/json"
    assert (first.headers.get("Idempotency-Replayed"), second.headers["Idempotency-Replayed"]) == (
        None,
        "true",
    )


def test_another_body_under_the_key_is_refused(client: Client, given: GivenKey, work: Work) -> None:
    post(client, given, n=1)
    refused = post(client, given, n=2)
    assert (refused.status_code, refused.json["code"], work.done) == (422, "I422", 1)


@pytest.mark.parametrize("sent", [None, "", "x" * 256])
def test_without_a_usable_key_nothing_is_done(
    client: Client, given: GivenKey, work: Work, sent: str | None
) -> None:
    refused = post(client, given, sent, n=1)
    assert (refused.status_code, refused.json["code"], work.done) == (400, "I400", 0)


def test_keys_belong_to_their_callers(client: Client, given: GivenKey, key: KeyMaker, work: Work) -> None:
    post(client, given, n=1)
    assert post(client, key("programme"), n=2).status_code == 201
    assert work.done == 2


def test_after_an_error_the_key_may_be_used_again(client: Client, given: GivenKey) -> None:
    assert post(client, given, n="x").status_code == 422
    assert post(client, given, n=-1).status_code == 500
    assert post(client, given, n=1).status_code == 201


def test_of_two_at_once_one_works_and_the_other_is_told_to_wait(
    app: Flask, given: GivenKey, work: Work
) -> None:
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(post(app.test_client(), given, n=1, slow=1.0)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(response.status_code for response in answers) == [201, 409, 409, 409]
    assert work.done == 1
    waiting = next(response for response in answers if response.status_code == 409)
    assert (waiting.json["code"], waiting.headers["Retry-After"]) == ("I409", "1")
    assert post(app.test_client(), given, n=1, slow=1.0).status_code == 201
    assert work.done == 1


def test_a_key_alone_opens_nothing(client: Client, given: GivenKey) -> None:
    post(client, given, n=1)
    assert client.post("/v1/extra", json={"n": 1}, headers={"Idempotency-Key": "k"}).status_code == 401
