"""From the file to the edition: mapping, the error workbook, confirming, deleting."""

from __future__ import annotations

import io
import resource
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select

from models.errors import TiduiError
from models.registry.audit import records
from models.registry.state import read_state
from models.registry.tables import edition
from models.store import store_of
from models.tabular.issues import IssueLog
from models.tabular.reader import open_table
from models.uploads import error_book
from models.uploads.check import check_next, error_book_state, write_errors
from models.uploads.confirm import confirm
from models.uploads.mapping import complaints
from models.uploads.receive import NoRoom, TooLarge, incoming
from models.uploads.remove import delete_upload
from models.uploads.rows import Upload, UploadUnknown, errors_key, file_key, list_uploads
from tests.registry.conftest import NOW, SEPTEMBER, A, B, C, D, Shelf
from tests.uploads.conftest import UPLOADER, Desk

HEADER = "统一社会信用代码,企业名称,2025年营业收入（万元）,备注,2025年从业人员（人）\n"
BROKEN = f"{HEADER}{A},甲公司,12.5,x,5\n{B},乙公司,abc,y,6\n123,丙公司,1,z,7\n{C},,2,,-1\n"


def code_of(error: pytest.ExceptionInfo[TiduiError]) -> str:
    return error.value.code


def shelf(desk: Desk, tmp_path: Path) -> Shelf:
    return Shelf(desk.database, desk.settings, tmp_path)


def test_good_rows_go_in_and_the_corrected_workbook_brings_the_rest(desk: Desk, tmp_path: Path) -> None:
    one = desk.confirm(desk.check(BROKEN))
    assert (one.status, one.problem) == ("imported", None)
    registry = shelf(desk, tmp_path)
    assert registry.state.edition_id == one.edition_id
    assert set(registry.firms([A, B, C])) == {A, B, C}
    assert "revenue_2025" not in registry.firm(B).facts

    book = desk.errors(one)
    sheet = book["数据"]
    sheet["C3"], sheet["A4"], sheet["E5"] = "20", D, 8
    mended = io.BytesIO()
    book.save(mended)
    again = desk.check(mended.getvalue(), "名册_错误报告.xlsx")
    assert again.report is not None
    assert again.report["counts"] == {"rows": 4, "good": 4, "rejected": 0, "bad_cells": 0, "warnings": 1}
    assert [note["column"] for note in again.report["notes"]] == ["备注"]  # nothing of the three columns
    desk.confirm(again, "all_or_nothing")
    assert registry.firm(B).facts["revenue_2025"].value == 200_000
    assert registry.firm(D).name == "丙公司"
    with desk.database.read() as connection:
        source = select(edition.c.source_name).where(edition.c.id == registry.state.edition_id)
        assert connection.execute(source).scalar_one() == "名册_错误报告.xlsx"


