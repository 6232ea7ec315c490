"""What somebody says a header means stands before what it is taken for by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from models.errors import FileRefused
from models.tabular.choices import Choice
from models.tabular.headers import normal_header
from models.tabular.issues import IssueLog
from models.tabular.reader import Table, open_table
from tests.tabular.files import code

Workbook = Callable[..., Path]
ROWS = [
    ["信用码", "单位", "产值(2025)", "备注"],
    [code(1), "甲公司", "12.5", "x"],
    [code(2), "乙公司", "", "y"],
]
CHOSEN = {
    normal_header("信用码"): Choice("uscc"),
    normal_header("产值(2025)"): Choice("revenue_2025", "万元"),
    normal_header("备注"): Choice(None),
}


@pytest.fixture(params=["csv", "untidy", "xlsx", "parquet"])
def path(request: pytest.FixtureRequest, workbook: Workbook, tmp_path: Path) -> Path:
    """The same table in every form a file can have."""
    if request.param == "xlsx":
        return workbook(S=[[cell or None for cell in row] for row in ROWS])
    if request.param == "parquet":
        pl.DataFrame(ROWS[1:], schema=ROWS[0], orient="row").write_parquet(tmp_path / "a.parquet")
        return tmp_path / "a.parquet"
    text = "\n".join(",".join(row) for row in ROWS)
    (tmp_path / "a.csv").write_text(text + ('\n"' if request.param == "untidy" else "\n"), "utf-8")
    if request.param == "untidy":  # a stray quote: the file goes through Python's reader
        (tmp_path / "a.csv").write_text(text.replace("甲公司", '甲"公司') + "\n", "utf-8")
    return tmp_path / "a.csv"


def taken(table: Table) -> dict[str, tuple[str | None, str]]:
    return {column.header: (column.name, column.how) for column in table.columns}


def test_a_file_without_a_known_code_column_is_read_as_told(path: Path) -> None:
    with pytest.raises(FileRefused, match="E003"):
        open_table(path)
    with open_table(path, as_of=date(2026, 6, 30), choices=CHOSEN) as table:
        firms = pl.concat(table.batches(["revenue_2025"], IssueLog()))
        assert taken(table)["产值(2025)"] == ("revenue_2025", "chosen")
        assert [note.column for note in table.notes] == [
            "单位"
        ]  # what is ignored by choice is not asked about
    assert firms["uscc"].to_list() == [code(1), code(2)]
    assert firms["revenue_2025"].to_list() == [125_000, None]


def test_every_column_comes_back_as_written_in_its_order(path: Path) -> None:
    with open_table(path, choices=CHOSEN, every=True) as table:
        written = pl.concat(table.written())
        assert list(table.header) == ROWS[0]
    assert written["row"].to_list() == [2, 3]
    cells = [[cell or "" for cell in row] for row in written.drop("row", "over").rows()]
    assert [[cell.replace('"', "") for cell in row] for row in cells] == ROWS[1:]


def test_a_chosen_column_wins_over_one_that_means_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"uscc,revenue_2025,实收2025\n{code(1)},1,2\n", "utf-8")
    with open_table(file, choices={"实收2025": Choice("revenue_2025", "元")}) as table:
        assert pl.concat(table.batches(["revenue_2025"], IssueLog()))["revenue_2025"].to_list() == [2]
        assert taken(table)["revenue_2025"] == (None, "ignored")


def test_choosing_to_ignore_settles_two_that_equally_mean_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"uscc,revenue_2025,2025年营业收入（元）\n{code(1)},1,2\n", "utf-8")
    with pytest.raises(FileRefused, match="E013"):
        open_table(file)
    with open_table(file, choices={"revenue_2025": Choice(None)}) as table:
        assert pl.concat(table.batches(["revenue_2025"], IssueLog()))["revenue_2025"].to_list() == [2]
