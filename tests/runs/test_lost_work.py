"""Workers that die, come back late, fail or are told to stop, step by step; the database's clock decides."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from models.registry.job_tables import movement, run_part, title_expiry
from models.runs.part import Step
from models.runs.record import RunConflict, RunUnknown, run_folder
from models.runs.results import result_page
from models.runs.retry import retry_run
from models.store import StoreFull, store_of
from tests.registry.conftest import ACTOR, OCTOBER, code
from tests.runs.conftest import LATER, Yard

FIRMS = [{"uscc": code(at), "name": f"乙{at}", "district": "310115"} for at in range(40)]


class Killed(BaseException):
    """What a worker's death looks like to the code: nothing of it runs any more."""


def die_at(point: Step) -> Any:
    def progress(step: Step) -> None:
        if step == point:
            raise Killed

    return progress


@pytest.fixture(autouse=True)
def firms(yard: Yard) -> None:
    yard.shelf.bring(FIRMS)


@pytest.mark.parametrize("point", ["taken", "read", "judged", "stored", "ending"])
def test_a_part_whose_worker_died_is_done_by_another(yard: Yard, point: Step) -> None:
    begun = yard.begin()
    with pytest.raises(Killed):
        yard.part(begun.run_id, 0, die_at(point))
    assert yard.part(begun.run_id, 0) is None, "its lease is still good"
    yard.lapse(begun.run_id, 0)
    yard.work()
    assert yard.report(begun.run_id)["status"] == "succeeded"
    yard.assert_whole(begun.run_id)


def test_who_comes_back_after_the_lease_ran_out_stores_nothing(yard: Yard) -> None:
    begun = yard.begin()
    others: list[Any] = []

    def overtaken(step: Step) -> None:
        if step == "stored":
            yard.lapse(begun.run_id, 0)
            others.append(yard.part(begun.run_id, 0))

    assert yard.part(begun.run_id, 0, overtaken) is None
    assert others[0] is not None
    yard.work()
    yard.assert_whole(begun.run_id)


def test_a_late_worker_that_nobody_replaced_may_still_end_its_part(yard: Yard) -> None:
    begun = yard.begin()
    late = yard.part(begun.run_id, 0, lambda step: yard.lapse(begun.run_id, 0) if step == "stored" else None)
    assert late is not None
    yard.work()
    yard.assert_whole(begun.run_id)


def test_a_part_that_kills_its_worker_twice_is_parked_and_the_rest_finishes(yard: Yard) -> None:
    begun = yard.begin()
    for _ in range(2):
        with pytest.raises(Killed):
            yard.part(begun.run_id, 5, die_at("read"))
        yard.lapse(begun.run_id, 5)
    yard.work()
    report = yard.report(begun.run_id)
    assert report["status"] == "partly_succeeded"
    assert report["stood_at"] is None
    assert [(one["part"], one["deliveries"]) for one in report["failed_parts"]] == [(5, 2)]
    assert "搁置" in report["failed_parts"][0]["error"]
    assert "1 parts failed" in report["problem"]
    yard.assert_whole(begun.run_id)
    assert retry_run(yard.shelf.database, begun.run_id, actor=ACTOR, now=LATER) == 1
    yard.work()
    assert yard.report(begun.run_id)["status"] == "succeeded"
    assert yard.shelf.state.run_id == begun.run_id
    assert yard.rows(begun.run_id) == 40
    yard.assert_whole(begun.run_id)


def test_a_full_store_fails_the_part_with_the_reason_and_a_retry_mends_it(yard: Yard) -> None:
    begun = yard.begin()
    full = StoreFull("T001", _text("存储空间不足", "no room"))

    def no_room(step: Step) -> None:
        if step == "judged":
            raise full

    for _ in range(2):
        with pytest.raises(StoreFull):
            yard.part(begun.run_id, 0, no_room)
    yard.work()
    report = yard.report(begun.run_id)
    assert (report["status"], report["failed_parts"][0]["error"]) == (
        "partly_succeeded", "T001 存储空间不足 no room",
    )  # fmt: skip
    retry_run(yard.shelf.database, begun.run_id, actor=ACTOR, now=LATER)
    yard.work()
    assert yard.report(begun.run_id)["status"] == "succeeded"
    yard.assert_whole(begun.run_id)


