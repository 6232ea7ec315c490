"""The check report: what the file is, what each column was taken for, what is wrong, what would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import polars as pl

from models.errors import Text
from models.figures import column_of, external
from models.tabular.choices import Choices, plain_choices
from models.tabular.headers import ColumnReading, normal_header
from models.tabular.issue_table import LEVELS, general, issue_counts
from models.tabular.issues import Issue, IssueLog
from models.tabular.reader import IDENTITY, Table

FIRST_ROWS = 20
LISTED = 100
"""Issues that the report tells one by one; all of them stand in the error workbook."""
_SAMPLES = 3

HOW: Mapping[str, Text] = {
    "key": Text("按键名", "by its key"),
    "header": Text("按表头", "by its header"),
    "synonym": Text("按同义表头", "by a synonym"),
    "chosen": Text("按手工指定", "as chosen by hand"),
    "ignored": Text("未识别或未采用，已忽略", "not known, or not used"),
    "unusable": Text("缺年份或单位不对，整列按缺数据", "no year, or no unit that fits: counts as missing"),
}
"""How it was found out what a column is."""


@dataclass
class Tally:
    """What is counted while the pieces of a table go by."""

    rows: int = 0
    unreadable: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    first: pl.DataFrame | None = None

    def add(self, piece: pl.DataFrame) -> None:
        if self.first is None or self.first.height < FIRST_ROWS:
            head = piece.head(FIRST_ROWS)
            self.first = head if self.first is None else pl.concat([self.first, head]).head(FIRST_ROWS)
        self.rows += piece.height
        self.unreadable += piece.height - piece["error"].null_count()
        blanks = piece.null_count().row(0)
        self.filled.update(
            {name: piece.height - blank for name, blank in zip(piece.columns, blanks, strict=True)}
        )


def make_report(
    table: Table,
    tally: Tally,
    log: IssueLog,
    choices: Choices,
    differences: Mapping[str, Any] | None,
    slips: Sequence[Issue],
) -> dict[str, Any]:
    """The report as JSON; ``log`` has been finished."""
    notes = [*table.notes, *slips]
    there = {normal_header(header) for header in table.header}
    rejected = tally.unreadable + sum(n for (code, _), n in log.counts.items() if code == "E106")
    return {
        "file": {
            "kind": table.kind, "encoding": table.encoding, "separator": table.separator,
            "sheet": table.sheet, "header_row": table.header_row,
        },
        "counts": {
            "rows": tally.rows, "good": tally.rows - rejected, "rejected": rejected,
            **_levels(log, notes),
        },
        "columns": _columns(table, tally, log),
        "errors": [
            {**_kind(found.kind.code, found.kind.level), "count": found.count,
             "text": _both(general(found.kind.text)), "fix": _both(general(found.kind.fix))}
            for found in issue_counts(log, notes)
        ],
        "notes": [issue_shown(note) for note in notes],
        "first_errors": [issue_shown(issue) for issue in islice(log.listed(), LISTED)],
        "first_rows": _first_rows(table, tally, log),
        "differences": differences,
        "choices": plain_choices({header: one for header, one in choices.items() if header in there}),
    }  # fmt: skip


def issue_shown(issue: Issue) -> dict[str, Any]:
    """One thing to look at, in both languages."""
    return {
        "row": issue.row, "column": issue.column, "value": issue.value,
        **_kind(issue.code, issue.kind.level), "text": _both(issue.text), "fix": _both(issue.fix),
    }  # fmt: skip


def _kind(code: str, level: str) -> dict[str, Any]:
    return {"code": code, "level": level, "level_text": _both(LEVELS[level])}


def _levels(log: IssueLog, notes: Sequence[Issue]) -> dict[str, int]:
    """Cells that count as missing, and warnings."""
    counts: Counter[str] = Counter()
    for found in issue_counts(log, notes):
        counts[found.kind.level] += found.count
    return {"bad_cells": counts["cell"], "warnings": counts["warning"]}


def _columns(table: Table, tally: Tally, log: IssueLog) -> list[dict[str, Any]]:
    bad: Counter[str | None] = Counter()
    for (_, header), count in log.counts.items():
        bad[header] += count
    return [_column(reading, table, tally, bad[reading.header]) for reading in table.columns]


def _column(reading: ColumnReading, table: Table, tally: Tally, bad: int) -> dict[str, Any]:
    name = reading.name
    said = column_of(name) if name else None
    return {
        "header": reading.header,
        "position": reading.position + 1,
        "column": name,
        "label": _both(said.label) if said else None,
        "year": reading.year if name else None,
        "unit": (reading.unit or (said.field.unit if said else "") or None) if name else reading.unit,
        "how": reading.how,
        "how_text": _both(HOW[reading.how]),
        "filled": tally.filled[name] if name else None,
        "bad": bad,
        "samples": _samples(table, reading.position),
    }


def _samples(table: Table, position: int) -> list[str]:
    cells = (row[position] for row in table.first_rows if position < len(row))
    return [cell[:60] for cell in islice((cell for cell in cells if cell and cell.strip()), _SAMPLES)]


def _first_rows(table: Table, tally: Tally, log: IssueLog) -> list[dict[str, Any]]:
    """The first firms, each as written beside what was read of it."""
    if tally.first is None:
        return []
    wrong: dict[int | None, list[dict[str, Any]]] = {}
    for issue in islice(log.listed(), LISTED * FIRST_ROWS):
        wrong.setdefault(issue.row, []).append(issue_shown(issue))
    shown = []
    for firm, written in zip(tally.first.to_dicts(), _written(table), strict=False):
        figures = {name: external(name, value) for name, value in firm.items() if name not in IDENTITY}
        shown.append(
            {
                "row": firm["row"],
                "written": [None if cell is None or not cell.strip() else cell for cell in written],
                "read": {
                    "uscc": firm["uscc"],
                    "name": firm["name"],
                    **{name: value for name, value in figures.items() if value is not None},
                },
                "error": firm["error"],
                "errors": wrong.get(firm["row"], []),
            }
        )
    return shown


def _written(table: Table) -> list[Sequence[str | None]]:
    """The first rows that are not blank, cell by cell."""
    if table.first_rows:
        rows = (row for row in table.first_rows if any(cell and cell.strip() for cell in row))
        width = len(table.header)
        return [[*row[:width], *[None] * (width - len(row))] for row in islice(rows, FIRST_ROWS)]
    first = next(table.written(), None)
    return [] if first is None else [row[1:] for row in first.head(FIRST_ROWS).drop("over").rows()]


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
