"""What the registry says of a firm: the last word, its source, and what others say."""

from __future__ import annotations

from datetime import UTC, date, datetime

from models.registry.facts import Fact, firm_version
from models.registry.titles import ListTerms
from tests.registry.conftest import JUNE, OCTOBER, SEPTEMBER, A, B, C, Shelf, code


def also(fact: Fact) -> list[tuple[str, object]]:
    return [(other.source, other.value) for other in fact.also]


def test_a_correction_wins_over_the_import_it_was_made_on(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲", "revenue_2025": 100}])
    shelf.correct(A, revenue_2025=120, reason="审计报告")
    fact = shelf.firm(A).facts["revenue_2025"]
    assert (fact.value, fact.source, fact.origin, fact.reason) == (120, "hand", "user:li", "审计报告")
    assert fact.dated == date(2026, 11, 23)
    assert also(fact) == [("upload", 100)]


def test_a_newer_import_contradicts_a_correction_and_both_are_shown(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲", "revenue_2025": 100}])
    shelf.correct(A, revenue_2025=120)
    shelf.bring([{"uscc": A, "name": "甲", "revenue_2025": 130}], SEPTEMBER, "later.csv")
    fact = shelf.firm(A).facts["revenue_2025"]
    assert (fact.value, fact.source, fact.origin) == (130, "upload", "later.csv")
    assert also(fact) == [("hand", 120)]


def test_a_newer_import_confirms_a_correction_and_both_are_shown(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲", "revenue_2025": 100}])
    shelf.correct(A, revenue_2025=120)
    shelf.bring([{"uscc": A, "name": "甲", "revenue_2025": 120}], SEPTEMBER, "later.csv")
    fact = shelf.firm(A).facts["revenue_2025"]
    assert (fact.value, fact.source) == (120, "upload")
    assert also(fact) == [("hand", 120)]


def test_a_newer_blank_leaves_a_correction_standing(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲", "revenue_2025": 100}])
    shelf.correct(A, revenue_2025=120)
    shelf.bring([{"uscc": A, "name": "甲", "employees_2025": 5}], SEPTEMBER, "later.csv")
    fact = shelf.firm(A).facts["revenue_2025"]
    assert (fact.value, fact.source) == (120, "hand")
    assert also(fact) == [("upload", 100)]


def test_a_correction_may_fill_a_blank_and_be_taken_back(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲"}])
    assert shelf.correct(A, employees_2025=7) == 2
    assert shelf.firm(A).external == {"employees_2025": 7}
    assert shelf.correct(A, employees_2025=None) == 3
    assert shelf.firm(A).external == {}
    with shelf.database.read() as connection:
        assert firm_version(connection, A) == 3


def test_the_district_of_a_firm_follows_its_correction(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲", "district": "310115", "industry": "39"}])
    shelf.correct(A, district="310104", industry="0111")
    found = shelf.firm(A)
    assert (found.district, found.industry) == ("310104", 1114)
    assert shelf.firms([A], district="310115") == {}
    assert set(shelf.firms([A], district="310104")) == {A}
    shelf.correct(A, district=None)
    assert shelf.firm(A).district == "310115"


def test_a_restricted_caller_sees_no_other_district(shelf: Shelf) -> None:
    shelf.bring(
        [{"uscc": A, "name": "甲", "district": "310115"}, {"uscc": B, "name": "乙", "district": "310104"}]
    )
    assert set(shelf.firms([A, B, C], district="310115")) == {A}
    with shelf.database.read() as connection:
        assert firm_version(connection, B, district="310115") is None
        assert firm_version(connection, B, district="310104") == 1
        assert firm_version(connection, C) is None


def test_firms_come_in_the_order_asked_for_and_once(shelf: Shelf) -> None:
    shelf.bring([{"uscc": code(at), "name": str(at), "revenue_2025": at} for at in range(1, 1001)])
    asked = [code(at) for at in range(1000, 0, -1)]
    found = shelf.firms([*asked, *asked])
    assert list(found) == asked
    assert found[asked[0]].external == {"revenue_2025": 1000}


def test_an_older_edition_hides_what_came_after_it_entirely(shelf: Shelf) -> None:
    first = shelf.bring([{"uscc": A, "name": "甲一", "revenue_2025": 1, "district": "310115"}])
    second = shelf.bring(
        [
            {"uscc": A, "name": "甲二", "revenue_2025": 2, "district": "310104"},
            {"uscc": B, "name": "乙", "revenue_2025": 3, "district": "310104"},
        ],
        SEPTEMBER,
        "later.csv",
    )
    shelf.correct(A, revenue_2025=5)
    done = shelf.activate(first.edition_id)
    assert done.changed_firms == 1
    found = shelf.firm(A)
    assert (found.name, found.district, found.external["revenue_2025"], found.former_names) == (
        "甲一",
        "310115",
        1,
        (),
    )
    assert shelf.firms([B]) == {}
    shelf.activate(second.edition_id)
    again = shelf.firm(A)
    assert (again.name, again.district, again.external["revenue_2025"]) == ("甲二", "310104", 5)
    assert set(shelf.firms([A, B])) == {A, B}


def test_an_import_over_an_older_edition_starts_a_branch_of_its_own(shelf: Shelf) -> None:
    first = shelf.bring([{"uscc": A, "name": "甲", "revenue_2025": 1}])
    shelf.bring([{"uscc": B, "name": "乙", "revenue_2025": 2}], SEPTEMBER, "left.csv")
    shelf.activate(first.edition_id)
    third = shelf.bring([{"uscc": B, "name": "乙右", "revenue_2025": 9}], OCTOBER, "right.csv")
    assert shelf.state.lineage == (third.edition_id, first.edition_id)
    found = shelf.firms([A, B])
    assert found[B].name == "乙右"
    assert found[B].external == {"revenue_2025": 9}
    assert found[B].former_names == ()


def test_a_correction_and_a_list_are_weighed_by_their_days(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲", "title_giant_until": "2026-12-31"}])
    shelf.take(f"统一社会信用代码,有效期至\n{A},2029-06-30\n", ListTerms("giant", date(2026, 9, 1)))
    fact = shelf.firm(A).facts["title_giant_until"]
    assert (fact.value, fact.source) == ("2029-06-30", "list")
    assert also(fact) == [("upload", "2026-12-31")]
    shelf.correct(A, at=datetime(2026, 11, 1, tzinfo=UTC), title_giant_until="2028-01-01")
    fact = shelf.firm(A).facts["title_giant_until"]
    assert (fact.value, fact.source) == ("2028-01-01", "hand")
    assert also(fact) == [("upload", "2026-12-31"), ("list", "2029-06-30")]
    assert fact.also[0].dated == JUNE
