"""What models say in an assessment: apart from the rules, changed by releasing, never in the way."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from models.errors import LearnRefused
from models.learn.filing import save
from models.learn.store import load_all
from models.learn.tasks import tasks
from models.learn.train import Trained
from models.registry import learned
from models.registry.audit import Actor
from models.registry.database import Database
from models.registry.model_tables import learned_model
from models.seeds import seed
from models.settings import Settings
from tests.learn.conftest import above_scale, history, tables  # noqa: F401
from tests.service.conftest import GivenKey, KeyMaker
from tests.service.little_registry import bring_in, code

FIRM = code(1)
FIGURES = {
    "name": "上海某某精密机械有限公司", "district": "310104", "industry": 39114,
    "established_on": date(2015, 5, 1),
    "revenue_2025": 17_000_000, "revenue_2024": 14_000_000, "net_profit_2025": 900_000, "employees_2025": 30,
}  # fmt: skip
ACTOR = Actor("cli:tester", "operator", "here")
NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)


@pytest.fixture
def given_key(key: KeyMaker) -> GivenKey:
    return key("lookup,assess,write")


@pytest.fixture
def registry(database: Database, settings: Settings) -> None:
    bring_in(database, settings, {FIRM: FIGURES}, dated=date(2026, 5, 1))


@pytest.fixture
def ask(client: FlaskClient, given_key: GivenKey, registry: None) -> Callable[..., Any]:
    def asked(path: str = f"/v1/firms/{FIRM}/assessment?as_of=2026-06-30", **headers: str) -> Any:
        return client.get(path, headers={**given_key.headers, **headers})

    return asked


@pytest.fixture
def own_model(above_scale: Trained, tmp_path: Path) -> Path:  # noqa: F811
    save(above_scale, tmp_path / "model")
    return tmp_path / "model"


def test_every_task_is_estimated_beside_the_rules(ask: Callable[..., Any]) -> None:
    body = ask().json
    assert [one["task"] for one in body["outlook"]] == list(tasks())
    crossing = body["outlook"][0]
    assert 0 < crossing["score"] < 1
    assert crossing["rival"]["score"] > 0
    assert crossing["model"]["synthetic"]
    assert crossing["note"]["zh"] == "估计，不是评定结论"
    assert 3 <= len(crossing["factors"]) <= 5
    distance = next(one for one in crossing["factors"] if one["feature"] == "distance")
    assert distance["value"]["zh"] == "还要增长18%"
    assert "score" not in json.dumps(body["ladder"])


def test_the_rules_say_the_same_with_and_without_models(
    ask: Callable[..., Any], database: Database, own_model: Path
) -> None:
    before = ask().json
    with database.write() as connection:
        for model in learned.shipped():
            if model.task.id != "above_scale":
                learned.retire(connection, model.hash, ACTOR, NOW)
    after = ask().json
    assert [one["task"] for one in after["outlook"]] == ["above_scale"]
    assert after["standards"] == before["standards"]
    assert after["ladder"] == before["ladder"]


def test_taking_in_a_model_that_ships_silences_nobody(ask: Callable[..., Any], database: Database) -> None:
    before = ask().json["outlook"]
    with database.write() as connection:
        for model in learned.shipped():
            learned.add(connection, seed("learning", "models", model.task.id), ACTOR, NOW)
        assert len(learned.released_hashes(connection)) == 4
    assert ask().json["outlook"] == before


def test_what_is_asked_about_facts_of_the_request_has_an_outlook_too(
    client: FlaskClient, given_key: GivenKey
) -> None:
    order = {"as_of": "2026-06-30", "standards": ["srdi.n2"], "facts": {"revenue_2025": 1}}
    found = client.post("/v1/assessments", json=order, headers=given_key.headers).json["outlook"]
    assert found[0]["score"] is None
    assert found[0]["reason"]["code"] == "no_line"
    assert found[2]["reason"]["code"] == "few_inputs"


def test_releasing_a_model_changes_the_answer_and_its_etag(
    ask: Callable[..., Any], database: Database, own_model: Path
) -> None:
    first = ask()
    assert ask(**{"If-None-Match": first.headers["ETag"]}).status_code == 304
    with database.write() as connection:
        added = learned.add(connection, own_model, ACTOR, NOW)
    assert ask().json["outlook"][0]["model"]["hash"] != added.hash  # a candidate says nothing
    with database.write() as connection:
        learned.release(connection, added.hash[:16], ACTOR, NOW)
    second = ask(**{"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200
    assert second.json["outlook"][0]["model"]["hash"] == added.hash
    with database.write() as connection:
        learned.retire(connection, added.hash, ACTOR, NOW)
    assert "above_scale" not in [one["task"] for one in ask().json["outlook"]]


def test_of_two_released_the_last_speaks_alone(database: Database, own_model: Path, registry: None) -> None:
    with database.write() as connection:
        mine = learned.add(connection, own_model, ACTOR, NOW)
        learned.release(connection, mine.hash, ACTOR, NOW)
        shipped = learned.add(connection, seed("learning", "models", "above_scale"), ACTOR, NOW)
        learned.release(connection, shipped.hash, ACTOR, NOW)
    with database.read() as connection:
        states = {one.hash: one.status for one in learned.all_models(connection, "above_scale")}
        speaking = [model.hash for model in learned.released(connection)]
    assert states == {mine.hash: "retired", shipped.hash: "released"}
    assert shipped.hash in speaking
    assert mine.hash not in speaking
    assert len(speaking) == 4


def test_a_model_that_does_not_beat_its_rival_is_not_released(
    database: Database, own_model: Path, registry: None
) -> None:
    card = orjson.loads((own_model / "card.json").read_bytes())
    (own_model / "card.json").write_bytes(orjson.dumps({**card, "released_ok": False}))
    with database.write() as connection:
        added = learned.add(connection, own_model, ACTOR, NOW)
    with pytest.raises(LearnRefused) as caught, database.write() as connection:
        learned.release(connection, added.hash, ACTOR, NOW)
    assert caught.value.code == "L302"
    with database.read() as connection:
        assert learned.find(connection, added.hash).status == "candidate"


def test_a_model_altered_in_the_database_says_nothing_and_the_rules_answer(
    ask: Callable[..., Any], database: Database, own_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with database.write() as connection:
        added = learned.add(connection, own_model, ACTOR, NOW)
        learned.release(connection, added.hash, ACTOR, NOW)
        connection.execute(update(learned_model).values(content=b"PK\x03\x04 something else"))
    with caplog.at_level(logging.ERROR, "tidui.models"):
        answer = ask()
    assert answer.status_code == 200
    assert answer.json["outlook"] == []
    assert answer.json["standards"]
    assert "L203" in caplog.text


def test_models_are_listed_with_their_cards(ask: Callable[..., Any]) -> None:
    found = ask("/v1/models").json["models"]
    assert {one["task"] for one in found} == set(tasks())
    assert all(one["shipped"] and one["status"] == "released" for one in found)
    hashes = {model.hash for model in load_all(seed("learning", "models"))}
    assert {one["hash"] for one in found} == hashes
    one = ask(f"/v1/models/{found[0]['hash']}").json
    assert one["card"]["limits"]
    page = ask(one["links"]["card"])
    assert page.mimetype == "text/html"
    assert "模型卡" in page.text
    missing = ask("/v1/models/ffffffffffff")
    assert missing.status_code == 404
    assert missing.json["code"] == "L301"
