"""Whose figure stands: the day it speaks of decides, then which came later; all readers say the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from models.figures import internal
from models.registry.facts import Fact
from models.registry.merged import read_registry
from models.registry.one_firm import one_firm
from models.registry.pulse import Pulse
from models.registry.state import read_state
from models.registry.tables import run
from models.registry.titles import ListTerms
from tests.registry.conftest import JUNE, OCTOBER, SEPTEMBER, A, B, C, D, Shelf

MAY, NOVEMBER = date(2026, 5, 31), date(2026, 11, 20)
REVENUE = "revenue_2025"


def words(fact: Fact) -> list[tuple[str, object]]:
    return [(one.source, one.value) for one in (fact, *fact.also)]


def revenue(shelf: Shelf, uscc: str = A) -> list[tuple[str, object]]:
    """Source and value of what stands, then of what else is said; by all three readers."""
    same(shelf)
    return words(shelf.firm(uscc).facts[REVENUE])


def same(shelf: Shelf) -> None:
    """The whole registry as tables, one firm at a time and many at once say the same."""
    many = shelf.firms([A, B, C, D])
    with shelf.database.read() as connection:
        registry = read_registry(connection, shelf.settings, read_state(connection))
    held: dict[str, dict[str, Any]] = {}
    for frame in registry.buckets(registry.columns):
        for row in frame.to_dicts():
            held[row["uscc"]] = row
    assert set(held) == set(many)
    for uscc, firm in many.items():
        row = {name: value for name, value in held[uscc].items() if value is not None}
        former = row.pop("former")
        assert (row.pop("uscc"), row.pop("name", None)) == (uscc, firm.name)
        assert set(former) == set(firm.former_names)
        del row["first"]
        assert row == internal(firm.external)
    pulse = Pulse(shelf.database)
    try:
        for uscc, firm in many.items():
            one = one_firm(pulse, shelf.state, uscc)
            assert one is not None
            assert dict(one.facts) == dict(firm.facts)
            assert {c: words(fact)[1:] for c, fact in firm.facts.items()} == {
                c: words(one.facts.said(c))[1:]  # type: ignore[attr-defined]
                for c in one.facts
            }
    finally:
        pulse.close()


def bring(shelf: Shelf, uscc: str, value: int, dated: date, name: str, **more: object) -> None:
    shelf.bring([{"uscc": uscc, "name": "甲", REVENUE: value, **more}], dated, name)


def test_an_import_after_a_partial_one_contradicts_a_correction(shelf: Shelf) -> None:
    """The edition that was active when A was corrected does not hold A."""
    bring(shelf, A, 100, MAY, "whole.csv")
    bring(shelf, B, 7, JUNE, "part.csv")
    shelf.correct(A, revenue_2025=210)
    assert revenue(shelf) == [("hand", 210), ("upload", 100)]
    bring(shelf, A, 1, JUNE, "same-day.csv")
    assert revenue(shelf) == [("upload", 1), ("hand", 210)]
    bring(shelf, A, 300, OCTOBER, "later.csv")
    assert revenue(shelf) == [("upload", 300), ("hand", 210)]
    bring(shelf, C, 9, NOVEMBER, "others.csv")
    assert revenue(shelf) == [("upload", 300), ("hand", 210)]


def test_a_correction_of_a_firm_in_no_later_file_stands(shelf: Shelf) -> None:
    bring(shelf, A, 100, MAY, "whole.csv")
    bring(shelf, B, 7, JUNE, "part.csv")
    shelf.correct(A, revenue_2025=210, employees_2025=3)
    bring(shelf, B, 8, OCTOBER, "later.csv")
    bring(shelf, C, 9, NOVEMBER, "others.csv")
    assert revenue(shelf) == [("hand", 210), ("upload", 100)]


def test_older_figures_that_come_later_do_not_override(shelf: Shelf) -> None:
    bring(shelf, A, 200, OCTOBER, "october.csv", employees_2025=5)
    done = shelf.bring(
        [{"uscc": A, "name": "甲", REVENUE: 150, "rd_staff_2025": 2}, {"uscc": B, "name": "乙", REVENUE: 3}],
        JUNE,
        "june.csv",
    )
    assert (done.outweighed, done.newest_before) == (True, OCTOBER)
    assert revenue(shelf) == [("upload", 200), ("upload", 150)]
    assert revenue(shelf, B) == [("upload", 3)]
    assert shelf.firm(A).external == {REVENUE: 200, "employees_2025": 5, "rd_staff_2025": 2}


def test_of_one_day_the_later_import_stands(shelf: Shelf) -> None:
    bring(shelf, A, 200, JUNE, "first.csv")
    done = shelf.bring([{"uscc": A, "name": "甲", REVENUE: 150}], JUNE, "second.csv")
    assert not done.outweighed
    assert revenue(shelf) == [("upload", 150)]


def test_a_confirmed_correction_is_not_overridden_by_older_figures(shelf: Shelf) -> None:
    bring(shelf, A, 100, SEPTEMBER, "first.csv")
    shelf.correct(A, revenue_2025=200)
    bring(shelf, A, 200, NOVEMBER, "confirms.csv")
    assert revenue(shelf) == [("upload", 200), ("hand", 200)]
    bring(shelf, A, 150, JUNE, "old.csv")
    assert revenue(shelf) == [("upload", 200), ("hand", 200), ("upload", 150)]


def test_a_correction_stands_over_older_figures_that_come_later(shelf: Shelf) -> None:
    bring(shelf, A, 100, SEPTEMBER, "first.csv")
    shelf.correct(A, revenue_2025=200)
    bring(shelf, A, 150, JUNE, "old.csv")
    assert revenue(shelf) == [("hand", 200), ("upload", 100), ("upload", 150)]
    bring(shelf, A, 170, OCTOBER, "new.csv")
    assert revenue(shelf) == [("upload", 170), ("hand", 200)]


def test_a_correction_over_an_older_file_is_over_all_that_was_there(shelf: Shelf) -> None:
    """What was corrected is October's figure, though June's file was the last to come."""
    bring(shelf, A, 100, OCTOBER, "october.csv")
    bring(shelf, A, 90, JUNE, "june.csv")
    shelf.correct(A, revenue_2025=200)
    bring(shelf, A, 150, SEPTEMBER, "september.csv")
    assert revenue(shelf) == [("hand", 200), ("upload", 100), ("upload", 150)]


def test_name_and_place_are_those_of_the_latest_day(shelf: Shelf) -> None:
    first = shelf.bring(
        [{"uscc": A, "name": "新招牌", "district": "310104", "industry": "39"}], OCTOBER, "october.csv"
    )
    done = shelf.bring(
        [
            {"uscc": A, "name": "旧名字", "district": "310115", "industry": "65"},
            {"uscc": B, "name": "乙", "district": "310115"},
        ],
        JUNE,
        "june.csv",
    )
    same(shelf)
    found = shelf.firm(A)
    assert (found.name, found.former_names, found.district) == ("新招牌", ("旧名字",), "310104")
    assert done.changed_firms == 0
    assert set(shelf.firms([A, B], district="310115")) == {B}
    shelf.activate(first.edition_id)  # A stood there from the start, B came with the other
    same(shelf)
    assert set(shelf.firms([A, B])) == {A}


def test_an_older_file_does_not_turn_back_the_day_that_firms_are_judged_for(shelf: Shelf) -> None:
    first = shelf.bring([{"uscc": A, "name": "甲"}], OCTOBER, "october.csv")
    second = shelf.bring([{"uscc": A, "name": "甲"}], JUNE, "june.csv")
    assert shelf.count(run, run.c.as_of == OCTOBER, run.c.id.in_([first.run_id, second.run_id])) == 2


@pytest.mark.parametrize("title", ["giant"])
def test_lists_hands_and_files_out_of_order(shelf: Shelf, title: str) -> None:
    column = "title_giant_until"
    bring(shelf, A, 1, OCTOBER, "october.csv", **{column: "2027-10-31"})
    bring(shelf, B, 2, MAY, "may.csv", **{column: "2027-05-31"})
    shelf.take(f"uscc,valid_until\n{C},2028-06-30\n", ListTerms(title, SEPTEMBER, complete=True))
    bring(shelf, A, 3, JUNE, "june.csv", **{column: "2027-06-30"})
    shelf.correct(B, at=datetime(2026, 11, 1, tzinfo=UTC), title_giant_until="2029-01-01")
    bring(shelf, C, 4, JUNE, "june-too.csv")
    same(shelf)
    held = {uscc: shelf.firm(uscc).facts[column].value for uscc in (A, B, C)}
    assert held == {A: "2027-10-31", B: "2029-01-01", C: "2028-06-30"}
