"""Who moved, from where to where, and what decided it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import orjson
import pytest

from models.errors import UsageRefused
from models.registry.search.cursor import Mark, write_mark
from models.runs.expiries import expiry_page
from models.runs.movements import movement_page
from tests.registry.conftest import JUNE, OCTOBER, SEPTEMBER, A, B, C, D, code
from tests.runs.conftest import Yard

SMALL = {"district": "310115", "industry": "3911", "main_revenue_2025": 1_000_000, "revenue_2025": 1_000_000}
LARGE = SMALL | {"main_revenue_2025": 90_000_000, "revenue_2025": 90_000_000}


def movements(yard: Yard, **asked: Any) -> dict[str, dict[str, Any]]:
    with yard.shelf.database.read() as connection:
        page = movement_page(connection, limit=1000, **asked)
    return {row["uscc"]: dict(row) for row in page.rows}


def test_up_down_new_and_unmoved_since_an_import(yard: Yard) -> None:
    yard.shelf.bring([{"uscc": A, "name": "甲", **SMALL}, {"uscc": B, "name": "乙", **LARGE}])
    yard.shelf.correct(A, main_revenue_2025=90_000_000, revenue_2025=90_000_000)
    run_id = yard.done()
    moved = movements(yard, run_id=run_id)
    assert list(moved) == [A]
    assert moved[A]["change"] == "up"
    assert moved[A]["qualifies"] == {"before": 0, "after": 1}
    assert moved[A]["district"] == {"code": "310115", "name": "浦东新区"}
    named = [(one["standard"], one["before"], one["after"]) for one in moved[A]["deciding"]]
    assert ("above_scale.nbs", None, "met") in named, "an import keeps no verdicts of single standards"


def test_the_condition_that_decided_is_named(yard: Yard) -> None:
    yard.shelf.bring([{"uscc": A, "name": "甲", **SMALL}, {"uscc": B, "name": "乙", **LARGE}])
    yard.done()
    yard.shelf.correct(A, main_revenue_2025=90_000_000, revenue_2025=90_000_000)
    yard.shelf.correct(B, main_revenue_2025=1_000_000, revenue_2025=1_000_000)
    moved = movements(yard, run_id=yard.done())
    up, down = (
        next(one for one in moved[firm]["deciding"] if one["standard"] == "above_scale.nbs")
        for firm in (A, B)
    )
    assert (moved[A]["change"], up["before"], up["after"]) == ("up", "unmet", "met")
    assert (moved[B]["change"], down["before"], down["after"]) == ("down", "met", "unmet")
    for one in (up, down):
        assert [condition["id"] for condition in one["unmet"]] == ["scale_line"]
        assert one["unmet"][0]["text"]["zh"]


def test_new_firms_and_firms_that_are_gone(yard: Yard) -> None:
    first = yard.shelf.bring([{"uscc": A, "name": "甲", **LARGE}])
    yard.shelf.bring([{"uscc": firm, "name": "丙", **LARGE} for firm in (B, C)], SEPTEMBER, "later.csv")
    yard.shelf.bring([{"uscc": D, "name": "丁", **LARGE}], OCTOBER, "latest.csv")
    run_id = yard.done(SEPTEMBER, edition_id=first.edition_id)
    moved = movements(yard, run_id=run_id)
    assert {firm: row["change"] for firm, row in moved.items()} == {B: "gone", C: "gone", D: "gone"}
    assert moved[B]["qualifies"] == {"before": 1, "after": None}
    yard.shelf.activate(first.edition_id)
    back = yard.done()
    yard.shelf.activate(first.edition_id + 2)
    again = movements(yard, run_id=yard.done())
    gone = movements(yard, run_id=back)  # compared with the edition that stood before, not with itself
    assert {firm: row["change"] for firm, row in gone.items()} == dict.fromkeys((B, C, D), "gone")
    assert {firm: row["change"] for firm, row in again.items()} == dict.fromkeys((B, C, D), "new")


def test_the_feed_goes_on_where_it_ended(yard: Yard) -> None:
    firms = [{"uscc": code(at), "name": f"甲{at}", **SMALL} for at in range(10)]
    yard.shelf.bring(firms)
    first = yard.done()
    for firm in firms[:3]:
        yard.shelf.correct(str(firm["uscc"]), main_revenue_2025=90_000_000, revenue_2025=90_000_000)
    second = yard.done()
    for firm in firms[3:5]:
        yard.shelf.correct(str(firm["uscc"]), main_revenue_2025=90_000_000, revenue_2025=90_000_000)
    yard.done(kind="review")
    seen: list[str] = []
    cursor = None
    with yard.shelf.database.read() as connection:
        while True:
            page = movement_page(connection, since=None if cursor else first, cursor=cursor, limit=2)
            if not page.rows:
                break
            seen += [row["uscc"] for row in page.rows]
            cursor = page.next
    assert seen == [firm["uscc"] for firm in firms[:5]]
    assert list(movements(yard, since=second)) == [firm["uscc"] for firm in firms[3:5]]
    assert movements(yard, since=0, district="310104") == {}
    yard.shelf.correct(str(firms[9]["uscc"]), main_revenue_2025=90_000_000, revenue_2025=90_000_000)
    yard.done()
    with yard.shelf.database.read() as connection:
        assert [row["uscc"] for row in movement_page(connection, cursor=cursor).rows] == [firms[9]["uscc"]]


def test_titles_that_run_out_soon(yard: Yard) -> None:
    yard.shelf.bring([
        {"uscc": A, "name": "甲", "district": "310115", "title_giant_until": "2026-10-31"},
        {"uscc": B, "name": "乙", "district": "310104", "title_giant_until": "2026-12-31",
         "title_srdi_until": "2026-10-01"},
        {"uscc": C, "name": "丙", "title_giant_until": "none"},
        {"uscc": D, "name": "丁", "title_giant_until": "2026-01-31"},
    ])  # fmt: skip
    yard.done(JUNE)

    def expiring(**asked: Any) -> list[tuple[str, str, date]]:
        found: list[tuple[str, str, date]] = []
        cursor = None
        with yard.shelf.database.read() as connection:
            while True:
                page = expiry_page(
                    connection, yard.shelf.state, as_of=SEPTEMBER, cursor=cursor, limit=1,
                    **{"within_days": 90} | asked,
                )  # fmt: skip
                found += [(row["uscc"], row["title"], row["valid_until"]) for row in page.rows]
                cursor = page.next
                if cursor is None:
                    return found

    assert expiring() == [(B, "srdi", date(2026, 10, 1)), (A, "giant", OCTOBER)]
    assert expiring(within_days=92)[-1] == (B, "giant", SEPTEMBER + timedelta(days=92))
    assert [row[0] for row in expiring(district="310115")] == [A]
    assert [row[0] for row in expiring(title="srdi")] == [B]


def test_a_made_up_cursor_of_expiries_is_refused(yard: Yard) -> None:
    question = orjson.dumps(["expiries", yard.shelf.state.run_id, SEPTEMBER.isoformat(), 90, None, None])
    for after in ("yesterday A giant", "2026-09-30", 7):
        with yard.shelf.database.read() as connection, pytest.raises(UsageRefused, match="R420"):
            expiry_page(
                connection,
                yard.shelf.state,
                within_days=90,
                as_of=SEPTEMBER,
                cursor=write_mark(Mark(0, after), question),
            )
