"""Programmes: the decision's words, amounts, exclusions and options."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import orjson
import pytest

from models.errors import UsageRefused
from models.figures import external
from models.programmes import (
    Judge,
    ProgrammeNotJudged,
    ProgrammeUnknown,
    Subject,
    column_head,
    exclusions,
    programme_dict,
    programme_heads,
    programmes,
)
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from tests.firms import meeting

DAY = date(2025, 6, 30)
PERIOD = Period(DAY, "new")
FIRM = Subject("91310115MA1K3XXXX0", "上海示例精密机械有限公司", "310115")


def decide(programme: str, *options: str, day: date = DAY, **changes: Any) -> dict[str, Any]:
    """What is decided on the plainest firm that meets the programme, with changes (internal values)."""
    figures = meeting(programme) | changes
    judge = Judge(rulebook(), programme, Period(day, "new"), options)
    facts = [column_head(name) | {"value": external(name, figures.get(name))} for name in judge.columns]
    answer: dict[str, Any] = orjson.loads(orjson.dumps(judge.answer(FIRM, facts)))
    return answer


def told(answer: dict[str, Any], condition: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in answer["conditions"] if one["id"] == condition)
    return found


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({}, "eligible"),
        ({"directory_first_year": 2023}, "not_eligible"),
        ({"directory_first_year": None}, "unknown"),
        ({"dishonest_listed": None}, "to_review"),
        ({"dishonest_listed": None, "directory_first_year": None}, "unknown"),
    ],
)
def test_the_four_answers(changes: dict[str, Any], decision: str) -> None:
    assert decide("voucher.growth", **changes)["verdict"] == decision


def test_every_condition_says_why_in_both_languages_and_what_it_read() -> None:
    entry = told(decide("voucher.growth", directory_first_year=2023), "first_entry")
    assert entry["reason"] == {
        "zh": "要求首次入规年份为2024或2025年；实际：2023年；未达标",
        "en": "required: first year in the 规上 directory is 2024 or 2025; actual: 2023; unmet",
    }
    assert entry["inputs"] == ["directory_first_year"]
    assert entry["clause"]["annex"] == "第18条"
    blank = told(decide("voucher.growth", directory_first_year=None), "first_entry")
    assert "实际：未填" in blank["reason"]["zh"]


def test_a_title_is_purpose_reached_and_no_refusal() -> None:
    held: dict[str, Any] = {"title_srdi_until": date(2026, 1, 1)}
    reached = decide("voucher.growth", **held)
    assert reached["verdict"] == "not_eligible"
    assert reached["purpose_reached"]["zh"] == "目的已达成，不是被拒"
    assert told(reached, "no_srdi_title")["reason"]["zh"].endswith("目的已达成：已是专精特新")
    both = decide("voucher.growth", **held, dishonest_listed=True)
    assert both["purpose_reached"] is None


def test_the_operational_definition_is_labelled_wherever_it_is_shown() -> None:
    label = "本项目的操作性定义"
    assert decide("voucher.growth")["operational_definition"]["zh"].startswith(label)
    assert programme_dict(rulebook(), "voucher.growth", PERIOD)["operational_definition"]["zh"].startswith(
        label
    )
    heads = {head["id"]: head for head in programme_heads(rulebook())}
    assert heads["voucher.growth"]["operational_definition"]["zh"].startswith(label)
    assert "operational_definition" not in heads["award.growth.2025"]


def test_out_of_force_is_said_and_the_answer_given_all_the_same() -> None:
    figures: dict[str, Any] = {
        "in_directory_2026": True,
        "directory_first_year": 2025,
        "employees_2025": 9,
        "revenue_2025": 1,
    }
    late = decide("voucher.growth", day=date(2026, 1, 1), **figures)
    assert (late["verdict"], late["in_force"]) == ("eligible", False)
    assert "不在施行期内（2023-05-18～2025-12-31）" in late["not_in_force"]["zh"]
    assert "not_in_force" not in decide("voucher.growth")


def test_output_growth_is_off_until_it_is_asked_for() -> None:
    falling: dict[str, Any] = {
        "directory_entry_path": "annual",
        "output_value_2024": 100,
        "output_value_2025": 109,
    }
    assert decide("voucher.growth", **falling)["verdict"] == "eligible"
    assert decide("voucher.growth", "output_growth", **falling)["verdict"] == "not_eligible"
    assert (
        decide("voucher.growth", "output_growth", **falling | {"output_value_2025": 110})["verdict"]
        == "eligible"
    )
    assert decide("voucher.growth", "output_growth", directory_entry_path="monthly")["verdict"] == "eligible"
    with pytest.raises(UsageRefused):
        decide("award.growth.2025", "output_growth")


@pytest.mark.parametrize(
    ("spent", "paid"),
    [(1_234_567, 61_728), (9_999_999, 499_999), (10_000_000, 500_000), (10**9, 500_000), (0, 0)],
)
def test_a_share_is_worked_out_up_to_the_ceiling(spent: int, paid: int) -> None:
    amount = decide("award.hnte_first_entry.2022", rd_expense_2024=spent, **_ENTERED)["amount"]
    assert (amount["base"], amount["value"], amount["at_most"]) == (spent, paid, 500_000)
    assert paid == min(500_000, int(Fraction(spent) / 20))


_ENTERED: dict[str, Any] = {"directory_first_year": 2025, "title_hnte_until": date(2027, 1, 1)}


def test_no_number_is_made_up() -> None:
    assert decide("voucher.growth")["amount"] is None
    flat = decide("award.first_entry.2022", directory_first_year=2025)["amount"]
    assert (flat["at_most"], flat["value"]) == (500_000, None)
    assert "没有计算办法" in flat["how"]["zh"]
    blank = decide("award.hnte_first_entry.2022", **_ENTERED, rd_expense_2024=None)["amount"]
    assert blank["value"] is None
    assert "未填，算不出" in blank["how"]["zh"]
    refused = decide(
        "award.hnte_first_entry.2022", rd_expense_2024=10**7, **_ENTERED | {"directory_first_year": 0}
    )
    assert refused["amount"]["value"] is None


def test_exclusions_follow_from_the_conditions_and_no_public_rule_is_made_up() -> None:
    found = {
        pack.id: {one["programme"] for one in exclusions(rulebook(), pack, PERIOD)["by_conditions"]}
        for pack in programmes(rulebook())
    }
    assert found["voucher.growth"] == {"award.giant_growth.2025"}
    assert found["award.growth.2025"] == {
        "award.first_entry.2022", "award.new_opened.2025", "award.hnte_first_entry.2022",
    }  # fmt: skip
    assert all(one in found[other] for one, others in found.items() for other in others)
    assert exclusions(rulebook(), programmes(rulebook())[0], PERIOD)["public_rule"] is None


def test_contract_vouchers_are_listed_and_never_judged() -> None:
    heads = {head["id"]: head for head in programme_heads(rulebook())}
    assert heads["compute_voucher.2023"]["judged"] is False
    assert "20%" in heads["compute_voucher.2023"]["money"]["zh"]
    with pytest.raises(ProgrammeNotJudged):
        Judge(rulebook(), "compute_voucher.2023", PERIOD)


@pytest.mark.parametrize("name", ["", "voucher", "srdi.n2", "../voucher.growth"])
def test_what_is_no_programme_is_refused(name: str) -> None:
    with pytest.raises(ProgrammeUnknown):
        Judge(rulebook(), name, PERIOD)
    with pytest.raises(ProgrammeUnknown):
        programme_dict(rulebook(), name, PERIOD)
