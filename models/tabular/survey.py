"""One quick look through a whole text file before it is scanned, so that the scan itself cannot stumble.

Most files are plain: valid UTF-8, no blank lines, no quotes. That is made sure of at about 1 GB a second.
Where a file holds quotes or blank lines, they are looked at exactly.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.tabular.encoding import is_marked, is_utf8

_CHUNK = 8 << 20
_EXACT_CHUNK = 256 << 10
"""Small enough for NumPy to stay in the cache."""
_LONGEST_RECORD = 16 << 20
_FILLED, _EDGE, _NEWLINE, _QUOTE = 1, 2, 4, 8
_THREADS = 2

_Bytes = npt.NDArray[np.uint8]
_Bools = npt.NDArray[np.bool_]
_LINE = 4096
_CODE = re.compile(rb'(?:^|[,;\t"])\s*[0-9A-HJ-NPQRTUWXY]{18}\s*(?:[,;\t"]|\r?$)')


@dataclass(slots=True)
class Survey:
    """What a text file is like. Records count from 1, blank ones included, as a sheet counts rows."""

    valid: bool = True
    """The whole file is UTF-8."""
    tidy: bool = True
    """Every quote opens a field, closes one or is doubled inside one, and every quoted field is closed."""
    records: int | None = None
    """How many there are; None where nobody had to count."""
    swallowed: int | None = None
    """The first record in which a quoted field runs over another firm's row: quotes left open in pairs."""
    quoted: bool = True
    """There may be quotes, and line ends between them."""
    empty_quotes: bool = False
    """There may be blanks written as ``""``."""
    blank: npt.NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, np.uint32))
    """Records that hold nothing but separators, spaces and quotes."""


def survey(path: Path, separator: str) -> Survey:
    """Look through the file. Nothing is raised: what is wrong is said in the result."""
    filler = rb"[ \t\r" + re.escape(separator.encode()) + rb"]"
    blank = re.compile(rb"\n(?:" + filler + rb"*\n|" + filler + rb"+\Z)")
    blank_first = re.compile(filler + rb"*(?:\n|\Z)")

    def plain(block: bytes) -> tuple[bool, bool]:
        remarkable = b'"' in block or blank.search(block) or blank_first.match(block)
        return is_utf8(block), not remarkable

    exact = False
    with ThreadPoolExecutor(_THREADS) as pool:
        blocks = _blocks(path)
        while batch := list(islice(blocks, _THREADS)):  # no more of the file in memory than that
            for valid, unremarkable in pool.map(plain, batch):
                if not valid:
                    return Survey(valid=False)
                exact = exact or not unremarkable
    return count_records(path, separator) if exact else Survey(quoted=False)


def count_records(path: Path, separator: str) -> Survey:
    """The exact look: every record counted, every quote in its place, blank records listed."""
    found = Survey(records=0)
    blank: list[npt.NDArray[np.uint32]] = []
    rest = b""
    with path.open("rb") as file:
        file.seek(len(codecs.BOM_UTF8) if is_marked(path) else 0)
        while found.tidy:
            chunk = file.read(_EXACT_CHUNK)
            block = rest + chunk
            if not block or len(block) > _LONGEST_RECORD:
                break
            rest = _look(block, separator, not chunk, found, blank)
            if not chunk:
                break
    found.tidy = found.tidy and not rest
    if blank:
        found.blank = np.concatenate(blank)
    return found


def record_blocks(path: Path, size: int, *, quoted: bool) -> Iterator[bytes]:
    """A tidy file in pieces of about ``size`` bytes that end with a record."""
    return _blocks(path, size, _end_of_records if quoted else _end_of_lines)


def _end_of_records(block: bytes) -> int:
    """Where the last record that is whole ends: at a line end with an even number of quotes before it."""
    end = block.rfind(b"\n") + 1
    odd = block.count(b'"', 0, end) % 2
    while odd and end:
        before = block.rfind(b"\n", 0, end - 1) + 1
        odd ^= block.count(b'"', before, end) % 2
        end = before
    return end


def _end_of_lines(block: bytes) -> int:
    return block.rfind(b"\n") + 1


def _blocks(
    path: Path, size: int = _CHUNK, end_of: Callable[[bytes], int] = _end_of_lines
) -> Iterator[bytes]:
    """The file in pieces that end where ``end_of`` says."""
    with path.open("rb") as file:
        while block := file.read(size):
            end = end_of(block)
            if not end and len(block) == size:  # a very long line
                file.seek(-len(block), io.SEEK_CUR)
                size *= 2
            elif 0 < end < len(block) == size:
                file.seek(end - len(block), io.SEEK_CUR)
                yield block[:end]
            else:
                yield block


def _look(
    block: bytes, separator: str, last: bool, found: Survey, blank: list[npt.NDArray[np.uint32]]
) -> bytes:
    """Take the whole records of ``block``, which begins with a record; returns what is left over."""
    kinds = np.frombuffer(block.translate(_kinds(separator)), dtype=np.uint8)
    newline = kinds & _NEWLINE != 0
    quoted = b'"' in block
    if quoted:
        inside = np.bitwise_xor.accumulate(kinds & _QUOTE != 0)
        found.tidy = _quotes_fit(kinds, inside, last)
        found.empty_quotes = found.empty_quotes or b'""' in block
        if found.tidy:  # else Python's reader tells what the quotes mean
            _look_for_swallowed(block, newline, inside, found)
        newline &= ~inside
    ends = np.flatnonzero(newline) + 1
    if last and len(block) and (not len(ends) or ends[-1] < len(block)):
        if quoted and inside[-1]:
            return block
        ends = np.append(ends, len(block))
    if not len(ends):
        return block
    assert found.records is not None
    starts = np.concatenate([[0], ends[:-1]])
    filled = np.bitwise_or.reduceat(kinds[: ends[-1]], starts) & _FILLED
    blank.append((np.flatnonzero(filled == 0) + found.records + 1).astype(np.uint32))
    found.records += len(ends)
    return block[ends[-1] :]


def _look_for_swallowed(block: bytes, newline: _Bools, inside: _Bools, found: Survey) -> None:
    """A line within quotes that looks like a firm's own row."""
    for place in np.flatnonzero(newline & inside) if found.swallowed is None else ():
        if holds_a_row(block[place + 1 : place + 1 + _LINE].split(b"\n", 1)[0]):
            assert found.records is not None
            found.swallowed = found.records + int((newline & ~inside)[:place].sum()) + 1
            return


def holds_a_row(line: bytes) -> bool:
    """Does a line hold a code that stands by itself, as in a row of its own?"""
    return _CODE.search(line) is not None


def _quotes_fit(kinds: _Bytes, inside: npt.NDArray[np.bool_], last: bool) -> bool:
    """Opening quotes follow a separator, a line's end or a quote; closing ones precede one.

    ``inside`` is whether an odd number of quotes has been seen, this byte included.
    """
    quote, edge = kinds & _QUOTE != 0, kinds & _EDGE != 0
    stray_opening = (quote & inside)[1:] & ~edge[:-1]
    stray_closing = (quote & ~inside)[:-1] & ~edge[1:]
    return not (stray_opening.any() or stray_closing.any() or (last and inside[-1]))


@cache
def _kinds(separator: str) -> bytes:
    """For each byte what it may be, as bits."""
    kinds = bytearray([_FILLED]) * 256
    kinds[ord(" ")] = kinds[ord("\t")] = 0
    kinds[ord(separator)] = kinds[ord("\r")] = _EDGE
    kinds[ord("\n")] = _EDGE | _NEWLINE
    kinds[ord('"')] = _EDGE | _QUOTE
    return bytes(kinds)
