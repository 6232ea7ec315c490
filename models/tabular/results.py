"""The result workbook: 结果, 汇总, 列说明 and 错误, for people who open it in a spreadsheet program."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from models.tabular.guide import ResultGuide, StandardGuide
from models.tabular.issue_table import issue_counts, issue_rows
from models.tabular.issues import Issue, IssueLog, refusal
from models.tabular.output import atomic_output
from models.tabular.report_sheets import write_issues, write_legend, write_summary
from models.tabular.result_columns import SheetColumn, result_columns
from models.tabular.sheet import write_cell
from models.tabular.summary import summarise
from models.verdict import DISCLAIMER

__all__ = ["MOST_ROWS", "ResultGuide", "StandardGuide", "write_result_workbook"]

MOST_ROWS = 1_048_575
"""Firms that a sheet holds under its header."""

RESULT_SHEET, SUMMARY_SHEET, LEGEND_SHEET, ISSUE_SHEET = "结果", "汇总", "列说明", "错误"

_BATCH = 5_000
_LINE = 15
"""Points of one line of text."""
_MOST_LINES = 6
"""Lines of reasons shown of a firm; the cell holds all of them."""
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "nan_inf_to_errors": True,
}
_STYLES: Mapping[str, Mapping[str, object]] = {
    "": {"valign": "top"},
    "reason": {"text_wrap": True, "valign": "top"},
    "title": {"bold": True, "font_size": 16},
    "section": {"bold": True, "font_size": 12},
    "warning": {"bold": True, "font_color": "#C00000"},
    "head": {"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1, "bg_color": "#DDEBF7"},
    "machine": {
        "text_wrap": True,
        "valign": "vcenter",
        "font_color": "#808080",
        "bg_color": "#F2F2F2",
        "border": 1,
    },
    "dated": {
        "text_wrap": True,
        "valign": "vcenter",
        "border": 1,
        "bg_color": "#EDEDED",
        "font_color": "#595959",
    },
    "text": {"num_format": "@", "valign": "top"},
    "left": {"align": "left"},
    "wrap": {"text_wrap": True, "valign": "top"},
    "number": {"num_format": "#,##0", "align": "center", "valign": "top"},
    "error": {"bg_color": "#FFC7CE", "font_color": "#9C0006", "valign": "top"},
    "met": {"bg_color": "#C6EFCE", "font_color": "#006100", "bold": True, "valign": "top"},
    "review": {"bg_color": "#FFEB9C", "font_color": "#7F6000", "valign": "top"},
    "unknown": {"bg_color": "#E7E6E6", "font_color": "#404040", "italic": True, "valign": "top"},
    "unmet": {"bg_color": "#FFC7CE", "font_color": "#9C0006", "valign": "top"},
}


def write_result_workbook(
    path: Path,
    result: pl.DataFrame | Callable[[Path], None],
    guide: ResultGuide,
    issues: IssueLog,
    notes: Sequence[Issue],
    *,
    source: Path | None = None,
) -> None:
    """Write a result with its explanations.

    ``result`` has the contract's output columns, or writes them into the Parquet file it is given; ``issues``
    are read after that. Raises E401, E402, E404, E405, and E403 for more firms than a sheet holds.
    """
    with atomic_output(path, source) as part:
        folder = part.parent
        with tempfile.TemporaryDirectory(prefix=".tidui-", dir=folder) as scratch:
            rows = _at_rest(result, Path(scratch))
            _check_count(rows)
            book = xlsxwriter.Workbook(str(part), {**_OPTIONS, "tmpdir": scratch})
            _fill(book, rows, guide, issues, notes)
            book.close()


def _at_rest(result: pl.DataFrame | Callable[[Path], None], scratch: Path) -> pl.LazyFrame:
    if isinstance(result, pl.DataFrame):
        return result.lazy()
    resting = scratch / "rows.parquet"
    result(resting)
    return pl.scan_parquet(resting)


def _check_count(rows: pl.LazyFrame) -> None:
    count = _count(rows)
    if count > MOST_ROWS:
        raise refusal("E403", rows=f"{count:,}")


def _count(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect().item())


def _fill(
    book: Any, rows: pl.LazyFrame, guide: ResultGuide, issues: IssueLog, notes: Sequence[Issue]
) -> None:
    book.set_properties({"title": guide.title.zh, "comments": f"{DISCLAIMER.zh} · {DISCLAIMER.en}"})
    styles = {name: book.add_format(dict(given)) for name, given in _STYLES.items()}
    columns = result_columns(guide, rows.collect_schema().names())
    counts = issue_counts(issues, notes)
    names = (RESULT_SHEET, SUMMARY_SHEET, LEGEND_SHEET, ISSUE_SHEET)
    sheets = {name: book.add_worksheet(name) for name in names}
    _write_result(sheets[RESULT_SHEET], styles, columns, rows)
    write_summary(sheets[SUMMARY_SHEET], styles, guide, summarise(rows, guide), counts)
    write_legend(sheets[LEGEND_SHEET], styles, guide, columns)
    write_issues(sheets[ISSUE_SHEET], styles, issue_rows(issues, notes), counts)


def _write_result(
    sheet: Any, styles: Mapping[str, Any], columns: Sequence[SheetColumn], rows: pl.LazyFrame
) -> None:
    count = _count(rows)
    _lay_out(sheet, styles, columns, count)
    dressed = [_dress(column, styles) for column in columns]
    reasons = [place for place, column in enumerate(columns) if column.style == "reason"]
    for number, cells in enumerate(_cell_rows(rows, columns, count), 1):
        lines = max((str(cells[place] or "").count("\n") for place in reasons), default=0) + 1
        sheet.set_row(number, _LINE * min(lines, _MOST_LINES))
        for column, value in enumerate(cells):
            if value is not None:
                write_cell(sheet, number, column, value, dressed[column](value))


def _lay_out(sheet: Any, styles: Mapping[str, Any], columns: Sequence[SheetColumn], count: int) -> None:
    """Header, widths, folded key columns, frozen panes and filter."""
    sheet.set_row(0, 48)
    folded = False
    for number, column in enumerate(columns):
        fold = {"level": 1, "hidden": True} if column.machine else {"collapsed": True} if folded else {}
        sheet.set_column(
            number, number, column.width, styles["text"] if column.style == "text" else None, fold
        )
        style = "machine" if column.machine else "dated" if column.dated else "head"
        sheet.write_string(0, number, column.header, styles[style])
        sheet.write_comment(0, number, f"{column.meaning.zh}\n{column.meaning.en}", {"x_scale": 1.6})
        folded = column.machine
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, count, len(columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(8)  # A3
    sheet.repeat_rows(0)
    sheet.set_footer(f"&C{DISCLAIMER.zh} · {DISCLAIMER.en}&R&P / &N")


def _cell_rows(rows: pl.LazyFrame, columns: Sequence[SheetColumn], count: int) -> Iterator[tuple[Any, ...]]:
    for start in range(0, count, _BATCH):
        batch = rows.slice(start, _BATCH).collect()
        yield from zip(*(column.cells(batch) for column in columns), strict=True)


def _dress(column: SheetColumn, styles: Mapping[str, Any]) -> Callable[[Any], Any]:
    """The format of a cell by its value."""
    formats = {value: styles.get(name) for value, name in column.styles.items()}
    other = styles.get(column.style)
    return lambda value: formats.get(value, other)
