"""What nobody means well by, on every route that there is: no fault, no trick that works, nothing told."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import func, select

from models.registry import keys
from models.registry.database import Database
from models.registry.tables import firm
from models.rules.rulebook import rulebook
from models.settings import Settings
from tests.service.conftest import Client, KeyMaker
from tests.service.examples import EXAMPLES
from tests.service.little_registry import bring_in, code

FIRM = code(1)
WITH_BODY = sorted(name for name, example in EXAMPLES.items() if example.json is not None)
TRICKS = (
    "'; DROP TABLE firm; --",
    "' OR '1'='1",
    '" UNION SELECT secret FROM api_key --',
    "%' ESCAPE '!' --",
    "{{31337*65537}}{{config}}{% raw %}${31337*65537}<%= 31337*65537 %>",
    "../../../../etc/passwd",
    "..\\..\\secrets\\key-pepper",
    "%2e%2e%2fsecrets",
    "file:///etc/passwd",
    "<script>alert(1)</script>",
    "\r\nSet-Cookie: x=1",
    "\u202e\u200b\ufeff",
    "＇；ＤＲＯＰ",
    "𠀀😀",
    "A" * 3000,
)
DEEP = b'{"facts":' * 20_000 + b"1" + b"}" * 20_000
BODIES: dict[str, tuple[bytes, set[int]]] = {
    "10 MB": (b'{"reason": "' + b"a" * 10_000_000 + b'"}', {413}),
    "10 MB of brackets": (b"[" * 10_000_000, {413}),
    "2 MB of zeros": (b"[" + b"0," * 1_000_000 + b"0]", {400, 422}),
    "deep": (DEEP, {400}),
    "deep arrays": (b"[" * 100_000, {400}),
    "no UTF-8": (b'{"reason": "\xff\xfe"}', {400}),
    "UTF-16": ('{"reason": "x"}'.encode("utf-16"), {400}),
    "NUL": (b'{"reason": "a\\u0000b"}', {422}),
    "bare NUL": (b'{"reason": "a\0b"}', {400}),
    "lone surrogate": (b'{"reason": "\\ud800"}', {422}),
    "lone surrogate as a key": (b'{"\\udfff": 1}', {422}),
    "a key twice": (b'{"reason": "a", "reason": "b"}', {400}),
    "NaN": (b'{"reason": NaN}', {400}),
    "a huge number": (b'{"reason": 1e999}', {400}),
    "a long number": (b'{"reason": ' + b"9" * 5000 + b"}", {400}),
    "cut off": (b'{"reason": "a', {400}),
    "not an object": (b"[]", {422}),
    "a string": (b'"x"', {422}),
    "null": (b"null", {422}),
}


@pytest.fixture
def registry(database: Database, settings: Settings) -> None:
    bring_in(database, settings, {FIRM: {"name": "上海甲精密机械有限公司"}}, dated=date(2026, 5, 1))


@pytest.fixture
def headers(key: KeyMaker) -> dict[str, str]:
    return key(",".join(keys.SCOPES)).headers


def path_of(name: str, **filled: str) -> str:
    path = EXAMPLES[name].path
    known = {"uscc": FIRM, "check": "00000000-0000-4000-8000-000000000000", "rulebook": rulebook().hash}
    for place, value in {**known, "target": "16.1", **filled}.items():
        path = path.replace("{" + place + "}", value)
    return path


WRONG: tuple[Any, ...] = (None, True, 0, -1, 1.5, "x", [], [[]], {}, {"a": {"b": None}})
HEADERS = (
    "Authorization", "If-Match", "If-None-Match", "Idempotency-Key", "X-Purpose", "X-Request-Id", "Accept",
    "Content-Type", "Range", "X-Forwarded-For",
)  # fmt: skip
LEAKS = ("Traceback", "sqlalchemy", "psycopg", "sqlite3", str(31337 * 65537), "root:")


def assert_harmless(response: Any, where: str) -> None:
    assert response.status_code < 500, where
    assert response.status_code not in {301, 302, 307, 308}, where
    if response.status_code >= 400:
        assert response.content_type == "application/problem+json", where
    text = response.get_data(as_text=True)
    assert not [leak for leak in LEAKS if leak in text], where
    assert "Set-Cookie" not in response.headers, where


def test_no_body_does_harm_to_any_route(client: Client, headers: dict[str, str]) -> None:
    for what, (body, statuses) in BODIES.items():
        for name in WITH_BODY:
            sent = {**EXAMPLES[name].headers, **headers, "Content-Type": "application/json"}
            response = client.open(path_of(name), method=name.split()[1], data=body, headers=sent)
            assert_harmless(response, f"{name} {what}")
            assert response.status_code in statuses, (name, what, response.json)


def test_a_chunked_body_that_is_too_long_is_refused_and_not_cut(
    client: Client, headers: dict[str, str], settings: Settings
) -> None:
    order = b'{"queries": [{"name": "a"}]}'
    sent = {**headers, "Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    for body, status in ((order, 200), (order.ljust(settings.body_limit + 1), 413)):
        response = client.post(
            "/v1/firms/match", data=body, headers=sent, environ_overrides={"wsgi.input_terminated": True}
        )
        assert response.status_code == status


def test_no_value_of_a_wrong_type_does_harm_to_any_field(client: Client, headers: dict[str, str]) -> None:
    for wrong in WRONG:
        for name in WITH_BODY:
            for field in EXAMPLES[name].json:
                body = {**json.loads(json.dumps(EXAMPLES[name].json).replace("{uscc}", FIRM)), field: wrong}
                sent = {**EXAMPLES[name].headers, **headers, "Idempotency-Key": f"{name} {field} {wrong!r}"}
                response = client.open(path_of(name), method=name.split()[1], json=body, headers=sent)
                assert_harmless(response, f"{name} {field} {wrong!r}")


@pytest.mark.usefixtures("registry")
def test_no_trick_works_in_any_parameter_of_any_route(
    app: Flask, client: Client, headers: dict[str, str], database: Database
) -> None:
    for trick in TRICKS:
        for name, example in EXAMPLES.items():
            method = name.split()[1]
            sent = {**example.headers, **headers}
            path, _, query = path_of(name).partition("?")
            for part in query.split("&") if query else []:
                other = query.replace(part, f"{part.partition('=')[0]}={quote(trick)}")
                assert_harmless(
                    client.open(f"{path}?{other}", method=method, headers=sent), f"{name} {trick}"
                )
            for place in ("uscc", "check", "rulebook", "target"):
                if "{" + place + "}" in example.path.partition("?")[0]:
                    tricked = path_of(name, **{place: quote(trick, safe="")})
                    response = client.open(tricked, method=method, json=example.json, headers=sent)
                    assert_harmless(response, f"{name} {place} {trick}")
    for trick in TRICKS[:8]:
        assert_harmless(client.get("/v1/firms", headers={**headers, "X-Purpose": quote(trick)}), trick)
    app.extensions["tidui"].auditor.flush()
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(firm)).scalar_one() == 1
    assert client.get(f"/v1/firms/{FIRM}", headers=headers).json["name"] == "上海甲精密机械有限公司"


def test_no_header_does_harm_to_any_route(client: Client, headers: dict[str, str]) -> None:
    for header in HEADERS:
        for value in ("", "\xff\xfe", '"' * 500, "*", ", , ,", "a" * 8000, "bytes=0-1", "%00", "Basic ===="):
            for name, example in EXAMPLES.items():
                sent = {**example.headers, **headers, header: value}
                body = None if example.json is None else json.dumps(example.json)
                response = client.open(path_of(name), method=name.split()[1], data=body, headers=sent)
                assert_harmless(response, f"{name} {header} {value[:20]}")
