"""One firm in one statement: the same as the many-firm reader says, in every mixture of words."""

from __future__ import annotations

from datetime import UTC, datetime

from models.registry.one_firm import one_firm
from models.registry.pulse import Pulse
from models.registry.titles import ListTerms
from tests.registry.conftest import OCTOBER, SEPTEMBER, A, B, C, D, Shelf

LATE = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)  # the next day in Shanghai


def same(shelf: Shelf) -> None:
    """What both readers say of all four firms, in and out of their district."""
    pulse = Pulse(shelf.database)
    try:
        for district in (None, "310115", "310104"):
            many = shelf.firms([A, B, C, D], district)
            for uscc in (A, B, C, D):
                one = one_firm(pulse, shelf.state, uscc, district=district)
                assert (one is None) == (uscc not in many)
                if one is not None:
                    assert one.external == many[uscc].external
                    assert dict(one.facts) == dict(many[uscc].facts)
                    assert (one.name, one.district, one.industry, one.version, one.former_names) == (
                        many[uscc].name, many[uscc].district, many[uscc].industry, many[uscc].version,
                        many[uscc].former_names,
                    )  # fmt: skip
    finally:
        pulse.close()


def test_an_empty_registry_knows_nobody(shelf: Shelf) -> None:
    same(shelf)


def test_editions_hands_and_lists_together(shelf: Shelf) -> None:
    shelf.bring(
        [
            {"uscc": A, "name": "甲", "revenue_2025": 100, "district": "310115", "industry": "0111"},
            {"uscc": B, "name": "乙", "title_giant": "2027-06-30"},
            {"uscc": C, "name": "", "employees_2025": 0},
        ]
    )
    same(shelf)
    shelf.correct(A, revenue_2025=120, at=LATE)
    shelf.correct(A, revenue_2025=None, employees_2025=3)
    shelf.correct(B, revenue_2025=5)
    same(shelf)
    shelf.take(f"uscc,valid_until\n{A},2028-06-30\n", ListTerms("giant", SEPTEMBER, complete=True))
    same(shelf)
    first = shelf.state.edition_id
    shelf.bring([{"uscc": A, "name": "甲新", "revenue_2025": 130}], OCTOBER, "later.csv")
    same(shelf)
    assert first is not None
    shelf.activate(first)
    same(shelf)
