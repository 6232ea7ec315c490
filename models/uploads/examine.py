"""What the child does with a file: read it, report, hold it against the registry, write the workbook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from models.registry.database import Database
from models.registry.listing import editions_of
from models.registry.merged import Overlay, Registry
from models.registry.state import read_state
from models.settings import Settings
from models.tabular.choices import Choices, read_choices
from models.tabular.issues import Issue, IssueLog
from models.tabular.reader import Table, open_table
from models.uploads.child import Request
from models.uploads.compare import Differences, Laid, compare
from models.uploads.error_book import LISTED, ErrorBook
from models.uploads.report import Tally, make_report

ERRORS = "errors.xlsx"
AT_ONCE = 400_000
"""Cells up to which the error workbook is made with the report; beyond, as work of its own."""


def carry_out(request: Request) -> dict[str, Any]:
    """The answer to a request. Raises FileRefused, DatabaseAway, StoreAway."""
    choices = read_choices(request.choices)
    with _opened(request, choices) as table:
        if request.task == "errors":
            _write_errors(request, table)
            return {}
        return _check(request, table, choices)


def _check(request: Request, table: Table, choices: Choices) -> dict[str, Any]:
    registry = _registry(request)
    columns = sorted(table.available)
    laid = Laid(_made(request, "laid")) if registry else None
    log, tally = IssueLog(), Tally()
    for piece in table.batches(columns, log):
        tally.add(piece)
        if laid is not None:
            laid.add(piece.filter(pl.col("error").is_null()).drop("row", "error"))
    table.finish(log)
    found = compare(laid, registry, columns) if laid is not None and registry is not None else None
    slips = [] if found is None else list(_slips(table, found))
    report = make_report(table, tally, log, choices, found.plain() if found else None, slips)
    small = tally.rows * len(table.header) <= AT_ONCE
    if small:
        ErrorBook(table, log, tally.rows, slips).write(Path(request.folder) / ERRORS)
    return {"report": report, "errors": small}


def _write_errors(request: Request, table: Table) -> None:
    log, rows = IssueLog(LISTED), 0
    for piece in table.batches(sorted(table.available), log):
        rows += piece.height
    table.finish(log)
    ErrorBook(table, log, rows).write(Path(request.folder) / ERRORS)


@contextmanager
def _opened(request: Request, choices: Choices) -> Iterator[Table]:
    dated = date.fromisoformat(request.dated)
    with open_table(Path(request.path), as_of=dated, choices=choices, every=True) as table:
        yield table


def _registry(request: Request) -> Registry | None:
    """The active edition with its parents; None before the first import."""
    settings = Settings(
        data=Path(request.data), database_url=request.database_url, redis_url=None, store=request.store
    )
    database = Database(request.database_url)
    try:
        with database.read() as connection:
            lineage = read_state(connection).lineage
            return Registry(settings, editions_of(connection, lineage), Overlay()) if lineage else None
    finally:
        database.close()


def _slips(table: Table, found: Differences) -> Iterator[Issue]:
    """A warning for every column that may be in another unit than last time."""
    headers = {column.name: column.header for column in table.columns if column.name}
    for name in found.slips:
        yield Issue("E309", column=headers[name], details={"count": found.columns[name].jumped})


def _made(request: Request, name: str) -> Path:
    folder = Path(request.folder) / name
    folder.mkdir()
    return folder
