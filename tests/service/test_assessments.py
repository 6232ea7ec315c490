"""Assessing a firm of the registry or the facts of a question: why, by which rules, the same each time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.fields import catalogue
from models.figures import external
from models.registry import rulebooks
from models.registry.database import Database
from models.registry.tables import audit
from models.registry.titles import ListTerms, take_list
from models.rules.rulebook import load_rulebook, rulebook
from models.seeds import seed
from models.settings import Settings
from service.app import create_app
from tests.firms import meeting
from tests.service.conftest import Clock, GivenKey, KeyMaker
from tests.service.little_registry import IMPORTER, NOW, bring_in, code

FIRM = code(1)
FIGURES = {"name": "上海警松精密机械有限公司", "district": "310104", **meeting("srdi.n2")}
ON = "as_of=2026-06-30"


@pytest.fixture
def registry(database: Database, settings: Settings) -> None:
    bring_in(database, settings, {FIRM: FIGURES}, dated=date(2026, 5, 1))


@pytest.fixture
def given_key(key: KeyMaker) -> GivenKey:
    return key("lookup,assess,write")


@pytest.fixture
def assess(client: FlaskClient, given_key: GivenKey, registry: None) -> Callable[..., TestResponse]:
    def asked(query: str = ON, uscc: str = FIRM, **headers: str) -> TestResponse:
        return client.get(f"/v1/firms/{uscc}/assessment?{query}", headers={**given_key.headers, **headers})

    return asked


Assess = Callable[..., TestResponse]


def conditions(node: Any) -> Any:
    for condition in node.get("conditions", node.get("members", ())):
        yield condition
        yield from conditions(condition)


def told(response: TestResponse) -> Any:
    assert response.status_code == 200, response.text
    return response.json


def test_the_json_alone_says_why(assess: Assess) -> None:
    answer = told(assess(f"{ON}&standards=srdi.n2"))
    (standard,) = answer["standards"]
    assert (standard["id"], standard["verdict"], standard["in_force"]) == ("srdi.n2", "met", True)
    ratio = next(c for c in conditions(standard) if c["id"] == "rd_ratio_1")
    assert ratio["text"]["zh"].endswith("不低于3%")
    assert ratio["required"] == {
        "comparison": "ge",
        "line": 0.03,
        "shown": {"zh": "不低于3%", "en": "at least 3%"},
    }
    assert (ratio["unit"], ratio["shown"]["zh"]) == ("ratio", "5%")
    assert ratio["actual"] == pytest.approx(0.05)
    assert ratio["verdict_text"]["zh"] == standard["verdict_text"]["zh"] == "达标"
    assert ratio["reason"]["zh"] == "实际 5%，要求 不低于3%"
    assert standard["reason"]["zh"] == "每个条件都满足"
    assert [(i["column"], i["year"], i["source"], i["dated"]) for i in ratio["inputs"]] == [
        ("rd_expense_2025", 2025, "upload", "2026-05-01"),
        ("revenue_2025", 2025, "upload", "2026-05-01"),
    ]
    assert ratio["clause"]["item"] == "条件3"
    assert ratio["clause"]["page"].startswith("https://")
    assert answer["ladder"]["qualifies"] == 3
    assert answer["disclaimer"]["zh"] == "预评估，不构成认定"
    assert answer["hashes"]["rulebook"] == rulebook().hash
    assert set(answer["hashes"]["packs"]) == {"srdi.n2"}
    assert answer["firm"]["district"] == {"code": "310104", "name": "徐汇区"}


def test_all_standards_unless_some_are_asked_for_in_their_order(assess: Assess) -> None:
    assert [s["id"] for s in told(assess())["standards"]] == list(rulebook().packs)
    some = told(assess(f"{ON}&standards=giant.n2,%20size.n300,giant.n2"))
    assert [s["id"] for s in some["standards"]] == ["giant.n2", "size.n300"]


def test_the_same_question_gets_the_same_bytes_from_another_process(
    app: Flask, assess: Assess, given_key: GivenKey, clock: Clock
) -> None:
    first = assess()
    other = create_app(app.extensions["tidui"].settings, clock=clock)
    try:
        again = other.test_client().get(f"/v1/firms/{FIRM}/assessment?{ON}", headers=given_key.headers)
    finally:
        other.extensions["tidui"].close()
    assert (again.data, again.headers["ETag"]) == (first.data, first.headers["ETag"])


def test_what_is_unchanged_is_not_sent_again_and_is_recorded_all_the_same(
    app: Flask, assess: Assess, database: Database
) -> None:
    tag = assess().headers["ETag"]
    again = assess(**{"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    app.extensions["tidui"].auditor.flush()
    with database.read() as connection:
        rows = connection.execute(select(audit).where(audit.c.action == "firm.assess")).all()
    assert [row.object for row in rows] == [FIRM, FIRM]


def test_the_etag_changes_with_every_part_of_the_question(assess: Assess) -> None:
    questions = [ON, "as_of=2026-07-01", f"{ON}&kind=review", f"{ON}&standards=srdi.n2"]
    assert len({assess(question).headers["ETag"] for question in questions}) == len(questions)


def test_the_etag_changes_when_the_registry_does_and_not_otherwise(
    assess: Assess,
    client: FlaskClient,
    given_key: GivenKey,
    database: Database,
    settings: Settings,
    tmp_path: Path,
) -> None:
    tags = [assess().headers["ETag"]]
    assert assess().headers["ETag"] == tags[0]
    seen = client.get(f"/v1/firms/{FIRM}", headers=given_key.headers).headers["ETag"]
    client.patch(
        f"/v1/firms/{FIRM}/facts",
        headers={**given_key.headers, "If-Match": seen},
        json={"changes": {"niche_years": 1.5}, "reason": "企业来函更正"},
    )
    corrected = assess()
    tags.append(corrected.headers["ETag"])
    srdi = next(s for s in told(corrected)["standards"] if s["id"] == "srdi.n2")
    niche = next(c for c in conditions(srdi) if c["id"] == "niche_years")
    assert (niche["verdict"], niche["inputs"][0]["source"]) == ("unmet", "hand")
    assert niche["inputs"][0]["also"][0]["source"] == "upload"
    bring_in(database, settings, {FIRM: {**FIGURES, "ip_class1": 9}}, dated=date(2026, 6, 1))
    tags.append(assess().headers["ETag"])
    names = tmp_path / "小巨人.csv"
    names.write_text(f"统一社会信用代码,有效期至\n{FIRM},2028-12-31\n", "utf-8")
    take_list(database, settings, names, ListTerms("giant", date(2026, 6, 15)), actor=IMPORTER, now=NOW)
    listed = assess()
    tags.append(listed.headers["ETag"])
    assert told(listed)["ladder"]["recognised"] == 4
    assert len(set(tags)) == len(tags)


def test_an_older_rulebook_is_asked_by_its_hash(assess: Assess, database: Database, tmp_path: Path) -> None:
    root = tmp_path / "seeds"
    shutil.copytree(seed(), root)
    pack = root / "rules" / "srdi.n2.yaml"
    pack.write_text(pack.read_text("utf-8").replace("at_least: 3年", "at_least: 30年"), "utf-8")
    older = load_rulebook(root, catalogue())
    with database.write() as connection:
        rulebooks.remember(connection, older, datetime(2026, 1, 1, tzinfo=UTC), root=root)
    now, then = assess(), assess(f"{ON}&rules={older.hash}")
    assert told(then)["hashes"]["rulebook"] == older.hash
    verdicts = {s["id"]: s["verdict"] for s in told(then)["standards"]}
    assert verdicts["srdi.n2"] == "unmet"
    assert now.headers["ETag"] != then.headers["ETag"]
    assert assess(f"{ON}&rules={rulebook().hash}").data == now.data
    assert assess(f"{ON}&rules={'0' * 64}").status_code == 404


def test_the_rulebook_of_an_answer_is_kept(assess: Assess, database: Database) -> None:
    told(assess())
    with database.read() as connection:
        assert rulebooks.load(connection, rulebook().hash).hash == rulebook().hash


def test_what_if_with_the_same_facts_says_the_same(
    assess: Assess, client: FlaskClient, given_key: GivenKey, database: Database
) -> None:
    stored = told(assess())
    facts = {c: external(c, v) for c, v in FIGURES.items() if c != "name" and v is not None}
    order = {"as_of": "2026-06-30", "facts": facts, "name": FIGURES["name"], "uscc": FIRM}
    asked = told(client.post("/v1/assessments", json=order, headers=given_key.headers))

    def without_sources(node: Any) -> Any:
        if isinstance(node, list):
            return [without_sources(value) for value in node]
        if isinstance(node, dict):
            return {k: without_sources(v) for k, v in node.items() if k not in {"source", "dated", "edition"}}
        return node

    assert without_sources(asked) == without_sources(stored)
    sources = {i["source"] for s in asked["standards"] for c in conditions(s) for i in c.get("inputs", ())}
    assert sources == {"request", None}
    changed = {**order, "facts": {**facts, "niche_years": 1}, "standards": ["srdi.n2"]}
    answer = told(client.post("/v1/assessments", json=changed, headers=given_key.headers))
    assert answer["standards"][0]["verdict"] == "unmet"
    assert told(assess()) == stored


@pytest.mark.parametrize(
    ("query", "pointer", "problem"),
    [
        ("", "query:as_of", "F001"),
        ("as_of=today", "query:as_of", "F005"),
        ("as_of=1999-12-31", "query:as_of", "F009"),
        (f"{ON}&kind=old", "query:kind", "F007"),
        (f"{ON}&standards=", "query:standards", "F110"),
        (f"{ON}&standards=srdi.n2;drop", "query:standards", "F110"),
        (f"{ON}&standards=srdi.n9", "query:standards", "F112"),
        (f"{ON}&rules=abc", "query:rules", "F010"),
        (f"{ON}&colour=red", "query:colour", "F002"),
    ],
)
def test_a_question_that_cannot_be_answered_is_pointed_at(
    assess: Assess, query: str, pointer: str, problem: str
) -> None:
    refused = assess(query)
    assert refused.status_code == 422
    assert refused.json is not None
    assert [(e["pointer"], e["code"]) for e in refused.json["errors"]] == [(pointer, problem)]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"facts": {"revenue_2025": "很多"}}, "/facts/revenue_2025"),
        ({"facts": {"revenue_2025": 10**300}}, "/facts/revenue_2025"),
        ({"facts": {"a/b~c": 1}}, "/facts/a~1b~0c"),
        ({"facts": [1]}, "/facts"),
        ({"facts": None}, "/facts"),
        ({"standards": ["nothing"]}, "/standards"),
        ({"standards": []}, "/standards"),
        ({"as_of": 20260630}, "/as_of"),
        ({"uscc": "short"}, "/uscc"),
    ],
)
def test_hostile_facts_are_pointed_at(
    client: FlaskClient, given_key: GivenKey, change: dict[str, Any], pointer: str
) -> None:
    order = {"as_of": "2026-06-30", "facts": {}, **change}
    refused = client.post("/v1/assessments", json=order, headers=given_key.headers)
    assert refused.status_code == 422
    assert refused.json is not None
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


def test_an_empty_registry_has_no_firm(client: FlaskClient, given_key: GivenKey) -> None:
    for path in (f"/v1/firms/{FIRM}/assessment", f"/v1/firms/{FIRM}/advice"):
        assert client.get(f"{path}?{ON}", headers=given_key.headers).status_code == 404


@pytest.mark.usefixtures("registry")
def test_a_key_of_another_district_gets_no_answer_about_it(client: FlaskClient, key: KeyMaker) -> None:
    limited = key("assess", district="310115")
    for what in ("assessment", "advice"):
        response = client.get(f"/v1/firms/{FIRM}/{what}?{ON}", headers=limited.headers)
        assert (response.status_code, (response.json or {})["code"]) == (404, "G404")
