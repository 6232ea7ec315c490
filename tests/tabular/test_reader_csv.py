"""Text files in every dialect; row numbers as the sheet shows them; nothing lost, nothing guessed."""

from __future__ import annotations

import csv
import io
import itertools
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import FileRefused
from models.fields import NO_TITLE, catalogue
from models.tabular import csvblocks, csvfile
from models.tabular.cells import reader_for
from models.tabular.issues import IssueLog
from models.tabular.reader import open_table
from models.tabular.survey import record_blocks
from tests.tabular.files import Read, code

HEADER = "统一社会信用代码,企业名称,2025年营业收入（万元）"


def table(*rows: str, header: str = HEADER, end: str = "\n") -> str:
    return end.join([header, *rows, ""])


def firm(number: int, name: str = "某某有限公司", revenue: object = 1) -> str:
    return f"{code(number)},{name},{revenue}"


def refused(read: Read, content: Path | bytes | str) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read(content)
    return caught.value


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-32", "utf-32"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_every_dialect(read: Read, encoding: str, told: str, end: str, separator: str) -> None:
    text = table(firm(1, "䶮某有限公司", 1.5), firm(2), end=end).replace(",", separator)
    found = read(text.encode(encoding))
    assert (found.encoding, found.separator, found.kind) == (told, separator, "csv")
    assert found.column("row") == [2, 3]
    assert found.column("uscc") == [code(1), code(2)]
    assert found.column("name") == ["䶮某有限公司", "某某有限公司"]
    assert found.column("revenue_2025") == [15000, 10000]
    assert found.issues == []


def test_row_numbers_stay_those_of_the_sheet(read: Read) -> None:
    text = "\n".join(
        [
            "企业清单",
            "单位：万元",
            "",
            HEADER,
            firm(1),
            "",
            f'{code(2)},"某某\n\n有限公司",2',
            ",,",
            "  ",
            firm(3),
        ]
    )
    found = read(text + "\n,,\n\n")
    assert found.header_row == 4
    assert found.column("row") == [5, 7, 10]
    assert found.column("name")[1] == "某某\n\n有限公司"
    assert [(note.code, dict(note.details)) for note in found.notes] == [("E306", {"count": 5})]


def test_a_quoted_header_may_hold_line_breaks(read: Read) -> None:
    found = read(f'统一社会信用代码,"2025年\n营业收入\n（万元）"\n{code(1)},3\n')
    assert found.column("revenue_2025") == [30000]
    assert found.column("row") == [2]
    assert found.column("name") == [None]


def test_quotes_that_no_reader_minds(read: Read) -> None:
    rows = [f'"{code(1)}","甲""乙""有限公司","1,000"', f'{code(2)},"",2', f'"{code(3)}",丙丁戊己庚,"3"']
    found = read(table(*rows))
    assert found.column("name") == ['甲"乙"有限公司', None, "丙丁戊己庚"]
    assert found.column("revenue_2025") == [10_000_000, 20000, 30000]
    assert found.codes == [(3, "企业名称", "E107")]


def test_stray_quotes_are_kept_as_written(read: Read) -> None:
    found = read(table(f'{code(1)},5"管材厂,1', "", f'{code(2)},甲"乙"丙,2', f'{code(3)},"甲"乙丙丁戊,3'))
    assert found.column("row") == [2, 4, 5]
    assert found.column("name") == ['5"管材厂', '甲"乙"丙', "甲乙丙丁戊"]
    assert found.column("revenue_2025") == [10000, 20000, 30000]
    assert found.note_codes == ["E306"]


def test_a_quote_that_is_never_closed_is_refused_with_its_row(read: Read) -> None:
    error = refused(read, table(firm(1), f'{code(2)},"某某,2', firm(3), firm(4)))
    assert error.code == "E015"
    assert "第 3 行" in error.message.zh


def test_rows_with_more_and_fewer_cells_than_the_header(read: Read) -> None:
    found = read(table(firm(1) + ",", firm(2) + ",,9", code(3), firm(4)))
    assert found.column("error")[1] == "E108 该行列数多于表头，数据可能错位"
    assert found.column("revenue_2025") == [10000, None, None, 10000]
    assert [code for _, _, code in found.codes] == ["E108", "E107"]


