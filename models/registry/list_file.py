"""Reading a published list of title holders: names mostly, codes and last days sometimes.

CSV or XLSX with a header somewhere in the first rows. Spreadsheets are parsed in the limited child process.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from models.errors import FileRefused, Text
from models.fields import catalogue
from models.tabular.cells import read_name, read_uscc, reader_for
from models.tabular.encoding import as_utf8, is_utf8, recover
from models.tabular.guard import Limits
from models.tabular.headers import HEADER_SEARCH_ROWS, known_field, normal_header
from models.tabular.issues import refusal
from models.tabular.sniff import sniff
from models.tabular.workbook import unpack_workbook

UNTIL = (
    "有效期至",
    "有效期",
    "有效期截止",
    "有效期截止日期",
    "有效期限",
    "到期日",
    "到期日期",
    "valid_until",
)
ISSUED = ("发布日期", "认定日期", "公布日期", "发证日期", "公告日期", "issued_on")
_PERIOD = re.compile(r"至|到|~|～|—|–")
_SEPARATORS = (",", "\t", ";")

Cells = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row as written; ``row`` as the sheet shows it."""

    row: int
    code: str | None
    name: str | None
    until: str | None
    issued: str | None


def read_list(path: Path) -> Iterator[ListRow]:
    """Rows with anything in them. Raises E001, E004–E012, E014, and G012 where no column names firms."""
    with tempfile.TemporaryDirectory(prefix="tidui-") as folder:
        kind = sniff(path, Limits())
        if kind == "parquet":
            raise refusal("E005", str(path), kind="Parquet")
        rows = _sheet(path, Path(folder)) if kind == "xlsx" else _text(path, Path(folder))
        yield from _firms(path, rows)


def what(header: str) -> str | None:
    """``code``, ``name``, ``until`` or ``issued``: what a column of a list holds."""
    plain = normal_header(header)
    for found, headers in (("until", UNTIL), ("issued", ISSUED)):
        if plain in headers:
            return found
    field = known_field(header)
    return {"uscc": "code", "name": "name"}.get(field.key) if field else None


def read_until(text: str) -> date | None:
    """A last day, or the later end of a period (``2023-07-01至2026-06-30``)."""
    read = reader_for(catalogue()["established_on"])
    for written in (text, _PERIOD.split(text)[-1]):
        value = read(written.strip()).value
        if isinstance(value, date):
            return value
    return None


def _firms(path: Path, rows: Iterator[tuple[int, Cells]]) -> Iterator[ListRow]:
    columns: dict[str, int] | None = None
    for number, cells in rows:
        if columns is None:
            columns = _header(cells)
            if columns is None and number > HEADER_SEARCH_ROWS:
                break
            continue
        found = {key: _cell(cells, place) for key, place in columns.items()}
        if any(found.values()):
            yield ListRow(number, *(found.get(key) for key in ("code", "name", "until", "issued")))
    if columns is None:
        raise FileRefused(
            "G012",
            Text("名单里没有“企业名称”或“统一社会信用代码”列", "no column of the list names firms"),
            Text(
                "请把表头写成“企业名称”或“统一社会信用代码”", "Head the column 企业名称 or 统一社会信用代码"
            ),
            str(path),
        )


def _header(cells: Cells) -> dict[str, int] | None:
    found: dict[str, int] = {}
    for place, cell in enumerate(cells):
        key = what(cell) if cell else None
        if key:
            found.setdefault(key, place)
    return found if found.keys() & {"code", "name"} else None


def _cell(cells: Cells, place: int) -> str | None:
    text = cells[place] if place < len(cells) else None
    return text.strip() or None if text else None


def _text(path: Path, folder: Path) -> Iterator[tuple[int, Cells]]:
    text = as_utf8(path, folder / "utf8.csv")
    if text.path == path and not is_utf8(path.read_bytes()):
        text = recover(path, folder / "utf8.csv")
    with text.path.open(encoding="utf-8-sig", newline="") as file:
        head = [line for _, line in zip(range(HEADER_SEARCH_ROWS), file, strict=False)]
        separator = max(_SEPARATORS, key=lambda sign: sum(line.count(sign) for line in head))
        file.seek(0)
        try:
            yield from enumerate(csv.reader(file, delimiter=separator), 1)
        except csv.Error as error:
            raise refusal("E010", str(path), reason=str(error)) from error


def _sheet(path: Path, folder: Path) -> Iterator[tuple[int, Cells]]:
    unpack_workbook(path, folder / "sheet.arrow", Limits(), whole=True)
    for row, *cells, _ in pl.read_ipc(folder / "sheet.arrow").iter_rows():
        yield row, cells


def read_code(text: str) -> str | None:
    """The code, normalised; None where it cannot be one."""
    value = read_uscc(text).value
    return str(value) if value is not None else None


def read_firm_name(text: str) -> str | None:
    value = read_name(text).value
    return str(value) if value is not None else None
