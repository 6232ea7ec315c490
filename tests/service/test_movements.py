"""Who moved, as users of the change feed, of webhooks and of the calendar of expiries see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest
from flask import Flask

from models.codes import encode_industry
from models.registry.database import Database
from models.settings import Settings
from models.webhooks.announcing import give_out
from models.webhooks.delivering import deliver
from tests.service.conftest import Client, Clock, KeyMaker
from tests.service.little_registry import bring_in, code
from tests.service.running import work
from tests.webhooks.receiver import LOOPBACK, Receiver, receiver

__all__ = ["receiver"]
RISING, FALLING, STILL, COMING, ELSEWHERE = (code(number) for number in range(1, 6))
LARGE = {"industry": encode_industry("3911"), "main_revenue_2025": 90_000_000, "revenue_2025": 90_000_000}
SMALL = LARGE | {"main_revenue_2025": 1_000_000, "revenue_2025": 1_000_000}
Quarter = Callable[..., int]


def firms(rising: dict[str, Any], falling: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        RISING: {"name": "上海升精密有限公司", "district": "310104", **rising},
        FALLING: {"name": "上海降精密有限公司", "district": "310115", **falling},
        STILL: {
            "name": "上海恒精密有限公司", "district": "310115", **SMALL,
            "title_srdi_until": date(2026, 9, 30), "title_giant_until": date(2027, 9, 30),
        },
    }  # fmt: skip


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, webhook_networks=LOOPBACK)


@pytest.fixture
def headers(key: KeyMaker) -> dict[str, str]:
    return key("run,lookup,admin").headers


@pytest.fixture
def judge(
    client: Client, headers: dict[str, str], database: Database, settings: Settings, clock: Clock
) -> Quarter:
    """Begin a run over HTTP and do its work; its number."""

    def made(as_of: str = "2026-06-30", **order: Any) -> int:
        order = {"as_of": as_of, "standards": ["above_scale.nbs"], **order}
        response = client.post("/v1/runs", json=order, headers=headers)
        assert response.status_code == 202, response.json
        work(database, settings, clock())
        shown = client.get(response.headers["Location"], headers=headers).json
        assert shown["status"] == "succeeded"
        assert shown["stood_at"] is not None
        return int(shown["id"])

    return made


@pytest.fixture
def quarters(database: Database, settings: Settings, judge: Quarter, clock: Clock) -> tuple[int, int]:
    """Two quarters: uploaded, then judged. The second falls on the next day of the test's clock."""
    bring_in(database, settings, firms(SMALL, LARGE), dated=date(2026, 5, 1), name="一季")
    first = judge()
    clock.advance(days=1)
    later = firms(LARGE, SMALL) | {COMING: {"name": "上海新精密有限公司", "district": "310104", **LARGE}}
    bring_in(database, settings, later, dated=date(2026, 6, 1), name="二季")
    return first, judge()


def shown(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["uscc"]: row["change"] for row in rows}


def test_after_the_next_quarter_one_learns_who_moved_and_why(
    client: Client, headers: dict[str, str], quarters: tuple[int, int]
) -> None:
    page = client.get(f"/v1/runs/{quarters[1]}/movements", headers=headers).json
    assert shown(page["movements"]) == {RISING: "up", FALLING: "down", COMING: "new"}
    rising = next(row for row in page["movements"] if row["uscc"] == RISING)
    assert (rising["qualifies"], rising["name"]) == ({"before": 0, "after": 1}, "上海升精密有限公司")
    assert (rising["since_run"], rising["run"]) == quarters
    [decided] = [one for one in rising["deciding"] if one["standard"] == "above_scale.nbs"]
    assert (decided["before"], decided["after"]) == ("unmet", "met")
    assert decided["unmet"][0]["text"]["zh"]
    assert "预评估" in page["note"]["zh"]


def test_the_feed_gives_each_movement_once_however_small_the_pages(
    client: Client, headers: dict[str, str], quarters: tuple[int, int], judge: Quarter, database: Database,
    settings: Settings,
) -> None:  # fmt: skip
    seen, since = [], str(quarters[0])
    for _ in range(4):
        page = client.get("/v1/movements", query_string={"since": since, "limit": 1}, headers=headers).json
        seen += page["movements"]
        since = page["next"]
    assert sorted(shown(seen)) == sorted([RISING, FALLING, COMING])
    assert len(seen) == 3
    assert client.get("/v1/movements", query_string={"since": since}, headers=headers).json["movements"] == []
    bring_in(database, settings, firms(SMALL, SMALL), dated=date(2026, 6, 20), name="三季")
    judge()
    later = client.get("/v1/movements", query_string={"since": since}, headers=headers).json
    assert shown(later["movements"]) == {RISING: "down"}


