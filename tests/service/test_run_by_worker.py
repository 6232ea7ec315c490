"""From the first call to the last, with a worker that is a process of its own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import orjson
import pytest
from flask import Flask

from models.codes import encode_industry
from models.registry.database import Database
from models.settings import Settings
from service.streams import Pace
from tests.e2e.served import TIDUI
from tests.service.conftest import Client, KeyMaker
from tests.service.little_registry import bring_in, code
from tests.service.running import told
from tests.webhooks.receiver import LOOPBACK, Receiver, receiver
from tests.webhooks.test_deliveries import verified

__all__ = ["receiver"]
SMALL = {"industry": encode_industry("3911"), "main_revenue_2025": 1_000_000, "revenue_2025": 1_000_000}
LARGE = SMALL | {"main_revenue_2025": 90_000_000, "revenue_2025": 90_000_000}
PATIENCE = 120.0
pytestmark = pytest.mark.slow


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, webhook_networks=LOOPBACK)


@pytest.fixture
def worker(settings: Settings, database: Database) -> Iterator[subprocess.Popen[bytes]]:
    settings.data.mkdir(parents=True, exist_ok=True)
    environment = {
        "TIDUI_DATA": str(settings.data),
        "TIDUI_DATABASE_URL": settings.database_url,
        "TIDUI_REDIS_URL": str(settings.redis_url),
        "TIDUI_WEBHOOK_NETWORKS": "127.0.0.0/8",
        "TIDUI_SWEEP_SECONDS": "2",
    }
    with (settings.data / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [TIDUI, "worker", "--processes", "1"],
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    yield process
    process.terminate()
    process.wait(60)


@pytest.mark.usefixtures("worker")
def test_a_run_is_followed_to_its_end_and_a_webhook_told(
    app: Flask, client: Client, key: KeyMaker, database: Database, settings: Settings, receiver: Receiver
) -> None:
    app.extensions["tidui"].once("pace", lambda: Pace(longest=PATIENCE))
    headers = key("run,lookup,admin").headers
    rising, still = code(1), code(2)
    for dated, figures in ((date(2026, 5, 1), SMALL), (date(2026, 6, 1), LARGE)):
        firms = {
            rising: {"name": "上海升精密有限公司", **figures},
            still: {"name": "上海恒精密有限公司", **SMALL},
        }
        bring_in(database, settings, firms, dated=dated)
    hook = client.post("/v1/webhooks", json={"url": receiver.url}, headers=headers).json
    begun = client.post("/v1/runs", json={"as_of": "2026-06-30"}, headers=headers)
    assert begun.status_code == 202
    events = told(client.get(begun.json["links"]["events"], headers=headers))
    assert events[-1]["event"] == "end"
    ended = orjson.loads(events[-1]["data"])
    assert (ended["status"], ended["firms"], ended["done"]) == ("succeeded", 2, 2)
    moved = client.get(begun.json["links"]["movements"], headers=headers).json["movements"]
    assert [(one["uscc"], one["change"]) for one in moved] == [(rising, "up")]
    messages = {one["type"]: one for one in awaited(receiver, 2)}
    assert messages["movements"]["data"]["run"] == ended["id"]
    assert messages["movements"]["data"]["movements"]["qualifies"]["up"] == 1
    assert all(verified(message, hook["secret"]) for message in receiver.got)


def awaited(receiver: Receiver, count: int) -> list[dict[str, object]]:
    """The messages received, when there are so many."""
    deadline = time.monotonic() + PATIENCE
    while len(receiver.got) < count and time.monotonic() < deadline:
        time.sleep(0.1)
    return [orjson.loads(message.body) for message in receiver.got]