def test_a_run_none_of_whose_parts_can_be_done_fails(yard: Yard) -> None:
    begun = yard.begin()
    shutil.rmtree(yard.shelf.settings.editions)
    for _ in range(2):
        for part in range(begun.parts):
            with pytest.raises(Exception, match="T003"):
                yard.part(begun.run_id, part)
    yard.work()
    report = yard.report(begun.run_id)
    assert (report["status"], report["parts"]["failed"], report["done"]) == ("failed", 16, 0)
    for run_id in (begun.run_id, yard.begin(OCTOBER).run_id):
        with pytest.raises(RunConflict, match="J412"), yard.shelf.database.read() as connection:
            result_page(yard.shelf.settings, connection, run_id)


def test_work_that_was_given_out_and_never_arrived_is_given_out_again(yard: Yard) -> None:
    begun = yard.begin()
    assert len(yard.sweep()) == 16
    assert yard.sweep() == [], "they had no time to be taken yet"
    yard.lapse(begun.run_id)
    assert len(yard.sweep()) == 16


def test_a_finish_that_never_came_is_given_out_by_the_sweep(yard: Yard) -> None:
    begun = yard.begin()
    for part in range(16):
        yard.part(begun.run_id, part)
    assert yard.sweep() == [("run_finish", (begun.run_id,))]
    assert yard.finish(begun.run_id) is not None
    assert yard.finish(begun.run_id) is None
    assert yard.sweep() == []


def test_a_queued_run_is_cancelled(yard: Yard) -> None:
    begun = yard.begin()
    yard.cancel(begun.run_id)
    yard.cancel(begun.run_id)
    assert yard.part(begun.run_id, 0) is None
    assert_gone(yard, begun.run_id)
    assert yard.begin().fresh


@pytest.mark.parametrize("point", ["taken", "read", "judged", "stored"])
def test_a_run_is_cancelled_while_a_part_is_at_work(yard: Yard, point: Step) -> None:
    begun = yard.begin()
    for part in range(3):
        yard.part(begun.run_id, part)
    cancelled = yard.part(begun.run_id, 3, lambda step: yard.cancel(begun.run_id) if step == point else None)
    assert cancelled is None
    assert_gone(yard, begun.run_id)


def test_a_run_is_cancelled_when_only_its_finish_is_left(yard: Yard) -> None:
    stood = yard.shelf.state.run_id
    begun = yard.begin()
    for part in range(16):
        yard.part(begun.run_id, part)
    yard.cancel(begun.run_id)
    assert_gone(yard, begun.run_id)
    assert yard.shelf.state.run_id == stood


def test_what_has_ended_can_neither_be_cancelled_nor_retried(yard: Yard) -> None:
    run_id = yard.done()
    with pytest.raises(RunConflict) as conflict:
        yard.cancel(run_id)
    assert conflict.value.code == "J409"
    with pytest.raises(RunConflict) as conflict:
        retry_run(yard.shelf.database, run_id, actor=ACTOR, now=LATER)
    assert conflict.value.code == "J410"
    with pytest.raises(RunUnknown):
        yard.cancel(run_id + 1)
    yard.assert_whole(run_id)


def assert_gone(yard: Yard, run_id: int) -> None:
    """Nothing of the run is left but its record."""
    yard.work()
    report = yard.report(run_id)
    assert report["status"] == "cancelled"
    assert report["parts"]["cancelled"] == 16
    assert yard.rows(run_id) == 0
    for table in (movement, title_expiry):
        assert yard.shelf.count(table, table.c.run_id == run_id) == 0
    assert store_of(yard.shelf.settings).list(run_folder(run_id)) == []
    assert yard.shelf.count(run_part, run_part.c.status.in_(("queued", "running"))) == 0


def _text(zh: str, en: str) -> Any:
    from models.errors import Text  # noqa: PLC0415

    return Text(zh, en)


def test_places() -> None:
    assert Path(run_folder(7)).parts == ("runs", "7")
