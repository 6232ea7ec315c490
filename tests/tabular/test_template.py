"""The template: everything the person who fills it in meets."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from models.codes import districts, industries, strategic_emerging
from models.errors import TiduiError
from models.fields import catalogue
from models.tabular.template import TEMPLATE_VERSION, VERSION_NAME, template_columns, write_template

YEARS = (2025, 2024, 2023)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    path = tmp_path_factory.mktemp("template") / "模板.xlsx"
    write_template(path, YEARS)
    return openpyxl.load_workbook(path)


def header(sheet: Worksheet, row: int = 1) -> list[str]:
    return [str(cell.value) for cell in sheet[row] if cell.value is not None]


def test_opens_on_the_sheet_to_fill_in(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == ["填写说明", "数据", "字典"]
    assert book.active is book["数据"]
    assert book.defined_names[VERSION_NAME].attr_text == f'"{TEMPLATE_VERSION}"'


def test_every_field_has_its_column_for_every_year(book: openpyxl.Workbook) -> None:
    headers = header(book["数据"])
    yearly = sum(field.yearly for field in catalogue())
    single = sum(not field.yearly for field in catalogue())
    assert len(headers) == len(set(headers)) == yearly * len(YEARS) + single
    assert headers[:2] == ["统一社会信用代码", "企业名称"]
    assert headers.index("2025年营业收入（万元）") < headers.index("2024年营业收入（万元）")
    assert headers.index("2025年在统规上") < headers.index("2024年营业收入（万元）")


def test_holds_no_row_that_could_be_read_as_a_firm(book: openpyxl.Workbook) -> None:
    assert book["数据"].max_row == 1


def test_header_stays_in_sight_and_says_what_it_means(book: openpyxl.Workbook) -> None:
    sheet = book["数据"]
    assert sheet.freeze_panes == "C2"
    for cell in sheet[1]:
        assert cell.comment is not None
        assert "格式：" in cell.comment.text
        assert "Blank:" in cell.comment.text


def test_codes_are_text_and_shares_are_percentages(book: openpyxl.Workbook) -> None:
    sheet = book["数据"]
    spans = [(span.min or 0, span.max or 0, span.number_format) for span in sheet.column_dimensions.values()]
    formats = {
        column.field.key: next(style for low, high, style in spans if low <= number <= high)
        for number, column in enumerate(template_columns(YEARS), 1)
    }
    assert {formats[key] for key in ("uscc", "name", "district", "industry")} == {"@"}
    assert formats["niche_share"] == "0.00%"
    assert formats["title_srdi_until"] == "yyyy-mm-dd"


def test_choices_drop_down(book: openpyxl.Workbook) -> None:
    sheet = book["数据"]
    headers = header(sheet)
    lists = {}
    for rule in sheet.data_validations.dataValidation:
        for span in rule.sqref.ranges:
            lists[headers[span.min_col - 1]] = rule.formula1
            assert (span.min_row, span.max_row) == (2, 1_048_576)
    assert lists["独立法人"] == '"是,否"'
    assert lists["2024年在统规上"] == '"是,否"'
    assert lists["研发机构级别"] == '"无,自建未认定,市级以下,市级,省级,国家级"'
    chosen = [cell.value for (cell,) in book["字典"][str(lists["所在区"]).split("!")[1]]]
    assert chosen == list(districts().names.values())
    choosing = [
        c for c in template_columns(YEARS) if c.field.type in {"bool", "enum"} or c.field.key == "district"
    ]
    assert set(lists) == {column.header for column in choosing}


def test_explains_every_field(book: openpyxl.Workbook) -> None:
    rows = list(book["填写说明"].iter_rows(values_only=True))
    top = next(number for number, row in enumerate(rows) if row[0] == "表头")
    lines = {row[12]: row for row in rows[top + 1 :]}
    assert list(lines) == [field.key for field in catalogue()]
    assert all(text for row in lines.values() for place, text in enumerate(row) if place != 2)
    revenue = lines["revenue"]
    assert revenue[:3] == ("2025年营业收入（万元）", "当年营业收入（每年一列）", "万元")
    assert lines["uscc"][4] == "必填"
    assert lines["abnormal_listed"][6] == "待核验（由人核对）"
    assert "2027-06-30" in str(lines["title_srdi_until"][3])


def test_code_tables_are_complete(book: openpyxl.Workbook) -> None:
    columns = {
        col[1].value: [c.value for c in col[2:] if c.value]
        for col in book["字典"].iter_cols()
        if col[1].value
    }
    assert len(columns["行业代码"]) == len(industries().names)
    assert {"C", "C39", "C3911", "A0111"} <= set(columns["行业代码"])
    assert columns["名称"] == list(strategic_emerging())
    assert "小巨人" not in columns["填写"]
    assert "北交所" in columns["填写"]


def test_refuses_a_place_it_cannot_write_to(tmp_path: Path) -> None:
    with pytest.raises(TiduiError, match="E401"):
        write_template(tmp_path / "missing" / "模板.xlsx", YEARS)
