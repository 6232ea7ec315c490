"""Parquet: typed columns and text alike, and damaged files."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import FileRefused
from models.tabular import parquetfile
from tests.tabular.files import Read, code, parquet_bytes

CODES = pl.Series([code(1), code(2), code(3)])


def test_typed_columns(read: Read) -> None:
    found = read(
        parquet_bytes(
            uscc=CODES,
            name=pl.Series(["某某公司", "", "NA"]),
            revenue_2025=pl.Series([1, -2, None]),
            net_profit_2025=pl.Series([1.5, float("nan"), float("inf")]),
            employees_2025=pl.Series([1.0, 1.5, -1.0]),
            legal_person=pl.Series([True, False, None]),
            own_brand=pl.Series([1, 0, 2]),
            established_on=pl.Series([date(2020, 1, 2)] * 3),
            title_srdi_until=pl.Series([datetime(2027, 6, 30)] * 3),
            niche_share=pl.Series([0.1, 1.1, None]),
            industry=pl.Series([3911, 111, 39], dtype=pl.UInt16),
            district=pl.Series(["浦东", "", None], dtype=pl.Categorical),
            market_value=pl.Series([Decimal("1.50"), None, None]),
            digital_level=pl.Series([1, 5, 6], dtype=pl.Int8),
        )
    )
    assert (found.kind, found.header_row) == ("parquet", 1)
    assert found.column("row") == [2, 3, 4]
    assert found.column("revenue_2025") == [1, None, None]
    assert found.column("net_profit_2025") == [2, None, None]
    assert found.column("employees_2025") == [1, None, None]
    assert found.column("legal_person") == [True, False, None]
    assert found.column("own_brand") == [True, False, None]
    assert found.column("established_on") == [date(2020, 1, 2)] * 3
    assert found.column("title_srdi_until") == [date(2027, 6, 30)] * 3
    assert found.column("niche_share") == [0.1, None, None]
    assert found.column("industry") == [39114, None, 39002]
    assert found.column("district") == ["310115", None, None]
    assert found.column("market_value") == [2, None, None]
    assert found.column("digital_level") == [1, 5, None]
    assert {(row, column, c) for row, column, c in found.codes} == {
        (3, "name", "E107"),
        (3, "revenue_2025", "E202"),
        (4, "net_profit_2025", "E201"),
        (3, "employees_2025", "E204"),
        (4, "employees_2025", "E202"),
        (4, "own_brand", "E207"),
        (3, "niche_share", "E209"),
        (3, "industry", "E212"),
        (4, "digital_level", "E203"),
    }
    assert {issue.value for issue in found.issues if issue.code == "E202"} == {"-2", "-1"}


def test_numeric_codes_are_lost_codes(read: Read) -> None:
    found = read(parquet_bytes(uscc=pl.Series([913101150000000001, None]), revenue_2025=pl.Series([1, 1])))
    assert [error and error[:4] for error in found.column("error")] == ["E105", "E101"]
    assert found.column("revenue_2025") == [None, None]


def test_chinese_headers_and_text(read: Read) -> None:
    columns = {"统一社会信用代码": CODES, "2025年营业收入（万元）": pl.Series([1.5, 2.0, 0.00005])}
    found = read(parquet_bytes(**columns))
    assert found.column("revenue_2025") == [15000, 20000, 1]
    assert found.column("name") == [None] * 3


def test_columns_that_hold_no_figures_are_told(read: Read) -> None:
    found = read(parquet_bytes(uscc=CODES, revenue_2025=pl.Series([[1], [2], [3]])))
    assert [(note.code, note.column) for note in found.notes] == [("E301", "revenue_2025")]
    assert found.available == frozenset()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (parquet_bytes(uscc=CODES)[:-100], "E010"),
        (parquet_bytes(uscc=CODES)[:60], "E010"),
        (parquet_bytes(name=CODES), "E003"),
        (parquet_bytes(uscc=pl.Series([[1]])), "E003"),
        (parquet_bytes(uscc=pl.Series([], dtype=pl.String)), "E002"),
    ],
)
def test_refusals(read: Read, content: bytes, expected: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read(content)
    assert refused.value.code == expected


def test_columns_that_their_writer_has_coded(tmp_path: Path, read: Read) -> None:
    """Categories of pandas, factors of R: words and their places, of any column."""
    columns = {
        "uscc": list(CODES),
        "name": ["甲某某有限公司", "乙某某有限公司", "甲某某有限公司"],
        "legal_person": ["是", "乱", None],
        "title_srdi_until": ["无", "2027-06-30", "坏"],
        "revenue_2025": ["1", "x", "3"],
        "established_on": ["2020年1月2日", "", "2020-01-02"],
    }
    table = pa.table({name: pa.array(cells).dictionary_encode() for name, cells in columns.items()})
    pq.write_table(table, tmp_path / "coded.parquet")
    coded = read(tmp_path / "coded.parquet")
    plain = read(parquet_bytes(**{name: pl.Series(cells) for name, cells in columns.items()}))
    assert coded.firms.equals(plain.firms)
    assert coded.column("legal_person") == [True, None, None]
    assert coded.column("established_on") == [date(2020, 1, 2), None, date(2020, 1, 2)]
    told = [(issue.code, issue.row, issue.column, issue.value) for issue in coded.issues]
    assert told == [(issue.code, issue.row, issue.column, issue.value) for issue in plain.issues]
    assert told == [
        ("E201", 3, "revenue_2025", "x"),
        ("E207", 3, "legal_person", "乱"),
        ("E216", 4, "title_srdi_until", "坏"),
    ]


def test_headers_with_a_dot_are_no_nested_fields(read: Read) -> None:
    columns = {
        "uscc": CODES,
        "revenue_2025": pl.Series([1, 2, 3]),
        "revenue_2025.x": pl.Series([7, 8, 9]),
        "industry.y": pl.Series(["", "", ""]),
    }
    found = read(parquet_bytes(**columns))
    assert found.column("revenue_2025") == [1, 2, 3]


def test_rows_keep_their_numbers_over_row_groups(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquetfile, "PIECE", 40)
    codes = [code(number) for number in range(150)]
    words = ["是", "否", "?"] * 50
    frame = pl.DataFrame({"uscc": codes, "legal_person": words})
    frame.write_parquet(tmp_path / "many.parquet", row_group_size=64)
    found = read(tmp_path / "many.parquet")
    assert found.column("row") == list(range(2, 152))
    assert found.column("uscc") == codes
    assert found.column("legal_person") == [True, False, None] * 50
    assert [issue.row for issue in found.issues] == list(range(4, 152, 3))
