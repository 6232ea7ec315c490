"""What the check report says of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.registry.conftest import SEPTEMBER, A, B, C, D, write_rows
from tests.uploads.conftest import Desk

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def column(report: Any, header: str) -> Any:
    return next(one for one in report["columns"] if one["header"] == header)


@pytest.mark.parametrize(
    ("name", "encoding"), [("listed_firms_2021_gbk.csv", "gb18030"), ("listed_firms_2021.xlsx", None)]
)
def test_the_listed_firms_pass_without_a_question(desk: Desk, name: str, encoding: str | None) -> None:
    if not (SHARED / name).exists():
        pytest.skip("the shared data are not here")
    one = desk.check(SHARED / name)
    assert (one.status, one.problem) == ("checked", None)
    assert one.report is not None
    assert one.report["file"]["encoding"] == encoding
    assert one.report["counts"] | {"warnings": 0} == {
        "rows": 399, "good": 399, "rejected": 0, "bad_cells": 16, "warnings": 0,
    }  # fmt: skip
    revenue = column(one.report, "2021年营业收入（万元）")
    assert (revenue["column"], revenue["unit"], revenue["how"], revenue["year"]) == (
        "revenue_2021", "万元", "header", 2021,
    )  # fmt: skip
    assert revenue["label"]["zh"] == "2021年营业收入"
    assert [note["code"] for note in one.report["notes"]] == ["E301"]  # 省份 is kept and ignored
    assert column(one.report, "所属行业")["bad"] == 16


def test_counts_errors_and_first_rows(desk: Desk) -> None:
    text = (
        "统一社会信用代码,企业名称,2025年营业收入（万元）,备注\n"
        f"{A},甲公司,12.5,x\n{B},乙公司,abc,\n123,丙公司,1,\n{C},丁公司,2,\n{C},丁公司,3,\n"
    )
    report = desk.check(text).report
    assert report is not None
    assert report["counts"] == {"rows": 5, "good": 2, "rejected": 3, "bad_cells": 1, "warnings": 2}
    assert {e["code"]: e["count"] for e in report["errors"]} == {
        "E103": 1, "E106": 2, "E201": 1, "E301": 1,
    }  # fmt: skip
    first, second, third = report["first_rows"][:3]
    assert first["written"] == [A, "甲公司", "12.5", "x"]
    assert first["read"] == {"uscc": A, "name": "甲公司", "revenue_2025": 125_000}
    assert [e["code"] for e in second["errors"]] == ["E201"]
    assert third["error"].startswith("E103")
    assert column(report, "备注")["samples"] == ["x"]
    assert column(report, "2025年营业收入（万元）")["filled"] == 3


def test_nothing_is_compared_before_the_first_import(desk: Desk) -> None:
    report = desk.check(f"uscc\n{A}\n").report
    assert report is not None
    assert report["differences"] is None


def test_differences_from_the_active_edition(desk: Desk, tmp_path: Path) -> None:
    before = [
        {"uscc": code, "name": name, "revenue_2025": 10_000_000, "employees_2025": 50}
        for code, name in ((A, "甲公司"), (B, "乙公司"), (C, "丙公司"))
    ]
    edition = desk.imported(write_rows(tmp_path / "before.csv", before))
    after = [
        {"uscc": A, "name": "甲公司", "revenue_2025": 10_000_000, "employees_2025": 50},
        {"uscc": B, "name": "乙新公司", "revenue_2025": 11_000_000, "employees_2025": 50},
        {"uscc": D, "name": "丁公司", "revenue_2025": 1, "employees_2025": 1},
    ]
    report = desk.check(write_rows(tmp_path / "after.csv", after), dated=SEPTEMBER).report
    assert report is not None
    found = report["differences"]
    assert found["edition"] == edition.edition_hash
    assert found["firms"] == {"new": 1, "gone": 1, "same": 1, "changed": 1, "renamed": 1, "jumped": 0}
    assert found["examples"]["new"] == [{"uscc": D, "name": "丁公司"}]
    assert found["examples"]["gone"] == [{"uscc": C, "name": "丙公司"}]
    assert [(c["column"], c["changed"]) for c in found["columns"]] == [("revenue_2025", 1)]


def test_a_unit_slip_is_told_by_column_and_by_firm(desk: Desk, tmp_path: Path) -> None:
    def rows(factor: int) -> list[dict[str, Any]]:
        return [
            {
                "uscc": code,
                "name": "某公司",
                "revenue_2025": 10_000_000 * factor,
                "net_profit_2025": 2_000_000,
            }
            for code in (A, B, C)
        ]

    desk.imported(write_rows(tmp_path / "before.csv", rows(1)))
    report = desk.check(write_rows(tmp_path / "after.csv", rows(10_000)), dated=SEPTEMBER).report
    assert report is not None
    found = report["differences"]
    assert found["firms"]["jumped"] == 3
    assert [(c["column"], c["unit_slip"]) for c in found["columns"]] == [("revenue_2025", True)]
    assert found["examples"]["jumped"][0] | {"uscc": A} == {
        "uscc": A, "name": "某公司", "column": "revenue_2025", "times": 10_000.0,
        "label": {"zh": "2025年营业收入", "en": report["columns"][2]["label"]["en"]},
        "before": 10_000_000, "after": 100_000_000_000,
    }  # fmt: skip
    warned = [note for note in report["notes"] if note["code"] == "E309"]
    assert [note["column"] for note in warned] == ["revenue_2025"]
    assert "3 家企业" in warned[0]["text"]["zh"]


def test_one_firm_that_grew_is_no_slip_of_its_column(desk: Desk, tmp_path: Path) -> None:
    def rows(first: int) -> list[dict[str, Any]]:
        return [{"uscc": A, "revenue_2025": first}] + [{"uscc": c, "revenue_2025": 5} for c in (B, C, D)]

    desk.imported(write_rows(tmp_path / "before.csv", rows(1_000)))
    report = desk.check(write_rows(tmp_path / "after.csv", rows(10_000_000)), dated=SEPTEMBER).report
    assert report is not None
    assert report["differences"]["firms"]["jumped"] == 1
    assert report["differences"]["columns"][0]["unit_slip"] is False
    assert not [note for note in report["notes"] if note["code"] == "E309"]
