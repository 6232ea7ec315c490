"""Runs over HTTP: begun, watched, ended; their results page by page and as files."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from flask import Flask
from sqlalchemy import select, update

from models.registry import rulebooks
from models.registry.database import Database
from models.registry.job_tables import run_part
from models.registry.tables import run
from models.settings import Settings
from service import streams
from service.app import create_app
from service.streams import STREAMS, Pace
from tests.firms import meeting
from tests.service.cable import Cable
from tests.service.conftest import Client, Clock, KeyMaker
from tests.service.little_registry import bring_in, code
from tests.service.running import work

ORDER = {"as_of": "2026-06-30", "standards": ["srdi.n2", "innovative.n63"]}
STRONG, WEAK, ELSEWHERE = code(1), code(2), code(3)
Start = Callable[..., int]


@pytest.fixture
def registry(database: Database, settings: Settings) -> None:
    """Two firms of 徐汇区, one of them strong, and one of 浦东."""
    firms = {
        STRONG: {**meeting("srdi.n2"), "name": "上海甲精密机械有限公司", "district": "310104"},
        WEAK: {"name": "上海乙贸易有限公司", "district": "310104", "revenue_2025": 1_000_000},
        ELSEWHERE: {"name": "上海丙软件有限公司", "district": "310115", "revenue_2025": 90_000_000},
    }
    bring_in(database, settings, firms, dated=date(2026, 5, 1))


@pytest.fixture
def headers(key: KeyMaker) -> dict[str, str]:
    return key("run,lookup").headers


@pytest.fixture
def done(
    client: Client,
    headers: dict[str, str],
    registry: None,
    database: Database,
    settings: Settings,
    clock: Clock,
) -> int:
    """A run that has ended."""
    run_id = started(client, headers)
    work(database, settings, clock())
    return run_id


def started(client: Client, headers: dict[str, str], **changes: Any) -> int:
    response = client.post("/v1/runs", json={**ORDER, **changes}, headers=headers)
    assert response.status_code == 202, response.json
    assert response.headers["Location"] == f"/v1/runs/{response.json['id']}"
    return int(response.json["id"])


@pytest.mark.usefixtures("registry")
def test_a_run_is_begun_watched_and_ended(
    client: Client, headers: dict[str, str], database: Database, settings: Settings, clock: Clock
) -> None:
    response = client.post("/v1/runs", json=ORDER, headers=headers)
    begun = response.json
    assert (response.status_code, begun["status"], begun["status_text"]["zh"]) == (202, "queued", "排队中")
    assert (begun["firms"], begun["done"], begun["seconds_left"]) == (3, 0, None)
    assert begun["standards"] == ["srdi.n2", "innovative.n63"]
    work(database, settings, clock(), most=10)
    half = client.get(begun["links"]["self"], headers=headers).json
    assert (half["status"], half["parts"]["done"], half["parts"]["queued"]) == ("running", 10, 6)
    clock.advance(seconds=10)
    work(database, settings, clock())
    ended = client.get(begun["links"]["self"], headers=headers).json
    assert (ended["status"], ended["done"], ended["parts"]["done"]) == ("succeeded", 3, 16)
    assert (ended["rate"], ended["seconds_left"], ended["failed_parts"]) == (0.3, None, [])
    assert ended["stood_at"] is not None
    [listed] = client.get("/v1/runs", headers=headers).json["runs"]
    assert listed == ended


@pytest.mark.usefixtures("registry")
def test_the_standing_is_the_old_one_until_the_run_has_ended(
    client: Client,
    key: KeyMaker,
    headers: dict[str, str],
    database: Database,
    settings: Settings,
    clock: Clock,
) -> None:
    run_id = started(client, headers, standards=None)
    before = client.get("/v1/plan", headers=headers).json["run"]["as_of"]
    work(database, settings, clock(), most=12)
    assert client.get("/v1/plan", headers=headers).json["run"]["as_of"] == before
    work(database, settings, clock())
    assert client.get("/v1/plan", headers=headers).json["run"]["as_of"] == "2026-06-30"
    assert client.get(f"/v1/runs/{run_id}", headers=headers).json["stood_at"] is not None


@pytest.mark.usefixtures("registry")
def test_asking_again_gives_the_run_that_is_at_work(client: Client, headers: dict[str, str]) -> None:
    first = started(client, headers)
    assert started(client, headers) == first
    assert started(client, headers, kind="review") != first
    assert started(client, headers, standards=["srdi.n2"]) != first


@pytest.mark.usefixtures("registry")
def test_many_who_ask_at_once_get_one_run(app: Flask, headers: dict[str, str]) -> None:
    ready, found = threading.Barrier(8), []

    def ask() -> None:
        ready.wait(30)
        found.append(started(app.test_client(), headers))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8
    assert len(set(found)) == 1


def test_after_its_end_the_same_question_is_a_new_run(
    client: Client, headers: dict[str, str], done: int
) -> None:
    assert started(client, headers) > done


@pytest.mark.usefixtures("registry")
def test_an_idempotency_key_replays_the_answer(client: Client, headers: dict[str, str]) -> None:
    sent = {**headers, "Idempotency-Key": "one"}
    first = client.post("/v1/runs", json=ORDER, headers=sent)
    again = client.post("/v1/runs", json=ORDER, headers=sent)
    assert (first.json, again.headers["Location"]) == (again.json, first.headers["Location"])
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"as_of": None}, 422, "R422"), ({"kind": "old"}, 422, "R422"), ({"standards": []}, 422, "R422"),
        ({"standards": ["none.n1"]}, 422, "R422"), ({"rulebook": "0" * 64}, 404, "R061"),
        ({"edition": 999}, 400, "G004"), ({"edition": "zzzzzz"}, 400, "G004"), ({"what": 1}, 422, "R422"),
        ({"edition": True}, 422, "R422"), ({"edition": 2**40}, 422, "R422"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused(
    client: Client, headers: dict[str, str], changes: dict[str, Any], status: int, code: str
) -> None:
    response = client.post("/v1/runs", json={**ORDER, **changes}, headers=headers)
    assert (response.status_code, response.json["code"]) == (status, code)


def test_an_empty_registry_has_nothing_to_run(client: Client, headers: dict[str, str]) -> None:
    response = client.post("/v1/runs", json=ORDER, headers=headers)
    assert (response.status_code, response.json["code"]) == (409, "G003")


@pytest.mark.usefixtures("registry")
def test_an_edition_is_named_by_number_or_hash(client: Client, headers: dict[str, str]) -> None:
    first = client.get(f"/v1/runs/{started(client, headers)}", headers=headers).json
    assert started(client, headers, edition=first["edition"]) == first["id"]
    assert started(client, headers, edition=first["edition_hash"][:8]) == first["id"]
    assert started(client, headers, rulebook=first["rulebook"]) == first["id"]


@pytest.mark.usefixtures("registry")
def test_without_redis_the_run_stands_and_is_done_later(
    settings: Settings, database: Database, key: KeyMaker, clock: Clock
) -> None:
    assert settings.redis_url is not None
    cable, url = Cable.before(settings.redis_url, 6379)
    cable.cut()
    app = create_app(replace(settings, redis_url=url), clock=clock)
    headers, client = key("run,lookup").headers, app.test_client()
    run_id = started(client, headers)
    work(database, settings, clock())
    assert client.get(f"/v1/runs/{run_id}", headers=headers).json["status"] == "succeeded"
    app.extensions["tidui"].close()


@pytest.mark.usefixtures("registry")
def test_a_run_is_cancelled_and_may_be_begun_anew(
    client: Client, headers: dict[str, str], database: Database, settings: Settings, clock: Clock
) -> None:
    run_id = started(client, headers)
    work(database, settings, clock(), most=5)
    for _ in range(2):
        response = client.post(f"/v1/runs/{run_id}/cancel", headers=headers)
        assert (response.status_code, response.json["status"]) == (200, "cancelled")
    work(database, settings, clock())
    cancelled = client.get(f"/v1/runs/{run_id}", headers=headers).json
    assert (cancelled["status"], cancelled["parts"]["cancelled"]) == ("cancelled", 16)
    assert started(client, headers) != run_id
    assert client.get("/v1/runs/999999", headers=headers).status_code == 404


def test_a_run_that_has_ended_is_neither_cancelled_nor_retried(
    client: Client, headers: dict[str, str], done: int
) -> None:
    for what, refusal in (("cancel", "J409"), ("retry", "J410")):
        response = client.post(f"/v1/runs/{done}/{what}", headers=headers)
        assert (response.status_code, response.json["code"]) == (409, refusal)


@pytest.mark.usefixtures("registry")
def test_only_the_parts_that_failed_are_done_again(
    client: Client, headers: dict[str, str], database: Database, settings: Settings, clock: Clock
) -> None:
    run_id = started(client, headers)
    with database.write() as connection:
        mine = (run_part.c.run_id == run_id, run_part.c.part == 3)
        connection.execute(update(run_part).where(*mine).values(status="failed", error="J500 搁置 parked"))
        connection.execute(update(run).where(run.c.id == run_id).values(parts_left=15))
    work(database, settings, clock())
    partly = client.get(f"/v1/runs/{run_id}", headers=headers).json
    assert (partly["status"], partly["stood_at"]) == ("partly_succeeded", None)
    assert [(one["part"], one["error"]) for one in partly["failed_parts"]] == [(3, "J500 搁置 parked")]
    seconds = told_seconds(database, run_id)
    again = client.post(f"/v1/runs/{run_id}/retry", headers=headers)
    assert (again.status_code, again.json["parts"]["queued"], again.json["parts"]["done"]) == (202, 1, 15)
    work(database, settings, clock())
    assert client.get(f"/v1/runs/{run_id}", headers=headers).json["status"] == "succeeded"
    assert {part: told for part, told in told_seconds(database, run_id).items() if part != 3} == seconds


def told_seconds(database: Database, run_id: int) -> dict[int, float]:
    """How long each part that is done took: another number, had it been done again."""
    asked = select(run_part.c.part, run_part.c.seconds).where(
        run_part.c.run_id == run_id, run_part.c.status == "done"
    )
    with database.read() as connection:
        return {part: seconds for part, seconds in connection.execute(asked)}


def test_results_come_page_by_page_each_firm_once(client: Client, headers: dict[str, str], done: int) -> None:
    seen, path = [], f"/v1/runs/{done}/results?limit=1"
    while path:
        page = client.get(path, headers=headers).json
        seen += page["results"]
        path = page["cursor"] and f"/v1/runs/{done}/results?limit=1&cursor={page['cursor']}"
    assert sorted(row["uscc"] for row in seen) == sorted([STRONG, WEAK, ELSEWHERE])
    strong = next(row for row in seen if row["uscc"] == STRONG)
    assert (strong["srdi.n2"], strong["qualifies"], strong["district"]) == ("met", 3, "310104")
    assert "预评估" in page["note"]["zh"]


@pytest.mark.parametrize(
    ("query", "firms"),
    [
        ("standard=srdi.n2&verdict=met", [STRONG]), ("district=310115", [ELSEWHERE]),
        ("district=徐汇区", [STRONG, WEAK]), ("standard=srdi.n2&verdict=met&district=310115", []),
    ],
)  # fmt: skip
def test_results_are_filtered(
    client: Client, headers: dict[str, str], done: int, query: str, firms: list[str]
) -> None:
    found = client.get(f"/v1/runs/{done}/results?{query}", headers=headers).json
    assert sorted(row["uscc"] for row in found["results"]) == sorted(firms)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("verdict=met", 422), ("standard=srdi.n2", 422), ("standard=giant.n2&verdict=met", 400),
        ("cursor=x", 400),
        ("district=火星", 422), ("limit=0", 422), ("verdict=good&standard=srdi.n2", 422),
    ],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_refused(
    client: Client, headers: dict[str, str], done: int, query: str, status: int
) -> None:
    assert client.get(f"/v1/runs/{done}/results?{query}", headers=headers).status_code == status


@pytest.mark.usefixtures("registry")
def test_a_run_that_is_open_has_no_results_yet(client: Client, headers: dict[str, str]) -> None:
    run_id = started(client, headers)
    for what in ("results", "results.csv", "summary"):
        response = client.get(f"/v1/runs/{run_id}/{what}", headers=headers)
        assert (response.status_code, response.json["code"]) == (409, "J412"), what


def file(client: Client, path: str, headers: dict[str, str]) -> io.BytesIO:
    """What a download holds."""
    with client.get(path, headers=headers) as response:
        assert response.status_code == 200, response.json
        assert response.headers["Content-Disposition"].startswith("attachment; filename=tidui-run-")
        return io.BytesIO(response.data)


def test_results_are_downloaded_whole(
    app: Flask, client: Client, key: KeyMaker, headers: dict[str, str], done: int, tmp_path: Path
) -> None:
    frame = pl.read_parquet(file(client, f"/v1/runs/{done}/results.parquet", headers))
    assert frame["uscc"].sort().to_list() == sorted([STRONG, WEAK, ELSEWHERE])
    assert frame.columns[:5] == ["uscc", "name", "recognised", "qualifies", "could_reach"]
    lines = pl.read_csv(file(client, f"/v1/runs/{done}/results.csv", headers), infer_schema=False)
    assert lines["uscc"].to_list() == frame["uscc"].to_list()
    workbook = openpyxl.load_workbook(file(client, f"/v1/runs/{done}/results.xlsx", headers))
    text = str([list(sheet.values) for sheet in workbook.worksheets])
    assert STRONG in text
    assert "达标" in text
    app.extensions["tidui"].auditor.flush()
    told = client.get(f"/v1/audit?object=run:{done}&action=run.export", headers=key("admin").headers).json
    assert [(one["details"]["format"], one["details"]["firms"]) for one in told["records"]] == [
        ("xlsx", 3), ("csv", 3), ("parquet", 3),
    ]  # fmt: skip


def test_one_file_of_results_is_made_at_a_time(
    app: Flask, client: Client, headers: dict[str, str], done: int
) -> None:
    file(client, f"/v1/runs/{done}/results.csv", headers)
    give_back = app.extensions["tidui"].once("downloads", lambda: None).take()
    refused = client.get(f"/v1/runs/{done}/results.csv", headers=headers)
    assert (refused.status_code, refused.json["code"]) == (503, "J504")
    assert int(refused.headers["Retry-After"]) > 0
    give_back()
    file(client, f"/v1/runs/{done}/results.csv", headers)


def test_the_summary_adds_up(client: Client, headers: dict[str, str], done: int) -> None:
    told = client.get(f"/v1/runs/{done}/summary", headers=headers).json
    assert (told["run"], told["firms"]) == (done, 3)
    verdicts = {one["id"]: one["verdicts"] for one in told["standards"]}
    assert verdicts["srdi.n2"]["met"] == 1
    assert all(sum(counts.values()) == 3 for counts in verdicts.values())
    assert sum(one["firms"] for one in told["by_district"]) == 3


def test_a_districts_key_sees_its_own_firms_alone(client: Client, key: KeyMaker, done: int) -> None:
    own = key("run,lookup", district="310115").headers
    path = f"/v1/runs/{done}"
    assert [row["uscc"] for row in client.get(f"{path}/results", headers=own).json["results"]] == [ELSEWHERE]
    frame = pl.read_parquet(file(client, f"{path}/results.parquet", own))
    assert frame["uscc"].to_list() == [ELSEWHERE]
    summary = client.get(f"{path}/summary", headers=own).json
    assert (summary["firms"], summary["district"]["code"]) == (1, "310115")
    other = client.get(f"{path}/results?district=310104", headers=own)
    assert (other.status_code, other.json["code"]) == (403, "K403")
    for what in ("/results", "/results.csv", "/summary", "/movements"):
        with client.get(path + what, headers=own) as response:
            assert STRONG.encode() not in response.data
            assert "上海甲".encode() not in response.data
    for response in (
        client.post("/v1/runs", json=ORDER, headers=own),
        client.post(f"{path}/cancel", headers=own),
        client.post(f"{path}/retry", headers=own),
    ):
        assert response.status_code == 403


@pytest.fixture
def lively(app: Flask) -> None:
    """Streams that look often and do not last."""
    app.extensions["tidui"].once("pace", lambda: Pace(look=0.02, heartbeat=0.06, longest=0.6))


def told(response: Any) -> list[dict[str, str]]:
    """The events of a whole stream; a comment is ``{"comment": …}``."""
    found = []
    for block in response.get_data(as_text=True).strip().split("\n\n"):
        lines = (line.partition(": ") for line in block.split("\n"))
        found.append({name or "comment": value for name, _, value in lines})
    return found


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


def test_another_rulebook_than_the_one_that_ships_is_named_by_its_hash(
    client: Client, headers: dict[str, str], done: int, database: Database
) -> None:
    shown = client.get(f"/v1/runs/{done}", headers=headers).json
    with database.read() as connection:
        assert rulebooks.known(connection, shown["rulebook"])
    assert streams.event_id(shown) == "succeeded-3-0-0-16-0-0"
