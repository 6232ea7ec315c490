"""The column 曾用名: known, several names a cell, and nothing to scoring."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.tabular.former import read_former
from models.tabular.headers import read_headers
from models.tabular.issues import IssueLog
from models.tabular.reader import open_table

CODE = "统一社会信用代码"


@pytest.mark.parametrize(
    "header", ["曾用名", "former_name", "former_names", " 曾 用 名 ", "企业曾用名", "原企业名称"]
)
def test_the_column_is_known_by_its_names(header: str) -> None:
    readings, notes = read_headers([CODE, header])
    assert (readings[1].name, notes) == ("former_name", [])


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("甲公司", "甲公司"),
        ("甲公司；乙公司", "甲公司；乙公司"),
        ("甲公司、乙公司 ,丙公司;甲公司", "甲公司；乙公司；丙公司"),
        ("甲公司\n乙公司", "甲公司；乙公司"),
        ("Jia Co., Ltd.; Yi Inc", "Jia Co., Ltd.；Yi Inc"),
        ("—", None),
        ("无", None),
        (" ； ", None),
    ],
)
def test_several_names_in_a_cell(written: str, read: str | None) -> None:
    assert read_former(written) == (read, None)


def test_a_table_gives_it_when_asked_and_not_as_a_figure(tmp_path: Path) -> None:
    path = tmp_path / "firms.csv"
    path.write_text(
        f"{CODE},企业名称,曾用名,niche_years\n91310115MA1H7YNX2T,甲,乙、丙,3\n91310104MA1FR00J8N,丁,—,4\n",
        "utf-8",
    )
    log = IssueLog()
    with open_table(path) as table:
        assert table.available == {"niche_years"}
        (plain,) = table.batches(["niche_years"], IssueLog())
        (firms,) = table.batches(["former_name", "niche_years"], log)
        assert table.notes == []
    assert "former_name" not in plain.columns
    assert firms["former_name"].to_list() == ["乙；丙", None]
    assert not {code for code, _ in log.counts} - {"E102"}
