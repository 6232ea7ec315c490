"""The error table: what the 错误 sheet of a workbook holds, and the CSV beside a .csv or .parquet result."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import polars as pl

from models.errors import Text
from models.tabular.issues import Issue, IssueKind, IssueLog, issue_kinds
from models.tabular.output import atomic_output

LEVELS = {
    "file": Text("整个文件", "file"),
    "row": Text("整行未评估", "row not judged"),
    "cell": Text("按缺数据处理", "counts as missing"),
    "entry": Text("未收入名单", "entry not taken"),
    "warning": Text("提醒", "warning"),
    "notice": Text("说明", "notice"),
}

ISSUE_HEADERS = (
    Text("行号", "row"),
    Text("列", "column"),
    Text("原值", "value"),
    Text("错误代码", "code"),
    Text("级别", "level"),
    Text("错误说明", "message"),
    Text("建议", "what to do"),
)
"""The Chinese columns; the English level, message and advice follow them."""

ISSUE_COLUMNS = (*(header.zh for header in ISSUE_HEADERS), "level", "message", "what to do")

_BATCH = 50_000
_PLACE = re.compile(r"\{\w+\}")
_FORMULA_START = r"^([=+\-@\t\r\n＝＋－＠])"


@dataclass(frozen=True, slots=True)
class IssueCount:
    """How often one code was met."""

    kind: IssueKind
    count: int


def issue_table_path(output: Path) -> Path:
    """``…/result.csv`` → ``…/result_错误.csv``."""
    return output.with_name(f"{output.stem}_错误.csv")


def write_issue_table(
    path: Path, issues: IssueLog, notes: Sequence[Issue], source: Path | None = None
) -> None:
    """Write every issue as CSV with a byte-order mark, formulas made harmless. Raises E401, E402, E405."""
    rows = issue_rows(issues, notes)
    with atomic_output(path, source) as part, part.open("wb") as file:
        _frame([]).write_csv(file, include_bom=True, line_terminator="\r\n")
        while batch := list(islice(rows, _BATCH)):
            safe = _frame(batch).with_columns(neutralise(pl.exclude("行号")))
            safe.write_csv(file, include_header=False, line_terminator="\r\n")


def neutralise(expr: pl.Expr) -> pl.Expr:
    """Put an apostrophe before text that a spreadsheet opening the CSV would run as a formula.

    For String columns; elementwise, so it streams.
    """
    return expr.str.replace(_FORMULA_START, "'${1}")


def issue_rows(issues: IssueLog, notes: Sequence[Issue]) -> Iterator[tuple[int | str | None, ...]]:
    """One tuple per issue, in the order of :data:`ISSUE_COLUMNS`: file and columns first, then by row."""
    for issue in chain(_all_notes(issues, notes), issues.listed()):
        text, fix, level = issue.text, issue.fix, LEVELS[issue.kind.level]
        chinese = (issue.row, issue.column, issue.value, issue.code, level.zh, text.zh, fix.zh)
        yield (*chinese, level.en, text.en, fix.en)


def issue_counts(issues: IssueLog, notes: Iterable[Issue]) -> list[IssueCount]:
    """How often each code was met, those not listed one by one included, in the order of the codes."""
    counts = Counter(note.code for note in notes)
    for (code, _), count in issues.counts.items():
        counts[code] += count
    return [IssueCount(issue_kinds()[code], count) for code, count in sorted(counts.items())]


def general(text: Text) -> Text:
    """A text of the catalogue with no case to speak of: dots for what a case would name."""
    return Text(_PLACE.sub("…", text.zh), _PLACE.sub("…", text.en))


def _all_notes(issues: IssueLog, notes: Sequence[Issue]) -> Iterator[Issue]:
    yield from notes
    if issues.unlisted:
        listed = len(issues) - issues.unlisted
        yield Issue("E308", details={"listed": listed, "more": issues.unlisted})


def _frame(rows: list[tuple[int | str | None, ...]]) -> pl.DataFrame:
    types = {name: pl.Int64 if name == "行号" else pl.String for name in ISSUE_COLUMNS}
    return pl.DataFrame(rows, schema=types, orient="row")
