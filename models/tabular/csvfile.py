"""Text files: separator, header row, and the frame that scans them. Everything is read as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from models.ahead import ahead
from models.tabular.choices import NO_CHOICES, Choices
from models.tabular.csvblocks import BlockReader
from models.tabular.encoding import HEAD, TextPath, as_utf8, recover
from models.tabular.headers import HEADER_SEARCH_ROWS, find_header, known_positions
from models.tabular.issues import refusal
from models.tabular.sniff import refuse_other_text
from models.tabular.source import Piece, Source, Wanted
from models.tabular.survey import Survey, count_records, holds_a_row, record_blocks, survey
from models.tabular.textfile import TextFile

SEPARATORS = (",", "\t", ";")

_SPARE = 3
"""Columns beyond the header that a row's extra cells are caught in."""
_SAMPLE = 500
_SENTINEL = "\x00"
_TAIL = 16 << 20
_BLOCK = 32 << 20
"""Bytes of a piece. Polars itself reads ahead of what is done with the rows, up to the whole file."""

_Record = list[str]
NO_DTYPES: Mapping[str, pl.DataType] = {}


@dataclass(frozen=True, slots=True)
class _Head:
    """The header of a text file and the rows that follow it at once."""

    separator: str
    cells: Sequence[str]
    row: int
    lines: int
    """Physical lines down to the end of the header."""
    sample: Sequence[_Record]


def open_csv(path: Path, workdir: Path, choices: Choices = NO_CHOICES, *, every: bool = False) -> Source:
    """Find out how ``path`` is written. Raises E001–E005, E010, E015; temporary files go to ``workdir``.

    ``every``: the frame holds the columns too whose header says nothing.
    """
    text = as_utf8(path, workdir / "utf8.csv")
    head = _find_head(path, text, choices)
    seen = survey(text.path, head.separator)
    if not seen.valid:
        if text.path != path:
            raise refusal("E010", str(path), reason="文件在读取时被改动（changed while being read）")
        text = recover(path, workdir / "utf8.csv")
        head = _find_head(path, text, choices)
        seen = survey(text.path, head.separator)
    if seen.swallowed is not None:
        raise refusal("E015", str(path), row=seen.swallowed)
    if not seen.tidy or _ends_lines_with_cr(text.path):
        positions = range(len(head.cells)) if every else known_positions(head.cells, choices)
        return _rewritten(path, text, head, positions, workdir / "rows.arrow")
    return _scanned(path, text, head, seen)


def _find_head(path: Path, text: TextPath, choices: Choices) -> _Head:
    """The header under the separator that shows most known columns. Raises E001, E003, E005."""
    with text.path.open("rb") as file:
        start = file.read(HEAD).decode("utf-8-sig", "ignore")
    if not start.strip():
        raise refusal("E001", str(path))
    found = [head for separator in SEPARATORS if (head := _head(start, separator, choices))]
    if not found:
        refuse_other_text(path, start)
        raise refusal("E003", str(path))
    return max(found, key=lambda head: len(known_positions(head.cells, choices)))


def _head(start: str, separator: str, choices: Choices) -> _Head | None:
    lines = _CountedLines(start)
    records: list[tuple[_Record, int]] = []
    try:
        for record in csv.reader(lines, delimiter=separator):
            records.append((record, lines.seen))
            if len(records) >= HEADER_SEARCH_ROWS + _SAMPLE:
                break
    except csv.Error:
        pass  # what was read so far may hold the header; the survey tells what is wrong
    index = find_header([record for record, _ in records], choices)
    if index is None:
        return None
    cells, seen = records[index]
    return _Head(separator, cells, index + 1, seen, [record for record, _ in records[index + 1 :]])


