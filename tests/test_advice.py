"""What stands between a firm and the next rung: in figures, in blanks, in things to attest."""

from __future__ import annotations

from typing import Any

from models.advice import Advice, Gap, StandardGap, advise, gap_to
from models.rules.compile import compile_standards
from models.rules.firm import FirmReader
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from tests.firms import AS_OF, meeting


def advice_for(figures: dict[str, Any], kind: str = "new") -> Advice:
    standards = compile_standards(rulebook(), Period(AS_OF, kind))
    return advise(rulebook(), standards, FirmReader(standards), figures)


def the_gap(advice: Advice, standard: str) -> StandardGap:
    return next(found for found in advice.standards if found.id == standard)


def gaps_to_srdi(**changes: Any) -> dict[str, Gap]:
    """Gaps to rung 3 of a firm that qualifies for rung 2 and lacks something."""
    firm = meeting("innovative.n63", "srdi.n2", **changes)
    return {gap.id: gap for gap in the_gap(advice_for(firm), "srdi.n2").gaps}


def test_a_missing_sum_of_money_is_told_to_the_yuan() -> None:
    firm = meeting("srdi.n2")
    revenue, main = 100_000_000, 79_999_999
    gaps = gaps_to_srdi(
        **{**firm, "revenue_2025": revenue, "main_revenue_2025": main, "rd_expense_2025": 3_000_000}
    )
    assert gaps["main_share"].kind == "unmet"
    shortfall = gaps["main_share"].shortfall
    assert shortfall is not None
    assert shortfall.zh == "2025年主营业务收入至少再加1元"
    assert gaps["main_share"].closed


def test_a_ratio_that_is_too_high_says_what_must_go() -> None:
    gaps = gaps_to_srdi(total_assets_2025=100_000_000, total_liabilities_2025=90_000_000)
    shortfall = gaps["debt_ratio"].shortfall
    assert shortfall is not None
    assert shortfall.zh == "2025年负债总额至少要减1,000万元"


def test_a_figure_over_the_line_is_no_advice_to_shrink() -> None:
    firm = meeting("techsme.n115", employees_2025=800)
    standards = compile_standards(rulebook(), Period(AS_OF, "new"))
    trace = FirmReader(standards).read(firm)
    gaps = gap_to(standards.compiled["techsme.n115"], standards, trace).gaps
    (staff,) = [gap for gap in gaps if gap.id == "staff"]
    assert staff.shortfall is not None
    assert staff.shortfall.zh == "2025年从业人员超出300人，不建议为此做小"
    assert "not advised" in staff.shortfall.en


def test_a_score_of_this_year_is_given_already() -> None:
    gaps = gaps_to_srdi(dev_score_2026=40.0)
    assert gaps["dev_score"].closed


def test_blanks_and_attestations_are_told_apart() -> None:
    gaps = gaps_to_srdi(market_position=None, niche_years=None)
    assert (gaps["market_position"].kind, gaps["market_position"].blanks) == ("attest", ("market_position",))
    assert (gaps["niche_years"].kind, gaps["niche_years"].blanks) == ("missing", ("niche_years",))
    assert set(gaps) == {"market_position", "niche_years"}


def test_alternatives_come_nearest_first() -> None:
    gaps = gaps_to_srdi(
        revenue_2025=14_000_000, main_revenue_2025=14_000_000, equity_raised_2025=0, equity_raised_2024=0
    )
    ways = gaps["revenue_or_equity"].alternatives
    assert len(ways) == 2
    assert {way[0].id for way in ways} == {"revenue", "equity"}
    assert all(way[0].shortfall for way in ways)


def test_what_is_met_already_can_be_applied_for() -> None:
    advice = advice_for(meeting("innovative.n63", "srdi.n2", title_srdi_until=None, market_position=True))
    assert advice.standing.recognised == 2
    assert 3 in advice.ready
    assert advice.next_rung == 4


def test_the_top_has_no_next_rung() -> None:
    advice = advice_for(
        meeting("lead.plan", output_value_2025=10_000_000_001, output_value_2024=10_000_000_001)
    )
    assert (advice.next_rung, advice.standards) == (None, ())


def test_the_blank_that_settles_most_comes_first() -> None:
    advice = advice_for(meeting("srdi.n2", legal_person=None, niche_years=None))
    first, *rest = advice.questions
    assert first.column == "legal_person"
    assert all(first.standards >= question.standards for question in rest)
    assert {question.column for question in advice.questions} >= {"niche_years"}
    assert all(question.standards > 0 or question.conditions > 0 for question in advice.questions)


def test_a_short_score_names_the_indicators_with_room() -> None:
    firm = meeting("techsme.n115", tech_staff_2025=0, title_hnte_until=None, rd_expense_2025=0)
    gap = the_gap(advice_for({**firm, "in_directory_2025": True}), "techsme.n115")
    ways = next(found for found in gap.gaps if found.id == "score_or_direct").alternatives
    scores = [part for way in ways for part in way if part.id == "score"]
    assert scores
    assert scores[0].shortfall is not None
    assert "研发费用占比" in scores[0].shortfall.zh
