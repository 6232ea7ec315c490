"""Finding a firm, reading every figure of it with its source, correcting one by hand."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.registry.database import Database
from models.registry.tables import audit
from models.settings import Settings
from tests.firms import meeting
from tests.service.conftest import Clock, GivenKey, KeyMaker
from tests.service.little_registry import bring_in, code

FIRM, NEIGHBOUR, NOBODY = code(1), code(2), code(9)
FIGURES = {"name": "上海警松精密机械有限公司", "district": "310104", **meeting("srdi.n2")}
DATED = date(2026, 5, 1)
REASON = "企业来函更正，附审计报告"


@pytest.fixture
def registry(database: Database, settings: Settings) -> None:
    firms = {FIRM: FIGURES, NEIGHBOUR: {"name": "上海别家软件有限公司", "district": "310115"}}
    bring_in(database, settings, firms, dated=DATED)


@pytest.fixture
def officer(key: KeyMaker) -> GivenKey:
    return key("lookup,assess,write")


def read(client: FlaskClient, given: GivenKey, uscc: str = FIRM, **headers: str) -> TestResponse:
    return client.get(f"/v1/firms/{uscc}", headers={**given.headers, **headers})


def fact(response: TestResponse, column: str) -> Any:
    assert response.json is not None
    return next((f for f in response.json["facts"] if f["column"] == column), None)


def correct(
    client: FlaskClient,
    given: GivenKey,
    changes: Mapping[str, Any],
    tag: str | None,
    uscc: str = FIRM,
    reason: str = REASON,
) -> TestResponse:
    headers = given.headers if tag is None else {**given.headers, "If-Match": tag}
    body = {"changes": changes, "reason": reason}
    return client.patch(f"/v1/firms/{uscc}/facts", headers=headers, json=body)


def problems(response: TestResponse) -> list[tuple[str, str]]:
    assert response.json is not None
    return [(error["pointer"], error["code"]) for error in response.json["errors"]]


@pytest.mark.usefixtures("registry")
def test_a_firm_is_found_by_a_scrap_of_its_name(client: FlaskClient, officer: GivenKey) -> None:
    answer = client.get("/v1/firms?q=警松", headers=officer.headers).json
    assert answer is not None
    (hit,) = answer["firms"]
    assert (hit["uscc"], hit["district"]["name"]) == (FIRM, "徐汇区")
    assert hit["why"]["zh"]
    assert hit["why"]["en"]
    assert client.get(hit["links"]["self"], headers=officer.headers).status_code == 200


@pytest.mark.usefixtures("registry")
def test_a_list_is_narrowed_by_district_and_read_page_by_page(client: FlaskClient, officer: GivenKey) -> None:
    def asked(query: str) -> Any:
        return client.get(f"/v1/firms?{query}", headers=officer.headers)

    assert [f["uscc"] for f in asked("district=浦东新区").json["firms"]] == [NEIGHBOUR]
    first = asked("limit=1").json
    second = asked(f"limit=1&cursor={first['cursor']}").json
    assert [f["uscc"] for page in (first, second) for f in page["firms"]] == [FIRM, NEIGHBOUR]
    assert asked("cursor=garbage").status_code == 400
    assert problems(asked("district=火星")) == [("query:district", "E213")]
    assert problems(asked("limit=1000")) == [("query:limit", "F009")]


@pytest.mark.usefixtures("registry")
def test_every_figure_says_its_year_unit_and_source(client: FlaskClient, officer: GivenKey) -> None:
    response = read(client, officer)
    assert fact(response, "revenue_2025") | {"origin": "…"} == {
        "column": "revenue_2025",
        "label": {"zh": "2025年营业收入", "en": "operating revenue 2025"},
        "year": 2025,
        "unit": "元",
        "value": 100_000_000,
        "shown": {"zh": "1亿元", "en": "RMB 100,000,000"},
        "source": "upload",
        "dated": "2026-05-01",
        "origin": "…",
    }
    assert response.json is not None
    assert response.json["standing"]["qualifies"]["rung"] >= 0
    assert response.json["standing"]["disclaimer"]["zh"] == "预评估，不构成认定"


@pytest.mark.usefixtures("registry")
def test_reading_a_firm_is_recorded_with_its_purpose(
    app: Flask, client: FlaskClient, officer: GivenKey, database: Database
) -> None:
    read(client, officer, **{"X-Purpose": "%E6%A0%B8%E5%AF%B9%E5%88%B8%E7%94%B3%E8%AF%B7"})
    app.extensions["tidui"].auditor.flush()
    with database.read() as connection:
        rows = connection.execute(select(audit).where(audit.c.action == "firm.read")).all()
    assert [(row.object, row.actor, row.purpose) for row in rows] == [
        (FIRM, f"key:{officer.id}", "核对券申请")
    ]


@pytest.mark.usefixtures("registry")
def test_a_correction_stands_over_the_import_and_shows_both(
    client: FlaskClient, officer: GivenKey, database: Database
) -> None:
    before = read(client, officer)
    done = correct(client, officer, {"revenue_2025": 123}, before.headers["ETag"])
    assert done.status_code == 200
    assert done.headers["ETag"] != before.headers["ETag"]
    again = read(client, officer)
    assert (again.data, again.headers["ETag"]) == (done.data, done.headers["ETag"])
    told = fact(again, "revenue_2025")
    assert (told["value"], told["source"], told["reason"]) == (123, "hand", REASON)
    assert [(o["value"], o["source"]) for o in told["also"]] == [(100_000_000, "upload")]
    with database.read() as connection:
        row = connection.execute(select(audit).where(audit.c.action == "firm.correct")).one()
    assert (row.object, row.purpose) == (FIRM, REASON)
    assert row.before != row.after


@pytest.mark.usefixtures("registry")
def test_null_takes_a_correction_back(client: FlaskClient, officer: GivenKey) -> None:
    first = correct(client, officer, {"revenue_2025": 123}, read(client, officer).headers["ETag"])
    back = correct(client, officer, {"revenue_2025": None}, first.headers["ETag"])
    told = fact(back, "revenue_2025")
    assert (told["value"], told["source"], "also" in told) == (100_000_000, "upload", False)


@pytest.mark.usefixtures("registry")
def test_a_corrected_district_or_industry_is_where_the_firm_is_found(
    client: FlaskClient, officer: GivenKey
) -> None:
    changes = {"district": "静安区", "industry": "C3911"}
    done = correct(client, officer, changes, read(client, officer).headers["ETag"])
    assert done.json is not None
    assert (done.json["district"]["code"], done.json["industry"]["name"]) == ("310106", "计算机整机制造")
    found = client.get("/v1/firms?district=310106", headers=officer.headers).json
    assert found is not None
    assert [f["uscc"] for f in found["firms"]] == [FIRM]


@pytest.mark.usefixtures("registry")
def test_a_correction_says_which_version_it_means(client: FlaskClient, officer: GivenKey) -> None:
    seen = read(client, officer).headers["ETag"]
    assert correct(client, officer, {"ip_class1": 1}, None).status_code == 428
    assert correct(client, officer, {"ip_class1": 1}, "*").status_code == 428
    assert correct(client, officer, {"ip_class1": 1}, '"another"').status_code == 412
    assert correct(client, officer, {"ip_class1": 1}, seen).status_code == 200
    assert correct(client, officer, {"ip_class1": 2}, seen).status_code == 412
    assert fact(read(client, officer), "ip_class1")["value"] == 1


@pytest.mark.usefixtures("registry")
def test_values_that_cannot_be_are_pointed_at_one_by_one(client: FlaskClient, officer: GivenKey) -> None:
    changes = {
        "revenue_2025": -1,
        "nonsense": 1,
        "name": "新名",
        "legal_person": 1,
        "ip_class1": "—",
        "ip_class2": 3,
    }
    seen = read(client, officer)
    refused = correct(client, officer, changes, seen.headers["ETag"])
    assert refused.status_code == 422
    assert sorted(problems(refused)) == [
        ("/changes/ip_class1", "F104"),
        ("/changes/legal_person", "F102"),
        ("/changes/name", "F103"),
        ("/changes/nonsense", "F101"),
        ("/changes/revenue_2025", "E202"),
    ]
    assert read(client, officer).data == seen.data


@pytest.mark.usefixtures("registry")
def test_a_figure_of_a_year_to_come_is_refused_and_a_blank_of_one_is_not(
    client: FlaskClient, officer: GivenKey, clock: Clock
) -> None:
    tag = read(client, officer).headers["ETag"]
    refused = correct(client, officer, {"revenue_2099": 1, "revenue_2027": 1, "revenue_2026": 1}, tag)
    assert refused.status_code == 422
    assert sorted(problems(refused)) == [("/changes/revenue_2027", "F105"), ("/changes/revenue_2099", "F105")]
    assert refused.json is not None
    assert "年份最晚写 2026" in refused.json["errors"][0]["detail"]["zh"]
    assert correct(client, officer, {"revenue_2099": None, "revenue_2026": 1}, tag).status_code == 200
    clock.advance(days=60)
    tag = read(client, officer).headers["ETag"]
    assert correct(client, officer, {"revenue_2027": 1}, tag).status_code == 200


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"changes": {"ip_class1": 1}}, "/reason"),
        ({"changes": {"ip_class1": 1}, "reason": " 改 "}, "/reason"),
        ({"changes": {}, "reason": REASON}, "/changes"),
        ({"changes": [1], "reason": REASON}, "/changes"),
        ({"changes": {"ip_class1": 1}, "reason": REASON, "force": True}, "/force"),
    ],
)
def test_a_reason_and_a_change_are_needed(
    client: FlaskClient, officer: GivenKey, body: Any, pointer: str
) -> None:
    headers = {**officer.headers, "If-Match": '"x"'}
    refused = client.patch(f"/v1/firms/{FIRM}/facts", headers=headers, json=body)
    assert refused.status_code == 422
    assert [where for where, _ in problems(refused)] == [pointer]


@pytest.mark.usefixtures("registry")
def test_a_key_of_another_district_sees_no_such_firm(
    client: FlaskClient, key: KeyMaker, officer: GivenKey
) -> None:
    limited = key("lookup,assess,write", district="310115")
    unknown = read(client, officer, NOBODY)
    hidden = read(client, limited)
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert hidden.json is not None
    assert unknown.json is not None
    assert hidden.json["code"] == unknown.json["code"]
    assert correct(client, limited, {"ip_class1": 1}, '"x"').status_code == 404
    found = client.get("/v1/firms", headers=limited.headers).json
    assert found is not None
    assert [f["uscc"] for f in found["firms"]] == [NEIGHBOUR]


@pytest.mark.usefixtures("registry")
def test_of_many_who_correct_at_once_each_version_is_won_by_one(app: Flask, officer: GivenKey) -> None:
    seen = read(app.test_client(), officer).headers["ETag"]
    outcomes: list[int] = []

    def one(number: int) -> None:
        outcomes.append(correct(app.test_client(), officer, {"ip_class1": number}, seen).status_code)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [200, *[412] * 7]
    response = read(app.test_client(), officer)
    assert response.json is not None
    assert response.json["version"] == 2
