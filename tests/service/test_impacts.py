"""Impacts over HTTP: asked for, worked out by a worker, read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask

from models.impacts.jobs import do_impact
from models.registry.database import Database
from models.settings import Settings
from service.extension import Tidui
from tests.firms import meeting
from tests.service.conftest import Client, KeyMaker
from tests.service.little_registry import bring_in, code

ORDER: dict[str, Any] = {"as_of": "2026-06-30", "standards": [{"a": "srdi.n63", "b": "srdi.n2"}]}


@pytest.fixture
def registry(database: Database, settings: Settings) -> None:
    firms = {
        code(1): {"name": "上海甲精密机械有限公司", **meeting("srdi.n63"), "district": "310104"},
        code(2): {"name": "上海乙精密机械有限公司", **meeting("srdi.n2"), "district": "310115"},
    }
    bring_in(database, settings, firms, dated=date(2026, 6, 1))


def work(app: Flask, impact_id: str) -> None:
    """What a worker does with the message."""
    kept: Tidui = app.extensions["tidui"]
    assert do_impact(kept.database, kept.settings, impact_id, lambda: datetime(2026, 11, 23, 10, tzinfo=UTC))


def test_an_impact_is_queued_worked_out_and_read(
    app: Flask, client: Client, key: KeyMaker, registry: None
) -> None:
    headers = key("run").headers
    asked = client.post("/v1/impacts", json=ORDER, headers=headers)
    assert (asked.status_code, asked.json["status"], asked.json["report"]) == (202, "queued", None)
    where = asked.headers["Location"]
    assert where == asked.json["links"]["self"]
    again = client.post("/v1/impacts", json=ORDER, headers=headers)
    assert again.json["id"] == asked.json["id"]
    work(app, asked.json["id"])
    done = client.get(where, headers=headers).json
    (pair,) = done["report"]["pairs"]
    assert (done["status"], done["problem"], done["report"]["firms"]) == ("succeeded", None, 2)
    assert (pair["a"]["id"], pair["b"]["id"]) == ("srdi.n63", "srdi.n2")
    assert sum(pair["counts"].values()) == 2
    assert {place["district"] for place in pair["districts"]} == {"310104", "310115"}
    for change, conditions in pair["conditions"].items():
        assert bool(conditions) == bool(pair["counts"][change]), change


def test_what_cannot_be_asked_is_told(client: Client, key: KeyMaker, registry: None) -> None:
    headers = key("run").headers

    def told(**order: Any) -> tuple[int, str]:
        answer = client.post("/v1/impacts", json={**ORDER, **order}, headers=headers)
        return answer.status_code, answer.json["code"]

    assert told(standards=None) == (400, "I003")
    assert told(standards=[{"a": "size.n300", "b": "size.n300"}]) == (400, "I002")
    assert told(standards=[{"a": "srdi.n9", "b": "srdi.n2"}]) == (422, "R422")
    assert told(rulebook_b="0" * 64) == (404, "R061")
    assert told(edition="99") == (400, "G004")
    assert told(standards=[]) == (422, "R422")
    assert told(kind="other") == (422, "R422")


def test_an_impact_nobody_asked_for_is_404(client: Client, key: KeyMaker) -> None:
    answer = client.get("/v1/impacts/00000000-0000-4000-8000-000000000000", headers=key("run").headers)
    assert (answer.status_code, answer.json["code"]) == (404, "I404")


def test_a_districts_key_has_no_impacts(client: Client, key: KeyMaker, registry: None) -> None:
    headers = key("run", district="310104").headers
    assert client.post("/v1/impacts", json=ORDER, headers=headers).json["code"] == "K403"