@pytest.mark.parametrize("quoted", [False, True])
def test_a_file_cut_in_half_says_where(read: Read, quoted: bool) -> None:
    name = '"甲,乙"有限公司' if quoted else "甲乙有限公司"
    whole = table(*(firm(number, name if number == 1 else "某某有限公司") for number in range(40))).encode()
    found = read(whole[: len(whole) // 2])
    assert found.firms["error"].drop_nulls().to_list() == ["E109 文件在这一行中断，该行不完整"]
    assert found.column("error")[-1] is not None
    assert found.column("revenue_2025")[:-1] == [10000] * (found.firms.height - 1)
    assert found.column("row") == list(range(2, found.firms.height + 2))


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_file_cut_within_a_character(read: Read, encoding: str) -> None:
    text = table(firm(1), f"{code(2)},某").encode(encoding)
    found = read(text[:-2])
    assert found.column("uscc") == [code(1), code(2)]
    assert found.codes == [(3, None, "E109")]


def test_a_last_line_without_its_end_is_whole(read: Read) -> None:
    found = read(table(firm(1), firm(2)).rstrip("\n"))
    assert found.issues == []
    assert found.column("revenue_2025") == [10000, 10000]


def test_bytes_that_are_no_text_are_refused_with_their_place(read: Read) -> None:
    good = table(firm(1)).encode()
    error = refused(read, good + b"\xff\xff,,\n")
    assert error.code == "E004"
    assert f"第 {len(good) + 1} 字节（第 3 行）" in error.message.zh


def test_one_bad_byte_in_utf8_is_not_read_as_gb18030(read: Read) -> None:
    text = table(*(firm(number) for number in range(30))).encode()
    broken = text.replace("某某".encode(), b"\xe6\x9f", 1)
    assert refused(read, broken).code == "E004"


def test_gb18030_that_shows_only_late_in_the_file(read: Read) -> None:
    rows = [f"{code(number)},ABCDEFGHIJ,{number}" for number in range(40_000)]
    text = table(*rows, firm(50_000, "上海某某有限公司"), header="uscc,name,revenue_2025")
    found = read(text.encode("gb18030"))
    assert found.encoding == "gb18030"
    assert found.column("name")[-1] == "上海某某有限公司"
    assert found.firms.height == 40_001
    assert found.column("row") == list(range(2, 40_003))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "E001"),
        ("\ufeff", "E001"),
        (" \r\n\r\n", "E001"),
        (HEADER + "\n", "E002"),
        (HEADER, "E002"),
        (HEADER + "\n,,\n\n", "E002"),
        ("企业名称,营业收入\n某某,1\n", "E003"),
        ("<html><table>", "E005"),
        ('{"uscc": 1}', "E005"),
        ("a\0b\0c", "E005"),
        ("%PDF-1.7", "E005"),
        (b"\x1f\x8b\x08\x00", "E005"),
    ],
)
def test_refusals(read: Read, content: str | bytes, code: str) -> None:
    assert refused(read, content).code == code


def test_files_that_are_not_there(read: Read, tmp_path: Path) -> None:
    assert refused(read, tmp_path / "none.csv").code == "E011"
    assert refused(read, tmp_path).code == "E012"


def test_every_row_comes_out_with_its_own_reason(read: Read) -> None:
    wrong = code(5)[:-1] + ("0" if code(5)[-1] != "0" else "1")
    rows = [",某某,1", "91310115,某某,2", "91310115MAIK4B8X0R,某某,3", "9.144030061884709e+17,某某,4"]
    found = read(table(*rows, f"{wrong},NA,5", f"{code(6)},—,6"))
    assert [error and error[:4] for error in found.column("error")] == [
        "E101",
        "E103",
        "E104",
        "E105",
        None,
        None,
    ]
    assert found.column("error")[1] == "E103 代码应为 18 位，这里是 8 位"
    assert found.column("uscc")[1] == "91310115"
    assert found.column("revenue_2025") == [None, None, None, None, 50000, 60000]
    assert found.column("name")[4:] == ["NA", None]
    assert [c for _, _, c in found.codes] == ["E101", "E103", "E104", "E105", "E102", "E107"]


def test_cells_of_an_unreadable_row_are_not_reported(read: Read) -> None:
    assert read(table("1,某某,x")).codes == [(2, "统一社会信用代码", "E103")]


def test_bad_cells_are_missing_and_told(read: Read) -> None:
    header = "uscc,name,revenue_2025,established_on,niche_share,digital_level,industry"
    header += ",title_srdi_until,legal_person"
    good = "5,2020-01-02,10%,3,C3911,无,是"
    bad = "-5,20-01-02,1.5,9,X,有,maybe"
    found = read(table(f"{code(1)},某某公司,{good}", f"{code(2)},某某公司,{bad}", header=header))
    assert {c for _, _, c in found.codes} == {"E202", "E206", "E209", "E203", "E210", "E216", "E207"}
    assert all(row == 3 for row, _, _ in found.codes)
    assert found.firms.row(1)[4:] == (None,) * 7
    assert found.column("title_srdi_until")[0] == NO_TITLE
    assert found.issues[0].value == "-5"


