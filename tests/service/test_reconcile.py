"""The reconciliation service as OpenRefine uses it: manifest, queries, suggestions, preview, extension."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models.codes import encode_industry
from models.registry import keys
from models.registry.database import Database
from models.registry.tables import audit
from models.settings import Settings
from tests.service.conftest import ADMINISTRATOR, Client, Clock, GivenKey, KeyMaker
from tests.service.little_registry import OTHER_TWIN, SONG, bring_in_namesakes, code

NOBODY = code(9)
PATH = "/v1/reconcile"


@pytest.fixture
def registry(database: Database, settings: Settings) -> None:
    named = {"name": "上海警松<建设>工程有限公司", "industry": encode_industry("3911")}
    bring_in_namesakes(database, settings, **named)


@pytest.fixture
def given(key: KeyMaker) -> GivenKey:
    return key("lookup")


@pytest.fixture
def ticketed(client: Client, given: GivenKey) -> str:
    """The path that is filled in in OpenRefine."""
    made = client.post(f"{PATH}/tickets", json={}, headers=given.headers)
    assert made.status_code == 201
    return str(made.json["url"].removeprefix("http://localhost"))


def reconcile(client: Client, path: str, queries: dict[str, Any], **headers: str) -> Any:
    return client.post(path, data={"queries": json.dumps(queries, ensure_ascii=False)}, headers=headers)


def test_the_manifest_is_open_and_names_what_is_there(client: Client) -> None:
    response = client.get(PATH)
    manifest = response.json
    assert (response.status_code, manifest["versions"]) == (200, ["0.2"])
    assert manifest["identifierSpace"].startswith("http://localhost/")
    assert manifest["authentication"] == {"type": "basic"}
    assert "{{id}}" in manifest["preview"]["url"]
    assert manifest["preview"]["url"] == manifest["view"]["url"]
    assert {"id", "name"} <= set(manifest["defaultTypes"][0])


def test_another_web_page_may_ask_from_a_browser(client: Client, given: GivenKey) -> None:
    for response in (
        client.get(PATH),
        client.get(f"{PATH}/suggest/entity?prefix=x"),  # a refusal too, or the page cannot read it
        client.options(PATH, headers={"Origin": "http://127.0.0.1:3333"}),
    ):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in client.get("/v1/standards", headers=given.headers).headers


@pytest.mark.usefixtures("registry")
def test_openrefine_goes_its_way_with_nothing_but_the_address(client: Client, ticketed: str) -> None:
    manifest = client.get(ticketed).json
    assert "authentication" not in manifest
    batch = {
        "q0": {"query": "上海警松<建设>工程有限公司", "type": "firm", "type_strict": "should", "limit": 3},
        "q1": {"query": "上海上诚贸易有限公司", "properties": [{"pid": "district", "v": "奉贤区"}]},
        "q2": {"query": "上海上诚贸易有限公司", "limit": 1},
        "q3": {"query": "深圳腾讯计算机系统"},
        "q4": {"properties": [{"pid": "uscc", "v": {"id": SONG, "name": "x"}}]},
        "q5": {"query": "警松", "type": ["/people/person"]},
        "q6": {"query": "上海上诚贸易有限公司", "properties": [{"pid": "district", "v": ["火星"]}]},
    }
    answer = reconcile(client, ticketed, batch)
    assert answer.status_code == 200
    found = {name: one["result"] for name, one in answer.json.items()}
    assert list(found) == list(batch)
    assert [(hit["id"], hit["match"]) for hit in found["q0"]] == [(SONG, True)]
    assert (found["q1"][0]["id"], found["q1"][0]["match"]) == (OTHER_TWIN, True)
    assert [hit["match"] for hit in found["q2"]] == [False]
    assert found["q3"] == found["q5"] == found["q6"] == []
    assert (found["q4"][0]["id"], found["q4"][0]["match"]) == (SONG, True)
    hit = found["q0"][0]
    assert hit["type"] == manifest["defaultTypes"]
    assert 0 < hit["score"] <= 100

    entity = manifest["suggest"]["entity"]
    there = entity["service_url"] + entity["service_path"]
    assert there.startswith(f"http://localhost{ticketed}/")
    suggested = client.get(there, query_string={"prefix": "警松", "type_strict": "any"}).json["result"]
    assert [one["id"] for one in suggested] == [SONG]
    assert "徐汇区" in suggested[0]["description"]
    assert client.get(there, query_string={"prefix": "警松", "cursor": 1}).json == {"result": []}
    assert client.get(there, query_string={"prefix": " "}).json == {"result": []}

    proposed = manifest["extend"]["propose_properties"]
    wanted = client.get(proposed["service_url"] + proposed["service_path"] + "?type=firm&limit=9").json
    order = {"ids": [SONG, NOBODY], "properties": [*wanted["properties"], {"id": "none", "settings": {}}]}
    extended = client.post(ticketed, data={"extend": json.dumps(order)}).json
    assert [one["id"] for one in extended["meta"]] == [one["id"] for one in order["properties"]]
    row = extended["rows"][SONG]
    assert row["district"] == [{"str": "徐汇区"}]
    assert row["industry"] == [{"str": "3911 计算机整机制造"}]
    assert row["none"] == []
    assert set(map(tuple, extended["rows"][NOBODY].values())) == {()}


@pytest.mark.usefixtures("registry")
def test_a_preview_is_a_page_that_may_stand_in_a_frame_and_runs_nothing(
    client: Client, ticketed: str
) -> None:
    url = client.get(ticketed).json["preview"]["url"].replace("{{id}}", SONG)
    page = client.get(url)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "警松&lt;建设&gt;工程" in page.get_data(as_text=True)
    assert "徐汇区" in page.get_data(as_text=True)
    policy = page.headers.getlist("Content-Security-Policy")
    assert len(policy) == 1
    assert "default-src 'none'" in policy[0]
    assert "frame-ancestors" not in policy[0]
    missing = client.get(url.replace(SONG, NOBODY))
    assert (missing.status_code, missing.json["code"]) == (404, "G404")


@pytest.mark.usefixtures("registry")
def test_the_key_may_come_as_the_password_of_http_basic(client: Client, given: GivenKey) -> None:
    basic = "Basic " + base64.b64encode(f"openrefine:{given.token}".encode()).decode()
    answer = reconcile(client, PATH, {"q": {"query": SONG}}, Authorization=basic)
    assert answer.json["q"]["result"][0]["match"] is True
    refused = reconcile(client, PATH, {"q": {"query": SONG}})
    assert refused.status_code == 401
    assert refused.headers.getlist("WWW-Authenticate") == ['Bearer realm="tidui"', 'Basic realm="tidui"']
    wrong = client.get(PATH, headers={"Authorization": "Basic eDp5"})
    assert wrong.status_code == 401  # also for the manifest: what is sent must hold


@pytest.mark.usefixtures("registry")
def test_queries_may_be_asked_by_get(client: Client, given: GivenKey) -> None:
    query = {"queries": json.dumps({"q": {"query": SONG}})}
    assert client.get(PATH, query_string=query).status_code == 401
    answer = client.get(PATH, query_string={**query, "callback": "x"}, headers=given.headers)
    assert answer.json["q"]["result"][0]["id"] == SONG


def test_an_address_ends_with_its_hours(client: Client, ticketed: str, clock: Clock) -> None:
    assert client.get(ticketed).status_code == 200
    clock.advance(hours=12)
    ended = client.get(ticketed)
    assert (ended.status_code, ended.json["code"]) == (401, "K105")
    assert reconcile(client, ticketed, {}).json["code"] == "K105"


def test_an_address_ends_with_its_key(
    client: Client, ticketed: str, given: GivenKey, database: Database, clock: Clock
) -> None:
    assert client.get(ticketed).status_code == 200
    with database.write() as connection:
        keys.revoke(connection, given.id, actor=ADMINISTRATOR, now=clock())
    assert client.get(ticketed).json["code"] == "K103"


def test_an_address_that_was_changed_opens_nothing(
    client: Client, ticketed: str, given: GivenKey, key: KeyMaker
) -> None:
    ticket = ticketed.split("/")[2]
    head, key_id, end, seal = ticket.split("_", 3)
    longer = "_".join((head, key_id, str(int(end) + 3600), seal))
    others = "_".join((head, key("lookup").id, end, seal))
    for wrong in (longer, others, ticket[:-1] + ("A" if ticket[-1] != "A" else "B"), given.token, "x"):
        response = client.get(ticketed.replace(ticket, wrong))
        assert (response.status_code, response.json["code"]) == (401, "K102"), wrong
        assert ticket not in response.get_data(as_text=True)


def test_an_address_opens_reconciliation_alone(client: Client, ticketed: str) -> None:
    folder = ticketed.removesuffix(PATH)
    for path in ("/v1/firms", "/v1/standards", "/v1/reconcilex", "/v1/reconcile/../firms", "/healthz", ""):
        assert client.get(folder + path).status_code == 404
    assert client.post(f"{ticketed}/tickets", json={}).status_code == 401  # nor does it make others


@pytest.mark.usefixtures("registry")
def test_who_looked_whom_up_by_an_address_is_recorded_without_it(
    app: Flask, client: Client, ticketed: str, given: GivenKey, database: Database
) -> None:
    reconcile(client, ticketed, {"q": {"query": SONG}})
    app.extensions["tidui"].auditor.flush()
    with database.read() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.seq)).all()
    made, asked = rows[-2:]
    assert (made.action, made.object, made.role) == ("ticket.make", f"key:{given.id}", "key")
    assert (asked.action, asked.actor, asked.role) == ("reconcile.match", f"key:{given.id}", "ticket")
    assert SONG in asked.details
    assert not re.search("tdt_", str(rows))


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({}, 422, "R422"),
        ({"queries": "{}", "extend": "{}"}, 422, "R422"),
        ({"queries": "nonsense"}, 400, "R400"),
        ({"queries": "[" * 5000}, 400, "R402"),
        ({"queries": '{"q": {"query": "\\u0000"}}'}, 422, "R422"),
        ({"queries": '{"q": {"query": "\\ud800"}}'}, 422, "R422"),
        ({"queries": '{"q": {"query": "a"}, "q": {"query": "b"}}'}, 400, "R403"),
        ({"queries": '["a"]'}, 422, "R422"),
        ({"queries": '{"q": "a"}'}, 422, "R422"),
        ({"queries": '{"q": {"query": 5}}'}, 422, "R422"),
        ({"queries": '{"q": {"query": "a", "limit": 0}}'}, 422, "R422"),
        ({"queries": '{"q": {"query": "a", "properties": [{"pid": "district"}]}}'}, 422, "R422"),
        ({"queries": json.dumps({str(n): {"query": "a"} for n in range(501)})}, 422, "R422"),
        ({"extend": '{"ids": "a", "properties": []}'}, 422, "R422"),
        ({"queries": '{"q": {"query": "' + "a" * 400_001 + '"}}'}, 422, "R422"),
        ({"queries": "a" * 5_000_000}, 413, "H413"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    client: Client, given: GivenKey, form: dict[str, str], status: int, code: str
) -> None:
    refused = client.post(PATH, data=form, headers=given.headers)
    assert (refused.status_code, refused.json["code"]) == (status, code), refused.json
    if code == "R422":
        assert all(
            error["pointer"].startswith("form:") or error["pointer"] for error in refused.json["errors"]
        )


@pytest.mark.usefixtures("registry")
def test_odd_but_readable_queries_are_answered(client: Client, given: GivenKey) -> None:
    odd = {
        "": {"query": ""},
        "q1": {"query": None},
        "q2": {"query": "警" * 5000, "limit": 10**9},
        "q3": {"query": "'; DROP TABLE firm; --", "properties": [{"pid": "x", "v": {}}]},
        "q4": {"query": "{{7*7}}", "unheard": True, "type": {"id": "firm"}},
        "q5": {"query": SONG, "properties": [{"pid": "district", "v": True}, {"pid": "uscc", "v": []}]},
    }
    answer = reconcile(client, PATH, odd, **given.headers)
    assert answer.status_code == 200, answer.json
    assert [len(answer.json[name]["result"]) for name in odd] == [0, 0, 0, 0, 0, 1]
    assert reconcile(client, PATH, {}, **given.headers).json == {}
