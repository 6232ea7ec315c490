"""Files become editions: what enters, what does not, and what is remembered of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import select

from models.errors import TiduiError
from models.figures import internal
from models.registry.editions import edition_folder
from models.registry.search.find import search_firms
from models.registry.standings import run_standing
from models.registry.tables import audit, edition, facts, firm, run, standing
from models.rules.compile import compile_standards
from models.rules.firm import write_function
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from models.scoring import Request, score
from models.seeds import seed
from tests.registry.conftest import JUNE, SEPTEMBER, A, B, C, Shelf, code

LISTED_2021 = Path(__file__).resolve().parents[3] / "shared" / "data" / "listed_firms_2021_gbk.csv"
DEMO = seed("demo", "firms.csv")


def test_an_import_is_the_active_edition_with_a_run(shelf: Shelf) -> None:
    done = shelf.bring(
        [{"uscc": A, "name": "甲", "district": "浦东新区", "industry": "C3911", "revenue_2025": 5}]
    )
    state = shelf.state
    assert (state.edition_id, state.run_id, state.registry_version) == (done.edition_id, done.run_id, 1)
    assert state.lineage == (done.edition_id,)
    found = shelf.firm(A)
    assert (found.name, found.district, found.industry, found.version) == ("甲", "310115", 39114, 1)
    assert found.external == {"district": "310115", "industry": "3911", "revenue_2025": 5}
    fact = found.facts["revenue_2025"]
    assert (fact.value, fact.source, fact.dated, fact.origin) == (5, "upload", JUNE, "firms.csv")


def test_every_kind_of_figure_keeps_its_external_form(shelf: Shelf) -> None:
    row = {
        "uscc": A, "name": "甲", "established_on": "2020年1月2日", "industry": "0111", "revenue_2025": "12.6",
        "niche_share": "10.5%", "niche_years": "3.5", "legal_person": "是", "listed_board": "未上市",
        "title_giant_until": "无", "title_srdi_until": "2027-06-30", "directory_first_year": "2019",
        "rd_staff_2025": "无",
    }  # fmt: skip
    shelf.bring([row])
    assert shelf.firm(A).external == {
        "directory_first_year": 2019,
        "established_on": "2020-01-02",
        "industry": "0111",
        "legal_person": True,
        "listed_board": "none",
        "niche_share": 0.105,
        "niche_years": 3.5,
        "revenue_2025": 13,
        "title_giant_until": "none",
        "title_srdi_until": "2027-06-30",
    }


def test_the_demo_registry_enters_whole_and_can_be_scored_from_its_parts(
    shelf: Shelf, tmp_path: Path
) -> None:
    done = shelf.bring_file(DEMO)
    assert (done.manifest.rows, done.manifest.firms, done.manifest.rejected) == (2000, 2000, 0)
    assert shelf.count(firm) == shelf.count(facts) == shelf.count(standing) == 2000
    folder = edition_folder(shelf.settings, done.edition_hash)
    parts = [folder / part.file for part in done.manifest.parts]
    assert len(parts) == 16
    again = pl.read_parquet(score(rulebook(), Request(parts[0], tmp_path / "part.parquet", JUNE)).output)
    direct = pl.read_parquet(score(rulebook(), Request(DEMO, tmp_path / "direct.parquet", JUNE)).output)
    assert again.height > 50
    assert again.equals(direct.join(again.select("uscc"), on="uscc", how="semi", maintain_order="left"))


def test_the_run_says_of_every_firm_what_the_rules_say_of_it_alone(shelf: Shelf) -> None:
    shelf.bring_file(DEMO)
    shelf.correct(A_DEMO, revenue_2025=900_000_000, title_giant_until="2028-06-30")
    codes = pl.read_csv(DEMO, columns=["uscc"])["uscc"].to_list()[:400]
    standards = compile_standards(rulebook(), Period(JUNE, "new"), ())
    slots = (standards.recognised, standards.qualifies, standards.could_reach)
    alone = write_function(standards.program, slots)
    found = shelf.firms(codes)
    with shelf.database.read() as connection:
        rows = connection.execute(select(standing).where(standing.c.run_id == shelf.state.run_id)).all()
    together = {row.uscc: (row.recognised, row.qualifies, row.could_reach) for row in rows}
    del found[A_DEMO]  # corrected since the run
    for uscc, one in found.items():
        values = alone(internal(one.external))
        assert together[uscc] == tuple(values[slot] for slot in slots), uscc


A_DEMO = "91310109XX000000Y5"


@pytest.mark.skipif(not LISTED_2021.exists(), reason="the list of 2021 is not here")
def test_a_real_gbk_list_enters(shelf: Shelf) -> None:
    done = shelf.bring_file(LISTED_2021, date(2021, 12, 31))
    assert done.manifest.firms > 0
    assert done.manifest.content["source"]["encoding"] == "gb18030"
    assert done.manifest.rows == done.manifest.firms + done.manifest.rejected
    assert shelf.count(firm) == done.manifest.firms


def test_rows_that_cannot_enter_are_kept_as_they_were_written(shelf: Shelf) -> None:
    done = shelf.bring(
        [
            {"uscc": A, "name": "甲", "revenue_2025": 1},
            {"uscc": B, "name": "乙", "revenue_2025": 2},
            {"uscc": "9131", "name": "短", "revenue_2025": 3},
            {"uscc": B.lower(), "name": "乙又", "revenue_2025": 4},
            {"uscc": "", "name": "缺", "revenue_2025": 5},
        ]
    )
    assert (done.manifest.rows, done.manifest.firms, done.manifest.rejected) == (5, 1, 4)
    assert B not in shelf.firms([B])
    rejected = pl.read_parquet(edition_folder(shelf.settings, done.edition_hash) / "rejected.parquet")
    assert rejected["row"].to_list() == [3, 4, 5, 6]
    assert [error[:4] for error in rejected["error"]] == ["E106", "E103", "E106", "E101"]
    assert json.loads(rejected["cells"][2]) == {"uscc": B.lower(), "name": "乙又", "revenue_2025": "4"}
    assert done.issues_at is not None
    told = done.issues_at.read_text("utf-8-sig")
    assert all(issue in told for issue in ("E106", "E103", "E101"))


def test_a_file_without_one_good_row_changes_nothing(shelf: Shelf) -> None:
    with pytest.raises(TiduiError) as refused:
        shelf.bring([{"uscc": "9131", "name": "短"}])
    assert refused.value.code == "E406"
    assert shelf.state.edition_id is None
    assert list(shelf.settings.editions.iterdir()) == []


def test_a_firm_without_a_name_enters_and_is_found_by_its_code(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "", "revenue_2025": 1}])
    assert shelf.firm(A).name is None
    assert found_by(shelf, A[4:12]) == [A]


def test_awkward_names_come_back_as_they_were(shelf: Shelf) -> None:
    names = [
        '引"号\\反斜杠',
        "=1+1（集团）",
        "　全角　空格",
        "emoji😀公司",
        "a\tb",
        "逗,号；分",
        "无公司\x00",
    ]
    shelf.bring([{"uscc": code(at), "name": name} for at, name in enumerate(names)])
    found = [shelf.firm(code(at)).name for at in range(len(names))]
    assert found[:2] == names[:2]
    assert found[3:6] == names[3:6]
    assert found[6] == "无公司"


def test_the_same_file_again_is_answered_with_its_edition(shelf: Shelf) -> None:
    rows = [{"uscc": A, "name": "甲"}]
    first, second = shelf.bring(rows), shelf.bring(rows)
    assert (second.already, second.active, second.edition_id) == (True, True, first.edition_id)
    assert shelf.state.registry_version == 1
    other_day = shelf.bring(rows, SEPTEMBER)
    assert other_day.edition_id != first.edition_id
    again = shelf.bring(rows)
    assert (again.already, again.active) == (True, False)


def test_a_later_edition_adds_changes_and_never_erases(shelf: Shelf) -> None:
    shelf.bring(
        [
            {"uscc": A, "name": "甲一", "district": "310115", "revenue_2025": 1, "revenue_2024": 7},
            {"uscc": B, "name": "乙", "revenue_2025": 2},
        ]
    )
    done = shelf.bring(
        [
            {"uscc": A, "name": "甲二", "district": "310104", "revenue_2025": "", "employees_2025": 9},
            {"uscc": C, "name": "丙", "revenue_2025": 3},
        ],
        SEPTEMBER,
        "later.csv",
    )
    assert done.changed_firms == 1
    first = shelf.firm(A)
    assert (first.name, first.former_names, first.district) == ("甲二", ("甲一",), "310104")
    assert first.external == {"district": "310104", "employees_2025": 9, "revenue_2024": 7, "revenue_2025": 1}
    assert first.facts["revenue_2025"].origin == "firms.csv"
    assert first.facts["employees_2025"].origin == "later.csv"
    assert set(shelf.firms([A, B, C])) == {A, B, C}
    assert shelf.count(standing, standing.c.run_id == done.run_id) == 3


def test_former_names_are_found_and_the_new_one_is_shown(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "上海旧名字科技有限公司"}])
    shelf.bring([{"uscc": A, "name": "上海新招牌科技有限公司"}], SEPTEMBER, "later.csv")
    assert found_by(shelf, "旧名字") == [A]
    assert found_by(shelf, "新招牌") == [A]


def test_every_import_leaves_one_audit_record(shelf: Shelf) -> None:
    done = shelf.bring([{"uscc": A, "name": "甲"}])
    with shelf.database.read() as connection:
        row = connection.execute(select(audit)).one()
    assert (row.action, row.object, row.actor) == (
        "registry.import",
        f"edition:{done.edition_id}",
        "cli:test",
    )
    assert row.after == done.edition_hash


def test_ten_thousand_and_more_rows_are_stored_in_several_batches(shelf: Shelf) -> None:
    done = shelf.bring([{"uscc": code(at), "name": f"第{at}号"} for at in range(25_000)])
    assert shelf.count(firm) == shelf.count(facts) == done.manifest.firms == 25_000
    assert shelf.count(run) == shelf.count(edition) == 1


def test_standing_is_read_for_the_current_run(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲", "title_giant_until": "2027-06-30"}, {"uscc": B, "name": "乙"}])
    with shelf.database.read() as connection:
        first, second = (run_standing(connection, shelf.state, uscc) for uscc in (A, B))
    assert first is not None
    assert second is not None
    assert first.recognised > second.recognised


def found_by(shelf: Shelf, scrap: str) -> list[str]:
    with shelf.database.read() as connection:
        return [hit.uscc for hit in search_firms(connection, shelf.state, scrap).hits]
