"""Refusals: one shape, stable codes, both languages, and nothing of the inside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask, Response

from models.errors import OutputRefused, Text
from models.settings import Settings
from service import api
from service.app import create_app
from service.fields import said
from service.problems import catalogue
from service.security import public
from service.wire import Blueprint, answer
from tests.service.conftest import Client, Clock

ROOT = Path(__file__).resolve().parents[2]


class Inner(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    count = ma.fields.Integer(validate=ma.validate.Range(1, 9))


class Order(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    name = ma.fields.String(required=True, validate=ma.validate.Length(2, 4))
    day = ma.fields.Date()
    kind = ma.fields.String(validate=ma.validate.OneOf(["new", "review"]))
    parts = ma.fields.List(ma.fields.Nested(Inner))
    facts = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Raw(allow_none=True))

    @ma.validates("day")
    def _day(self, value: Any, **_: Any) -> None:
        if value.year < 2000:
            raise ma.ValidationError(said("F199", "日期太早", "too early"))


class Query(ma.Schema):
    limit = ma.fields.Integer()


@pytest.fixture
def client(settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A service with a few routes that fail in every way."""
    extra = Blueprint("extra", "extra", url_prefix="/v1/extra")

    @extra.post("")
    @public
    @extra.arguments(Order)
    @extra.arguments(Query, location="query")
    def order(body: dict[str, Any], query: dict[str, Any]) -> Response:
        return answer({"name": body["name"]})

    @extra.get("/fault")
    @public
    def fault() -> Response:
        raise ZeroDivisionError("secret /etc/path")

    @extra.get("/place")
    @public
    def place() -> Response:
        raise OutputRefused("E401", Text("写不出", "cannot be written"), place="/var/secret/file")

    @extra.get("/<name>")
    @public
    def named(name: str) -> Response:
        return answer({"name": name})

    monkeypatch.setattr(api, "BLUEPRINTS", (*api.BLUEPRINTS, extra))
    app: Flask = create_app(settings, clock=clock)
    yield app.test_client()
    app.extensions["tidui"].close()


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = response.json
    assert (response.status_code, body["status"], body["code"]) == (status, status, code), body
    assert body["type"] == f"/docs/problems#{code}"
    for name in ("title", "detail", "hint"):
        assert re.search("[\u4e00-\u9fff]", body[name]), name
        assert re.search("[A-Za-z]", body[name + "_en"]), name
    assert body["trace_id"] == response.headers["X-Request-Id"]
    assert body["instance"].startswith("/")
    return body


def post(client: Client, body: bytes | str, **headers: str) -> Any:
    return client.post("/v1/extra", data=body, headers={"Content-Type": "application/json", **headers})


def test_each_field_that_is_wrong_is_named_with_a_code_and_both_languages(client: Client) -> None:
    body = {
        "day": "1999-01-01",
        "kind": "old",
        "parts": [{"count": 3}, {"count": 10}, {"count": "x"}, {"other/~": 1}],
        "facts": [],
        "extra": 1,
    }
    found = problem(post(client, json.dumps(body)), 422, "R422")
    errors = {(error["pointer"], error["code"]) for error in found["errors"]}
    assert errors == {
        ("/name", "F001"),
        ("/day", "F199"),
        ("/kind", "F007"),
        ("/parts/1/count", "F009"),
        ("/parts/2/count", "F003"),
        ("/parts/3/other~1~0", "F002"),
        ("/facts", "F003"),
        ("/extra", "F002"),
    }
    assert all(error["detail"]["zh"] and error["detail"]["en"] for error in found["errors"])


@pytest.mark.parametrize("body", ["[]", "1", '"x"', "null"])
def test_a_body_that_is_no_object_is_refused(client: Client, body: str) -> None:
    problem(post(client, body), 422, "R422")


def test_a_parameter_of_the_address_is_named_as_such(client: Client) -> None:
    response = client.post("/v1/extra?limit=x&asof=1", json={"name": "甲乙"})
    errors = problem(response, 422, "R422")["errors"]
    assert {(error["pointer"], error["code"]) for error in errors} == {
        ("query:limit", "F003"),
        ("query:asof", "F002"),
    }


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "R400"),
        ("{'a': 1}", 400, "R400"),
        ('{"name": "a\nb"}', 400, "R400"),
        (b'{"name": "\xff\xfe"}', 400, "R401"),
        (b'{"name": "\xed\xa0\x80"}', 400, "R401"),
        ("[" * 51 + "]" * 51, 400, "R402"),
        ("[" * 1_000_000, 400, "R402"),
        ('{"a":' * 100_000, 400, "R402"),
        ('{"name": "甲乙", "name": "丙丁"}', 400, "R403"),
        ('{"facts": {"a": NaN}}', 400, "R407"),
        ('{"facts": {"a": -Infinity}}', 400, "R407"),
        ('{"facts": {"a": 1e999}}', 400, "R407"),
        ('{"facts": {"a": ' + "9" * 5000 + "}}", 400, "R407"),
        ("{" + " " * 5_000_000 + "}", 413, "H413"),
    ],
)
def test_a_body_that_is_not_clean_json_is_refused(
    client: Client, body: bytes | str, status: int, code: str
) -> None:
    problem(post(client, body), status, code)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (r'{"name": "a\u0000b"}', "/name"),
        (r'{"name": "\ud800"}', "/name"),
        (r'{"parts": [{"count": "\udfff"}]}', "/parts/0/count"),
    ],
)
def test_characters_that_are_no_text_are_refused(client: Client, body: str, pointer: str) -> None:
    (error,) = problem(post(client, body), 422, "R422")["errors"]
    assert (error["pointer"], error["code"]) == (pointer, "F006")


