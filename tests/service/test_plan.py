"""The plan over HTTP: every number leads to exactly the firms it counts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from models.registry.database import Database
from models.settings import Settings
from tests.service.conftest import KeyMaker
from tests.service.little_registry import bring_in, code

LATER = date(2027, 12, 31)


@pytest.fixture
def registry(database: Database, settings: Settings) -> None:
    firms: dict[str, dict[str, Any]] = {
        code(1): {"name": "上海甲", "district": "310115", "title_giant_until": LATER},
        code(2): {"name": "上海乙", "district": "310104", "title_giant_until": LATER},
        code(3): {"name": "上海丙", "district": "310104"},
        code(4): {"name": "无区丁", "title_giant_until": LATER},
        code(5): {"name": "苏州戊", "district": "320505", "title_giant_until": LATER},
    }
    bring_in(database, settings, firms, dated=date(2026, 6, 30))


def _read(client: FlaskClient, address: str, headers: dict[str, str]) -> dict[str, Any]:
    response = client.get(address, headers=headers)
    assert response.status_code == 200, response.data
    found: dict[str, Any] = response.get_json()
    return found


def _target(report: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(target for target in report["targets"] if target["id"] == name)
    return found


def test_a_number_its_share_and_what_is_missing(registry: None, client: FlaskClient, key: KeyMaker) -> None:
    giants = _target(_read(client, "/v1/plan", key().headers), "17.2")
    assert (giants["recognised"]["count"], giants["recognised"]["unknown"]) == (2, 2)
    assert giants["recognised"]["share"] == 2 / 1000
    places = {
        row["district"]["code"] if row["district"] else None: row["held"] for row in giants["by_district"]
    }
    assert places == {"310104": 1, "310115": 1, None: 0}


def test_what_cannot_be_counted_is_null_and_says_why(
    registry: None, client: FlaskClient, key: KeyMaker
) -> None:
    report = _read(client, "/v1/plan", key().headers)
    assert _target(report, "16.1")["recognised"]["count"] is None
    assert _target(report, "16.1")["recognised"]["why_null"]["zh"] == "登记库没有独角兽名单"
    assert _target(report, "17.3")["not_counted"][0]["count"] is None


def test_every_link_leads_to_as_many_firms_as_it_says(
    registry: None, client: FlaskClient, key: KeyMaker
) -> None:
    headers = key().headers
    for target in _read(client, "/v1/plan", headers)["targets"]:
        for row in target["by_district"]:
            for name, address in row["firms"].items():
                assert len(_read(client, address, headers)["firms"]) == row[name]


def test_paging_leaves_nobody_out(registry: None, client: FlaskClient, key: KeyMaker) -> None:
    address, headers = "/v1/plan/17.2/firms?basis=held&limit=1", key().headers
    first = _read(client, address, headers)
    second = _read(client, f"{address}&cursor={first['cursor']}", headers)
    assert [firm["uscc"] for firm in first["firms"] + second["firms"]] == [code(1), code(2)]
    assert second["cursor"] is None


def test_a_district_sees_its_own_numbers(registry: None, client: FlaskClient, key: KeyMaker) -> None:
    headers = key(district="310104").headers
    report = _read(client, "/v1/plan", headers)
    assert _target(report, "17.2")["recognised"]["count"] == 1
    firms = _read(client, "/v1/plan/17.2/firms?basis=held", headers)["firms"]
    assert [firm["uscc"] for firm in firms] == [code(2)]


def test_an_etag_spares_the_answer(registry: None, client: FlaskClient, key: KeyMaker) -> None:
    headers = key().headers
    tag = client.get("/v1/plan", headers=headers).headers["ETag"]
    assert client.get("/v1/plan", headers={**headers, "If-None-Match": tag}).status_code == 304


def test_an_empty_registry_and_an_unknown_target(client: FlaskClient, key: KeyMaker) -> None:
    headers = key().headers
    report = _read(client, "/v1/plan", headers)
    assert report["run"] is None
    assert _target(report, "17.2")["recognised"]["count"] is None
    assert client.get("/v1/plan/99.9/firms?basis=held", headers=headers).status_code == 404


def test_one_district_by_name_or_digits_and_nothing_that_is_not_understood(
    registry: None, client: FlaskClient, key: KeyMaker
) -> None:
    headers = key().headers
    by_name = _read(client, "/v1/plan?district=徐汇区", headers)
    assert by_name == _read(client, "/v1/plan?district=310104", headers)
    assert by_name["district"] == {"code": "310104", "name": "徐汇区"}
    assert _target(by_name, "17.2")["recognised"]["count"] == 1
    for query, code_ in (("district=999", "E213"), ("as_of=2020-01-01", "F002")):
        refused = client.get(f"/v1/plan?{query}", headers=headers)
        assert (refused.status_code, refused.get_json()["errors"][0]["code"]) == (422, code_)
