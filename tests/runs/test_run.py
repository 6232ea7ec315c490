"""A run from beginning to end: the same answers as everywhere else, each firm once, standing in one step."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import select, text

from models.errors import UsageRefused
from models.registry.rulebooks import RulebookUnknown
from models.registry.runs import drop_rows
from models.registry.tables import plan_count, run, standing
from models.rules.rulebook import rulebook
from models.runs.part import PartDone
from models.runs.results import result_page, write_results
from models.runs.summary import run_summary
from models.scoring import Request, score
from tests.registry.conftest import JUNE, SEPTEMBER, A, B, code
from tests.runs.conftest import Yard

FIRMS = [
    {"uscc": code(at), "name": f"甲{at}", "district": "310115", "industry": "3911", "revenue_2025": at * 1000}
    for at in range(40)
]


def test_results_are_those_of_tidui_score(yard: Yard, demo: Path, tmp_path: Path) -> None:
    yard.shelf.bring_file(demo)
    run_id = yard.done()
    yard.assert_whole(run_id)
    with yard.shelf.database.read() as connection:
        for ending in ("parquet", "csv", "xlsx"):
            assert write_results(yard.shelf.settings, connection, run_id, tmp_path / f"run.{ending}") == 300
    score(rulebook(), Request(demo, tmp_path / "scored.parquet", SEPTEMBER))
    scored = pl.read_parquet(tmp_path / "scored.parquet").drop("error").sort("uscc")
    found = pl.read_parquet(tmp_path / "run.parquet").sort("uscc")
    assert_frame_equal(found.drop("district", "industry"), scored)
    assert found["district"].null_count() < 300
    assert pl.read_csv(tmp_path / "run.csv", infer_schema=False)["uscc"].n_unique() == 300


def test_it_stands_as_an_import_would_have_it(yard: Yard, demo: Path) -> None:
    imported = yard.shelf.bring_file(demo, JUNE)
    assert imported.run_id is not None
    before = yard.shelf.state
    run_id = yard.done(JUNE)
    assert yard.standing_of(run_id) == yard.standing_of(imported.run_id)
    with yard.shelf.database.read() as connection:
        counts = [
            sorted(
                tuple(row[1:])
                for row in connection.execute(select(plan_count).where(plan_count.c.run_id == number))
            )
            for number in (run_id, imported.run_id)
        ]
    assert counts[0] == counts[1]
    assert yard.shelf.state.run_id == run_id
    assert yard.shelf.state.registry_version == before.registry_version + 1


def test_a_run_for_a_day_to_come_is_there_to_read_and_does_not_stand(yard: Yard) -> None:
    imported = yard.shelf.bring(FIRMS)
    run_id = yard.done(date(2027, 3, 1))
    assert yard.report(run_id)["stood_at"] is None
    assert yard.shelf.state.run_id == imported.run_id
    yard.assert_whole(run_id)


def test_asking_again_joins_the_run_that_is_under_way(yard: Yard) -> None:
    yard.shelf.bring(FIRMS)
    first = yard.begin()
    again = yard.begin()
    assert (again.run_id, again.fresh) == (first.run_id, False)
    assert yard.begin(kind="review").fresh
    yard.work()
    assert yard.begin().run_id > first.run_id


def test_many_who_ask_at_once_get_one_run(yard: Yard) -> None:
    yard.shelf.bring(FIRMS)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(yard.begin().run_id)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_wrong_questions_are_refused(yard: Yard) -> None:
    yard.shelf.bring(FIRMS)
    for asked, expected in (
        ({"kind": "old"}, "J001"), ({"edition_id": 77}, "G004"), ({"standards": ["srdi.n9"]}, "R404"),
    ):  # fmt: skip
        with pytest.raises(UsageRefused) as refused:
            yard.begin(**asked)
        assert refused.value.code == expected
    with pytest.raises(RulebookUnknown):
        yard.begin(rulebook_hash="0" * 64)


def test_what_is_said_after_a_run_began_is_not_of_it(yard: Yard) -> None:
    yard.shelf.bring(FIRMS)
    begun = yard.begin(standards=["size.n300"])
    yard.shelf.correct(A, industry="7010")
    yard.shelf.correct(B, district="310104")
    yard.work()
    with yard.shelf.database.read() as connection:
        rows = {
            row["uscc"]: row
            for row in result_page(yard.shelf.settings, connection, begun.run_id, None, 100).rows
        }
    assert rows[A]["industry"] == "3911"
    assert rows[B]["district"] == "310115"
    later = yard.done(standards=["size.n300"])
    with yard.shelf.database.read() as connection:
        rows = {r["uscc"]: r for r in result_page(yard.shelf.settings, connection, later, None, 100).rows}
    assert (rows[A]["industry"], rows[B]["district"]) == ("7010", "310104")


def test_a_run_of_chosen_standards_has_their_columns_only(yard: Yard) -> None:
    yard.shelf.bring(FIRMS)
    run_id = yard.done(standards=["giant.n2", "size.n300"])
    with yard.shelf.database.read() as connection:
        row = result_page(yard.shelf.settings, connection, run_id, None, 1).rows[0]
    assert list(row) == [
        "uscc", "name", "recognised", "qualifies", "could_reach", "giant.n2", "giant.n2.unmet",
        "giant.n2.open", "size.n300", "size.n300.unmet", "size.n300.open", "district", "industry",
    ]  # fmt: skip


def test_pages_hold_every_firm_once(yard: Yard, demo: Path) -> None:
    yard.shelf.bring_file(demo)
    run_id = yard.done()
    for filters in ({}, {"district": "310115"}, {"standard": "above_scale.nbs", "verdict": "met"}):
        seen: list[str] = []
        cursor = None
        with yard.shelf.database.read() as connection:
            while True:
                page = result_page(yard.shelf.settings, connection, run_id, cursor, 7, **filters)
                seen += [row["uscc"] for row in page.rows]
                cursor = page.next
                if cursor is None:
                    break
            everything = result_page(yard.shelf.settings, connection, run_id, None, 1000, **filters).rows
        assert seen == [row["uscc"] for row in everything]
        assert len(seen) == len(set(seen)) > 0


def test_the_summary_adds_up_to_the_results(yard: Yard, demo: Path) -> None:
    yard.shelf.bring_file(demo)
    run_id = yard.done()
    with yard.shelf.database.read() as connection:
        told = run_summary(connection, run_id)
        rows = pl.DataFrame(
            result_page(yard.shelf.settings, connection, run_id, None, 1000).rows, infer_schema_length=None
        )
    assert told["firms"] == 300
    for answer in ("recognised", "qualifies", "could_reach"):
        found = {rung["rung"]: rung[answer] for rung in told["rungs"]}
        assert found == {rung: rows.filter(pl.col(answer) == rung).height for rung in range(7)}
    for standard in told["standards"]:
        words = rows[standard["id"]].value_counts()
        assert {w: n for w, n in standard["verdicts"].items() if n} == dict(words.iter_rows())
    for table in ("by_district", "by_industry", "by_size"):
        assert sum(cell["firms"] for cell in told[table]) == 300
    giant = next(s for s in told["standards"] if s["id"] == "giant.n2")
    unmet = rows.filter(pl.col("giant.n2") == "unmet")["giant.n2.unmet"].str.split(";").explode()
    counted = dict(unmet.drop_nulls().value_counts().iter_rows())
    assert giant["conditions"]
    for condition in giant["conditions"]:
        assert condition["unmet"] == counted.get(condition["id"], 0)


def test_a_blank_that_is_all_that_is_missing_is_named(yard: Yard) -> None:
    whole = {
        "employees_2025": 50,
        "revenue_2025": 5_000_000,
        "total_assets_2025": 9_000_000,
        "industry": "3911",
    }
    firms = [{"uscc": code(at), "name": f"甲{at}", **whole} for at in range(6)]
    yard.shelf.bring([*({**firm, "employees_2025": ""} for firm in firms[:4]), *firms[4:]])
    run_id = yard.done(standards=["size.n300"])
    with yard.shelf.database.read() as connection:
        blanks = run_summary(connection, run_id)["blanks"]
    assert [(one["column"], one["answers"]) for one in blanks] == [("employees_2025", 4)]


def test_a_part_delivered_twice_at_once_is_done_once(yard: Yard) -> None:
    yard.shelf.bring(FIRMS)
    begun = yard.begin()
    barrier, found = threading.Barrier(4), list[PartDone | None]()

    def deliver() -> None:
        barrier.wait()
        found.append(yard.part(begun.run_id, 3))

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done is not None for done in found) == 1
    yard.work()
    yard.assert_whole(begun.run_id)


def test_another_edition_or_a_newer_run_is_not_pushed_aside(yard: Yard) -> None:
    yard.shelf.bring(FIRMS)
    old = yard.begin()
    yard.shelf.bring(FIRMS[:30], SEPTEMBER, "later.csv")
    newer = yard.begin()
    between = yard.begin(kind="review")
    for part in range(between.parts):
        yard.part(between.run_id, part)
    yard.finish(between.run_id)
    assert yard.shelf.state.run_id == between.run_id
    yard.work()
    assert yard.shelf.state.run_id == between.run_id
    assert yard.report(old.run_id)["stood_at"] is None
    assert yard.report(newer.run_id)["status"] == "succeeded"
    for begun in (old, newer, between):
        yard.assert_whole(begun.run_id)


def test_an_import_leaves_runs_of_workers_alone(yard: Yard) -> None:
    yard.shelf.bring(FIRMS)
    begun = yard.begin()
    yard.part(begun.run_id, 0)
    yard.shelf.bring(FIRMS[:30], SEPTEMBER, "later.csv")
    assert yard.report(begun.run_id)["status"] == "running"
    yard.work()
    yard.assert_whole(begun.run_id)


def test_what_stood_before_the_last_is_let_go(yard: Yard) -> None:
    yard.shelf.bring(FIRMS)
    first, second, third = yard.done(), yard.done(), yard.done()
    assert [yard.rows(number) for number in (first, second, third)] == [0, 40, 40]
    assert yard.report(first)["status"] == "replaced"
    with yard.shelf.database.read() as connection:
        assert len(result_page(yard.shelf.settings, connection, first, None, 100).rows) == 40
    assert yard.shelf.count(run, run.c.status == "running") == 0
    drop_rows(yard.shelf.database, second)
    assert yard.shelf.count(standing) == 40


def test_one_firm_of_a_new_run_is_found_by_its_key(yard: Yard, demo: Path) -> None:
    """Of a run it has not counted PostgreSQL thinks it has one row, and then may read all for one firm."""
    yard.shelf.bring_file(demo)
    yard.done()
    run_id = yard.done(date(2026, 10, 1))
    asked = f"SELECT * FROM standing WHERE run_id = {run_id}"
    with yard.shelf.database.read() as connection:
        if yard.shelf.database.is_sqlite:
            told = connection.execute(text(f"EXPLAIN QUERY PLAN {asked} AND uscc = 'x'")).all()
            assert "sqlite_autoindex_standing_1 (run_id=? AND uscc=?)" in told[0][3]
        else:
            (plan,) = connection.execute(text(f"EXPLAIN (FORMAT JSON) {asked}")).scalar_one()
            assert 150 <= plan["Plan"]["Plan Rows"] <= 600
