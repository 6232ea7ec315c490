"""Every night: judged anew only where the standing is no longer that of the day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select, update

from models.jobs.scheduled import last_started
from models.registry.job_tables import title_expiry
from models.registry.tables import run
from models.registry.titles import ListTerms
from models.rules.rulebook import rulebook
from models.runs.nightly import Nightly, nightly, packs_turning
from tests.registry.conftest import NOW, SEPTEMBER, A, B, Shelf, shelf

__all__ = ["shelf"]
ROWS = [
    {"uscc": A, "name": "甲", "revenue_2025": 1, "district": "310115"},
    {"uscc": B, "name": "乙", "revenue_2025": 2, "district": "310104"},
]
TODAY = date(2026, 11, 23)


def night(shelf: Shelf, today: date = TODAY) -> Nightly:
    return nightly(shelf.database, shelf.settings, today=today, now=NOW)


def reasons(shelf: Shelf, today: date = TODAY) -> list[str]:
    return [reason.zh for reason in night(shelf, today).reasons]


@pytest.fixture
def standing(shelf: Shelf) -> Shelf:
    """A registry whose standing workers made, as of TODAY."""
    shelf.bring(ROWS)
    with shelf.database.write() as connection:
        made = {"engine": "workers", "as_of": TODAY, "corrections_upto": 0, "lists_upto": 0}
        connection.execute(update(run).values(made))
    return shelf


def test_an_empty_registry_is_left_alone_and_the_night_is_on_record(shelf: Shelf) -> None:
    assert night(shelf) == Nightly((), None)
    with shelf.database.read() as connection:
        kept = last_started(connection)["nightly"]
    assert (kept.at, kept.result) == (NOW, {"as_of": "2026-11-23", "reasons": [], "run": None})


def test_a_new_edition_is_judged_once(shelf: Shelf) -> None:
    shelf.bring(ROWS)
    first = night(shelf)
    assert first.begun is not None
    assert first.begun.fresh
    again = night(shelf)
    assert again.begun is not None
    assert (again.begun.run_id, again.begun.fresh) == (first.begun.run_id, False)
    with shelf.database.read() as connection:
        row = connection.execute(select(run).where(run.c.id == first.begun.run_id)).one()
        kept = last_started(connection)["nightly"].result
    assert (row.as_of, row.kind, row.requested_by, row.status) == (TODAY, "new", "beat", "queued")
    assert kept is not None
    assert kept["run"] == first.begun.run_id


def test_a_standing_of_today_is_left_alone(standing: Shelf) -> None:
    assert reasons(standing) == []
    assert reasons(standing, TODAY + timedelta(days=3)) == []
    assert standing.count(run) == 1


def test_a_title_counts_on_its_last_day_and_no_longer_on_the_next(standing: Shelf) -> None:
    last = TODAY + timedelta(days=2)
    values = {"run_id": standing.state.run_id, "uscc": A, "title": "title_srdi_until", "part": 0}
    with standing.database.write() as connection:
        connection.execute(insert(title_expiry).values(valid_until=last, **values))
    assert reasons(standing, last) == []
    assert reasons(standing, last + timedelta(days=1)) == ["1 个称号到期"]


def test_the_year_matters_to_rules_that_read_last_year(standing: Shelf) -> None:
    assert "新的一年" in reasons(standing, date(2027, 1, 1))


def test_what_hands_and_lists_said_since_counts(standing: Shelf) -> None:
    standing.correct(A, revenue_2025=5)
    assert reasons(standing) == ["有人工更正"]
    standing.take(f"统一社会信用代码,有效期至\n{A},2028-06-30\n", ListTerms("giant", SEPTEMBER))
    assert "有新名单" in reasons(standing)


@pytest.mark.parametrize(
    ("before", "today", "kind", "turned"),
    [
        (date(2026, 3, 31), date(2026, 4, 1), "new", {"srdi.n2", "giant.n2"}),
        (date(2026, 4, 1), date(2026, 4, 2), "new", set()),
        (date(2026, 12, 31), date(2027, 1, 1), "review", {"giant.n2"}),
    ],
)
def test_a_pack_that_comes_into_force_turns(before: date, today: date, kind: str, turned: set[str]) -> None:
    found = set(packs_turning(rulebook(), before, today, kind))
    assert turned <= found
    assert turned or not found
