"""The smallest set of changes: it does meet the standard, holds nothing needless, and says from when."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.advice_changes import when_text
from models.advice_plan import Plan
from models.advice_words import plan_text, wanted_text
from models.assessing import Assessor
from models.figures import internal
from models.rules.rulebook import rulebook
from models.verdict import Verdict
from tests.firms import AS_OF, meeting
from tests.test_figures import FIRMS

ASSESSOR = Assessor(rulebook())
SHEET = ASSESSOR.sheet(AS_OF, "new")
STANDARDS = [i for i in SHEET.standards.chosen if rulebook()[i].size_table is None]


def plan_for(standard: str, figures: dict[str, Any]) -> Plan:
    plan = SHEET.planner.plan(standard, figures)
    assert plan is not None
    return plan


def verdict_with(standard: str, figures: dict[str, Any], day: date = AS_OF) -> Verdict:
    sheet = ASSESSOR.sheet(day, "new")
    return sheet.read(figures).verdict(sheet.standards.compiled[standard].verdict)


def made(plan: Plan, figures: dict[str, Any], leave: str | None = None) -> dict[str, Any]:
    """The firm on the plan's day: open years as the year before, the changes made but for one."""
    sources = {**dict(plan.carried), **plan.taken}
    carried = {column: 0 if source is None else figures[source] for column, source in sources.items()}
    return {**figures, **carried, **{c.column.name: c.after for c in plan.changes if c.column.name != leave}}


def srdi(**changes: Any) -> dict[str, Any]:
    """A firm that meets srdi.n2, with a title that outlasts every day looked at."""
    return meeting("innovative.n63", "srdi.n2", **{"title_innovative_until": date(2031, 1, 1), **changes})


@given(FIRMS, st.sampled_from(STANDARDS))
@settings(max_examples=60, deadline=None)
def test_the_rules_agree_and_nothing_in_it_is_needless(written: dict[str, Any], standard: str) -> None:
    figures = internal(written)
    plan = plan_for(standard, figures)
    if not plan.is_possible:
        assert plan.blocked
        assert verdict_with(standard, figures) is not Verdict.MET
        return
    judge = SHEET.planner.judge(standard, plan.day)
    assert judge.is_met(judge.compiled.verdict, made(plan, figures))
    for change in plan.changes:
        assert change.when != "never"
        held_up = any(part.after == change.after for part in plan.changes if part is not change)
        if change.kind != "wait" and not held_up:
            assert not judge.is_met(judge.compiled.verdict, made(plan, figures, change.column.name))


def test_a_standard_that_is_met_needs_nothing() -> None:
    plan = plan_for("srdi.n2", srdi())
    assert (plan.changes, plan.earliest) == ((), AS_OF)


def test_a_figure_is_told_to_the_yuan_and_one_less_will_not_do() -> None:
    firm = srdi(total_liabilities_2025=90_000_000)
    plan = plan_for("srdi.n2", firm)
    (change,) = plan.changes
    assert (change.column.name, change.after, change.bound) == (
        "total_liabilities_2026",
        80_000_000,
        "at_most",
    )
    assert verdict_with("srdi.n2", made(plan, firm), plan.day) is Verdict.MET
    more = {**made(plan, firm), "total_liabilities_2026": 80_000_001}
    assert verdict_with("srdi.n2", more, plan.day) is Verdict.UNMET


def test_the_way_with_fewer_changes_is_taken_and_new_money_counts_next_january() -> None:
    # More revenue would ask for more of the main business too; new equity is one change, of this year.
    firm = srdi(revenue_2025=10_000_000, main_revenue_2025=8_000_000, rd_expense_2025=1_000_000,
                equity_raised_2025=0, equity_raised_2024=0)  # fmt: skip
    plan = plan_for("srdi.n2", firm)
    assert [(c.column.name, c.after) for c in plan.changes] == [("equity_raised_2026", 20_000_000)]
    assert plan.earliest == date(2027, 1, 1)


def test_figures_that_hang_together_are_mended_together() -> None:
    # R&D must reach its amount and, should revenue rise, its share of that as well.
    firm = meeting("innovative.n63", "srdi.n63", revenue_2025=9_000_000, main_revenue_2025=9_000_000,
                   rd_expense_2025=270_000, equity_raised_2025=0, equity_raised_2024=0)  # fmt: skip
    plan = plan_for("srdi.n63", firm)
    assert verdict_with("srdi.n63", made(plan, firm), plan.day) is Verdict.MET
    assert "rd_expense_2026" in {c.column.name for c in plan.changes}


def test_last_years_figure_is_closed_and_the_running_years_counts_from_january() -> None:
    plan = plan_for("srdi.n2", srdi(total_liabilities_2025=90_000_000))
    (change,) = plan.changes
    assert (change.when, plan.earliest) == ("year", date(2027, 1, 1))
    assert "2026年做到" in when_text(change).zh
    assert "2027-01-01" in when_text(change).en


def test_a_poor_year_stays_in_sight_as_long_as_the_rules_look_at_it() -> None:
    # R&D is looked at in each of the last two years: 2024 leaves with 2026, 2025 only with 2027.
    good = plan_for("srdi.n2", srdi(rd_expense_2024=900_000))
    assert (good.changes, good.earliest) == ((), date(2027, 1, 1))
    poor = plan_for("srdi.n2", srdi(rd_expense_2025=900_000))
    assert poor.earliest == date(2028, 1, 1)
    assert [c.column.name for c in poor.changes] == ["rd_expense_2026", "rd_expense_2027"]


