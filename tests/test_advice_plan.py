"""The smallest set of changes: it does meet the standard, holds nothing needless, and says from when."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.advice_changes import when_text
from models.advice_plan import Plan
from models.assessing import Assessor
from models.figures import internal
from models.rules.rulebook import rulebook
from models.verdict import Verdict
from tests.firms import AS_OF, meeting
from tests.test_figures import FIRMS

SHEET = Assessor(rulebook()).sheet(AS_OF, "new")
STANDARDS = [i for i in SHEET.standards.chosen if rulebook()[i].size_table is None]


def plan_for(standard: str, figures: dict[str, Any]) -> Plan:
    plan = SHEET.planner.plan(standard, figures)
    assert plan is not None
    return plan


def verdict_with(standard: str, figures: dict[str, Any]) -> Verdict:
    return SHEET.read(figures).verdict(SHEET.standards.compiled[standard].verdict)


def made(plan: Plan, figures: dict[str, Any], leave: str | None = None) -> dict[str, Any]:
    changes = {c.column.name: c.after for c in plan.changes if c.column.name != leave}
    return {**figures, **changes}


def srdi(**changes: Any) -> dict[str, Any]:
    return meeting("innovative.n63", "srdi.n2", **changes)


@given(FIRMS, st.sampled_from(STANDARDS))
@settings(max_examples=60, deadline=None)
def test_the_rules_agree_and_nothing_in_it_is_needless(written: dict[str, Any], standard: str) -> None:
    figures = internal(written)
    plan = plan_for(standard, figures)
    if not plan.is_possible:
        assert plan.blocked
        assert verdict_with(standard, figures) is not Verdict.MET
        return
    assert verdict_with(standard, made(plan, figures)) is Verdict.MET
    for change in plan.changes:
        assert verdict_with(standard, made(plan, figures, change.column.name)) is not Verdict.MET
        assert change.when != "never"


def test_a_standard_that_is_met_needs_nothing() -> None:
    plan = plan_for("srdi.n2", srdi())
    assert (plan.changes, plan.earliest) == ((), AS_OF)


def test_a_figure_is_told_to_the_yuan_and_one_less_will_not_do() -> None:
    firm = srdi(rd_expense_2025=900_000)
    (change,) = plan_for("srdi.n2", firm).changes
    assert (change.column.name, change.after, change.bound) == ("rd_expense_2025", 3_000_000, "at_least")
    assert verdict_with("srdi.n2", {**firm, "rd_expense_2025": 2_999_999}) is Verdict.UNMET


def test_the_way_with_fewer_changes_is_taken() -> None:
    # More revenue would ask for more of the main business too; new equity is one change.
    firm = srdi(revenue_2025=10_000_000, main_revenue_2025=8_000_000, rd_expense_2025=1_000_000,
                equity_raised_2025=0, equity_raised_2024=0)  # fmt: skip
    plan = plan_for("srdi.n2", firm)
    assert [(c.column.field.key, c.after) for c in plan.changes] == [("equity_raised", 20_000_000)]


def test_figures_that_hang_together_are_mended_together() -> None:
    # R&D must reach its amount and, should revenue rise, its share of that as well.
    firm = meeting("innovative.n63", "srdi.n63", revenue_2025=9_000_000, main_revenue_2025=9_000_000,
                   rd_expense_2025=270_000, equity_raised_2025=0, equity_raised_2024=0)  # fmt: skip
    plan = plan_for("srdi.n63", firm)
    assert plan.is_possible
    assert verdict_with("srdi.n63", made(plan, firm)) is Verdict.MET
    assert "rd_expense_2025" in {c.column.name for c in plan.changes}


def test_last_years_figure_is_closed_until_the_next_year_is_over() -> None:
    plan = plan_for("srdi.n2", srdi(rd_expense_2025=900_000))
    (change,) = plan.changes
    assert (change.when, plan.earliest) == ("year", date(2027, 1, 1))
    assert "2025年已结束" in when_text(change).zh
    assert "2027-01-01" in when_text(change).en


def test_an_earlier_year_takes_longer_unless_the_year_after_it_was_good_enough() -> None:
    good = plan_for("srdi.n2", srdi(rd_expense_2024=900_000))
    assert good.earliest == date(2027, 1, 1)
    poor = plan_for("srdi.n2", srdi(rd_expense_2024=900_000, rd_expense_2025=900_000))
    assert poor.earliest == date(2028, 1, 1)


def test_a_title_takes_a_round_and_no_date_is_made_up() -> None:
    lost = date(2025, 12, 31)
    plan = plan_for("srdi.n2", srdi(title_innovative_until=lost, title_techsme_until=lost))
    (change,) = plan.changes
    assert (change.when, change.earliest, plan.earliest) == ("round", None, None)
    assert "一轮" in when_text(change).zh


def test_years_in_the_niche_come_by_waiting() -> None:
    plan = plan_for("srdi.n2", srdi(niche_years=1.5))
    (change,) = plan.changes
    assert (change.when, change.after, plan.earliest) == ("time", 3.0, date(2028, 1, 1))


def test_registered_a_year_comes_by_waiting_to_the_day() -> None:
    founded = date(2026, 1, 1)
    plan = plan_for("hnte.n32", meeting("hnte.n32", established_on=founded))
    waits = [c for c in plan.changes if c.column.name == "established_on"]
    assert [(c.when, c.earliest) for c in waits] == [("time", date(2027, 1, 1))]


def test_what_can_change_now_comes_before_what_must_wait() -> None:
    # The other ways to the condition are prizes and an institution: a prize takes a round.
    plan = plan_for("srdi.n2", srdi(ip_class1_counted_2026=0))
    (change,) = plan.changes
    assert (change.column.name, change.when, plan.earliest) == ("ip_class1_counted_2026", "now", AS_OF)


def test_a_blank_is_asked_for_and_not_called_a_change() -> None:
    plan = plan_for("srdi.n2", srdi(market_position=None, dev_score_2026=None))
    assert [(c.column.name, c.kind) for c in plan.changes] == [
        ("dev_score_2026", "answer"),
        ("market_position", "answer"),
    ]


def test_what_a_firm_is_cannot_be_advised_away() -> None:
    plan = plan_for("srdi.n2", srdi(legal_person=False))
    assert not plan.is_possible
    assert [condition for condition, _ in plan.blocked] == ["legal_person"]


def test_too_old_is_too_old() -> None:
    firm = meeting("gazelle.gbt41464")
    plan = plan_for("gazelle.gbt41464", {**firm, "established_on": date(1950, 1, 1)})
    assert all(c.column.name != "established_on" for c in plan.changes)


def test_a_score_is_lifted_by_what_helps_most() -> None:
    firm = meeting("srdi.n63", local_feature_score=0.0, quality_award=False, own_brand=False,
                   quality_certificate=False, standards_participant=False, digital_level=1)  # fmt: skip
    plan = plan_for("srdi.n63", firm)
    assert plan.is_possible
    assert verdict_with("srdi.n63", made(plan, firm)) is Verdict.MET


@pytest.mark.parametrize("standard", STANDARDS)
def test_nothing_known_is_no_obstacle_to_the_search(standard: str) -> None:
    plan = plan_for(standard, {})
    assert plan.is_possible
    assert all(c.kind == "answer" for c in plan.changes)
