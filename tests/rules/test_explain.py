"""One firm in full: every condition with required, actual, verdict and clause, and nothing that is not so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from models.rules.compile import compile_standards
from models.rules.explain import Explainer, pack_dict
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from models.rules.units import show
from tests.firms import AS_OF, meeting

PERIOD = Period(AS_OF, "new")


def explain(standard: str, figures: dict[str, Any]) -> dict[str, Any]:
    _, (answer,) = Explainer(compile_standards(rulebook(), PERIOD, [standard])).explain(figures)
    return answer


def leaves(conditions: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for condition in conditions:
        if "members" in condition:
            yield from leaves(condition["members"])
        else:
            yield condition


def test_a_condition_shows_required_actual_and_clause() -> None:
    answer = explain("srdi.n2", meeting("srdi.n2", revenue_2025=100_000_000, rd_expense_2025=2_990_000))
    ratio = next(c for c in leaves(answer["conditions"]) if c["id"] == "rd_ratio_1")
    assert ratio["text"] == {
        "zh": "2025年研发费用÷营业收入不低于3%",
        "en": "R&D expense ÷ operating revenue 2025 at least 3%",
    }
    assert ratio["required"] == {
        "comparison": "ge",
        "line": 0.03,
        "shown": {"zh": "不低于3%", "en": "at least 3%"},
    }
    assert ratio["unit"] == "ratio"
    assert ratio["actual"] == pytest.approx(0.0299)
    assert ratio["verdict"] == "unmet"
    assert ratio["clause"]["document"] == "工信部企业〔2026〕2号"
    assert (ratio["clause"]["item"], ratio["clause"]["confidence"]) == ("条件3", "A")
    assert ratio["clause"]["page"].startswith("https://www.miit.gov.cn/")


def test_every_leaf_of_every_standard_has_text_clause_and_verdict_in_both_languages() -> None:
    explainer = Explainer(compile_standards(rulebook(), PERIOD))
    _, answers = explainer.explain({})
    assert len(answers) == 27
    for answer in answers:
        for leaf in leaves(answer.get("conditions", [])):
            assert leaf["text"]["zh"]
            assert leaf["text"]["en"]
            assert leaf["verdict"] in {"unknown", "review"}
            assert leaf["clause"]["document"]
        assert answer["disclaimer"]["zh"] == "预评估，不构成认定"
    json.dumps(answers, default=str)


def test_a_score_shows_its_range_and_each_indicator() -> None:
    score = explain("techsme.n115", meeting("techsme.n115", tech_staff_2025=None))["score"]
    people = score["parts"][0]
    assert (people["low"], people["high"], people["max"]) == (0, 20, 20)
    assert score["high"] - score["low"] == 20
    assert people["indicators"][0]["inputs"][0]["actual"] is None


def test_reaching_the_purpose_is_not_a_refusal() -> None:
    answer = explain("voucher.growth", meeting("voucher.growth", title_srdi_until=AS_OF))
    condition = next(c for c in answer["conditions"] if c["id"] == "no_srdi_title")
    assert answer["verdict"] == "unmet"
    assert condition["instead"]["zh"].startswith("目的已达成")
    assert "操作性定义" in answer["operational_definition"]["zh"]


@pytest.mark.parametrize(
    ("y1", "y2", "y3", "points"),
    [
        (100, 100, 170, "9–10"),
        (100, 100, 150, "7–8"),
        (100, 100, 101, "1–2"),
        (100, 100, 100, "0"),
        (0, 0, 5, "0"),
        (0, 100, 135, "9–10"),
    ],
)
def test_the_growth_block_of_high_tech_firms_is_shown_and_never_a_condition(
    y1: int, y2: int, y3: int, points: str
) -> None:
    figures = {"revenue_2023": y1, "revenue_2024": y2, "revenue_2025": y3}
    answer = explain("hnte.n32", figures)
    shown = next(item for item in answer["shown"] if item["id"] == "growth_revenue")
    assert shown["points"] == points
    assert all("growth" not in condition["id"] for condition in answer["conditions"])


def test_a_blank_year_leaves_the_growth_block_open() -> None:
    shown = explain("hnte.n32", {"revenue_2024": 5, "revenue_2025": 5})["shown"]
    assert [(item["actual"], item["points"]) for item in shown] == [(None, None), (None, None)]


def test_a_size_class_shows_its_sector_and_bounds() -> None:
    answer = explain("size.n300", {"industry": 39114, "employees_2025": 300, "revenue_2025": 20_000_000})
    assert answer["verdict"] == "medium"
    assert answer["sector"]["name"]["zh"] == "工业"
    assert [(bound["column"], bound["medium"]) for bound in answer["bounds"]] == [
        ("employees_2025", 300),
        ("revenue_2025", 20_000_000),
    ]


def test_a_programme_has_its_amount_or_none() -> None:
    assert pack_dict(rulebook()["voucher.growth"], PERIOD)["amount"] is None
    assert pack_dict(rulebook()["award.growth.2025"], PERIOD)["amount"] == {"at_most": 400_000}


@pytest.mark.parametrize(
    ("value", "unit", "zh", "en"),
    [
        (300_000_000, "元", "3亿元", "RMB 300,000,000"),
        (1_500_000, "元", "150万元", "RMB 1,500,000"),
        (123_456_789, "元", "12,345.6789万元", "RMB 123,456,789"),
        (1, "元", "1元", "RMB 1"),
        (-5_000, "元", "-5000元", "RMB -5,000"),
        (0.105, "%", "10.5%", "10.5%"),
        (0.0299999, "%", "2.99999%", "2.99999%"),
        (0.123456789, "%", "12.3457%", "12.3457%"),
        (0.00012, "%", "0.012%", "0.012%"),
        (10_000_000_001, "元", "1,000,000.0001万元", "RMB 10,000,000,001"),
        (4, "件", "4件", "4"),
        (10**9, "美元", "10亿美元", "USD 1,000,000,000"),
    ],
)
def test_figures_as_people_write_them(value: float, unit: str, zh: str, en: str) -> None:
    assert (show(value, unit).zh, show(value, unit).en) == (zh, en)


@pytest.mark.parametrize(
    ("founded", "shown"),
    [
        (date(2016, 6, 30), "10年"),
        (date(2016, 6, 29), "10年1天"),
        (date(2025, 7, 1), "0年364天"),
        (date(2012, 2, 29), "14年122天"),
    ],
)
def test_an_age_is_told_in_years_and_days(founded: date, shown: str) -> None:
    age = next(
        leaf for leaf in leaves(told("unicorn.torch", {"established_on": founded})) if leaf["id"] == "age_10"
    )
    assert age["shown"]["zh"] == shown


def told(standard: str, figures: dict[str, Any]) -> list[dict[str, Any]]:
    explainer = Explainer(compile_standards(rulebook(), PERIOD, [standard]))
    _, (answer,) = explainer.explain(figures, words=True)
    conditions: list[dict[str, Any]] = answer["conditions"]
    return conditions


def test_every_leaf_says_what_it_requires_in_its_kind() -> None:
    kinds = {
        "threshold": {"comparison", "line"},
        "score": {"comparison", "line"},
        "flag": {"is"},
        "title": {"held", "valid_on"},
        "rank": {"from", "to"},
        "choice": {"one_of"},
        "sector": {"sector", "inside"},
        "place": {"district"},
        "firstyear": {"years"},
        "notlarge": {"class"},
    }
    met = set()
    for pack in rulebook():
        for leaf in leaves(told(pack.id, {})) if pack.size_table is None else ():
            assert set(leaf["required"]) - {"attested"} == kinds[leaf["about"]] | {"shown"}, leaf["id"]
            assert leaf["required"]["shown"]["zh"]
            assert leaf["required"]["shown"]["en"]
            met.add(leaf["about"])
    assert met == set(kinds)


def test_the_common_gates_are_said_as_they_are_meant() -> None:
    gates = {leaf["id"]: leaf["text"] for leaf in leaves(told("srdi.n2", {}))}
    assert gates["not_dishonest"] == {
        "zh": "未列入严重失信主体名单",
        "en": "not on the list of serious dishonesty",
    }
    assert gates["no_incident_3y"]["zh"] == "近三年未发生重大事故或严重违法"
