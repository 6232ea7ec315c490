"""Webhooks over HTTP: made, shown without their secret, turned, deleted; messages listed and sent again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import redis
from flask import Flask

from models.registry.database import Database
from models.settings import Settings
from models.webhooks.announcing import give_out
from models.webhooks.delivering import deliver
from tests.service.conftest import Client, Clock, KeyMaker
from tests.webhooks.receiver import LOOPBACK, Receiver, receiver
from tests.webhooks.test_deliveries import verified
from workers.queue import QUEUE

__all__ = ["receiver"]
URL = "https://example.com/hooks"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, webhook_networks=LOOPBACK)


@pytest.fixture
def headers(key: KeyMaker) -> dict[str, str]:
    return key("admin").headers


def made(client: Client, headers: dict[str, str], url: str = URL) -> Any:
    response = client.post("/v1/webhooks", json={"url": url}, headers=headers)
    assert response.status_code == 201, response.json
    return response.json


def send(database: Database) -> None:
    """As a worker does."""
    for id_ in give_out(database):
        deliver(database, id_, allowed=LOOPBACK)


def test_the_secret_is_shown_once(client: Client, headers: dict[str, str]) -> None:
    hook = made(client, headers)
    assert hook["secret"].startswith("whsec_")
    assert (hook["url"], hook["events"], hook["district"]) == (URL, ["movements"], None)
    for path in ("/v1/webhooks", f"/v1/webhooks/{hook['id']}", f"/v1/webhooks/{hook['id']}/deliveries"):
        assert hook["secret"] not in client.get(path, headers=headers).get_data(as_text=True)
    [listed] = client.get("/v1/webhooks", headers=headers).json["webhooks"]
    assert listed == client.get(hook["links"]["self"], headers=headers).json


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://10.0.0.1/", "W002"), ("https://169.254.169.254/latest/meta-data", "W002"),
        ("ftp://x.cn/", "W001"), ("https://[::1]/", "W002"),
        ("https://me:word@example.com/", "W001"), ("https://localhost/", None),
    ],
)  # fmt: skip
def test_an_address_that_may_not_be_called_is_refused(
    client: Client, headers: dict[str, str], url: str, code: str | None
) -> None:
    response = client.post("/v1/webhooks", json={"url": url}, headers=headers)
    if code is None:  # the loopback is allowed in this test alone
        assert response.status_code == 201
    else:
        assert (response.status_code, response.json["code"]) == (400, code)


def test_a_ping_arrives_and_both_secrets_sign_after_a_turn(
    client: Client, headers: dict[str, str], database: Database, receiver: Receiver
) -> None:
    hook = made(client, headers, receiver.url)
    turned = client.post(hook["links"]["rotate"], headers=headers).json
    assert turned["secret"] != hook["secret"]
    assert turned["live_secrets"] == 2
    send(database)
    assert all(verified(receiver.got[0], secret) for secret in (hook["secret"], turned["secret"]))
    [ping] = client.get(hook["links"]["deliveries"], headers=headers).json["deliveries"]
    assert (ping["event"], ping["status"], ping["answer"], ping["fault"]) == ("ping", "delivered", 204, None)
    assert ping["body"]["data"] == {"webhook": hook["id"]}


def test_a_dead_message_is_visible_with_its_reason_and_can_be_sent_again(
    client: Client, headers: dict[str, str], database: Database, receiver: Receiver
) -> None:
    receiver.status = 410
    hook = made(client, headers, receiver.url)
    send(database)
    dead = client.get(f"{hook['links']['deliveries']}?status=dead", headers=headers).json["deliveries"]
    assert [(one["status"], one["fault"], one["answer"]) for one in dead] == [("dead", "gone", 410)]
    assert "410" in dead[0]["fault_text"]["zh"]
    assert client.get(hook["links"]["self"], headers=headers).json["disabled_at"] is not None
    receiver.status = 204
    assert client.post(hook["links"]["rotate"], headers=headers).json["disabled_at"] is None
    again = client.post(dead[0]["links"]["replay"], headers=headers)
    assert (again.status_code, again.json["status"], again.json["attempts"]) == (202, "pending", 0)
    send(database)
    assert client.get(f"{hook['links']['deliveries']}?status=dead", headers=headers).json["deliveries"] == []
    assert {message.headers["webhook-id"] for message in receiver.got} == {dead[0]["id"]}


def test_a_replay_goes_to_the_queue(client: Client, headers: dict[str, str], redis_url: str) -> None:
    hook = made(client, headers)
    [ping] = client.get(hook["links"]["deliveries"], headers=headers).json["deliveries"]
    client.post(ping["links"]["replay"], headers=headers)
    with redis.Redis.from_url(redis_url) as queue:
        assert any(
            ping["id"].encode() in waiting or b"deliver" in waiting for waiting in queue.lrange(QUEUE, 0, -1)
        )


def test_a_deleted_webhook_is_gone(client: Client, headers: dict[str, str]) -> None:
    hook = made(client, headers)
    [ping] = client.get(hook["links"]["deliveries"], headers=headers).json["deliveries"]
    assert client.delete(hook["links"]["self"], headers=headers).status_code == 204
    assert client.get("/v1/webhooks", headers=headers).json["webhooks"] == []
    for method, path in (
        ("GET", hook["links"]["self"]), ("DELETE", hook["links"]["self"]), ("POST", hook["links"]["rotate"]),
        ("GET", hook["links"]["deliveries"]), ("POST", ping["links"]["replay"]),
    ):  # fmt: skip
        assert client.open(path, method=method, headers=headers).status_code == 404


def test_a_districts_key_has_webhooks_of_its_own(
    client: Client, key: KeyMaker, headers: dict[str, str]
) -> None:
    own, other = (key("admin", district=where).headers for where in ("310104", "310115"))
    hook = made(client, own)
    assert hook["district"]["code"] == "310104"
    citys = made(client, headers)
    assert [one["id"] for one in client.get("/v1/webhooks", headers=own).json["webhooks"]] == [hook["id"]]
    assert client.get("/v1/webhooks", headers=other).json["webhooks"] == []
    assert len(client.get("/v1/webhooks", headers=headers).json["webhooks"]) == 2
    [ping] = client.get(hook["links"]["deliveries"], headers=own).json["deliveries"]
    for path in (hook["links"]["self"], citys["links"]["self"], hook["links"]["deliveries"]):
        assert client.get(path, headers=other).status_code == 404
    assert client.post(ping["links"]["replay"], headers=other).status_code == 404
    assert client.delete(citys["links"]["self"], headers=own).status_code == 404


def test_there_are_only_so_many(client: Client, headers: dict[str, str]) -> None:
    for _ in range(50):
        made(client, headers)
    response = client.post("/v1/webhooks", json={"url": URL}, headers=headers)
    assert (response.status_code, response.json["code"]) == (400, "W003")


def test_messages_are_paged(client: Client, headers: dict[str, str], clock: Clock) -> None:
    hook = made(client, headers)
    page = client.get(f"{hook['links']['deliveries']}?limit=1", headers=headers).json
    assert (len(page["deliveries"]), page["cursor"]) == (1, None)
    wrong = client.get(f"{hook['links']['deliveries']}?cursor=x", headers=headers)
    assert (wrong.status_code, wrong.json["code"]) == (400, "R420")


def test_what_is_done_is_audited(app: Flask, client: Client, headers: dict[str, str]) -> None:
    hook = made(client, headers)
    client.post(hook["links"]["rotate"], headers=headers)
    client.delete(hook["links"]["self"], headers=headers)
    app.extensions["tidui"].auditor.flush()
    told = client.get(f"/v1/audit?object=webhook:{hook['id']}", headers=headers).json["records"]
    assert [one["action"] for one in told] == ["webhook.delete", "webhook.rotate", "webhook.create"]
