"""The result workbook and the error table, as the person who opens them sees them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from textwrap import dedent

import openpyxl
import polars as pl
import pytest
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from models.errors import Text, TiduiError
from models.tabular import results
from models.tabular.issue_table import ISSUE_COLUMNS, issue_table_path, neutralise, write_issue_table
from models.tabular.issues import Issue, IssueLog
from models.tabular.result_columns import reason
from models.tabular.results import ResultGuide, StandardGuide, write_result_workbook

CONDITIONS = {
    "niche_years": Text("从事细分市场 ≥ 3 年", "at least 3 years in the niche"),
    "revenue": Text("营业收入 ≥ 1500万元", "revenue of at least 15,000,000"),
    "market_position": Text("市场占有率较为靠前", "market share near the top"),
}
SIZE = StandardGuide(
    "size.n300", Text("企业规模", "size class"), "企业规模", "300号", True, {}, is_value=True
)
OLD = StandardGuide(
    "srdi.n63",
    Text("专精特新（63号）", "srdi 2022"),
    "专精特新（2022）",
    "63号",
    False,
    CONDITIONS,
    has_score=True,
)
NEW = StandardGuide(
    "srdi.n2",
    Text("专精特新（2号）", "srdi 2026"),
    "专精特新（2026）",
    "2号",
    True,
    CONDITIONS,
    frozenset({"market_position"}),
)
GUIDE = ResultGuide(
    title=Text("梯队评估结果", "Where firms stand"),
    as_of=date(2026, 6, 30),
    kind="new",
    rulebook="sha256:abc",
    source="firms.csv",
    rungs={0: Text("规下", "below scale"), 3: Text("专精特新", "srdi")},
    standards=[SIZE, OLD, NEW],
)
RESULT = pl.DataFrame(
    {
        "uscc": ["91310000000000000U", "91310115000000000Q", "9131", "91310115MA1H7X2W0X"],
        "name": ["甲公司", "=1+1", "丙公司", "http://丁"],
        "recognised": [0, 3, None, 0],
        "qualifies": [0, 3, None, 0],
        "could_reach": [3, 3, None, 0],
        "size.n300": ["small", "unknown", None, "large"],
        "size.n300.unmet": ["", "", None, ""],
        "size.n300.open": ["", "", None, ""],
        "srdi.n63": ["unknown", "met", None, "unmet"],
        "srdi.n63.low": [55.0, 80.0, None, 12.5],
        "srdi.n63.high": [72.0, 80.0, None, 12.5],
        "srdi.n63.unmet": ["", "niche_years", None, "niche_years;revenue"],
        "srdi.n63.open": ["revenue", "", None, ""],
        "srdi.n2": ["review", "met", None, "unmet"],
        "srdi.n2.unmet": ["", "", None, "niche_years"],
        "srdi.n2.open": ["market_position", "", None, "revenue;market_position"],
        "error": [None, None, "E103 代码应为 18 位，这里是 4 位", None],
    }
)


def issue_log() -> IssueLog:
    log = IssueLog()
    log.add(
        [
            Issue("E201", 5, "2025年营业收入（万元）", "=HYPERLINK(1)"),
            Issue("E103", 4, "统一社会信用代码", "9131", {"length": 4}),
            Issue("E102", 3, "统一社会信用代码", "91310115000000000Q"),
        ]
    )
    return log


NOTES = [Issue("E301", column="备注")]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    path = tmp_path_factory.mktemp("result") / "结果.xlsx"
    write_result_workbook(path, RESULT, GUIDE, issue_log(), NOTES)
    return openpyxl.load_workbook(path)


def columns(sheet: Worksheet) -> dict[str, list[object]]:
    return {str(column[0].value): [cell.value for cell in column[1:]] for column in sheet.iter_cols()}


def texts(sheet: Worksheet) -> list[list[object]]:
    return [[value for value in row if value is not None] for row in sheet.iter_rows(values_only=True)]


def test_opens_on_the_result(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == ["结果", "汇总", "列说明", "错误"]
    assert book.active is book["结果"]


def test_keeps_every_column_of_the_result_in_order_and_as_it_is(book: openpyxl.Workbook) -> None:
    found = columns(book["结果"])
    assert [name for name in found if name in RESULT.columns] == RESULT.columns
    for name in RESULT.columns:
        assert found[name] == [value if value != "" else None for value in RESULT[name]]


def test_says_each_verdict_in_words_with_its_reason(book: openpyxl.Workbook) -> None:
    found = columns(book["结果"])
    assert found["评估状态"] == ["已评估", "已评估", "未评估：E103 代码应为 18 位，这里是 4 位", "已评估"]
    assert found["现有梯级"] == ["规下", "专精特新", None, "规下"]
    assert found["可望梯级（预评估）"] == ["专精特新", "专精特新", None, "规下"]
    assert found["企业规模 结论"] == ["小型", "缺数据", None, "大型"]
    assert found["专精特新（2022） 结论（非现行）"] == ["缺数据", "达标", None, "未达标"]
    assert found["专精特新（2022） 原因"] == [
        "得分 55～72\n1. 缺数据，要求：营业收入 ≥ 1500万元",
        "得分 80",
        None,
        "得分 12.5\n1. 未达标，要求：从事细分市场 ≥ 3 年\n2. 未达标，要求：营业收入 ≥ 1500万元",
    ]
    assert found["专精特新（2026） 结论"] == ["待核验", "达标", None, "未达标"]
    assert found["专精特新（2026） 原因"] == [
        "1. 待核验，要求：市场占有率较为靠前",
        None,
        None,
        "1. 未达标，要求：从事细分市场 ≥ 3 年\n"
        "2. 缺数据，要求：营业收入 ≥ 1500万元\n"
        "3. 待核验，要求：市场占有率较为靠前",
    ]


def test_a_condition_without_a_sentence_is_shown_by_its_id() -> None:
    assert reason(NEW, "unmet", "odd", None) == "1. 未达标，要求：odd"


def test_text_is_never_a_formula_or_a_link(book: openpyxl.Workbook) -> None:
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" and cell.hyperlink is None for cell in row)
    assert book["结果"]["B3"].value == "=1+1"


def test_stays_readable_while_scrolling(book: openpyxl.Workbook) -> None:
    sheet = book["结果"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == f"A1:{get_column_letter(sheet.max_column)}5"
    assert all(cell.comment for cell in sheet[1])
    assert sheet["A2"].number_format == "@"


def test_folds_the_key_columns_away_and_shows_the_words(book: openpyxl.Workbook) -> None:
    sheet = book["结果"]
    folded = set()
    for span in sheet.column_dimensions.values():
        if span.hidden:
            folded |= set(range(span.min or 0, (span.max or 0) + 1))
    shown = [cell.value for number, cell in enumerate(sheet[1], 1) if number not in folded]
    assert shown == [
        *("uscc", "name", "评估状态", "现有梯级", "达标梯级（预评估）", "可望梯级（预评估）"),
        *("企业规模 结论", "企业规模 原因", "专精特新（2022） 结论（非现行）", "专精特新（2022） 原因"),
        *("专精特新（2026） 结论", "专精特新（2026） 原因", "error"),
    ]


def test_verdicts_have_their_colours(book: openpyxl.Workbook) -> None:
    sheet = book["结果"]
    column = next(cell.column for cell in sheet[1] if cell.value == "专精特新（2026） 结论")
    fills = {cell.value: cell.fill.fgColor.rgb for (cell,) in sheet.iter_rows(2, 5, column, column)}
    assert len({fills["达标"], fills["待核验"], fills["未达标"], fills[None]}) == 4


def test_sums_up(book: openpyxl.Workbook) -> None:
    lines = texts(book["汇总"])
    assert lines[1] == ["预评估，不构成认定 · An assessment, not a recognition"]
    for about in (["评估日期 As of", "2026-06-30"], ["规则库 Rulebook (hash)", "sha256:abc"]):
        assert about in lines
    assert ["企业数 Firms", 4] in lines
    assert ["其中未能评估 Not judged", 1] in lines
    assert ["专精特新", "srdi", 1, 1, 2] in lines
    assert ["专精特新（2022）（srdi.n63）", "63号", "非现行 no", 1, 0, 1, 1] in lines
    assert ["专精特新（2026）（srdi.n2）", "2号", "现行 yes", 1, 1, 0, 1] in lines
    assert ["企业规模（size.n300）", "300号", "现行 yes", 1, 0, 1, 0, 1] in lines
    assert ["专精特新（2022）", "营业收入 ≥ 1500万元", "revenue", 1, 1, 1] in lines
    assert ["专精特新（2026）", "市场占有率较为靠前", "market_position", 0, 2, 1] in lines
    assert ["E103 整行未评估", "代码应为 18 位，这里是 … 位", 1] in lines


def test_a_zero_that_only_says_that_figures_are_missing_is_told_apart(tmp_path: Path) -> None:
    scale = StandardGuide("scale", Text("规上", "above scale"), "规上", "国统字", True, {})
    notice = Text("文件里最新的年份是 2021 年", "the newest year is 2021")
    guide = replace(
        GUIDE,
        standards=[scale],
        scale="scale",
        titles_given=False,
        rungs={0: GUIDE.rungs[0]},
        notices=[notice],
    )
    rows = RESULT.select("uscc", "name", "recognised", "qualifies", "could_reach").with_columns(
        pl.Series("scale", ["unknown", "met", None, "unmet"]), error=RESULT["error"]
    )
    write_result_workbook(tmp_path / "r.xlsx", rows, guide, IssueLog(), [])
    lines = texts(openpyxl.load_workbook(tmp_path / "r.xlsx")["汇总"])
    assert ["文件里最新的年份是 2021 年 · the newest year is 2021"] in lines
    assert ["规下", "below scale", 2, 2, 1] in lines
    assert ["　其中缺数据、定不了的", "　of these not known: figures are missing", 2, 1, 0] in lines


def test_explains_every_column_word_and_condition(book: openpyxl.Workbook) -> None:
    lines = texts(book["列说明"])
    explained = {line[0]: line for line in lines if line}
    for cell in book["结果"][1]:
        assert len(explained[str(cell.value)]) >= 3
    for word in ("达标", "待核验", "缺数据", "未达标", "大型", "微型"):
        assert word in explained
    attested = explained["srdi.n2　market_position"]
    assert attested[1:] == [
        "专精特新（2026）：市场占有率较为靠前",
        "market share near the top",
        "人工 by a person",
    ]


def test_lists_every_issue_in_both_languages(book: openpyxl.Workbook) -> None:
    rows = list(book["错误"].iter_rows(values_only=True))
    assert rows[0][:10] == ISSUE_COLUMNS
    assert [row[:6] for row in rows[1:]] == [
        (None, "备注", None, "E301", "说明", "未识别的列“备注”，已忽略"),
        (3, "统一社会信用代码", "91310115000000000Q", "E102", "提醒", "校验位错误"),
        (4, "统一社会信用代码", "9131", "E103", "整行未评估", "代码应为 18 位，这里是 4 位"),
        (5, "2025年营业收入（万元）", "=HYPERLINK(1)", "E201", "按缺数据处理", "不是数字"),
    ]
    assert rows[1][8] == "Column “备注” is not known and is ignored"
    counts = {row[11]: row[13] for row in rows[1:]}
    assert counts == {"E102": 1, "E103": 1, "E201": 1, "E301": 1}
    assert book["错误"].freeze_panes == "A2"


def test_says_so_when_there_is_nothing_to_correct(tmp_path: Path) -> None:
    write_result_workbook(tmp_path / "r.xlsx", RESULT, GUIDE, IssueLog(), [])
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx")["错误"]
    assert "没有发现问题 · No issues found" in [cell.value for cell in sheet[2]]


def test_more_codes_than_issues_listed_are_all_counted(tmp_path: Path) -> None:
    log = IssueLog(listed_limit=1)
    log.add(Issue(code, row, "统一社会信用代码") for row, code in enumerate(["E101", "E102", "E105"], 2))
    write_result_workbook(tmp_path / "r.xlsx", RESULT, GUIDE, log, [])
    rows = list(openpyxl.load_workbook(tmp_path / "r.xlsx")["错误"].iter_rows(values_only=True))
    assert [row[3] for row in rows[1:]] == ["E308", "E101", None]
    assert [row[11] for row in rows[1:]] == ["E101", "E102", "E105"]


def test_asks_for_the_result_once_and_reads_the_issues_after(tmp_path: Path) -> None:
    log, ran = IssueLog(), []

    def result(into: Path) -> None:
        ran.append(RESULT.height)
        RESULT.write_parquet(into)
        log.add([Issue("E106", 2, "统一社会信用代码", "9131", {"others": 3})])

    write_result_workbook(tmp_path / "r.xlsx", result, GUIDE, log, [])
    found = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert ran == [RESULT.height]
    assert found["错误"]["D2"].value == "E106"
    assert columns(found["结果"])["name"] == RESULT["name"].to_list()
    assert [path.name for path in tmp_path.iterdir()] == ["r.xlsx"]


def test_writes_part_of_the_standards(tmp_path: Path) -> None:
    some = RESULT.select("uscc", "name", "srdi.n2", "error")
    write_result_workbook(tmp_path / "r.xlsx", some, GUIDE, IssueLog(), [])
    found = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert columns(found["结果"])["专精特新（2026） 结论"][0] == "待核验"


def test_no_firms_is_still_a_workbook(tmp_path: Path) -> None:
    write_result_workbook(tmp_path / "r.xlsx", RESULT.clear(), GUIDE, IssueLog(), [])
    assert openpyxl.load_workbook(tmp_path / "r.xlsx")["结果"].max_row == 1


@pytest.mark.parametrize("name", ["<r>甲</r>", "<r><t>甲", "甲&乙<丙>\x01", " 甲 ", "甲" * 40_000])
def test_any_name_leaves_a_sound_workbook(tmp_path: Path, name: str) -> None:
    write_result_workbook(tmp_path / "r.xlsx", RESULT.with_columns(name=pl.lit(name)), GUIDE, IssueLog(), [])
    found = str(openpyxl.load_workbook(tmp_path / "r.xlsx")["结果"]["B2"].value)
    assert found.replace("_x0001_", "\x01").strip()[:32_000] == name.strip()[:32_000]


def test_refuses_more_firms_than_a_sheet_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MOST_ROWS", 3)
    with pytest.raises(TiduiError, match="E403"):
        write_result_workbook(tmp_path / "r.xlsx", RESULT, GUIDE, IssueLog(), [])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_workbook(tmp_path: Path) -> None:
    code = """
        import resource, sys, tests.tabular.test_results as t
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        try:
            many = t.pl.concat([t.RESULT] * 5_000)
            t.write_result_workbook(t.Path(sys.argv[1]), many, t.GUIDE, t.issue_log(), [])
        except t.TiduiError as error:
            print(error.code)
    """
    given = [sys.executable, "-c", dedent(code), str(tmp_path / "r.xlsx")]
    root = Path(__file__).parents[2]
    done = subprocess.run(given, capture_output=True, text=True, timeout=60, cwd=root, check=False)
    assert done.stdout.strip() == "E402", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_error_table_stands_beside_the_result(tmp_path: Path) -> None:
    path = issue_table_path(tmp_path / "结果.parquet")
    assert path == tmp_path / "结果_错误.csv"
    write_issue_table(path, issue_log(), NOTES)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    table = pl.read_csv(path, infer_schema=False)
    assert tuple(table.columns) == ISSUE_COLUMNS
    assert table["行号"].to_list() == [None, "3", "4", "5"]
    assert table["原值"].to_list() == [None, "91310115000000000Q", "9131", "'=HYPERLINK(1)"]
    assert table["what to do"][1] == "Compare the code with the business licence"


def test_error_table_without_issues_is_a_header(tmp_path: Path) -> None:
    write_issue_table(tmp_path / "r_错误.csv", IssueLog(), [])
    assert pl.read_csv(tmp_path / "r_错误.csv").shape == (0, len(ISSUE_COLUMNS))


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_neutralises_what_a_spreadsheet_would_run(first: str) -> None:
    frame = pl.LazyFrame({"name": [f"{first}SUM(A1)", "甲=乙", None, ""]})
    out = frame.select(neutralise(pl.col("name"))).collect(engine="streaming")
    assert out["name"].to_list() == [f"'{first}SUM(A1)", "甲=乙", None, ""]
