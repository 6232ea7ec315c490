"""The template workbook: how to fill in, the sheet to fill in, the code tables (conventions.md §3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from models.codes import districts, industries, strategic_emerging
from models.fields import Field, catalogue
from models.tabular.output import atomic_output
from models.tabular.sheet import row_height
from models.tabular.wording import blank_text, example, file_header, format_text, note, required_text

TEMPLATE_VERSION = "1"
VERSION_NAME = "tidui_template_version"
HELP_SHEET, DATA_SHEET, CODES_SHEET = "填写说明", "数据", "字典"

_LAST_ROW = 1_048_575
"""Zero-based last row of a sheet; drop-downs reach to it."""

_HELP_HEADERS = (
    ("表头", 34),
    ("含义", 52),
    ("单位", 8),
    ("格式", 40),
    ("是否必填", 10),
    ("示例", 22),
    ("留空表示", 28),
    ("English", 36),
    ("Meaning", 60),
    ("Format", 48),
    ("Required", 10),
    ("A blank means", 40),
    ("键名 key", 26),
)
_HELP_LINES = (
    "① 在“数据”表里填写：一行一家企业，从第 2 行起。每列要填什么，看下表，或把鼠标停在表头上。",
    "② 只有统一社会信用代码和企业名称（橙色表头）必填。其余按要评估的标准填；不用的列可以删除，次序可变。",
    "③ 没有数据就留空：留空是“缺数据”，不是 0，也不是“否”。确实为 0 就填 0，确实没有就填“否”或“无”。",
    "④ 金额单位在表头里（万元）；改用元或亿元时，请把表头里的单位一起改掉。年份也写在表头里。",
    "⑤ 填好后运行：tidui score 本文件.xlsx -o 结果.xlsx",
    "Fill in sheet 数据, one firm per row from row 2. Only the code and the name are required. "
    "A blank means missing, never 0 or no. Unused columns may be deleted or moved.",
)


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """One column of the sheet 数据."""

    field: Field
    year: int | None

    @property
    def header(self) -> str:
        return file_header(self.field, self.year)


def template_columns(years: Sequence[int]) -> list[TemplateColumn]:
    """Who the firm is, then the yearly figures year by year, then everything else."""
    fields = list(catalogue())
    first_yearly = next(place for place, field in enumerate(fields) if field.yearly)
    yearly = [TemplateColumn(field, year) for year in years for field in fields if field.yearly]
    single = [
        [TemplateColumn(f, None) for f in part if not f.yearly] for part in (fields[:first_yearly], fields)
    ]
    return [*single[0], *yearly, *single[1][len(single[0]) :]]


def write_template(path: Path, years: Sequence[int]) -> None:
    """Write the empty workbook for figures of ``years``, in that order; E401, E402, E404 as refusals."""
    with atomic_output(path) as part, xlsxwriter.Workbook(str(part)) as book:
        book.define_name(VERSION_NAME, f'="{TEMPLATE_VERSION}"')
        styles = _styles(book)
        guide = book.add_worksheet(HELP_SHEET)
        data = book.add_worksheet(DATA_SHEET)
        codes = book.add_worksheet(CODES_SHEET)
        _write_help(guide, styles, years)
        _write_data(data, styles, template_columns(years), _write_codes(codes, styles))
        data.activate()


def _styles(book: Any) -> Mapping[str, Any]:
    head: dict[str, Any] = {"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1}
    return {
        "title": book.add_format({"bold": True, "font_size": 16}),
        "head": book.add_format({**head, "bg_color": "#DDEBF7"}),
        "required": book.add_format({**head, "bg_color": "#FCE4D6"}),
        "cell": book.add_format({"text_wrap": True, "valign": "top"}),
        "text": book.add_format({"num_format": "@"}),
        "money": book.add_format({"num_format": "#,##0.######"}),
        "ratio": book.add_format({"num_format": "0.00%"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
    }


def _write_help(sheet: Any, styles: Mapping[str, Any], years: Sequence[int]) -> None:
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, "填写说明 · How to fill in", styles["title"])
    for row, line in enumerate(_HELP_LINES, 1):
        sheet.write_string(row, 0, line)
    top = len(_HELP_LINES) + 2
    for column, (header, width) in enumerate(_HELP_HEADERS):
        sheet.set_column(column, column, width)
        sheet.write_string(top, column, header, styles["head"])
    for row, field in enumerate(catalogue(), top + 1):
        cells = _help_row(field, years)
        sheet.set_row(row, row_height(cells, [width for _, width in _HELP_HEADERS]))
        for column, text in enumerate(cells):
            sheet.write_string(row, column, text, styles["cell"])
    sheet.freeze_panes(top + 1, 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _help_row(field: Field, years: Sequence[int]) -> tuple[str, ...]:
    meaning, form, blank, required = note(field), format_text(field), blank_text(field), required_text(field)
    header = file_header(field, years[0] if field.yearly else None)
    zh = f"{meaning.zh}（每年一列）" if field.yearly else meaning.zh
    en = f"{meaning.en} (one column per year)" if field.yearly else meaning.en
    unit = {"元": "万元", "美元": "万美元"}.get(field.unit, field.unit)
    chinese = (header, zh, unit, form.zh, required.zh, example(field), blank.zh)
    return (*chinese, field.header_en, en, form.en, required.en, blank.en, field.key)


def _write_data(
    sheet: Any, styles: Mapping[str, Any], columns: Sequence[TemplateColumn], places: str
) -> None:
    sheet.set_row(0, 48)
    for number, column in enumerate(columns):
        field = column.field
        style = styles["required" if field.when_missing == "required" else "head"]
        sheet.set_column(number, number, _width(column), _cell_style(field, styles))
        sheet.write_string(0, number, column.header, style)
        sheet.write_comment(0, number, _comment(field), {"x_scale": 2, "y_scale": 1.4})
        choice = _choice(field, places)
        if choice:
            sheet.data_validation(1, number, _LAST_ROW, number, choice)
    sheet.freeze_panes(1, 2)


def _width(column: TemplateColumn) -> float:
    least = {"uscc": 22, "name": 32}.get(column.field.key, 11)
    return max(least, min(len(column.header) + 3, 18))


def _cell_style(field: Field, styles: Mapping[str, Any]) -> Any:
    named = {
        "code": "text",
        "text": "text",
        "money": "money",
        "ratio": "ratio",
        "date": "date",
        "title": "date",
    }
    return styles.get(named.get(field.type, ""))


def _comment(field: Field) -> str:
    form, blank, meaning = format_text(field), blank_text(field), note(field)
    return (
        f"{meaning.zh}\n格式：{form.zh}\n示例：{example(field)}\n留空：{blank.zh}\n"
        f"{field.header_en}: {meaning.en}. Blank: {blank.en}."
    )


def _choice(field: Field, places: str) -> dict[str, Any] | None:
    """The drop-down of a column. Districts may be typed too: other provinces' codes are not listed."""
    if field.key == "district":
        return {
            "validate": "list",
            "source": places,
            "error_type": "information",
            **_prompt("请选区名，或填六位代码"),
        }
    if field.type == "bool":
        return {"validate": "list", "source": ["是", "否"], **_prompt("请填“是”或“否”，不清楚就留空")}
    if field.type == "enum":
        labels = [label.zh for label in (field.options or {}).values()]
        return {"validate": "list", "source": labels, **_prompt("请从下拉列表中选择，不清楚就留空")}
    return None


