"""Spreadsheets, parsed in a child process with limits on memory and time.

A parser may abort the process it runs in (calamine does, on a sparse giant sheet), so it never runs in ours.
The child (``python -m models.tabular.workbook``) writes the sheet's text to an Arrow file and says on
standard output, as JSON, what it found or why it refused.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import python_calamine

from models.tabular.cells import as_text, without_float_tail
from models.tabular.choices import NO_CHOICES, Choices, plain_choices, read_choices
from models.tabular.guard import Extent, Limits, excess, sheet_extent
from models.tabular.headers import HEADER_SEARCH_ROWS, find_header, known_positions
from models.tabular.issues import refusal
from models.tabular.textfile import TextFile

DATA_SHEET = "数据"
SUMMARY_SHEET = "错误汇总"
_OWN_SHEETS = frozenset(["填写说明", "字典", SUMMARY_SHEET])
"""Sheets of our own template and error workbook; nobody needs to be told that they were not read."""

_REFUSED = 3
_OUT_OF_MEMORY = 4
_STOPPED = frozenset([-signal.SIGABRT, -signal.SIGKILL, -signal.SIGXCPU, -signal.SIGSEGV, _OUT_OF_MEMORY])
_SAMPLE = 500
_INDEX_LIMIT = 16 << 20
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

Row = tuple[int, list[str | None]]


def unpack_workbook(
    path: Path,
    into: Path,
    limits: Limits,
    whole: bool = False,
    choices: Choices = NO_CHOICES,
    every: bool = False,
) -> Mapping[str, Any]:
    """Write the sheet that holds the firms to the Arrow file ``into`` and return what the child found.

    Keys: sheet, others, header, header_row, blank_count, unnamed, sample. Raises E001–E003, E008–E010, E014.
    ``whole``: no header is looked for; the first sheet that is not empty is written as it is. ``every``: the
    columns too whose header says nothing.
    """
    asked = {"whole": whole, "every": every, "choices": plain_choices(choices)}
    request = json.dumps({"path": str(path), "into": str(into), "limits": asdict(limits), **asked})
    root = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{inherited}" if inherited else root}
    try:
        child = subprocess.run(
            [sys.executable, "-m", "models.tabular.workbook"],
            input=request.encode(),
            capture_output=True,
            timeout=limits.seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise refusal("E014", str(path), seconds=limits.seconds) from None
    return _answer(child, path, limits)


def _answer(child: subprocess.CompletedProcess[bytes], path: Path, limits: Limits) -> Mapping[str, Any]:
    if child.returncode == 0:
        found: Mapping[str, Any] = json.loads(child.stdout)
        return found
    if child.returncode == _REFUSED:
        told = json.loads(child.stdout)
        raise refusal(told["code"], str(path), **told["details"])
    if child.returncode in _STOPPED or b"memory allocation" in child.stderr:
        raise refusal("E014", str(path), seconds=limits.seconds)
    raise refusal("E010", str(path), reason=f"解析程序异常退出（{child.returncode}）")


class _Refused(Exception):
    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code, self.details = code, details


def main() -> int:
    """The child: a request on standard input, the answer on standard output."""
    request = json.load(sys.stdin)
    limits = Limits(**request["limits"])
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        path, into = Path(request["path"]), Path(request["into"])
        answer: Mapping[str, object]
        if request["whole"]:
            answer = _unpack_whole(path, into, limits)
        else:
            answer = _unpack(path, into, limits, read_choices(request["choices"]), request["every"])
    except _Refused as refused:
        json.dump({"code": refused.code, "details": refused.details}, sys.stdout)
        return _REFUSED
    except MemoryError:
        return _OUT_OF_MEMORY
    except (
        python_calamine.CalamineError,
        zipfile.BadZipFile,
        ElementTree.ParseError,
        OSError,
        KeyError,
    ) as error:
        json.dump({"code": "E010", "details": {"reason": str(error)[:200]}}, sys.stdout)
        return _REFUSED
    json.dump(answer, sys.stdout)
    return 0


def _unpack(path: Path, into: Path, limits: Limits, choices: Choices, every: bool) -> Mapping[str, object]:
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    with zipfile.ZipFile(path) as archive:
        parts = _sheet_parts(archive)
        names = sorted(
            (name for name in book.sheet_names if name in parts), key=lambda name: name != DATA_SHEET
        )
        extents: dict[str, Extent] = {}
        for name in names:
            extent = extents[name] = sheet_extent(archive, parts[name])
            too_much = excess(extent, limits) if extent.row else None
            if too_much:
                raise _Refused("E009", **too_much)
            found = _try_sheet(book, name, extent, into, choices, every)
            if found:
                rest = [other for other in names if other != name and other not in _OWN_SHEETS]
                others = [o for o in rest if (extents.get(o) or sheet_extent(archive, parts[o])).row]
                return {"sheet": name, "others": others, **found}
    raise _Refused("E003" if any(extent.row for extent in extents.values()) else "E001")


def _unpack_whole(path: Path, into: Path, limits: Limits) -> Mapping[str, object]:
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    with zipfile.ZipFile(path) as archive:
        parts = _sheet_parts(archive)
        for name in book.sheet_names:
            extent = sheet_extent(archive, parts[name]) if name in parts else Extent()
            if not extent.row:
                continue
            too_much = excess(extent, limits)
            if too_much:
                raise _Refused("E009", **too_much)
            with TextFile(into, range(extent.column)) as file:
                for number, cells in _rows(book.get_sheet_by_name(name), extent.errors):
                    blanks = [None] * (extent.column - len(cells))
                    file.add(number, [*cells, *blanks][: extent.column])
            return {"sheet": name}
    raise _Refused("E001")


def _sheet_parts(archive: zipfile.ZipFile) -> Mapping[str, str]:
    """Sheet name → its part in the archive. Chart sheets have no cells and are left out."""
    index = _parse(archive, "xl/workbook.xml")
    relations = {
        str(relation.get("Id")): str(relation.get("Target"))
        for relation in _parse(archive, "xl/_rels/workbook.xml.rels")
    }
    found: dict[str, str] = {}
    for sheet in index.iter():
        target = relations.get(str(sheet.get(_RELATION)), "")
        if sheet.tag.endswith("}sheet") and "worksheets/" in target:
            found[str(sheet.get("name"))] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return found


def _parse(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    with archive.open(part) as file:
        return ElementTree.fromstring(file.read(_INDEX_LIMIT))


def _try_sheet(
    book: python_calamine.CalamineWorkbook,
    name: str,
    extent: Extent,
    into: Path,
    choices: Choices,
    every: bool,
) -> dict[str, object] | None:
    """Write the sheet if one of its first rows is a header, else None."""
    if not extent.row:
        return None
    rows = _rows(book.get_sheet_by_name(name), extent.errors)
    head = [row for _, row in zip(range(HEADER_SEARCH_ROWS), rows, strict=False)]
    index = find_header([[cell or "" for cell in cells] for _, cells in head], choices)
    if index is None:
        return None
    names = [without_float_tail(cell or "") for cell in head[index][1]]
    positions = list(range(len(names))) if every else known_positions(names, choices)
    return _write(head[index][0], names, positions, _chain(head[index + 1 :], rows), into)


def _chain(head: Sequence[Row], rest: Iterator[Row]) -> Iterator[Row]:
    yield from head
    yield from rest


def _write(
    header_row: int, names: Sequence[str], positions: Sequence[int], rows: Iterator[Row], into: Path
) -> dict[str, object]:
    """Write the columns at ``positions``; blank rows are counted and left out."""
    empty = [position for position, name in enumerate(names) if not name.strip()]
    unnamed: set[int] = set()
    sample: list[list[str | None]] = []
    blank = firms = 0
    with TextFile(into, positions) as file:
        for number, cells in rows:
            if not any(cell and not cell.isspace() for cell in cells):
                blank += 1
                continue
            firms += 1
            unnamed.update(position for position in empty if cells[position])
            file.add(number, [cells[position] for position in positions])
            if len(sample) < _SAMPLE:
                sample.append(cells)
    if not firms:
        raise _Refused("E002")
    return {
        "header": names,
        "header_row": header_row,
        "blank_count": blank,
        "unnamed": sorted(unnamed),
        "sample": sample,
    }


def _rows(sheet: python_calamine.CalamineSheet, errors: Mapping[tuple[int, int], str]) -> Iterator[Row]:
    """Every row with its number as the sheet shows it; cells that hold a formula error get its text back."""
    margin: list[str | None] = [None] * (sheet.start or (0, 0))[1]
    broken: dict[int, list[tuple[int, str]]] = {}
    for (row, column), text in errors.items():
        broken.setdefault(row, []).append((column - 1, text))
    for number, values in enumerate(sheet.iter_rows(), 1):
        cells = margin + [
            repr(value + 0.0) if value.__class__ is float else _render(value)  # most cells are numbers
            for value in values
        ]
        for place, text in broken.get(number, ()):
            if place < len(cells):
                cells[place] = text
        yield number, cells


def _render(value: object) -> str | None:
    return (value or None) if isinstance(value, str) else as_text(value)


if __name__ == "__main__":
    sys.exit(main())
