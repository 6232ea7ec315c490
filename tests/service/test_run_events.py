"""A run's progress as server-sent events: every change, the end, heartbeats, and only so many at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from models.registry.database import Database
from models.settings import Settings
from service.streams import STREAMS, Pace
from tests.service.conftest import Client, Clock
from tests.service.running import done, headers, registry, started, told, work

__all__ = ["done", "headers", "registry"]


@pytest.fixture
def lively(app: Flask) -> None:
    """Streams that look often and do not last."""
    app.extensions["tidui"].once("pace", lambda: Pace(look=0.02, heartbeat=0.06, longest=0.6))


@pytest.mark.usefixtures("lively")
def test_a_run_that_has_ended_is_told_at_once(client: Client, headers: dict[str, str], done: int) -> None:
    response = client.get(f"/v1/runs/{done}/events", headers=headers)
    assert (response.status_code, response.mimetype) == (200, "text/event-stream")
    assert response.headers["Cache-Control"] == "no-store"
    first, end = told(response)
    assert (first, end["event"]) == ({"retry": "3000"}, "end")
    assert '"succeeded"' in end["data"]
    again = client.get(f"/v1/runs/{done}/events", headers={**headers, "Last-Event-ID": end["id"]})
    assert (again.status_code, again.data) == (204, b"")


@pytest.mark.usefixtures("lively", "registry")
def test_progress_is_told_as_it_is_made_and_then_the_end(
    client: Client, headers: dict[str, str], database: Database, settings: Settings, clock: Clock, app: Flask
) -> None:
    app.extensions["tidui"]._kept["pace"] = Pace(look=0.02, heartbeat=15, longest=60)
    run_id = started(client, headers)
    response = client.get(f"/v1/runs/{run_id}/events", headers=headers, buffered=False)
    parts: Iterator[bytes] = iter(response.response)
    seen = [next(parts), next(parts)]
    assert b'"queued"' in seen[1]
    work(database, settings, clock(), most=4)
    assert b'"done":4' in next(parts).replace(b'"parts":{"queued":12,"running":0,', b"")
    work(database, settings, clock())
    rest = b"".join(parts)
    assert rest.count(b"event: end") == 1
    assert rest.endswith(b"\n\n")
    response.close()


@pytest.mark.usefixtures("lively", "registry")
def test_a_quiet_stream_beats_and_ends_and_goes_on_from_what_was_seen(
    client: Client, headers: dict[str, str]
) -> None:
    run_id = started(client, headers)
    first = told(client.get(f"/v1/runs/{run_id}/events", headers=headers))
    assert [event["event"] for event in first if "event" in event] == ["progress"]
    assert {"comment": "heartbeat"} in first
    seen = next(event["id"] for event in first if "id" in event)
    again = told(client.get(f"/v1/runs/{run_id}/events", headers={**headers, "Last-Event-ID": seen}))
    assert not [event for event in again if "event" in event]


@pytest.mark.usefixtures("registry")
def test_streams_do_not_take_all_threads_nor_any_connection(
    client: Client, app: Flask, headers: dict[str, str], database: Database
) -> None:
    run_id = started(client, headers)
    open_ones = [
        client.get(f"/v1/runs/{run_id}/events", headers=headers, buffered=False) for _ in range(STREAMS)
    ]
    for one in open_ones:
        next(iter(one.response))
    refused = client.get(f"/v1/runs/{run_id}/events", headers=headers)
    assert (refused.status_code, refused.json["code"]) == (503, "J503")
    assert int(refused.headers["Retry-After"]) > 0
    assert client.get(f"/v1/runs/{run_id}", headers=headers).status_code == 200  # polling goes on
    pool: Any = app.extensions["tidui"].database.engine.pool
    assert pool.checkedout() == 0
    for one in open_ones:
        one.close()
    lively = client.get(f"/v1/runs/{run_id}/events", headers=headers, buffered=False)
    assert lively.status_code == 200
    lively.close()