def _prompt(text: str) -> dict[str, str]:
    return {"error_title": "不在可选值中", "error_message": text}


def _write_codes(sheet: Any, styles: Mapping[str, Any]) -> str:
    """Write the code tables side by side; returns the range that holds the districts' names."""
    column, found = 0, ""
    for title, headers, widths, rows in _code_tables():
        sheet.write_string(0, column, title, styles["title"])
        for offset, (header, width) in enumerate(zip(headers, widths, strict=True)):
            sheet.set_column(column + offset, column + offset, width, styles["text"])
            sheet.write_string(1, column + offset, header, styles["head"])
            for row, values in enumerate(rows, 2):
                sheet.write_string(row, column + offset, values[offset], styles["text"])
        if headers[0] == "区名":
            letter = xl_col_to_name(column, True)
            found = f"={CODES_SHEET}!{letter}$3:{letter}${len(rows) + 2}"
        column += len(headers) + 1
    sheet.freeze_panes(2, 0)
    return found


_CodeTable = tuple[str, tuple[str, ...], tuple[int, ...], Sequence[tuple[str, ...]]]


def _code_tables() -> Iterator[_CodeTable]:
    table = industries()
    coded = {
        code if code.isalpha() else table.sections[code[:2]] + code: name
        for code, name in table.names.items()
    }
    yield "行业 GB/T 4754-2017", ("行业代码", "行业名称"), (12, 40), sorted(coded.items())
    named = [(name, code) for code, name in districts().names.items()]
    yield "上海各区 GB/T 2260", ("区名", "代码"), (14, 12), named
    labels = [
        (field.header_zh, label.zh, label.en)
        for field in catalogue()
        if field.options
        for label in field.options.values()
    ]
    yield "可选值", ("字段", "填写", "English"), (20, 14, 24), labels
    yield "战略性新兴产业（2018）", ("名称",), (26,), [(name,) for name in strategic_emerging()]
