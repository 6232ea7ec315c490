"""What runs estimate: whom to call, how far today's firms have moved, and models that change meanwhile."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from sqlalchemy import select, update

from models.errors import UsageRefused
from models.kept import Kept
from models.learn.filing import save
from models.learn.tasks import tasks
from models.learn.train import Trained
from models.registry import learned
from models.registry.job_tables import run_part
from models.registry.learning_tables import prospect
from models.registry.model_tables import learned_model
from models.registry.state import read_state
from models.registry.tables import run
from models.rules.rulebook import rulebook
from models.runs.nightly import reasons_to_judge
from models.runs.prospects import Prospects, prospect_page
from models.runs.record import RunConflict, read_run
from models.runs.results import write_estimates
from models.runs.summary import run_summary
from tests.learn.conftest import above_scale, history, tables  # noqa: F401
from tests.registry.conftest import ACTOR, JUNE, NOW, A
from tests.runs.conftest import Yard


@pytest.fixture
def judged(yard: Yard, demo: Path) -> Yard:
    """Three hundred demonstration firms, a run over them done."""
    yard.shelf.bring_file(demo)
    yard.done(JUNE)
    return yard


def page(yard: Yard, task: str = "above_scale", **asked: Any) -> Prospects:
    with yard.shelf.database.read() as connection:
        return prospect_page(connection, read_state(connection), task, **asked)


def test_firms_come_by_their_chance_and_every_page_goes_on_where_the_last_ended(judged: Yard) -> None:
    listed: dict[str, int] = {}
    for task in tasks():
        whole = page(judged, task, limit=1000)
        scores = [row["score"] for row in whole.page.rows]
        assert scores == sorted(scores, reverse=True), task
        assert len(scores) == whole.total, task
        listed[task] = whole.total
        assert all(3 <= len(row["factors"]) <= 5 for row in whole.page.rows)
        codes, cursor = [], None
        while True:
            some = page(judged, task, limit=3, cursor=cursor)
            codes += [(row["rank"], row["uscc"]) for row in some.page.rows]
            cursor = some.page.next
            if cursor is None:
                break
        assert codes == [(row["rank"], row["uscc"]) for row in whole.page.rows], task
        assert [rank for rank, _ in codes] == list(range(1, whole.total + 1)), task
    assert max(listed.values()) > 6, "no list is long enough to have three pages"


def test_the_score_is_the_one_an_assessment_gives(judged: Yard) -> None:
    from models.learn.outlook import Outlooks  # noqa: PLC0415

    with judged.shelf.database.read() as connection:
        outlooks = Outlooks(learned.released(connection), rulebook())
    for row in page(judged, "giant", limit=5).page.rows:
        from models.figures import internal  # noqa: PLC0415

        figures = internal(judged.shelf.firm(row["uscc"]).external)
        one = next(one for one in outlooks.of_firm(figures, JUNE) if one.task.id == "giant")
        assert row["score"] == pytest.approx(one.score, abs=1e-12)
        assert [(f["feature"], f["value"]["zh"]) for f in row["factors"]] == [
            (f.feature, f.value.zh) for f in one.factors
        ]


def test_who_holds_the_title_is_not_to_be_called(judged: Yard) -> None:
    first = page(judged, "giant").page.rows[0]["uscc"]
    judged.shelf.correct(first, title_giant_until="2028-06-30")
    judged.done(JUNE)
    assert first not in [row["uscc"] for row in page(judged, "giant", limit=1000).page.rows]
    judged.shelf.correct(first, title_giant_until="2026-06-29")
    judged.done(JUNE)
    assert first in [row["uscc"] for row in page(judged, "giant", limit=1000).page.rows], "it ran out"


def test_by_district_and_by_what_the_rules_say(judged: Yard) -> None:
    whole = page(judged, "srdi", limit=1000).page.rows
    district = whole[0]["district"]["code"]
    there = page(judged, "srdi", limit=1000, district=district)
    assert [row["uscc"] for row in there.page.rows] == [
        row["uscc"] for row in whole if row["district"] == whole[0]["district"]
    ]
    verdicts = {row["rules"]["verdict"] for row in whole}
    parts = [page(judged, "srdi", limit=1000, verdict=verdict).total for verdict in verdicts]
    assert sum(parts) == len(whole)
    assert {row["rules"]["standard"]["id"] for row in whole} == {"srdi.n2"}


def test_a_part_done_twice_leaves_one_row_a_firm(yard: Yard, demo: Path) -> None:
    yard.shelf.bring_file(demo)
    begun = yard.begin(JUNE)
    yard.lapse(begun.run_id)
    for _ in range(2):
        for part in range(begun.parts):
            yard.part(begun.run_id, part)
    yard.finish(begun.run_id)
    rows = yard.shelf.count(prospect, prospect.c.run_id == begun.run_id)
    assert rows == sum(page(yard, task).total for task in tasks()) > 0


def test_a_run_of_a_few_standards_estimates_too(yard: Yard, demo: Path) -> None:
    yard.shelf.bring_file(demo)
    yard.done(JUNE, standards=["above_scale.nbs"])
    assert {row["rules"] for row in page(yard, "giant").page.rows} == {None}
    assert page(yard).page.rows[0]["rules"]["verdict"] == "unmet"


def test_before_any_run_there_is_nobody_to_call_and_the_refusal_says_what_to_do(
    yard: Yard, demo: Path
) -> None:
    yard.shelf.bring_file(demo)
    with pytest.raises(RunConflict) as refusal:
        page(yard)
    assert (refusal.value.code, "POST /v1/runs" in refusal.value.hint.zh) == ("J414", True)  # type: ignore[union-attr]
    with pytest.raises(UsageRefused, match="没有“rich”这个任务"):
        page(yard, "rich")


def test_after_a_new_import_the_last_estimates_are_shown_as_not_current(judged: Yard) -> None:
    before = page(judged)
    judged.shelf.bring([{"uscc": A, "name": "甲"}], date(2026, 9, 30), "more.csv")
    after = page(judged)
    assert (before.current, after.current) == (True, False)
    assert (after.run.id, after.total) == (before.run.id, before.total)


def test_models_are_pinned_when_the_run_begins(
    yard: Yard,
    demo: Path,
    above_scale: Trained,  # noqa: F811
    tmp_path: Path,
) -> None:
    yard.shelf.bring_file(demo)
    begun = yard.begin(JUNE)
    save(above_scale, tmp_path / "own")
    with yard.shelf.database.write() as connection:
        own = learned.add(connection, tmp_path / "own", ACTOR, NOW).hash
        learned.release(connection, own, ACTOR, NOW)
    again = yard.begin(JUNE)
    assert (again.fresh, again.run_id != begun.run_id) == (True, True), "another model is another question"
    yard.work()
    with yard.shelf.database.read() as connection:
        first, second = (read_run(connection, one.run_id).models for one in (begun, again))
    assert first is not None
    assert second is not None
    assert (second["above_scale"], first["above_scale"] != own) == (own, True)
    assert first["giant"] == second["giant"]


def test_a_run_without_models_judges_and_estimates_nothing(yard: Yard, demo: Path, tmp_path: Path) -> None:
    yard.shelf.bring_file(demo)
    with yard.shelf.database.write() as connection:
        for model in learned.shipped():
            connection.execute(
                learned_model.insert().values(
                    hash=model.hash, task=model.task.id, status="retired", content=b"",
                    card=orjson.dumps(dict(model.card)).decode(), page="", added_at=NOW, added_by="test",
                )
            )  # fmt: skip
    run_id = yard.done(JUNE)
    with yard.shelf.database.read() as connection:
        assert run_summary(connection, run_id)["outlook"] is None
        with pytest.raises(RunConflict) as refusal:
            write_estimates(yard.shelf.settings, connection, run_id, tmp_path / "o.csv")
    assert refusal.value.code == "J415"


def test_a_model_that_was_altered_says_nothing_and_the_rules_judge_all_the_same(
    yard: Yard,
    demo: Path,
    above_scale: Trained,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("models.runs.estimating._KEPT", Kept(1))  # a worker that has not read it before
    yard.shelf.bring_file(demo)
    save(above_scale, tmp_path / "own")
    with yard.shelf.database.write() as connection:
        own = learned.add(connection, tmp_path / "own", ACTOR, NOW).hash
        learned.release(connection, own, ACTOR, NOW)
        connection.execute(update(learned_model).where(learned_model.c.hash == own).values(content=b"PK"))
    run_id = yard.done(JUNE)
    assert yard.rows(run_id) == 300
    with yard.shelf.database.read() as connection:
        told = {one["task"]: one for one in run_summary(connection, run_id)["outlook"]["tasks"]}
    assert told["above_scale"]["refused"]["firms"] == 300
    assert (told["above_scale"]["estimated"], told["giant"]["refused"]) == (0, None)
    assert page(yard).total == 0
    assert page(yard, "giant").total > 0


def test_the_summary_tells_how_far_the_firms_lie_from_those_learned_from(judged: Yard) -> None:
    run_id = page(judged).run.id
    with judged.shelf.database.read() as connection:
        before = run_summary(connection, run_id)["outlook"]
        assert run_summary(connection, run_id, "310115")["outlook"] is None
    (crossing,) = (one for one in before["tasks"] if one["task"] == "above_scale")
    without = sum(one["firms"] for one in crossing["abstained"])
    assert crossing["estimated"] + without == 300
    assert [one["psi"] for one in crossing["drift"]["features"]] == sorted(
        (one["psi"] for one in crossing["drift"]["features"]), reverse=True
    )


def test_firms_a_thousand_times_as_large_are_called_shifted(judged: Yard, demo: Path, tmp_path: Path) -> None:
    before = _size_drift(judged)
    firms = pl.read_csv(demo, infer_schema=False)
    money = [name for name in firms.columns if name.startswith("revenue_")]
    firms.with_columns(pl.concat_str(pl.col(name), pl.lit("000")) for name in money).write_csv(
        tmp_path / "grown.csv"
    )
    judged.shelf.bring_file(tmp_path / "grown.csv")
    judged.done(JUNE)
    after = _size_drift(judged)
    assert (after["mark"], after["zh"]) == ("shifted", "已偏移，分数要打折扣")
    assert after["psi"] > 4 * before["psi"]


def _size_drift(yard: Yard) -> dict[str, Any]:
    with yard.shelf.database.read() as connection:
        told = run_summary(connection, page(yard).run.id)["outlook"]["tasks"]
    features = next(one for one in told if one["task"] == "giant")["drift"]["features"]
    return dict(next(one for one in features if one["feature"] == "size"))


def test_all_estimates_come_as_a_file_a_row_a_firm(judged: Yard, tmp_path: Path) -> None:
    with judged.shelf.database.read() as connection:
        run_id = page(judged).run.id
        for ending in ("parquet", "csv"):
            path = tmp_path / f"outlook.{ending}"
            assert write_estimates(judged.shelf.settings, connection, run_id, path) == 300
        few = write_estimates(
            judged.shelf.settings, connection, run_id, tmp_path / "few.csv", district="310115"
        )
    frame = pl.read_parquet(tmp_path / "outlook.parquet")
    assert 0 < few < 300
    assert frame.columns[:2] == ["uscc", "district"]
    assert pl.read_csv(tmp_path / "outlook.csv").height == 300
    for task in tasks():
        told = frame[f"{task}.score"].is_not_null()
        assert (told != frame[f"{task}.reason"].is_not_null()).all(), task
        assert (frame[f"{task}.rival"].is_not_null() == told).all(), task


def test_what_a_replaced_run_listed_goes_with_it(judged: Yard) -> None:
    first = page(judged).run.id
    for _ in range(2):
        judged.done(JUNE)
    assert judged.shelf.count(prospect, prospect.c.run_id == first) == 0


def test_an_imported_registry_without_a_run_is_a_reason_for_the_night(yard: Yard, demo: Path) -> None:
    yard.shelf.bring_file(demo)
    with yard.shelf.database.read() as connection:
        assert reasons_to_judge(connection, read_state(connection), JUNE)


def test_counts_of_parts_add_up_to_the_summary(judged: Yard) -> None:
    run_id = page(judged).run.id
    with judged.shelf.database.read() as connection:
        parts = connection.execute(select(run_part.c.counts).where(run_part.c.run_id == run_id)).scalars()
        tallies = [orjson.loads(one)["outlook"]["giant"]["tally"]["firms"] for one in parts]
        summary = connection.execute(select(run.c.summary).where(run.c.id == run_id)).scalar_one()
    assert orjson.loads(summary)["outlook"]["giant"]["tally"]["firms"] == sum(tallies)
