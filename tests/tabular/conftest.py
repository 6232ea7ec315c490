"""One way of reading a file, and of writing a workbook."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from models.tabular.issues import IssueLog
from models.tabular.reader import Limits, open_table
from tests.tabular.files import Read, Reading


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a file, or bytes put into one; ``columns`` defaults to all that are available."""

    def reading(
        content: Path | bytes | str,
        columns: Collection[str] | None = None,
        as_of: date | None = date(2026, 6, 30),
        limits: Limits | None = None,
    ) -> Reading:
        path = content if isinstance(content, Path) else tmp_path / "firms.dat"
        if not isinstance(content, Path):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        log = IssueLog()
        with open_table(path, as_of=as_of, limits=limits) as table:
            wanted = sorted(table.available) if columns is None else columns
            firms = pl.concat(table.batches(wanted, log))
            table.finish(log)
            return Reading(
                table.kind,
                table.encoding,
                table.separator,
                table.sheet,
                table.header_row,
                table.columns,
                table.available,
                table.notes,
                log.listed(),
                firms,
            )

    return reading


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """Write a workbook of sheets of rows."""

    def write(**sheets: Sequence[Sequence[object]]) -> Path:
        book = openpyxl.Workbook()
        assert book.active is not None
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(list(row))
        path = tmp_path / "firms.xlsx"
        book.save(path)
        return path

    return write
