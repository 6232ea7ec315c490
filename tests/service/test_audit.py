"""Look-ups leave a record before they are answered; the auditor reads, and that is recorded too."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask import Flask

from models.registry.audit import verify
from models.registry.database import Database
from tests.service.conftest import Client, KeyMaker


def settle(app: Flask) -> None:
    app.extensions["tidui"].auditor.flush()


def test_reading_the_audit_is_in_the_audit(app: Flask, client: Client, key: KeyMaker) -> None:
    given = key("admin")
    client.get("/v1/audit?object=firm", headers={**given.headers, "X-Purpose": quote("年度检查")})
    settle(app)
    (record,) = client.get("/v1/audit?action=audit.read", headers=given.headers).json["records"]
    assert (record["actor"], record["role"], record["object"]) == (f"key:{given.id}", "key", "audit")
    assert record["purpose"] == "年度检查"
    assert record["details"] == {"object": "firm"}
    assert record["client"] == "127.0.0.1"


def test_pages_follow_each_other_without_gap(app: Flask, client: Client, key: KeyMaker) -> None:
    given = key("admin")
    for _ in range(6):
        key("admin")
    seen: list[int] = []
    cursor = ""
    while True:
        page = client.get(f"/v1/audit?limit=3&action=key.create{cursor}", headers=given.headers).json
        seen += [record["seq"] for record in page["records"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert seen == list(range(7, 0, -1))


def test_a_refused_call_is_no_look_up(app: Flask, client: Client, key: KeyMaker, database: Database) -> None:
    client.get("/v1/audit?limit=0", headers=key("admin").headers)
    client.get("/v1/audit", headers=key("lookup").headers)
    settle(app)
    with database.read() as connection:
        assert verify(connection).records == 2  # the two keys


@pytest.mark.parametrize("purpose", ["%ff", "x" * 501, "a%00b"])
def test_a_purpose_that_cannot_be_read_is_refused(client: Client, key: KeyMaker, purpose: str) -> None:
    response = client.get("/v1/audit", headers={**key("admin").headers, "X-Purpose": purpose})
    assert (response.status_code, response.json["code"]) == (400, "R413")


def test_bare_utf8_is_understood(app: Flask, client: Client, key: KeyMaker) -> None:
    given = key("admin")
    raw = "核对".encode().decode("latin-1")
    client.get(
        "/v1/audit",
        environ_overrides={"HTTP_X_PURPOSE": raw},
        headers={"Authorization": given.headers["Authorization"]},
    )
    settle(app)
    (record,) = client.get("/v1/audit?action=audit.read", headers=given.headers).json["records"]
    assert record["purpose"] == "核对"


def test_what_cannot_be_recorded_is_not_answered(
    app: Flask, client: Client, key: KeyMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("models.registry.spool.os.write", full)
    response = client.get("/v1/audit", headers=key("admin").headers)
    assert (response.status_code, response.json["code"]) == (503, "A001")
    assert "records" not in response.json


def test_closing_the_service_hands_in_what_waits(
    app: Flask, client: Client, key: KeyMaker, database: Database
) -> None:
    given = key("admin")
    for _ in range(5):
        client.get("/v1/audit", headers=given.headers)
    app.extensions["tidui"].close()
    with database.read() as connection:
        found = verify(connection)
    assert (found.records, found.sound) == (6, True)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_edits(client: Client, key: KeyMaker, method: str) -> None:
    assert getattr(client, method)("/v1/audit", headers=key("admin").headers).status_code == 405
