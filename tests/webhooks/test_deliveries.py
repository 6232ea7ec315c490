"""Messages on both databases: sent once, tried again, dead and seen, sent anew."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import func, insert, select, update

from models.jobs.leases import database_now
from models.registry.audit import Actor
from models.registry.database import Database
from models.registry.job_tables import movement, webhook, webhook_delivery
from models.registry.tables import audit, edition, run
from models.webhooks import deliveries, subscriptions
from models.webhooks.announcing import announce, give_out
from models.webhooks.deliveries import Delivery
from models.webhooks.delivering import DELAYS, deliver
from models.webhooks.posting import Reply
from models.webhooks.subscriptions import Webhook
from tests.webhooks.receiver import LOOPBACK, Received, Receiver

ACTOR = Actor("key:test", "key", "10.0.0.1", "测试")
Adder = Callable[..., tuple[Webhook, str]]


@pytest.fixture
def add(database: Database, receiver: Receiver) -> Adder:
    """``add(district=…)`` makes a webhook for the receiver; gives it with its secret."""

    def made(district: str | None = None) -> tuple[Webhook, str]:
        with database.write() as connection:
            return subscriptions.add(
                connection, receiver.url, ("movements",), district=district, allowed=LOOPBACK, actor=ACTOR,
                now=database_now(connection),
            )  # fmt: skip

    return made


def send(database: Database) -> list[Reply | None]:
    """As a worker does: everything whose time has come."""
    return [deliver(database, id_, allowed=LOOPBACK) for id_ in give_out(database)]


def listed(database: Database, hook: Webhook, status: str | None = None) -> list[Delivery]:
    with database.read() as connection:
        return deliveries.page(connection, hook.id, status=status, cursor=None, limit=50)[0]


def make_due(database: Database) -> None:
    """As if the time of every waiting message had come."""
    with database.write() as connection:
        past = database_now(connection) - timedelta(seconds=1)
        connection.execute(update(webhook_delivery).values(next_at=past, lease_until=None))


def verified(message: Received, secret: str) -> bool:
    """As a receiver checks it, by the letter of Standard Webhooks."""
    signed = (
        f"{message.headers['webhook-id']}.{message.headers['webhook-timestamp']}.".encode() + message.body
    )
    key = base64.b64decode(secret.split("_", 1)[1])
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [part.split(",", 1) for part in message.headers["webhook-signature"].split(" ")]
    return ["v1", wanted] in given


def stand(database: Database, moved: list[dict[str, Any]], ago: timedelta = timedelta(0)) -> int:
    """A run of the workers that became the standing, with these movements."""
    with database.write() as connection:
        number = connection.execute(select(func.count()).select_from(run)).scalar_one() + 1
        at = datetime(2026, 6, 30, tzinfo=UTC)
        connection.execute(
            insert(edition).values(
                id=number, hash=f"{number:064d}", status="ready", source_name="x", source_hash="x",
                dated=date(2026, 6, 30), rows=1, firms=1, manifest="{}", imported_at=at, imported_by="x",
            )
        )  # fmt: skip
        stood = database_now(connection) - ago
        connection.execute(
            insert(run).values(
                id=number, edition_id=number, as_of=date(2026, 6, 30), kind="new", rulebook_hash="a" * 64,
                plan_hash="b" * 64, status="succeeded", started_at=at, engine="workers", stood_at=stood,
            )
        )  # fmt: skip
        for place, one in enumerate(moved):
            row = {"run_id": number, "uscc": f"{place:018d}", "part": 0, "deciding": "[]", **one}
            connection.execute(insert(movement).values(row))
    return number


def rungs(before: int | None, after: int | None) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for track in ("recognised", "qualifies", "could_reach"):
        found |= {f"{track}_before": before, f"{track}_after": after}
    return found


def test_a_new_webhook_gets_a_signed_ping(database: Database, receiver: Receiver, add: Adder) -> None:
    hook, secret = add()
    assert send(database) == [Reply(204, None)]
    message = receiver.got[0]
    assert verified(message, secret)
    assert not verified(message, "whsec_" + base64.b64encode(b"another secret").decode())
    assert message.headers["content-type"] == "application/json"
    assert orjson.loads(message.body)["type"] == "ping"
    [sent] = listed(database, hook)
    assert (sent.id, sent.status, sent.attempts, sent.answer) == (
        message.headers["webhook-id"],
        "delivered",
        1,
        204,
    )
    assert send(database) == []


def test_the_timestamp_is_the_databases(database: Database, receiver: Receiver, add: Adder) -> None:
    add()
    send(database)
    with database.read() as connection:
        now = database_now(connection).timestamp()
    assert abs(int(receiver.got[0].headers["webhook-timestamp"]) - now) < 60


def test_a_turned_secret_signs_beside_the_one_before_for_a_day(
    database: Database, receiver: Receiver, add: Adder
) -> None:
    hook, first = add()
    with database.write() as connection:
        now = database_now(connection)
        _, second = subscriptions.rotate(connection, hook.id, district=None, actor=ACTOR, now=now)
    send(database)
    assert verified(receiver.got[-1], first)
    assert verified(receiver.got[-1], second)
    with database.write() as connection:
        shown, third = subscriptions.rotate(connection, hook.id, district=None, actor=ACTOR, now=now)
        assert shown.live_secrets == 2
        assert subscriptions.find(connection, hook.id, now + timedelta(hours=25), None).live_secrets == 1
    make_pending(database)
    send(database)
    told = [verified(receiver.got[-1], secret) for secret in (first, second, third)]
    assert told == [False, True, True]


def make_pending(database: Database) -> None:
    with database.write() as connection:
        [id_] = connection.execute(select(webhook_delivery.c.id)).scalars()
        deliveries.replay(connection, id_, district=None, actor=ACTOR, now=database_now(connection))


def test_what_is_not_taken_is_tried_ten_times_ever_later_and_then_dead(
    database: Database, receiver: Receiver, add: Adder
) -> None:
    receiver.status = 503
    hook, _ = add()
    for attempt, delay in enumerate(DELAYS, start=1):
        assert send(database) == [Reply(503, "refused")]
        with database.read() as connection:
            now = database_now(connection)
        [waits] = listed(database, hook, "pending")
        assert waits.attempts == attempt
        assert waits.next_at is not None
        assert abs((waits.next_at - now).total_seconds() - delay) < 30
        if delay > 100:
            assert send(database) == []  # not before its time
        make_due(database)
    send(database)
    make_due(database)
    assert send(database) == []
    [dead] = listed(database, hook, "dead")
    assert (dead.attempts, dead.answer, dead.fault) == (10, 503, "refused")
    assert dead.ended_at is not None
    assert len(receiver.got) == 10
    assert len({message.headers["webhook-id"] for message in receiver.got}) == 1
    receiver.status = 200
    make_pending(database)
    assert send(database) == [Reply(200, None)]
    assert [one.status for one in listed(database, hook)] == ["delivered"]
    assert receiver.got[-1].headers["webhook-id"] == dead.id


def test_a_private_address_is_dead_at_once(database: Database, add: Adder) -> None:
    hook, _ = add()
    [id_] = give_out(database)
    with database.write() as connection:
        connection.execute(update(webhook).values(url="https://rebound.example/"))
    reply = deliver(database, id_, allowed=(), resolve=lambda host, port: ["169.254.169.254"])
    assert reply == Reply(None, "address_refused")
    assert [(one.status, one.fault) for one in listed(database, hook)] == [("dead", "address_refused")]


def test_a_network_that_is_allowed_no_more_makes_it_dead(database: Database, add: Adder) -> None:
    hook, _ = add()
    [id_] = give_out(database)
    assert deliver(database, id_, allowed=()) == Reply(None, "address_refused")
    assert [one.status for one in listed(database, hook)] == ["dead"]


def test_410_switches_the_webhook_off(database: Database, receiver: Receiver, add: Adder) -> None:
    receiver.status = 410
    hook, _ = add()
    stand(database, [])
    ids = give_out(database)
    assert len(ids) == 2
    deliver(database, ids[0], allowed=LOOPBACK)
    assert {(one.status, one.fault) for one in listed(database, hook)} == {("dead", "gone")}
    with database.read() as connection:
        seen = subscriptions.find(connection, hook.id, database_now(connection), None)
    assert seen.disabled_at is not None
    stand(database, [])
    assert give_out(database) == []


def test_two_workers_with_one_message_send_it_once(
    database: Database, receiver: Receiver, add: Adder
) -> None:
    add()
    [id_] = give_out(database)
    ready = threading.Barrier(4)
    replies: list[Reply | None] = []

    def work() -> None:
        ready.wait(20)
        replies.append(deliver(database, id_, allowed=LOOPBACK))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(reply is None for reply in replies) == [False, True, True, True]
    assert len(receiver.got) == 1


def test_a_message_that_waits_for_a_worker_is_not_given_out_at_every_sweep(
    database: Database, receiver: Receiver, add: Adder
) -> None:
    add()
    [id_] = give_out(database)
    assert give_out(database) == []
    make_due(database)  # a minute later
    assert give_out(database) == [id_]
    assert deliver(database, id_, allowed=LOOPBACK) == Reply(204, None)
    assert deliver(database, id_, allowed=LOOPBACK) is None
    assert len(receiver.got) == 1


def test_a_message_whose_worker_died_is_sent_when_its_lease_has_run_out(
    database: Database, receiver: Receiver, add: Adder
) -> None:
    add()
    with database.write() as connection:
        now = database_now(connection)
        held = {"lease_owner": "dead", "lease_until": now + timedelta(minutes=3), "attempts": 1}
        connection.execute(update(webhook_delivery).values(held))
    assert give_out(database) == []
    with database.write() as connection:
        connection.execute(update(webhook_delivery).values(lease_until=now - timedelta(seconds=1)))
    assert send(database) == [Reply(204, None)]
    assert len(receiver.got) == 1


def test_a_message_that_kills_every_worker_ends_dead(
    database: Database, receiver: Receiver, add: Adder
) -> None:
    hook, _ = add()
    with database.write() as connection:
        connection.execute(update(webhook_delivery).values(attempts=len(DELAYS) + 1))
    assert send(database) == [None]
    assert [(one.status, one.fault) for one in listed(database, hook)] == [("dead", "lost")]
    assert receiver.got == []


def test_a_deleted_webhook_is_told_nothing(database: Database, receiver: Receiver, add: Adder) -> None:
    hook, _ = add()
    with database.write() as connection:
        now = database_now(connection)
        subscriptions.delete(connection, hook.id, district=None, actor=ACTOR, now=now)
        assert subscriptions.all_webhooks(connection, now, None) == []
        with pytest.raises(subscriptions.WebhookUnknown):
            subscriptions.find(connection, hook.id, now, None)
    stand(database, [])
    assert send(database) == []
    assert receiver.got == []
    with database.read() as connection:
        kept = connection.execute(select(webhook.c.secrets)).scalar_one()
    assert kept == "[]"


def test_a_standing_is_told_of_once_with_its_movements(
    database: Database, receiver: Receiver, add: Adder
) -> None:
    hook, secret = add()
    send(database)
    moved: list[dict[str, Any]] = [
        {"district": "310104", **rungs(1, 3)},
        {"district": "310104", **rungs(3, 1)},
        {"district": "310115", **rungs(None, 2)},
        {"district": None, **rungs(4, None)},
    ]
    number = stand(database, moved)
    assert send(database) == [Reply(204, None)]
    assert announce(database) == []
    assert send(database) == []
    message = receiver.got[-1]
    assert verified(message, secret)
    told = orjson.loads(message.body)
    assert told["type"] == "movements"
    assert (told["data"]["run"], told["data"]["link"]) == (number, f"/v1/runs/{number}/movements")
    assert told["data"]["movements"] == {
        "firms": 4, "new": 1, "gone": 1,
        **{track: {"up": 1, "down": 1} for track in ("recognised", "qualifies", "could_reach")},
    }  # fmt: skip
    assert "预评估" in told["data"]["note"]["zh"]
    assert [one.event for one in listed(database, hook)] == ["movements", "ping"]


def test_a_districts_webhook_is_told_of_its_own_firms(
    database: Database, receiver: Receiver, add: Adder
) -> None:
    add(district="310104")
    send(database)
    stand(database, [{"district": "310104", **rungs(1, 3)}, {"district": "310115", **rungs(None, 2)}])
    send(database)
    data = orjson.loads(receiver.got[-1].body)["data"]
    assert data["district"] == "310104"
    assert (data["movements"]["firms"], data["movements"]["new"]) == (1, 0)


def test_what_stood_before_the_webhook_was_made_is_not_told(database: Database, add: Adder) -> None:
    stand(database, [], ago=timedelta(hours=1))
    add()
    assert announce(database) == []


def test_every_change_of_a_webhook_is_audited(database: Database, add: Adder) -> None:
    hook, secret = add()
    send(database)
    make_pending(database)
    with database.write() as connection:
        now = database_now(connection)
        _, other = subscriptions.rotate(connection, hook.id, district=None, actor=ACTOR, now=now)
        subscriptions.delete(connection, hook.id, district=None, actor=ACTOR, now=now)
    with database.read() as connection:
        rows = connection.execute(select(audit).where(audit.c.object == f"webhook:{hook.id}")).all()
    assert [row.action for row in rows] == [
        "webhook.create", "webhook.replay", "webhook.rotate", "webhook.delete",
    ]  # fmt: skip
    assert not [row for row in rows if secret in row.details or other in row.details]


def test_the_list_of_messages_is_paged(database: Database, add: Adder) -> None:
    hook, _ = add()
    with database.write() as connection:
        now = database_now(connection)
        for number in range(24):
            deliveries.enqueue(connection, hook.id, "movements", "{}", now - timedelta(seconds=number // 5))
    seen, cursor = [], None
    with database.read() as connection:
        while True:
            page, cursor = deliveries.page(connection, hook.id, status=None, cursor=cursor, limit=7)
            seen += [one.id for one in page]
            if cursor is None:
                break
    assert (len(seen), len(set(seen))) == (25, 25)