def test_values_far_from_the_sample_are_read_all_the_same(read: Read) -> None:
    ordinary = [f"{code(n)},某某公司,{n},是,浦东新区,C3911,star" for n in range(700)]
    odd = f'{code(999)},某某公司,"1,234.5",√,310104,谷物种植,新三板'
    header = "uscc,name,revenue_2025,legal_person,district,industry,listed_board"
    found = read(table(*ordinary, odd, header=header))
    assert found.issues == []
    assert found.firms.row(700, named=True) == {
        "row": 702,
        "uscc": code(999),
        "name": "某某公司",
        "error": None,
        "district": "310104",
        "industry": 1103,
        "legal_person": True,
        "listed_board": "neeq",
        "revenue_2025": 1235,
    }


def test_codes_that_stand_twice_are_both_reported_and_both_judged(read: Read) -> None:
    rows = [firm(n) for n in (1, 2, 3)] + [f"{code(2).lower()},某某公司,7", firm(4), firm(2)]
    found = read(table(*rows))
    assert found.column("revenue_2025")[3] == 70000
    assert [(i.row, i.code, dict(i.details)) for i in found.issues] == [
        (3, "E106", {"others": "5、7"}),
        (5, "E106", {"others": "3、7"}),
        (7, "E106", {"others": "3、5"}),
    ]
    assert "另见第 5、7 行" in found.issues[0].text.zh


def test_only_what_is_asked_for_is_converted(read: Read) -> None:
    header = HEADER + ",2025年从业人员（人）"
    found = read(table(firm(1) + ",x", header=header), columns=["revenue_2025", "nothing_such"])
    assert found.firms.columns == ["row", "uscc", "name", "error", "revenue_2025"]
    assert found.issues == []


def test_types_are_the_canonical_ones(read: Read) -> None:
    header = "uscc,name,revenue_2025,established_on,niche_share,industry"
    header += ",title_srdi_until,legal_person,digital_level"
    schema = read(table(f"{code(1)},某某,1,,,,,,", header=header)).firms.schema
    assert schema == pl.Schema(
        {
            "row": pl.UInt32,
            "uscc": pl.String,
            "name": pl.String,
            "error": pl.String,
            "digital_level": pl.Int64,
            "established_on": pl.Date,
            "industry": pl.Int32,
            "legal_person": pl.Boolean,
            "niche_share": pl.Float64,
            "revenue_2025": pl.Int64,
            "title_srdi_until": pl.Date,
        }
    )


def test_what_stands_under_no_header_is_told(read: Read) -> None:
    found = read(table(firm(1) + ",x", header=HEADER + ","))
    assert [(note.code, note.column) for note in found.notes] == [("E301", "第 4 列（无表头）")]


def test_a_firm_is_found_by_code_part_or_name(tmp_path: Path) -> None:
    path = tmp_path / "firms.csv"
    path.write_text(table(*(firm(n, f"上海第{n:02}号有限公司", n) for n in range(30))), "utf-8")
    with open_table(path) as opened:
        assert [f["row"] for f in opened.firms(f" {code(7).lower()} ")] == [9]
        assert opened.firms(code(7))[0]["revenue_2025"] == 70000
        assert [f["name"] for f in opened.firms("第１２号")] == ["上海第12号有限公司"]
        assert len(opened.firms("MA00000")) == 20
        assert opened.firms("没有这家") == opened.firms("") == []


def test_temporary_files_go_with_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tmp_path / "firms.csv"
    path.write_bytes(table(firm(1)).encode("gb18030"))
    with open_table(path):
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(b"\xff" * 10)
    with pytest.raises(FileRefused):
        open_table(path)
    assert list(tmp_path.iterdir()) == [path]


def test_order_holds_over_many_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "_BLOCK", 1 << 20)
    path = tmp_path / "many.csv"
    lines = [f"{code(n)},某某有限公司,{n}" if n % 1000 else "" for n in range(60_000)]
    path.write_text(table(*lines), "utf-8")
    with open_table(path) as opened:
        pieces = list(opened.batches(["revenue_2025"], IssueLog()))
    assert len(pieces) > 1
    out = pl.concat(pieces)
    assert out["row"].to_list() == [n + 2 for n in range(60_000) if n % 1000]
    assert (out["revenue_2025"] == (out["row"].cast(pl.Int64) - 2) * 10_000).all()


