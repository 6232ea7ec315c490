"""Where a firm stands: titles held, standards met, what lies within reach, and on which date."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from models.fields import NO_TITLE
from models.ladder import Standing, standing_of
from models.rules.compile import compile_standards
from models.rules.firm import FirmReader
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from models.verdict import Verdict
from tests.firms import AS_OF, meeting

OVER_10_BILLION = {"output_value_2025": 10_000_000_001, "output_value_2024": 10_000_000_001}


def stand(figures: dict[str, Any], as_of: date = AS_OF, kind: str = "new") -> Standing:
    standards = compile_standards(rulebook(), Period(as_of, kind))
    return standing_of(rulebook(), standards, FirmReader(standards).read(figures))


def answers(figures: dict[str, Any], as_of: date = AS_OF, kind: str = "new") -> tuple[int, int, int]:
    standing = stand(figures, as_of, kind)
    return standing.recognised, standing.qualifies, standing.could_reach


@pytest.mark.parametrize(
    ("title", "rung"),
    [
        ("title_techsme_until", 2),
        ("title_innovative_until", 2),
        ("title_srdi_until", 3),
        ("title_giant_until", 4),
        ("title_champion_until", 5),
    ],
)
def test_a_title_counts_through_its_last_day(title: str, rung: int) -> None:
    assert answers({title: AS_OF})[0] == rung
    assert answers({title: date(2026, 6, 29)})[0] == 0
    assert answers({title: NO_TITLE})[0] == 0
    assert answers({title: None})[0] == 0


def test_the_highest_title_counts_whatever_is_below_it() -> None:
    assert answers({"title_giant_until": AS_OF, "title_techsme_until": AS_OF})[0] == 4


def test_rung_one_is_the_directory_in_the_latest_year_given() -> None:
    assert answers({"in_directory_2025": True})[0] == 1
    assert answers({"in_directory_2026": None, "in_directory_2024": True})[0] == 1
    assert answers({"in_directory_2026": False, "in_directory_2025": True})[0] == 0
    assert answers({"in_directory_2027": True, "in_directory_2025": False})[0] == 0
    assert answers({"in_directory_2005": True})[0] == 1


@pytest.mark.parametrize(
    ("standard", "rung"),
    [
        ("above_scale.nbs", 1),
        ("techsme.n115", 2),
        ("innovative.n63", 2),
        ("srdi.n2", 3),
        ("giant.n2", 4),
        ("champion.n138", 5),
    ],
)
def test_a_met_standard_qualifies_for_its_rung(standard: str, rung: int) -> None:
    assert answers(meeting(standard))[1] >= rung


def test_what_must_be_attested_is_within_reach_and_not_qualified() -> None:
    firm = meeting("srdi.n2", market_position=None)
    assert answers(firm)[1] < 3 <= answers(firm)[2]


def test_the_version_in_force_decides_by_kind_and_date() -> None:
    def rung_4(day: date, kind: str) -> tuple[str, ...]:
        return compile_standards(rulebook(), Period(day, kind), []).rung_standards[4]

    assert rung_4(date(2026, 3, 31), "new") == ("giant.n63",)
    assert rung_4(date(2026, 4, 1), "new") == ("giant.n2",)
    assert rung_4(date(2026, 12, 31), "review") == ("giant.n63",)
    assert rung_4(date(2027, 1, 1), "review") == ("giant.n2",)
    assert rung_4(date(2022, 5, 31), "new") == ()


def test_a_lapsed_yardstick_without_successor_stays_and_is_marked() -> None:
    standing = stand(meeting("lead.plan", **OVER_10_BILLION))
    assert standing.qualifies == 6
    assert standing.rungs[6].lapsed == ("lead.plan",)
    assert stand(meeting("lead.plan", **OVER_10_BILLION), date(2025, 12, 31)).rungs[6].lapsed == ()


def test_growth_track_and_technology_marks() -> None:
    standing = stand(meeting("unicorn.torch", title_hnte_until=AS_OF, listed_board="none"))
    track = {name.zh: verdicts for name, verdicts in standing.growth_track}
    assert track["独角兽"]["unicorn.torch"] is Verdict.MET
    marks = {name.zh: held for name, held, _ in standing.technology_marks}
    assert marks == {"高新技术企业": True, "科创板": False}
    assert {name.zh: held for name, held, _ in stand({"listed_board": "star"}).technology_marks} == {
        "高新技术企业": None,
        "科创板": True,
    }
