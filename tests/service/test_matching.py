"""A list of names over HTTP: each line answered, in its order, and nothing guessed."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models.matching import MOST_QUERIES
from models.registry.database import Database
from models.registry.tables import audit
from models.settings import Settings
from tests.service.conftest import Client, GivenKey, KeyMaker
from tests.service.little_registry import OTHER_TWIN, SONG, TWIN, bring_in_namesakes, code

NOBODY = code(9)
PATH = "/v1/firms/match"


@pytest.fixture
def registry(database: Database, settings: Settings) -> None:
    bring_in_namesakes(database, settings)


@pytest.fixture
def given(key: KeyMaker) -> GivenKey:
    return key("lookup")


def ask(client: Client, given: GivenKey, *queries: dict[str, Any]) -> Any:
    return client.post(PATH, json={"queries": list(queries)}, headers=given.headers)


@pytest.mark.usefixtures("registry")
def test_every_line_of_a_list_is_answered_in_its_order_with_a_reason(client: Client, given: GivenKey) -> None:
    response = ask(
        client, given,
        {"id": "第1行", "name": "警松建设工程"},
        {"name": "上海上诚贸易有限公司"},
        {"name": "上海上诚贸易有限公司", "district": "奉贤区"},
        {"name": "深圳腾讯计算机系统"},
        {"name": "", "uscc": SONG.lower()},
        {"name": "上海上诚贸易有限公司", "uscc": SONG},
        {"uscc": NOBODY},
        {"uscc": "12345"},
        {"name": "警松建设工程", "district": "火星"},
        {},
    )  # fmt: skip
    assert response.status_code == 200
    results = response.json["results"]
    assert [result["status"] for result in results] == [
        "found", "ambiguous", "found", "not_found", "found", "ambiguous",
        "not_found", "invalid", "invalid", "invalid",
    ]  # fmt: skip
    firsts = [result["candidates"][0]["uscc"] if result["candidates"] else None for result in results]
    assert [firsts[at] for at in (0, 2, 4, 5)] == [SONG, OTHER_TWIN, SONG, SONG]
    assert {hit["uscc"] for hit in results[1]["candidates"]} == {TWIN, OTHER_TWIN}
    assert results[0]["query"]["id"] == "第1行"
    assert all(result["why"]["zh"] and result["why"]["en"] for result in results)
    assert "火星" in results[8]["why"]["zh"]
    assert all(0 < hit["score"] <= 100 and hit["why"]["zh"] for r in results for hit in r["candidates"])
    assert response.json["counts"] == {"found": 3, "ambiguous": 2, "not_found": 2, "invalid": 3}


@pytest.mark.usefixtures("registry")
def test_a_long_list_is_taken_whole_and_a_longer_one_refused(client: Client, given: GivenKey) -> None:
    many = [{"name": f"无此企业{number}号"} for number in range(MOST_QUERIES)]
    many[-1] = {"uscc": SONG}
    answer = ask(client, given, *many)
    assert (len(answer.json["results"]), answer.json["results"][-1]["status"]) == (MOST_QUERIES, "found")
    refused = ask(client, given, *many, {"name": "x"})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/queries")
    assert ask(client, given).status_code == 422


@pytest.mark.usefixtures("registry")
def test_a_key_sees_the_firms_of_its_district_only(client: Client, key: KeyMaker) -> None:
    limited = key("lookup", district="310105")
    answer = ask(client, limited, {"uscc": SONG}, {"name": "上海上诚贸易有限公司"}).json
    assert [result["status"] for result in answer["results"]] == ["not_found", "found"]
    assert SONG not in str(answer["results"][0]["candidates"])


@pytest.mark.usefixtures("registry")
def test_which_firms_were_shown_is_recorded(
    app: Flask, client: Client, given: GivenKey, database: Database
) -> None:
    ask(client, given, {"name": "警松建设工程"}, {"uscc": NOBODY})
    app.extensions["tidui"].auditor.flush()
    with database.read() as connection:
        (row,) = connection.execute(select(audit).where(audit.c.action == "firm.match")).all()
    assert SONG in row.details
    assert '"queries":2' in row.details.replace(" ", "")


def test_an_empty_registry_knows_nobody(client: Client, given: GivenKey) -> None:
    answer = ask(client, given, {"name": "警松建设工程"}, {"uscc": SONG}).json
    assert [result["status"] for result in answer["results"]] == ["not_found", "not_found"]
    assert answer["edition"] is None


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    "name", ["'; DROP TABLE firm; --", "{{7*7}}", "%' OR 1=1 --", "..\\..\\x", "😀" * 200, "\u202e警松"]
)
def test_tricks_in_a_name_are_only_text(client: Client, given: GivenKey, name: str) -> None:
    answer = ask(client, given, {"name": name, "district": None})
    assert answer.status_code == 200
    assert answer.json["results"][0]["query"]["name"] == name
    assert ask(client, given, {"uscc": SONG}).json["results"][0]["status"] == "found"