def test_the_error_workbook(desk: Desk) -> None:
    book = desk.errors(desk.check(BROKEN))
    sheet = book["数据"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    header = HEADER.strip().split(",")
    assert rows[0] == [*header, "错误代码", "错误说明", "建议"]
    assert rows[1] == [A, "甲公司", "12.5", "x", "5", None, None, None]
    assert rows[2][:6] == [B, "乙公司", "abc", "y", "6", "E201"]
    assert rows[3][5] == "E103"
    assert rows[4][5] == "E107；E202"
    assert "2025年从业人员（人）：不能为负数" in rows[4][6]
    bad = {
        cell.coordinate
        for row in sheet.iter_rows(min_row=2)
        for cell in row
        if cell.fill.fgColor.rgb != "00000000"
    }
    assert bad == {"C3", "A4", "B5", "E5"}
    assert sheet["C3"].comment.text.startswith("E201 不是数字")
    summary = {row[0]: row[2] for row in book["错误汇总"].iter_rows(min_row=3, values_only=True) if row[2]}
    assert summary == {"E103": 1, "E107": 1, "E201": 1, "E202": 1, "E301": 1}


def test_rows_stand_where_they_stood(desk: Desk, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["某区企业名册"], [], ["uscc", "revenue_2025"], [A, 1], [], [B, "x"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    sheet = desk.errors(desk.check(tmp_path / "a.xlsx"))["数据"]
    assert [sheet["A3"].value, sheet["A4"].value, sheet["A5"].value, sheet["C6"].value] == [
        "uscc", A, None, "E201",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["甲公司", '甲"公司'])  # a tidy file is scanned, the other read line by line
def test_what_stands_beyond_the_header_comes_back_too(desk: Desk, tmp_path: Path, name: str) -> None:
    text = f"uscc,name,revenue_2025\n{A},{name},1,2,,=3\n{B},乙公司,4\n{C},丙公司,5,6,7,8,9\n"
    book = desk.errors(desk.check(text))
    sheet = book["数据"]
    assert [cell.value for cell in sheet[1]][3:] == ["错误代码", "错误说明", "建议", "多出的单元格"]
    assert [cell.value for cell in sheet[2]][:4] == [A, name, "1", "E108"]
    assert (sheet["G2"].value, sheet["G2"].data_type) == ("2,,=3" if '"' in name else "2,,=3…", "s")
    assert sheet["G3"].value is None
    assert sheet["G4"].value == ("6,7,8,9" if '"' in name else "6,7,8…")
    book.save(tmp_path / "again.xlsx")
    again = desk.check(tmp_path / "again.xlsx")
    assert again.report is not None
    assert not [found for found in again.report["notes"] if found["code"] == "E301"]


def test_formulas_in_a_file_do_not_become_formulas(desk: Desk) -> None:
    sheet = desk.errors(desk.check(f'uscc,name,revenue_2025\n{A},"=1+1",@SUM(A1)\n'))["数据"]
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("=1+1", "s")
    assert (sheet["C2"].value, sheet["C2"].data_type) == ("@SUM(A1)", "s")


def test_a_large_files_workbook_is_made_apart(desk: Desk) -> None:
    one = desk.check(BROKEN)
    store_of(desk.settings).delete(errors_key(one.id))  # as it is when the check leaves it for later
    with desk.database.read() as connection:
        assert error_book_state(connection, desk.settings, one) == "wanted"
    assert write_errors(desk.database, desk.settings, one.id)
    with desk.database.read() as connection:
        assert error_book_state(connection, desk.settings, one) == "there"
    assert desk.find(one.id).status == "checked"
    assert desk.errors(one)["数据"]["F3"].value == "E201"


def test_what_no_spreadsheet_holds_is_cut_to_the_rows_with_something_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_book, "WHOLE_CELLS", 10)
    (tmp_path / "a.csv").write_text(BROKEN, "utf-8")
    log = IssueLog()
    with open_table(tmp_path / "a.csv", every=True) as table:
        rows = sum(piece.height for piece in table.batches(sorted(table.available), log))
        error_book.ErrorBook(table, log, rows).write(tmp_path / "e.xlsx")
    book = openpyxl.load_workbook(tmp_path / "e.xlsx")
    assert [row[1] for row in book["数据"].iter_rows(min_row=2, values_only=True)] == [
        "乙公司",
        "丙公司",
        None,
    ]
    said = [row[0] for row in book["错误汇总"].iter_rows(values_only=True) if row[0]]
    assert any("只列有问题的行" in str(text) for text in said)


def test_all_or_nothing_lets_nothing_in_while_a_row_is_rejected(desk: Desk) -> None:
    one = desk.check(BROKEN)
    with pytest.raises(TiduiError) as caught:
        desk.confirm(one, "all_or_nothing")
    assert code_of(caught) == "U410"
    assert desk.find(one.id).status == "checked"
    with desk.database.read() as connection:
        assert read_state(connection).edition_id is None


def test_a_file_without_one_good_row_cannot_be_confirmed(desk: Desk) -> None:
    one = desk.check("uscc,name\n123,甲公司\n")
    assert one.status == "checked"
    with pytest.raises(TiduiError) as caught:
        desk.confirm(one)
    assert code_of(caught) == "U411"


def test_confirming_twice_imports_once(desk: Desk) -> None:
    one = desk.confirm(desk.check(BROKEN))
    again = confirm(desk.database, one.id, "good_rows", owner=one.owner, actor=UPLOADER, now=NOW)
    assert (again.status, again.edition_id) == ("imported", one.edition_id)
    with pytest.raises(TiduiError) as caught:
        confirm(desk.database, one.id, "all_or_nothing", owner=one.owner, actor=UPLOADER, now=NOW)
    assert code_of(caught) == "U409"


def test_columns_mapped_by_hand_are_read_so_and_remembered(desk: Desk, tmp_path: Path) -> None:
    text = f"信用码,单位名,产值,人数2025\n{A},甲公司,3,5\n"
    one = desk.check(text)
    assert (one.status, (one.problem or {})["code"]) == ("refused", "E003")
    mapped = desk.map(
        one,
        {"信用码": {"column": "uscc"}, "单位名": {"column": "name"},
         "产值": {"column": "revenue_2025", "unit": "亿元"}, "人数2025": None},
    )  # fmt: skip
    assert mapped.report is not None
    taken = {c["header"]: (c["column"], c["how"]) for c in mapped.report["columns"]}
    assert taken == {
        "信用码": ("uscc", "chosen"), "单位名": ("name", "chosen"), "产值": ("revenue_2025", "chosen"),
        "人数2025": (None, "ignored"),
    }  # fmt: skip
    assert desk.confirm(mapped).status == "imported"
    assert shelf(desk, tmp_path).firm(A).facts["revenue_2025"].value == 300_000_000
    mine = desk.check(text.replace("甲公司", "甲新公司"))
    assert (mine.status, mine.report is not None) == ("checked", True)
    other = desk.check(text, owner="key:other")
    assert other.status == "refused"


def test_a_choice_can_be_forgotten(desk: Desk) -> None:
    one = desk.map(desk.check(f"uscc,revenue_2025\n{A},3\n"), {"revenue_2025": None})
    assert one.report is not None
    assert one.report["columns"][1]["column"] is None
    again = desk.map(one, {"revenue_2025": {}})
    assert again.report is not None
    assert again.report["columns"][1]["column"] == "revenue_2025"


def test_the_same_bytes_read_otherwise_are_another_edition(desk: Desk, tmp_path: Path) -> None:
    text = f"uscc,产值\n{A},3\n"
    first = desk.confirm(desk.check(text))
    second = desk.check(text + f"{B},4\n")
    desk.confirm(desk.map(second, {"产值": {"column": "revenue_2025", "unit": "元"}}))
    assert shelf(desk, tmp_path).firm(B).facts["revenue_2025"].value == 4
    assert first.edition_id != desk.find(second.id).edition_id


def test_what_cannot_be_said_of_a_column() -> None:
    found = complaints(
        {"甲": {"column": "nothing"}, "乙": {"column": "revenue_2025"}, "丙": {"column": "employees_2025"},
         "丁": {"column": "employees_2025"}, "戊": None},
        headers=["甲", "乙", "丙", "丁"],
    )  # fmt: skip
    assert [(one.header, one.code) for one in found] == [
        ("甲", "U422"), ("乙", "U423"), ("丁", "U424"), ("戊", "U421"),
    ]  # fmt: skip


def test_the_same_bytes_twice_are_one_upload(desk: Desk) -> None:
    first = desk.bring(BROKEN)
    assert desk.bring(BROKEN, "别名.csv").id == first.id
    assert desk.bring(BROKEN, dated=SEPTEMBER).id != first.id
    assert desk.bring(BROKEN, owner="key:other").id != first.id
    assert len(store_of(desk.settings).list("uploads")) == 3
    desk.set(first, status="failed")
    second = desk.bring(BROKEN)
    assert second.id != first.id
    desk.set(second, status="refused", problem='{"code": "U501"}')  # what stopped may do so no more
    assert desk.bring(BROKEN).id != second.id


def test_one_sees_ones_own_uploads(desk: Desk) -> None:
    mine = [desk.bring(BROKEN + str(number), at=NOW.replace(minute=number)) for number in range(3)]
    other = desk.bring(BROKEN, owner="key:other", at=NOW.replace(minute=9))

    def ids(found: list[Upload]) -> list[str]:
        return [one.id for one in found]

    with desk.database.read() as connection:
        assert ids(list_uploads(connection, "key:uploader", limit=2)) == [mine[2].id, mine[1].id]
        assert ids(list_uploads(connection, "key:uploader", after=mine[1].id)) == [mine[0].id]
        assert ids(list_uploads(connection, limit=1)) == [other.id]


def test_deleting_removes_the_files_and_the_report(desk: Desk) -> None:
    one = desk.check(BROKEN)
    delete_upload(desk.database, desk.settings, one.id, owner=one.owner, actor=UPLOADER, now=NOW)
    assert store_of(desk.settings).list("uploads") == []
    with pytest.raises(UploadUnknown):
        desk.find(one.id)
    assert desk.bring(BROKEN).id != one.id
    with desk.database.read() as connection:
        actions = [record.action for record in records(connection, object=f"upload:{one.id}")]
    assert actions == ["upload.delete", "upload.receive"]


def test_what_was_imported_is_not_deleted(desk: Desk) -> None:
    one = desk.confirm(desk.check(BROKEN))
    with pytest.raises(TiduiError) as caught:
        delete_upload(desk.database, desk.settings, one.id, owner=one.owner, actor=UPLOADER, now=NOW)
    assert code_of(caught) == "U409"
    assert store_of(desk.settings).exists(file_key(one.id))


def test_a_file_beyond_the_limit_is_dropped_at_once(desk: Desk) -> None:
    small = replace(desk.settings, upload_limit=1_000)
    with incoming(small) as part:
        part.write(b"x" * 600)
        with pytest.raises(TooLarge):
            part.write(b"x" * 600)
    assert list((desk.settings.data / "incoming").iterdir()) == []
    assert check_next(desk.database, desk.settings) is None


def test_a_full_disk_takes_nothing_and_says_so(desk: Desk) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with incoming(desk.settings) as part:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))  # as if there were no more room
        try:
            with pytest.raises(NoRoom) as caught:
                part.write(b"x" * 100_000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (caught.value.code, caught.value.status) == ("U507", 507)
    assert list((desk.settings.data / "incoming").iterdir()) == []
