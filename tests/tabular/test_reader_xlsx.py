"""Workbooks: typed cells, hostile files, and a parser that may die without taking us along."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from models.errors import FileRefused
from models.tabular.guard import Extent, Limits, column_letters, column_number, excess, sheet_extent
from models.tabular.issues import IssueLog
from models.tabular.reader import open_table
from tests.tabular.files import Read, bare_workbook, code

Workbook = Callable[..., Path]

HEADER = ["统一社会信用代码", "企业名称", "2025年营业收入（万元）"]


def refused(read: Read, path: Path, limits: Limits | None = None) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read(path, limits=limits)
    return caught.value


def sheet_xml(*cells: tuple[str, str]) -> str:
    """A row for each cell, with inline text."""
    rows: dict[str, str] = {}
    for place, text in cells:
        row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        rows[row] = rows.get(row, "") + f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'
    return "".join(f'<row r="{row}">{text}</row>' for row, text in rows.items())


def test_typed_cells(read: Read, workbook: Workbook) -> None:
    header = [
        *HEADER,
        "成立日期",
        "独立法人",
        "所在区",
        "行业代码",
        "首次入规年份",
        "全国细分市场占有率",
        "专精特新有效期至",
    ]
    path = workbook(
        S=[
            header,
            [
                code(1),
                "某某公司",
                0.00005,
                date(2020, 1, 2),
                True,
                310115,
                3911,
                2024,
                0.105,
                datetime(2027, 6, 30),
            ],
            [code(2), "某某公司", 1234.5, 43832, 0, "浦东新区", "C39", 0, "10.5%", "无"],
            [code(3), 123, "1,234.5", "20200102", "否", 310101, 111, 99, 1.5, "有"],
        ]
    )
    found = read(path)
    assert found.column("row") == [2, 3, 4]
    assert found.column("revenue_2025") == [1, 12_345_000, 12_345_000]
    assert found.column("established_on") == [date(2020, 1, 2)] * 3
    assert found.column("legal_person") == [True, False, False]
    assert found.column("district") == ["310115", "310115", "310101"]
    assert found.column("industry") == [39114, 39002, None]
    assert found.column("directory_first_year") == [2024, 0, None]
    assert found.column("niche_share") == [0.105, 0.105, None]
    assert found.column("title_srdi_until") == [date(2027, 6, 30), date(1, 1, 1), None]
    assert found.column("name")[2] == "123"
    assert {(i.row, i.code, i.value) for i in found.issues} == {
        (4, "E212", "111"),
        (4, "E203", "99"),
        (4, "E209", "1.5"),
        (4, "E216", "有"),
    }


def test_codes_that_became_numbers(read: Read, workbook: Workbook) -> None:
    found = read(workbook(S=[HEADER, [914403006188470942, "某某公司", 1], [code(1), "某某公司", 1]]))
    assert [error and error[:4] for error in found.column("error")] == ["E105", None]
    assert found.column("revenue_2025") == [None, 10000]


def test_rows_keep_their_numbers(read: Read, workbook: Workbook) -> None:
    rows = [["企业清单"], [], HEADER, [code(1), "某某公司", 1], [], [None, " "], [code(2), "某某公司", 2]]
    found = read(workbook(S=rows))
    assert (found.header_row, found.column("row")) == (3, [4, 7])
    assert [(note.code, dict(note.details)) for note in found.notes] == [("E306", {"count": 2})]


def test_data_that_starts_away_from_the_corner(read: Read, tmp_path: Path) -> None:
    cells = [("C3", "统一社会信用代码"), ("E3", "企业名称"), ("C5", code(1)), ("E5", "某某公司"), ("D5", "x")]
    found = read(bare_workbook(tmp_path / "a.xlsx", sheet_xml(*cells)))
    assert (found.header_row, found.column("row"), found.column("name")) == (3, [5], ["某某公司"])
    assert [column.position for column in found.columns if column.field] == [2, 4]
    assert [(note.code, note.column) for note in found.notes] == [
        ("E306", None),
        ("E301", "第 4 列（无表头）"),
    ]


def test_the_sheet_called_data_is_read_and_others_are_named(read: Read, workbook: Workbook) -> None:
    rows = [HEADER, [code(1), "某某公司", 1]]
    found = read(workbook(旧=rows, 填写说明=[["x"]], 数据=[HEADER, [code(2), "某某公司", 2]], 空=[]))
    assert found.sheet == "数据"
    assert found.column("uscc") == [code(2)]
    assert [dict(n.details) for n in found.notes if n.code == "E307"] == [{"sheet": "数据", "others": "旧"}]


def test_the_first_sheet_with_a_header_is_read(read: Read, workbook: Workbook) -> None:
    found = read(workbook(封面=[["说明"]], 企业=[HEADER, [code(1), "某某公司", 1]]))
    assert (found.sheet, found.note_codes) == ("企业", ["E307"])


def test_formula_errors_are_told(read: Read, tmp_path: Path) -> None:
    header = sheet_xml(("A1", "uscc"), ("B1", "name"), ("C1", "revenue_2025"), ("D1", "legal_person"))
    row = sheet_xml(("A2", code(1)), ("B2", "某某公司")).replace("</row>", "")
    errors = '<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="D2" s="1" t="e"><v>#N/A</v></c></row>'
    found = read(bare_workbook(tmp_path / "a.xlsx", header + row + errors))
    assert [(i.column, i.value, i.code) for i in found.issues] == [
        ("legal_person", "#N/A", "E215"),
        ("revenue_2025", "#DIV/0!", "E215"),
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [([], "E001"), ([HEADER], "E002"), ([["企业名称"], ["某某"]], "E003"), ([HEADER, [None, " "]], "E002")],
)
def test_refused_content(read: Read, workbook: Workbook, rows: list[list[object]], expected: str) -> None:
    assert refused(read, workbook(S=rows)).code == expected


def test_a_sparse_giant_is_refused_at_once(read: Read, tmp_path: Path) -> None:
    path = bare_workbook(tmp_path / "a.xlsx", sheet_xml(("A1", "uscc"), ("XFD1048576", "x")))
    error = refused(read, path)
    assert error.code == "E009"
    assert "XFD1048576" in error.message.zh
    assert path.stat().st_size < 5000


def test_a_sparse_giant_that_hides_from_the_guard_kills_only_the_child(read: Read, tmp_path: Path) -> None:
    hidden = '<row r="1048576"><c r="XFD1048576"><v>1</v></c><c r="A1048576"><v>1</v></c></row>'
    path = bare_workbook(tmp_path / "a.xlsx", sheet_xml(("A1", "uscc")) + hidden)
    assert refused(read, path, Limits(memory=1 << 30)).code == "E014"


def test_a_zip_bomb_is_refused(read: Read, tmp_path: Path) -> None:
    path = bare_workbook(tmp_path / "a.xlsx", "", {"xl/sharedStrings.xml": bytes(300 << 20)})
    error = refused(read, path)
    assert (error.code, path.stat().st_size < 1 << 20) == ("E008", True)


def test_too_many_entries_are_refused(read: Read, tmp_path: Path) -> None:
    path = bare_workbook(tmp_path / "a.xlsx", "", {f"junk/{n}": b"" for n in range(20)})
    assert refused(read, path, Limits(entries=10)).code == "E008"


def test_a_bomb_below_the_limits_meets_the_childs_memory_limit(read: Read, tmp_path: Path) -> None:
    text = b"<sst><si><t>" + b"a" * (600 << 20) + b"</t></si></sst>"
    path = bare_workbook(tmp_path / "a.xlsx", "<row/>", {"xl/sharedStrings.xml": text})
    assert refused(read, path, Limits(ratio=10_000, memory=512 << 20)).code == "E014"


def test_time_is_limited(read: Read, workbook: Workbook) -> None:
    path = workbook(S=[HEADER, [code(1), "某某公司", 1]])
    error = refused(read, path, Limits(seconds=0))
    assert (error.code, "0 秒" in error.message.zh) == ("E014", True)


def test_macros_are_not_opened(read: Read, tmp_path: Path) -> None:
    assert refused(read, bare_workbook(tmp_path / "a.xlsx", "", {"xl/vbaProject.bin": b"x"})).code == "E006"


def test_a_macro_content_type_is_not_opened(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("[Content_Types].xml", "application/vnd.ms-excel.sheet.macroEnabled.main+xml")
    assert refused(read, path).code == "E006"


@pytest.mark.parametrize(
    ("stream", "expected", "told"),
    [
        ("EncryptedPackage", "E007", "密码"),
        ("Workbook", "E005", ".xls"),
        ("Book", "E005", ".xls"),
        ("x", "E005", "OLE"),
    ],
)
def test_ole_files(read: Read, tmp_path: Path, stream: str, expected: str, told: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream.encode("utf-16-le"))
    error = refused(read, path)
    assert error.code == expected
    assert told in error.message.zh


@pytest.mark.parametrize(
    ("member", "told"),
    [("content.xml", ".ods"), ("word/document.xml", "Word"), ("a.csv", "ZIP"), ("xl/workbook.bin", ".xlsb")],
)
def test_other_archives(read: Read, tmp_path: Path, member: str, told: str) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "x")
    error = refused(read, path)
    assert (error.code, told in error.message.zh) == ("E005", True)


def test_a_workbook_cut_in_half(read: Read, workbook: Workbook) -> None:
    path = workbook(S=[HEADER, *([code(n), "某某公司", n] for n in range(50))])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refused(read, path).code == "E010"


def test_a_workbook_whose_sheet_is_broken(read: Read, tmp_path: Path) -> None:
    path = bare_workbook(tmp_path / "a.xlsx", sheet_xml(("A1", "uscc")) + "<row r='2'><c r='A2'><v>")
    assert refused(read, path).code == "E010"


def test_the_extent_of_a_sheet_is_measured_not_believed(tmp_path: Path) -> None:
    path = bare_workbook(tmp_path / "a.xlsx", sheet_xml(("B2", "x"), ("AB7", "y")))
    with zipfile.ZipFile(path) as archive:
        extent = sheet_extent(archive, "xl/worksheets/sheet1.xml")
    assert (extent.row, extent.column) == (7, 28)
    assert excess(extent, Limits()) is None
    assert excess(Extent(10_000, 10_000), Limits()) == {"cell": "NTP10000", "cells": "100,000,000"}
    assert [column_letters(n) for n in (1, 26, 27, 16384)] == ["A", "Z", "AA", "XFD"]
    assert [column_number(name) for name in (b"A", b"Z", b"AA", b"XFD")] == [1, 26, 27, 16384]


def test_csv_and_workbook_read_the_same(read: Read) -> None:
    folder = Path(__file__).parents[3] / "shared" / "data"
    if not folder.exists():
        pytest.skip("../shared/data is not here")
    text, sheet = read(folder / "listed_firms_2021_gbk.csv"), read(folder / "listed_firms_2021.xlsx")
    assert (text.encoding, text.firms.height) == ("gb18030", 399)
    assert text.firms.equals(sheet.firms)
    assert {column.unit for column in text.columns} == {None, "万元", "亿元", "人"}
    assert {code for _, _, code in text.codes} == {"E210"}
    assert text.codes == sheet.codes
    first = text.firms.row(0, named=True)
    assert (first["revenue_2020"], first["total_assets_2021"]) == (398_921_100, 2_474_380_000)
    assert text.firms["industry"].drop_nulls()[0] == 37002


def test_cells_that_do_not_name_their_place_are_read(tmp_path: Path) -> None:
    """OOXML lets rows and cells leave out ``r``; openpyxl and Excel write it, other programs need not."""
    plain, bare = tmp_path / "plain.xlsx", tmp_path / "bare.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["统一社会信用代码", "企业名称"])
    sheet.append(["914403006188470942", "甲"])
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(bare, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.startswith("xl/worksheets/sheet"):
                data = re.sub(rb'(<(?:c|row))((?: [a-z]+="[^"]*")*?) r="[^"]*"', rb"\1\2", data)
            new.writestr(name, data)
    log = IssueLog()
    with open_table(bare) as table:
        (frame,) = table.batches((), log)
    assert frame["name"].to_list() == ["甲"]
