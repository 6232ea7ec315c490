"""The queue of what looks wrong: found by runs, decided by people, decisions that stay."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from models.errors import UsageRefused
from models.registry.learning_tables import review, review_decision
from models.registry.tables import audit
from models.reviews.deciding import decide
from models.reviews.labels import labels, labels_csv
from models.reviews.queue import ReviewUnknown, review_page, review_shown
from tests.registry.conftest import ACTOR, JUNE, A, B, C
from tests.runs.conftest import Yard

SOUND = {"district": "310115", "industry": "3911", "revenue_2025": 20_000_000, "revenue_2024": 18_000_000}
SLIPPED = SOUND | {"revenue_2024": 2_000}
CROOKED = SOUND | {"rd_expense_2025": 30_000_000, "district": "310104"}
LATER = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.fixture
def looked(yard: Yard) -> Yard:
    yard.shelf.bring(
        [{"uscc": A, "name": "甲", **SLIPPED}, {"uscc": B, "name": "乙", **CROOKED}, {"uscc": C, **SOUND}]
    )
    yard.done(JUNE)
    return yard


def queue(yard: Yard, **asked: Any) -> list[dict[str, Any]]:
    with yard.shelf.database.read() as connection:
        rows, cursor, total = review_page(connection, **asked)
    assert cursor is None
    assert total == len(rows)
    return rows


def say(yard: Yard, review_id: str, decision: str, reason: str = "电话核实", **asked: Any) -> None:
    with yard.shelf.database.write() as connection:
        decide(connection, review_id, decision, reason=reason, actor=ACTOR, now=LATER, **asked)


def test_a_run_finds_what_is_odd_the_weightiest_first(looked: Yard) -> None:
    slip, crooked = queue(looked)
    assert (slip["uscc"], slip["kind"]["id"], slip["name"]) == (A, "unit_slip", "甲")
    assert (crooked["uscc"], crooked["kind"]["id"]) == (B, "rd_over_revenue")
    assert [one["column"] for one in crooked["figures"]] == ["rd_expense_2025", "revenue_2025"]
    assert [row["uscc"] for row in queue(looked, district="310104")] == [B]
    assert [row["uscc"] for row in queue(looked, kind="unit_slip")] == [A]
    assert queue(looked, uscc=C) == []


def test_another_run_does_not_ask_again_what_was_decided(looked: Yard) -> None:
    say(looked, queue(looked, uscc=A)[0]["id"], "right", "上年刚成立")
    looked.done(JUNE)
    assert [row["uscc"] for row in queue(looked)] == [B]
    (decided,) = queue(looked, status="decided")
    assert (decided["uscc"], decided["decision"], decided["still_found"]) == (A, "right", True)
    assert looked.shelf.count(review) == 2


def test_what_was_not_clear_stays_open(looked: Yard) -> None:
    say(looked, queue(looked, uscc=A)[0]["id"], "unclear")
    assert {row["uscc"] for row in queue(looked)} == {A, B}


def test_a_corrected_figure_leaves_the_queue_and_another_wrong_one_enters_it(looked: Yard) -> None:
    before = queue(looked, uscc=A)[0]["id"]
    looked.shelf.correct(A, revenue_2024=20_000_000)
    looked.done(JUNE)
    assert [row["uscc"] for row in queue(looked)] == [B]
    assert [row["id"] for row in queue(looked, status="gone")] == [before]
    looked.shelf.correct(A, revenue_2024=2_001)
    looked.done(JUNE)
    assert queue(looked, uscc=A)[0]["id"] != before


def test_every_decision_is_kept_with_its_reason_and_audited(looked: Yard) -> None:
    review_id = queue(looked, uscc=A)[0]["id"]
    say(looked, review_id, "right", "先这样")
    say(looked, review_id, "wrong", "又问了一次：单位写错")
    with looked.shelf.database.read() as connection:
        shown = review_shown(connection, review_id)
    assert [(one["decision"], one["reason"]) for one in shown["decisions"]] == [
        ("wrong", "又问了一次：单位写错"), ("right", "先这样"),
    ]  # fmt: skip
    assert shown["decision"] == "wrong"
    assert looked.shelf.count(audit, audit.c.action == "review.decide") == 2


def test_a_decision_must_be_one_of_its_kind_and_of_a_finding_there_is(looked: Yard) -> None:
    review_id = queue(looked, uscc=A)[0]["id"]
    with pytest.raises(UsageRefused) as refusal:
        say(looked, review_id, "model")
    assert (refusal.value.code, "right" in refusal.value.hint.zh) == ("V001", True)  # type: ignore[union-attr]
    with pytest.raises(ReviewUnknown):
        say(looked, "0" * 32, "right")
    with pytest.raises(ReviewUnknown):
        say(looked, review_id, "right", district="310104")
    assert looked.shelf.count(review_decision) == 0


def test_labels_are_the_decisions_that_stand(looked: Yard) -> None:
    slip, crooked = queue(looked)
    say(looked, slip["id"], "right")
    say(looked, slip["id"], "wrong", "=HYPERLINK(1)")
    say(looked, crooked["id"], "unclear")
    with looked.shelf.database.read() as connection:
        found = labels(connection)
        assert labels(connection, "310104").height == 0
    assert found.select("uscc", "year", "kind", "decision").rows() == [(A, 2026, "unit_slip", "wrong")]
    text = labels_csv(found).decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in text, "a spreadsheet must not run it"


def test_a_part_done_twice_finds_a_thing_once(yard: Yard) -> None:
    yard.shelf.bring([{"uscc": A, "name": "甲", **SLIPPED}])
    begun = yard.begin(JUNE)
    for _ in range(2):
        for part in range(begun.parts):
            yard.part(begun.run_id, part)
            yard.lapse(begun.run_id, part)
    yard.finish(begun.run_id)
    assert len(queue(yard)) == 1


def test_a_run_of_the_past_edition_asks_nobody(looked: Yard) -> None:
    older = looked.shelf.state.edition_id
    looked.shelf.bring([{"uscc": A, "name": "甲", **SOUND}], name="later.csv")
    looked.done(JUNE)
    assert [row["uscc"] for row in queue(looked)] == [B]
    looked.done(JUNE, edition_id=older)
    assert [row["uscc"] for row in queue(looked)] == [B], "what an old edition holds is no news"


def test_rules_and_model_that_differ_are_asked_about(yard: Yard) -> None:
    """A firm the models find unlike any 专精特新 one, which meets the standard all the same."""
    from tests.firms import meeting  # noqa: PLC0415

    figures = {**meeting("srdi.n2"), "district": "310115", "industry": "6110"}
    yard.shelf.bring([{"uscc": A, "name": "甲宾馆", **_written(figures)}])
    yard.done(JUNE)
    kinds = {row["kind"]["id"] for row in queue(yard)}
    assert "model_doubtful" in kinds
    (row,) = queue(yard, kind="model_doubtful")
    assert row["verdict"] == "met"
    assert row["score"] <= 0.02
    assert "专精特新" in row["why"]["zh"]
    say(yard, row["id"], "model", "实际不做主导产品")
    with yard.shelf.database.read() as connection:
        assert labels(connection)["task"].to_list() == [row["task"]]


def _written(figures: dict[str, Any]) -> dict[str, Any]:
    from models.figures import external  # noqa: PLC0415

    return {name: external(name, value) if name != "industry" else value for name, value in figures.items()}