def test_a_sum_over_two_years_asks_only_for_what_the_closed_year_lacks() -> None:
    firm = giant(revenue_2025=100_000_000, main_revenue_2025=95_000_000, rd_expense_2025=4_000_000)
    plan = plan_for("giant.n2", firm)
    assert [(c.column.name, c.after) for c in plan.changes if "rd" in c.column.name] == [
        ("rd_expense_2026", 8_000_000)
    ]


def giant(**changes: Any) -> dict[str, Any]:
    """Growing slowly enough to stay over the line in 2026 as well."""
    held = {"title_srdi_until": date(2031, 1, 1), "revenue_2024": 90_000_000}
    return meeting("giant.n2", **{**held, **changes})


@pytest.mark.parametrize("standard", ["srdi.n2", "giant.n2", "techsme.n115"])
def test_a_large_firm_is_told_so_and_not_to_shrink(standard: str) -> None:
    firm = giant(employees_2025=11_954, revenue_2025=51_301_357_265, total_assets_2025=9 * 10**10)
    plan = plan_for(standard, firm)
    assert not plan.is_possible
    assert plan.changes == ()
    assert "做小不是改进" in plan_text(plan).zh
    assert "no improvement" in plan_text(plan).en


def test_growth_is_not_made_by_lowering_the_base() -> None:
    plan = plan_for("giant.n2", giant(revenue_2023=191_927_552))
    changed = [(c.column.field.key, c.is_more) for c in plan.changes if c.column.year]
    assert ("revenue", False) not in changed
    assert all(c.column.year >= 2026 for c in plan.changes if c.column.year and c.kind == "change")


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


def test_what_the_firm_can_do_itself_comes_before_what_others_award() -> None:
    # The direct routes are prizes and a contest; a certificate and a brand are the firm's own to get.
    firm = meeting("srdi.n63", local_feature_score=0.0, quality_award=False, own_brand=False,
                   quality_certificate=False, standards_participant=False, digital_level=1, niche_years=2.0,
                   ip_class1_high_value=0, fills_chain_gap=False, rd_staff_2025=0)  # fmt: skip
    plan = plan_for("srdi.n63", firm)
    assert plan.earliest == AS_OF
    assert {c.when for c in plan.changes} == {"now"}


@pytest.mark.parametrize(
    ("changes", "column", "when"),
    [
        ({"ip_class1_counted_2026": 0}, "ip_class1_counted_2026", "others"),
        ({"dev_score_2026": 40.0}, "dev_score_2027", "round"),
        ({"market_position": False}, "market_position", "year"),
        ({"dishonest_listed": True}, "dishonest_listed", "others"),
        ({"incident_3y": True}, "incident_3y", "time"),
    ],
)
def test_what_is_not_the_firms_to_decide_does_not_change_now(
    changes: dict[str, Any], column: str, when: str
) -> None:
    (change,) = plan_for("srdi.n2", srdi(**changes)).changes
    assert (change.column.name, change.when) == (column, when)
    assert change.earliest is None or change.earliest > AS_OF


def test_a_product_outside_the_fields_is_no_step_to_be_taken() -> None:
    plan = plan_for("giant.n63", meeting("giant.n63", six_basics=False, priority_field=False))
    assert not plan.is_possible
    assert [item.id for item in plan.blocked] == ["product"]
    assert "产品本身" in plan_text(plan).zh


@pytest.mark.parametrize("rank", [0, 7])
def test_a_place_is_told_as_a_place(rank: int) -> None:
    plan = plan_for("champion.n138", meeting("champion.n138", niche_rank_world=rank))
    (change,) = [c for c in plan.changes if c.column.name == "niche_rank_world"]
    assert (wanted_text(change).zh, wanted_text(change).en) == ("第1～3名", "rank 1 to 3")
    assert change.earliest == date(2027, 1, 1)


def test_more_than_a_line_is_told_as_more_than_it() -> None:
    plan = plan_for("lead.plan", meeting("lead.plan", output_value_2025=10**10))
    (change,) = plan.changes
    assert wanted_text(change).zh == "超过100亿元"
    assert wanted_text(change).en == "more than RMB 10,000,000,000"


def test_asking_alone_is_not_called_enough() -> None:
    plan = plan_for("srdi.n2", srdi(market_position=None))
    assert "答案须与所列相符" in plan_text(plan).zh
    assert "asking alone is not enough" in plan_text(plan).en


def test_a_blank_is_asked_for_and_not_called_a_change() -> None:
    plan = plan_for("srdi.n2", srdi(market_position=None, dev_score_2026=None))
    assert [(c.column.name, c.kind) for c in plan.changes] == [
        ("dev_score_2026", "answer"),
        ("market_position", "answer"),
    ]


def test_what_a_firm_is_cannot_be_advised_away() -> None:
    plan = plan_for("srdi.n2", srdi(legal_person=False))
    assert not plan.is_possible
    assert [item.id for item in plan.blocked] == ["legal_person"]


def test_too_old_is_too_old() -> None:
    firm = meeting("gazelle.gbt41464")
    plan = plan_for("gazelle.gbt41464", {**firm, "established_on": date(1950, 1, 1)})
    assert all(c.column.name != "established_on" for c in plan.changes)


@pytest.mark.parametrize("standard", STANDARDS)
def test_nothing_known_is_no_obstacle_to_the_search(standard: str) -> None:
    plan = plan_for(standard, {})
    assert plan.is_possible
    assert all(c.kind == "answer" for c in plan.changes)