def test_a_whole_surrogate_pair_is_text(client: Client) -> None:
    assert post(client, r'{"name": "\ud83d\ude00甲"}').json == {"name": "😀甲"}


def test_brackets_inside_strings_are_not_depth(client: Client) -> None:
    assert post(client, json.dumps({"name": "甲乙", "facts": {"a": '[{"\\' * 500}})).status_code == 200


def test_another_media_type_is_refused(client: Client) -> None:
    problem(post(client, "name=x", **{"Content-Type": "application/x-www-form-urlencoded"}), 415, "H415")
    problem(post(client, "<a/>", **{"Content-Type": "text/xml"}), 415, "H415")


def test_a_body_that_is_missing_is_told_field_by_field(client: Client) -> None:
    problem(client.post("/v1/extra"), 422, "R422")


@pytest.mark.parametrize("path", ["/v1/extra/a\0b", "/v1/extra/\xff", "/v1/extra/\xed\xa0\x80", "/v1/none"])
def test_a_path_that_is_no_text_leads_nowhere(client: Client, path: str) -> None:
    # As a web server hands it over: bytes, read as Latin-1.
    problem(client.get("/", environ_overrides={"PATH_INFO": path}), 404, "H404")


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc%2fpasswd", "%2e%2e", "{{98765*9876}}", "';DROP TABLE firm;--"]
)
def test_tricks_in_a_path_are_only_text(client: Client, name: str) -> None:
    response = client.get(f"/v1/extra/{name}")
    assert response.status_code in {200, 404}
    assert b"975403140" not in response.data


def test_a_query_that_is_no_text_is_refused(client: Client) -> None:
    problem(client.get("/v1/extra/x?a=%ff"), 400, "R405")
    (error,) = problem(client.get("/v1/extra/x?a=%00"), 422, "R422")["errors"]
    assert (error["pointer"], error["code"]) == ("query:a", "F006")


def test_a_method_that_is_not_there_is_answered_with_those_that_are(client: Client) -> None:
    response = client.delete("/v1/extra")
    problem(response, 405, "H405")
    assert "POST" in response.headers["Allow"]


def test_a_fault_of_ours_tells_nothing_of_the_inside(client: Client) -> None:
    for path, status in (("/v1/extra/fault", 500), ("/v1/extra/place", 507)):
        response = client.get(path)
        assert response.status_code == status
        text = response.get_data(as_text=True)
        assert "secret" not in text
        assert "Error" not in text
        assert "Traceback" not in text
    problem(client.get("/v1/extra/fault"), 500, "H500")


def test_the_callers_request_id_comes_back_if_it_is_harmless(client: Client) -> None:
    assert client.get("/v1/none", headers={"X-Request-Id": "abc-1.2"}).json["trace_id"] == "abc-1.2"
    assert client.get("/v1/none", headers={"X-Request-Id": "<b>"}).json["trace_id"] != "<b>"


def test_a_browser_gets_a_page_outside_the_api_and_json_inside(client: Client) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = client.get("/none<script>", headers=browser)
    assert page.status_code == 404
    assert page.mimetype == "text/html"
    assert "没有找到" in page.get_data(as_text=True)
    assert "<script" not in page.get_data(as_text=True)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    problem(client.get("/v1/none", headers=browser), 404, "H404")
    problem(client.get("/none"), 404, "H404")


def test_every_answer_forbids_guessing_types_and_keeping(client: Client) -> None:
    for path in ("/healthz", "/v1/none", "/docs", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"]
    assert client.get("/v1/extra/x").headers["Cache-Control"] == "no-store"


def test_every_code_that_the_service_can_answer_is_in_the_catalogue() -> None:
    sources = [*(ROOT / "service").rglob("*.py"), *(ROOT / "models" / "registry").rglob("*.py")]
    sources += [ROOT / "models" / f"{name}.py" for name in ("programmes", "receipts", "figures", "assessing")]
    raised = {
        code
        for path in sources
        if path.name
        not in {"command.py", "embedded.py", "supervisor.py", "demo.py", "preflight.py", "fields.py"}
        for code in re.findall(r'"([A-Z]\d{3})"', path.read_text(encoding="utf-8"))
        if code[0] != "E"  # cells of tables: seeds/fields/issues.yaml
    }
    assert raised - set(catalogue()) == set()


def test_every_code_has_its_place_on_the_page(client: Client) -> None:
    page = client.get("/docs/problems").get_data(as_text=True)
    assert all(f'id="{code}"' in page for code in catalogue())