def test_the_feed_begins_after_a_run_or_on_a_day(
    client: Client, headers: dict[str, str], quarters: tuple[int, int], clock: Clock
) -> None:
    def since(what: object) -> set[str]:
        page = client.get("/v1/movements", query_string={"since": str(what)}, headers=headers).json
        return set(shown(page["movements"]))

    assert since(quarters[0]) == {RISING, FALLING, COMING}
    assert since(quarters[1]) == set()
    assert since(clock().date()) == {RISING, FALLING, COMING}
    assert since("2026-11-25") == set()  # the day after
    assert since(0) >= {RISING, FALLING, COMING}


@pytest.mark.parametrize("since", ["2026-13-01", "x", "-1", "9" * 30])
def test_a_beginning_that_means_nothing_is_refused(
    client: Client, headers: dict[str, str], since: str
) -> None:
    response = client.get("/v1/movements", query_string={"since": since}, headers=headers)
    assert (response.status_code, response.json["code"]) == (400, "R420")


def test_a_districts_key_hears_of_its_own_firms(
    app: Flask, client: Client, key: KeyMaker, headers: dict[str, str], quarters: tuple[int, int]
) -> None:
    own = key("lookup", district="310104").headers
    for path in (f"/v1/movements?since={quarters[0]}", f"/v1/runs/{quarters[1]}/movements"):
        assert shown(client.get(path, headers=own).json["movements"]) == {RISING: "up", COMING: "new"}
    named = client.get(f"/v1/movements?since={quarters[0]}&district=310115", headers=headers).json
    assert shown(named["movements"]) == {FALLING: "down"}
    assert client.get("/v1/movements?district=310115", headers=own).status_code == 403
    citys = client.get(f"/v1/movements?since={quarters[0]}&limit=1", headers=headers).json["next"]
    foreign = client.get("/v1/movements", query_string={"since": citys}, headers=own)
    assert foreign.status_code == 400  # a cursor is good for what it came from


def test_reading_who_moved_is_audited_with_the_firms(
    app: Flask, client: Client, headers: dict[str, str], quarters: tuple[int, int]
) -> None:
    client.get(f"/v1/movements?since={quarters[0]}", headers=headers)
    app.extensions["tidui"].auditor.flush()
    [told] = client.get("/v1/audit?action=movements.feed", headers=headers).json["records"]
    assert sorted(told["details"]["firms"]) == sorted([RISING, FALLING, COMING])


def test_a_webhook_is_told_of_each_standing(
    client: Client, headers: dict[str, str], database: Database, settings: Settings, judge: Quarter,
    receiver: Receiver, clock: Clock,
) -> None:  # fmt: skip
    bring_in(database, settings, firms(SMALL, LARGE), dated=date(2026, 5, 1), name="一季")
    judge()
    assert client.post("/v1/webhooks", json={"url": receiver.url}, headers=headers).status_code == 201
    bring_in(database, settings, firms(LARGE, LARGE), dated=date(2026, 6, 1), name="二季")
    clock.advance(days=400)  # the stamp of a standing is the service's, that of a webhook the database's
    second = judge()
    for id_ in give_out(database):
        deliver(database, id_, allowed=LOOPBACK)
    told = [orjson.loads(message.body) for message in receiver.got]
    assert [one["type"] for one in told] == ["ping", "movements"]
    assert told[1]["data"]["run"] == second
    assert told[1]["data"]["movements"]["qualifies"] == {"up": 1, "down": 0}
    assert shown(client.get(told[1]["data"]["link"], headers=headers).json["movements"]) == {RISING: "up"}


def test_titles_that_run_out_are_listed_the_soonest_first(
    client: Client, key: KeyMaker, headers: dict[str, str], quarters: tuple[int, int]
) -> None:
    def listed(query: str, who: dict[str, str] = headers) -> list[tuple[str, str]]:
        page = client.get(f"/v1/expiries?{query}", headers=who).json
        return [(row["title"], row["valid_until"]) for row in page["expiries"]]

    assert listed("as_of=2026-07-10&within=90d") == [("srdi", "2026-09-30")]
    assert listed("as_of=2026-07-10&within=900d") == [("srdi", "2026-09-30"), ("giant", "2027-09-30")]
    assert listed("as_of=2026-07-10&within=900d&title=giant") == [("giant", "2027-09-30")]
    assert listed("as_of=2026-07-10&within=900d", key("lookup", district="310104").headers) == []
    assert listed("within=310d") == [("giant", "2027-09-30")]  # from today, of the test's clock
    page = client.get("/v1/expiries?as_of=2026-07-10&within=900d&limit=1", headers=headers).json
    assert page["until"] == "2028-12-26"
    assert listed(f"as_of=2026-07-10&within=900d&limit=1&cursor={page['cursor']}") == [
        ("giant", "2027-09-30")
    ]


@pytest.mark.parametrize("query", ["within=0d", "within=90", "within=99999d", "as_of=2026-02-30", "cursor="])
def test_a_calendar_that_means_nothing_is_refused(
    client: Client, headers: dict[str, str], query: str
) -> None:
    assert client.get(f"/v1/expiries?{query}", headers=headers).status_code == 422
