"""Hostile and ordinary files, built in the test, and what comes out of reading one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from stdnum.cn import uscc

from models.tabular.headers import ColumnReading
from models.tabular.issues import Issue


def code(number: int) -> str:
    """The ``number``-th made-up unified social credit code; its check character is right."""
    body = f"91310115MA{number:07d}"
    return body + uscc.calc_check_digit(body)


@dataclass(frozen=True)
class Reading:
    """What came out of a file."""

    kind: str
    encoding: str | None
    separator: str | None
    sheet: str | None
    header_row: int
    columns: Sequence[ColumnReading]
    available: frozenset[str]
    notes: Sequence[Issue]
    issues: Sequence[Issue]
    firms: pl.DataFrame

    def column(self, name: str) -> list[Any]:
        return self.firms[name].to_list()

    @property
    def codes(self) -> list[tuple[int | None, str | None, str]]:
        """(row, column, code) of every issue, in the order of the sheet."""
        return [(issue.row, issue.column, issue.code) for issue in self.issues]

    @property
    def note_codes(self) -> list[str]:
        return [note.code for note in self.notes]


Read = Callable[..., Reading]


def bare_workbook(path: Path, sheet: str, extra: Mapping[str, bytes] | None = None) -> Path:
    """The least a workbook can be, with ``sheet`` as the XML of its rows: no library would write it so."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    sheet_type = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        "ContentType="
        '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{sheet_type}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" '
        f'ContentType="{sheet_type}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><dimension ref="A1:B2"/>'
        f"<sheetData>{sheet}</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return path


def parquet_bytes(**columns: pl.Series) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out)
    return out.getvalue()