@pytest.mark.parametrize("size", [1, 7, 40, 64, 1000])
def test_blocks_end_with_a_record(tmp_path: Path, size: int) -> None:
    path = tmp_path / "firms.csv"
    records = ['a,"b\nc"\n', "\n", 'd,"e""\n\n""f"\n', "g,h\n", '"i\n', '\nj",k']
    path.write_text("".join(records), "utf-8")
    blocks = [block.decode() for block in record_blocks(path, size, quoted=True)]
    assert "".join(blocks) == "".join(records)
    ends = {0, *itertools.accumulate(map(len, [*records[:4], "".join(records[4:])]))}
    assert set(itertools.accumulate(map(len, blocks))) <= ends


_NAME = st.text(alphabet='甲乙丙丁戊己庚辛ABC ,;"\n\t', min_size=5, max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_NAME, min_size=1, max_size=8))
def test_whatever_stands_between_quotes_comes_back(read: Read, names: list[str]) -> None:
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    found = read(table(*(firm(number, name) for number, name in enumerate(quoted))))
    assert found.column("row") == list(range(2, len(names) + 2))
    expected = [None if name.strip() in {"", "—"} else name.strip() for name in names]
    assert found.column("name") == expected


_COLUMNS = (
    ("2025年营业收入（万元）", "revenue", "万元"),
    ("2025年净利润（元）", "net_profit", "元"),
    ("2025年从业人员", "employees", None),
    ("全国细分市场占有率", "niche_share", None),
    ("成立日期", "established_on", None),
)
_ODD_CELLS = (
    "1", "+1", " 12", "12 ", "\t7", "-3", "-0", "-0.4", "0.5", "1.50", "007", "1e3", "1E-20", "1e400", "inf",
    "nan", "NaN", "0x10", "5.", ".5", "1_0", "1,234.50", "１２", "١", "12%", "1.2", "9223372036854775808",
    "12345678901234567.5", "—", "不详", "   ", "", "无", "2020-01-02", "2020-1-2", "12人", "true",
)  # fmt: skip
_ROW = st.tuples(*(st.sampled_from([*"1234567890", *_ODD_CELLS]) for _ in _COLUMNS))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_ROW, min_size=1, max_size=30), size=st.sampled_from([200, 1 << 20]))
def test_a_cell_is_read_as_it_is_read_alone(
    read: Read, monkeypatch: pytest.MonkeyPatch, rows: list[tuple[str, ...]], size: int
) -> None:
    """Whatever stands in the other cells of its column and of its block."""
    monkeypatch.setattr(csvfile, "_BLOCK", size)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["统一社会信用代码", "企业名称", *(header for header, _, _ in _COLUMNS)])
    writer.writerows([code(number), "某某有限公司", *cells] for number, cells in enumerate(rows))
    found = read(text.getvalue())
    for place, (header, key, unit) in enumerate(_COLUMNS):
        field = catalogue()[key]
        exact = [reader_for(field, unit)(row[place]) for row in rows]
        assert found.column(field.column(2025 if field.yearly else None)) == [cell.value for cell in exact]
        told = [(issue.row, issue.code, issue.value) for issue in found.issues if issue.column == header]
        expected = [
            (number, cell.code, row[place])
            for number, (cell, row) in enumerate(zip(exact, rows, strict=True), 2)
            if cell.code
        ]
        assert told == expected


def test_a_column_of_ever_new_words_is_read_to_its_end(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "_BLOCK", 2000)
    monkeypatch.setattr(csvblocks, "_MOST_WORDS", 40)
    days = [date(2000, 1, 1) + timedelta(number) for number in range(500)]
    rows = [f"{code(number)},某某有限公司,{day}" for number, day in enumerate(days)]
    found = read(table(*rows, header="统一社会信用代码,企业名称,成立日期"))
    assert found.column("established_on") == days


def test_what_a_cell_says_is_told_as_written_beside_blank_rows(read: Read) -> None:
    """A parser has made numbers of the column, and the blank row is not among them."""
    header = "统一社会信用代码,企业名称,全国细分市场占有率"
    found = read(table(f"{code(1)},甲公司,0.25", ",,", f"{code(2)},乙公司,1.50", header=header))
    assert found.column("niche_share") == [0.25, None]
    assert [(issue.row, issue.code, issue.value) for issue in found.issues] == [(4, "E209", "1.50")]
