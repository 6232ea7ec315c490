"""Keys at the door: what is told to whom, and how wrong ones are slowed down."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask, Response

from models.registry import keys
from models.registry.database import Database
from models.settings import Settings
from service.app import create_app
from service.security import caller, needs
from service.wire import answer
from tests.service.conftest import ADMINISTRATOR, Client, Clock, KeyMaker


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "K100"),
        ("", "K101"),
        ("Bearer", "K101"),
        ("Bearer tdk_short", "K101"),
        ("Basic dXNlcjpwYXNz", "K101"),
        ("Bearer " + "x" * 5000, "K101"),
        ("Bearer tdk_aaaaaaaaaaaa_" + "b" * 43, "K102"),
    ],
)
def test_what_is_wrong_with_a_key_is_told_and_how_to_send_one(
    client: Client, header: str | None, code: str
) -> None:
    response = client.get("/v1/standards", headers={} if header is None else {"Authorization": header})
    assert (response.status_code, response.json["code"]) == (401, code)
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="tidui"'
    assert response.content_type == "application/problem+json"


def test_a_wrong_secret_and_an_unknown_id_are_answered_alike(client: Client, key: KeyMaker) -> None:
    token = key().token
    other = token[:-1] + ("A" if token[-1] != "A" else "B")
    seen = [
        client.get("/v1/standards", headers={"Authorization": f"Bearer {wrong}"}).json
        for wrong in (other, f"tdk_{'a' * 12}_{'b' * 43}")
    ]
    for one in seen:
        one.pop("trace_id")
    assert seen[0] == seen[1]


def test_a_key_in_the_address_opens_nothing(client: Client, key: KeyMaker) -> None:
    token = key().token
    for name in ("key", "token", "access_token", "api_key"):
        assert client.get(f"/v1/standards?{name}={token}").status_code == 401


def test_the_scheme_may_be_written_small(client: Client, key: KeyMaker) -> None:
    assert client.get("/v1/standards", headers={"Authorization": f"bearer {key().token}"}).status_code == 200


def test_a_missing_scope_is_named(client: Client, key: KeyMaker) -> None:
    response = client.get("/v1/audit", headers=key("lookup").headers)
    assert response.status_code == 403
    assert "admin" in response.json["detail"]
    assert "admin" in response.json["detail_en"]


def test_scope_is_asked_before_arguments_are_read(client: Client, key: KeyMaker) -> None:
    assert client.get("/v1/audit?limit=x").status_code == 401
    assert client.get("/v1/audit?limit=x", headers=key("lookup").headers).status_code == 403
    assert client.get("/v1/audit?limit=x", headers=key("admin").headers).status_code == 422


def test_a_key_revoked_by_another_process_is_refused_at_once(
    client: Client, key: KeyMaker, settings: Settings, clock: Clock
) -> None:
    given = key("lookup")
    assert client.get("/v1/standards", headers=given.headers).status_code == 200
    elsewhere = Database(settings.database_url)
    with elsewhere.write() as connection:
        keys.revoke(connection, given.id, actor=ADMINISTRATOR, now=clock())
    elsewhere.close()
    assert client.get("/v1/standards", headers=given.headers).json["code"] == "K103"


def test_wrong_keys_are_slowed_down_and_right_ones_are_not(
    settings: Settings, key: KeyMaker, clock: Clock
) -> None:
    app = create_app(replace(settings, login_limit="3 per day"), clock=clock)
    client: Client = app.test_client()
    wrong = {"Authorization": f"Bearer tdk_{'a' * 12}_{'b' * 43}"}
    seen = [client.get("/v1/standards", headers=wrong) for _ in range(5)]
    assert [response.status_code for response in seen] == [401, 401, 401, 429, 429]
    assert int(seen[-1].headers["Retry-After"]) > 0
    assert client.get("/v1/standards", headers=key("lookup").headers).status_code == 200
    app.extensions["tidui"].close()


def test_wrong_keys_are_refused_uncounted_when_nothing_counts_them(
    settings: Settings, key: KeyMaker, clock: Clock
) -> None:
    app = create_app(replace(settings, redis_url="redis://127.0.0.1:1/0"), clock=clock)
    client: Client = app.test_client()
    wrong = {"Authorization": f"Bearer tdk_{'a' * 12}_{'b' * 43}"}
    response = client.get("/v1/standards", headers=wrong)
    assert (response.status_code, response.json["code"]) == (503, "L002")
    assert client.get("/v1/standards", headers=key("lookup").headers).status_code == 200
    app.extensions["tidui"].close()


@pytest.fixture
def basic_app(
    app: Flask, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """A service with one more route: open to HTTP Basic, as OpenRefine needs it."""
    from service import api  # noqa: PLC0415
    from service.wire import Blueprint  # noqa: PLC0415

    extra = Blueprint("extra", "extra", url_prefix="/v1/extra")

    @extra.get("")
    @needs("lookup", basic=True)
    def whoami() -> Response:
        return answer({"id": caller().id, "client": caller().client})

    monkeypatch.setattr(api, "BLUEPRINTS", (*api.BLUEPRINTS, extra))
    made = create_app(replace(settings, proxy_hops=1), clock=clock)
    yield made
    made.extensions["tidui"].close()


def test_basic_is_taken_only_where_it_is_said(basic_app: Flask, key: KeyMaker) -> None:
    given = key("lookup")
    headers = {"Authorization": "Basic " + base64.b64encode(f"any:{given.token}".encode()).decode()}
    client: Client = basic_app.test_client()
    assert client.get("/v1/extra", headers=headers).json["id"] == given.id
    assert client.get("/v1/standards", headers=headers).json["code"] == "K101"
    for garbled in ("Basic !!!", "Basic " + base64.b64encode(b"\xff\xfe:x").decode()):
        assert client.get("/v1/extra", headers={"Authorization": garbled}).json["code"] == "K101"


def test_the_clients_address_is_what_the_trusted_proxy_says(basic_app: Flask, key: KeyMaker) -> None:
    headers = {**key("lookup").headers, "X-Forwarded-For": "6.6.6.6, 10.1.2.3"}
    client: Client = basic_app.test_client()
    assert client.get("/v1/extra", headers=headers).json["client"] == "10.1.2.3"
