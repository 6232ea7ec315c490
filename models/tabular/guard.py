"""What a workbook would cost to open, found out before it is opened.

A 5 kB file can claim 17 billion cells (A1 and XFD1048576 filled) and make a parser ask for 512 GiB.
The sheet's own ``<dimension>`` is not believed. The child process's limits stand behind all this.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from models.tabular.issues import refusal

_MEGABYTE = 1 << 20
_CHUNK = 1 << 20
_LONGEST_ROW = 64 * _MEGABYTE
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_ERROR_CELL = re.compile(
    rb'<(?:\w+:)?c\s(?=[^>]*\bt="e")[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*>'
    rb"(?:<(?:\w+:)?f[^>]*/>|<(?:\w+:)?f[^>]*>[^<]*</(?:\w+:)?f>)?\s*<(?:\w+:)?v>([^<]*)<"
)
_ANY_CELL = re.compile(rb"<(?:\w+:)?c[\s>/]")
_ROW_END = re.compile(rb"</(?:\w+:)?row>")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost."""

    rows: int = 1_048_576
    columns: int = 16_384
    cells: int = 60_000_000
    """Rows × columns of the smallest box around everything filled in."""
    unpacked: int = 4_096 * _MEGABYTE
    ratio: int = 300
    """Unpacked to packed, judged only above ``ratio_from`` bytes: small files may repeat themselves."""
    ratio_from: int = 256 * _MEGABYTE
    entries: int = 10_000
    memory: int = 6_144 * _MEGABYTE
    """Address space of the child that parses a workbook, in bytes."""
    seconds: int = 300


@dataclass(slots=True)
class Extent:
    """How far a sheet reaches, counted from 1, and the cells that hold a formula error."""

    row: int = 0
    column: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    """(row, column) counted from 1 → ``#N/A``. The parser reads these cells as blank."""


def check_archive(archive: zipfile.ZipFile, path: Path, limits: Limits) -> None:
    """Raise E008 if the archive's directory announces too much."""
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    dense = unpacked > limits.ratio_from and unpacked > limits.ratio * packed
    if len(entries) > limits.entries or unpacked > limits.unpacked or dense:
        raise refusal("E008", str(path), size=f"{unpacked / _MEGABYTE:,.0f}")


def sheet_extent(archive: zipfile.ZipFile, part: str) -> Extent:
    """Read one sheet's XML in pieces and see how far it reaches."""
    extent = Extent()
    for rows in _row_pieces(archive, part):
        for piece in rows:
            _measure(piece, extent)
    return extent


def excess(extent: Extent, limits: Limits) -> dict[str, object] | None:
    """What E009 has to say if the sheet reaches too far, else None."""
    cells = extent.row * extent.column
    if extent.row <= limits.rows and extent.column <= limits.columns and cells <= limits.cells:
        return None
    return {"cell": f"{column_letters(extent.column)}{extent.row}", "cells": f"{cells:,}"}


def column_letters(number: int) -> str:
    """1 → A, 16384 → XFD."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: bytes) -> int:
    """A → 1, XFD → 16384."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _row_pieces(archive: zipfile.ZipFile, part: str) -> Iterator[list[bytes]]:
    """The sheet's XML cut at the ends of rows."""
    rest = b""
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            *whole, rest = _ROW_END.split(rest + chunk)
            yield whole
            if len(rest) > _LONGEST_ROW:
                raise zipfile.BadZipFile("a row of the sheet never ends")
    yield [rest]


def _measure(piece: bytes, extent: Extent) -> None:
    """Cells stand in order of columns, so the last one of a row is its widest."""
    last = None
    start = max(piece.rfind(b"<c "), piece.rfind(b":c "))
    if start >= 0:
        last = _CELL.search(piece, max(0, piece.rfind(b"<", 0, start + 1)))
    if last:
        extent.column = max(extent.column, column_number(last[1]))
        extent.row = max(extent.row, int(last[2]))
    elif cells := len(
        _ANY_CELL.findall(piece)
    ):  # cells need not name their place: then they stand side by side
        extent.row += 1
        extent.column = max(extent.column, cells)
    if b't="e"' in piece:
        for cell in _ERROR_CELL.finditer(piece):
            extent.errors[int(cell[2]), column_number(cell[1])] = cell[3].decode("utf-8", "replace")