class _CountedLines:
    """The lines of a text, counting the line feeds handed out: what polars calls lines to skip."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.seen = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.seen += line.endswith("\n")
            yield line


def _scanned(path: Path, text: TextPath, head: _Head, seen: Survey) -> Source:
    """A tidy file is scanned where it lies."""
    blank = seen.blank[seen.blank > head.row]
    if seen.records is not None and seen.records - head.row <= len(blank):
        raise refusal("E002", str(path))
    if not head.sample:
        raise refusal("E002", str(path))
    spare = [f"s{number}" for number in range(_SPARE)]
    columns = [f"c{position}" for position in range(len(head.cells))]

    def scan(
        text: Path | io.BytesIO, skip: int, row: int, dtypes: Mapping[str, pl.DataType] = NO_DTYPES
    ) -> pl.LazyFrame:
        frame = pl.scan_csv(
            text,
            has_header=False,
            separator=head.separator,
            skip_lines=skip,
            schema={name: dtypes.get(name, pl.String()) for name in (*columns, *spare)},
            row_index_name="row",
            row_index_offset=row,
            truncate_ragged_lines=True,
            missing_columns="insert",
            glob=False,
        )
        if seen.empty_quotes:  # polars keeps "" between quotes apart from a blank
            frame = frame.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)) for name in columns)
        return frame

    def pieces(wanted: Wanted) -> Iterator[Piece]:
        if seen.empty_quotes:
            wanted = Wanted(wanted.columns)
        blocks = BlockReader(scan, wanted, spare, coded=not len(blank))
        skip, row = head.lines, head.row + 1
        for block in record_blocks(text.path, _BLOCK, quoted=seen.quoted):
            piece = blocks.read(block, skip, row)
            skip, row = 0, row + piece.frame.height
            yield piece

    def reader(wanted: Wanted) -> Iterator[Piece]:
        return ahead(pieces(wanted))

    return Source(
        kind="csv",
        frame=scan(text.path, head.lines, head.row + 1),
        header=head.cells,
        header_row=head.row,
        encoding=text.encoding,
        separator=head.separator,
        blank_count=len(blank),
        blank_rows=blank,
        spare=spare,
        cut_row=_cut_row(text, head, seen),
        unnamed=_unnamed(head),
        sample=head.sample[:_SAMPLE],
        reader=reader,
    )


def _cut_row(text: TextPath, head: _Head, seen: Survey) -> int | None:
    """The last row, if the file breaks off in it: no line end, and fewer cells than header and row before."""
    last, before = _last_records(text.path, head.separator)
    short = len(last) < min(len(head.cells), len(before))
    if not last or not (short or text.broken_off):
        return None
    counted = seen if seen.records is not None else count_records(text.path, head.separator)
    return counted.records


def _last_records(path: Path, separator: str) -> tuple[_Record, _Record]:
    """The record after the last line end (empty if there is none) and the one before it."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    if tail.endswith(b"\n"):
        return [], []
    lines = tail.decode("utf-8", "ignore").split("\n")[-2:]
    records = [next(csv.reader([line], delimiter=separator), []) for line in lines]
    return records[-1], records[0]


def _unnamed(head: _Head) -> list[int]:
    empty = [position for position, name in enumerate(head.cells) if not name.strip()]
    return [p for p in empty if any(len(record) > p and record[p].strip() for record in head.sample)]


def _ends_lines_with_cr(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(HEAD)
    return b"\n" not in head and b"\r" in head.rstrip(b"\r")


def _rewritten(path: Path, text: TextPath, head: _Head, positions: Sequence[int], into: Path) -> Source:
    """An untidy file (stray quotes, old line ends) goes through Python's csv module. Raises E002, E015."""
    width = len(head.cells)
    firms = blank = number = 0
    cut: int | None = None
    with TextFile(into, positions) as file:
        for number, record, broken in _untidy_records(path, text, head):
            if number <= head.row:
                continue
            if any("\n" in cell and any(map(holds_a_row, cell.encode().split(b"\n")[1:])) for cell in record):
                raise refusal("E015", str(path), row=number)
            if not any(cell.strip() for cell in record):
                blank += 1
                continue
            firms += 1
            cut = number if broken else cut
            cells = [record[p] or None if p < len(record) else None for p in positions]
            file.add(number, cells, over=_beyond(record[width:], head.separator))
    if not firms:
        raise refusal("E002", str(path))
    return Source(
        kind="csv",
        frame=pl.scan_ipc(into),
        header=head.cells,
        header_row=head.row,
        encoding=text.encoding,
        separator=head.separator,
        blank_count=blank,
        cut_row=cut,
        unnamed=_unnamed(head),
        sample=head.sample[:_SAMPLE],
    )


def _beyond(cells: _Record, separator: str) -> str | None:
    """The cells beyond the header as they are written, None where all are blank."""
    return separator.join(cells) if any(cell.strip() for cell in cells) else None


def _untidy_records(path: Path, text: TextPath, head: _Head) -> Iterator[tuple[int, _Record, bool]]:
    """(row, cells, whether the file breaks off in it). A quote never closed before the last line is E015."""
    held: tuple[int, _Record] | None = None
    with text.path.open(encoding="utf-8-sig", newline="") as file:
        lines = _SentinelLines(file)
        for number, record, height in _numbered(path, lines, head.separator):
            if held:
                broken = record == [_SENTINEL] and lines.open_ended and len(held[1]) < len(head.cells)
                yield *held, broken or (record == [_SENTINEL] and text.broken_off)
            held = number, record
            if lines.finished and record != [_SENTINEL]:
                if height > 2:  # its own line and the sentinel
                    raise refusal("E015", str(path), row=number)
                yield number, [cell.replace(_SENTINEL, "") for cell in record], True


def _numbered(path: Path, lines: _SentinelLines, separator: str) -> Iterator[tuple[int, _Record, int]]:
    """(row, cells, how many lines it stands on). Raises E015 for what no reader could tell apart."""
    records = csv.reader(lines, delimiter=separator)
    number = line = 0
    try:
        for number, record in enumerate(records, 1):
            yield number, record, records.line_num - line
            line = records.line_num
    except csv.Error as error:
        raise refusal("E015", str(path), row=number + 1) from error


class _SentinelLines:
    """The lines of a file and then a sentinel: a quoted field that is never closed swallows it."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file = file
        self.finished = False
        self.open_ended = False

    def __iter__(self) -> Iterator[str]:
        line = ""
        for line in self._file:
            yield line
        self.open_ended = not line.endswith(("\n", "\r"))
        self.finished = True
        yield _SENTINEL
