"""Advice about a firm: what the next rung asks, the smallest changes that would do, what to ask first."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from models.figures import external
from models.registry.database import Database
from models.rules.rulebook import rulebook
from models.settings import Settings
from tests.firms import meeting
from tests.service.conftest import GivenKey, KeyMaker
from tests.service.little_registry import bring_in, code

FIRM = code(1)
SHORT = meeting(
    "innovative.n63", "srdi.n2", rd_expense_2025=900_000, niche_years=None, ip_class1_counted_2026=0
)


@pytest.fixture
def given_key(key: KeyMaker) -> GivenKey:
    return key("assess")


@pytest.fixture
def advice(client: FlaskClient, given_key: GivenKey, database: Database, settings: Settings) -> Any:
    bring_in(database, settings, {FIRM: {"name": "上海警松有限公司", **SHORT}}, dated=date(2026, 5, 1))

    def asked(query: str = "", **headers: str) -> Any:
        path = f"/v1/firms/{FIRM}/advice?as_of=2026-06-30{query}"
        return client.get(path, headers={**given_key.headers, **headers})

    return asked


def standard(answer: Any, standard_id: str) -> Any:
    return next(s for s in answer["standards"] if s["id"] == standard_id)


def test_the_next_rung_and_the_least_that_would_do(advice: Any) -> None:
    answer = advice().json
    assert answer["next_rung"]["rung"] == 3
    found = standard(answer, "srdi.n2")
    assert found["next_rung"]
    assert {gap["id"] for gap in found["gaps"]} == {"rd_amount_1", "rd_ratio_1", "niche_years", "ip"}
    plan = found["plan"]
    assert (plan["possible"], plan["verdict"]) == (True, "met")
    # The patent is for others to grant, and R&D of 2025 is looked at until 2027 is over.
    assert (plan["earliest"], plan["evaluated_on"], plan["waits_for_others"]) == (None, "2028-01-01", True)
    by_column = {change["column"]: change for change in plan["changes"]}
    assert {"rd_expense_2026", "rd_expense_2027", "ip_class1_counted_2026", "niche_years"} <= set(by_column)
    to_come = by_column["rd_expense_2026"]
    assert (to_come["from"], to_come["to"], to_come["difference"]) == (900_000, 3_000_000, 2_100_000)
    said = (to_come["from_column"], to_come["from_source"], to_come["from_dated"])
    assert said == ("rd_expense_2025", "upload", "2026-05-01")
    assert to_come["wanted"] == {"zh": "至少300万元", "en": "at least RMB 3,000,000"}
    assert (to_come["when"], to_come["earliest"]) == ("year", "2027-01-01")
    patent = by_column["ip_class1_counted_2026"]
    assert (patent["when"], patent["earliest"]) == ("others", None)
    assert "授权" in patent["why"]["zh"]
    assert by_column["niche_years"]["kind"] == "answer"


def test_the_changes_it_names_do_meet_the_standard_on_their_day(
    advice: Any, client: FlaskClient, given_key: GivenKey
) -> None:
    plan = standard(advice().json, "srdi.n2")["plan"]

    facts = {c: external(c, v) for c, v in SHORT.items() if v is not None}
    facts |= {item["column"]: item["value"] for item in plan["assumed"]}
    facts |= {change["column"]: change["to"] for change in plan["changes"]}
    order = {"as_of": plan["evaluated_on"], "standards": ["srdi.n2"], "facts": facts}
    answer = client.post("/v1/assessments", json=order, headers=given_key.headers).json
    assert answer is not None
    assert answer["standards"][0]["verdict"] == "met"


def test_chosen_standards_come_after_those_of_the_next_rung(advice: Any) -> None:
    answer = advice("&standards=giant.n2,size.n300").json
    assert [s["id"] for s in answer["standards"]] == ["srdi.n2", "giant.n2", "size.n300"]
    assert standard(answer, "size.n300")["plan"] is None
    assert standard(answer, "giant.n2")["plan"]["waits_for_round"] in (True, False)


def test_blanks_worth_asking_come_with_what_an_answer_settles(advice: Any) -> None:
    answer = advice().json
    asked = {question["column"]: question for question in answer["questions"]}
    assert asked
    assert all(q["standards"] > 0 or q["conditions"] > 0 for q in asked.values())
    assert all(q["label"]["zh"] and q["label"]["en"] for q in asked.values())
    blanks = [b for s in answer["standards"] for gap in s["gaps"] for b in gap["blanks"]]
    assert set(blanks) <= set(answer["columns"])


def test_all_of_it_is_in_both_languages_and_a_pre_assessment(advice: Any) -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "zh" in node or "en" in node:
                assert node["zh"]
                assert node["en"]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    answer = advice(f"&standards={','.join(rulebook().packs)}").json
    walk(answer)
    assert answer["disclaimer"]["zh"] == "预评估，不构成认定"


def test_the_same_question_gets_the_same_bytes(advice: Any) -> None:
    first, second = advice(), advice()
    assert first.data == second.data
    assert advice(**{"If-None-Match": first.headers["ETag"]}).status_code == 304
