"""The error workbook: the file's own columns and rows, what is wrong beside them, bad cells marked.

Every row stands where it stood, so that row numbers are those of the report; corrected, the workbook can be
uploaded as it is. Where the whole would be too much for a spreadsheet, it holds only rows with something
wrong: good rows go in by the first upload, these by the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xlsxwriter

from models.errors import Text
from models.tabular.headers import ERROR_COLUMNS, normal_header
from models.tabular.issue_table import LEVELS, general, issue_counts
from models.tabular.issues import Issue, IssueLog
from models.tabular.reader import Table
from models.tabular.sheet import SheetWriter, write_cell
from models.tabular.workbook import DATA_SHEET, SUMMARY_SHEET

COMMENTS = 5_000
"""People stop reading, and more take a spreadsheet seconds to open."""
WHOLE_CELLS = 10_000_000
SHEET_ROWS = 1_048_575
LISTED = 500_000
"""Issues that are marked one by one."""
_WIDTHS = {"错误代码": 12.0, "错误说明": 44.0, "建议": 44.0, "多出的单元格": 30.0}


@dataclass
class ErrorBook:
    """One workbook being written from an open table (opened with ``every``) and what was found in it."""

    table: Table
    log: IssueLog
    rows: int
    extra: Sequence[Issue] = ()
    """Notes beside those of the table."""
    comments: int = 0
    cut: bool = False
    by_row: dict[int, list[Issue]] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether all rows are in it, good ones too."""
        return self.rows * len(self.table.header) <= WHOLE_CELLS and self._last_row <= SHEET_ROWS

    @property
    def _last_row(self) -> int:
        return self.rows + self.table.header_row + sum(
            int(str(note.details["count"])) for note in self.table.notes if note.code == "E306"
        )  # fmt: skip

    def write(self, path: Path) -> None:
        for issue in self.log.listed():
            if issue.row is not None:
                self.by_row.setdefault(issue.row, []).append(issue)
        with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
            styles = {
                "head": book.add_format({"bold": True, "bg_color": "#DDE6F0", "text_wrap": True}),
                "added": book.add_format({"bold": True, "bg_color": "#F7D9C4"}),
                "bad": book.add_format({"bg_color": "#FFC7CE"}),
                "warned": book.add_format({"bg_color": "#FFEB9C"}),
                "section": book.add_format({"bold": True, "font_size": 14}),
                "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
            }
            self._data(book.add_worksheet(DATA_SHEET), styles)
            self._summary(book.add_worksheet(SUMMARY_SHEET), styles)

    def _data(self, sheet: Any, styles: Mapping[str, Any]) -> None:
        places = [at for at, name in enumerate(self.table.header) if normal_header(name) not in ERROR_COLUMNS]
        names = [self.table.header[at] for at in places]
        columns = {name: column for column, name in reversed(list(enumerate(names)))}
        top = self.table.header_row - 1 if self.whole else 0
        sheet.freeze_panes(top + 1, 0)
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        added = ERROR_COLUMNS if self.log.counts["E108", None] else ERROR_COLUMNS[:-1]
        for column, name in enumerate([*names, *added]):
            sheet.set_column(column, column, _WIDTHS.get(name, 22.0 if "代码" in name else 14.0))
        for column, name in enumerate([*names, *added]):
            write_cell(sheet, top, column, name, styles["added" if column >= len(names) else "head"])
        for line, row, cells, over in self._lines(places, top):
            self._row(sheet, styles, line, cells, columns, self.by_row.get(row, ()))
            if over is not None:
                write_cell(sheet, line, len(names) + len(ERROR_COLUMNS) - 1, over, styles["bad"])

    def _lines(
        self, places: Sequence[int], top: int
    ) -> Iterator[tuple[int, int, Sequence[str | None], str | None]]:
        """Line of the sheet, counted from 0, row of the file, its cells, what stands beyond the header."""
        held = [f"c{place}" for place in places]
        line = top
        for piece in self.table.written():
            for row, *cells, over in piece.select("row", *held, "over").iter_rows():
                if self.whole:
                    yield row - 1, row, cells, over
                elif row in self.by_row:
                    line += 1
                    if line > SHEET_ROWS:
                        self.cut = True
                        return
                    yield line, row, cells, over

    def _row(
        self,
        sheet: Any,
        styles: Mapping[str, Any],
        line: int,
        cells: Sequence[str | None],
        columns: Mapping[str, int],
        issues: Sequence[Issue],
    ) -> None:
        marks = {
            columns[name]: issue for issue in reversed(issues) if (name := issue.column or "") in columns
        }
        for column, cell in enumerate(cells):
            issue = marks.get(column)
            if issue is None:
                write_cell(sheet, line, column, cell)
                continue
            style = styles["warned" if issue.kind.level == "warning" else "bad"]
            if cell:
                write_cell(sheet, line, column, cell, style)
            else:
                sheet.write_blank(line, column, None, style)
            self._comment(sheet, line, column, issue)
        for place, text in enumerate(_told(issues) if issues else ()):
            write_cell(sheet, line, len(cells) + place, text)

    def _comment(self, sheet: Any, line: int, column: int, issue: Issue) -> None:
        if self.comments < COMMENTS:
            sheet.write_comment(line, column, f"{issue.code} {issue.text.zh}\n{issue.fix.zh}")
            self.comments += 1

    def _summary(self, sheet: Any, styles: Mapping[str, Any]) -> None:
        writer = SheetWriter(sheet, styles, (12, 14, 10, 50, 44, 50, 44))
        headers = ("错误代码", "级别", "次数", "错误说明", "建议", "English", "What to do")
        rows = [
            (
                found.kind.code, LEVELS[found.kind.level].zh, found.count, general(found.kind.text).zh,
                general(found.kind.fix).zh, general(found.kind.text).en, general(found.kind.fix).en,
            )
            for found in issue_counts(self.log, [*self.table.notes, *self.extra])
        ]  # fmt: skip
        writer.table("错误汇总 Summary", headers, rows, ["wrap"] * len(headers))
        for said in self._remarks():
            writer.line([said.zh])
            writer.line([said.en])

    def _remarks(self) -> Iterator[Text]:
        yield Text(
            "在“数据”表里改好标色的格子，直接重新上传本文件即可；右边加上的几列会被忽略。",
            "Mend the coloured cells on the sheet 数据 and upload this file as it is; the columns added on "
            "the right are ignored.",
        )
        if not self.whole:
            yield Text(
                "原文件太大，“数据”表只列有问题的行；先确认导入合格的行，再上传改好的这些行。",
                "The file is too large for a spreadsheet: 数据 holds only rows with something wrong. "
                "Let the good rows in first, then upload these.",
            )
        if self.cut or self.log.unlisted:
            yield Text(
                "问题太多，没有全部列出。",
                "There is too much wrong with the file: not all of it is listed.",
            )


def _told(issues: Sequence[Issue]) -> tuple[str, str, str]:
    """Codes, what is wrong, what to do, for a row; each code and sentence once."""
    codes = dict.fromkeys(issue.code for issue in issues)
    wrong = [f"{issue.column}：{issue.text.zh}" if issue.column else issue.text.zh for issue in issues]
    fixes = dict.fromkeys(issue.fix.zh for issue in issues)
    return "；".join(codes), "；".join(dict.fromkeys(wrong)), "；".join(fixes)
