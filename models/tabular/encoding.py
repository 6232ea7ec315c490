"""The encoding of a text file: BOM, strict UTF-8, strict GB18030, else a refusal that names the byte and row.

Polars reads UTF-8 only; everything else is rewritten as UTF-8 in a temporary file, piece by piece.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from models.errors import TiduiError
from models.tabular.issues import refusal

HEAD = 1 << 20
_CHUNK = 4 << 20
_SURE = 8
"""So many characters of valid multi-byte UTF-8 do not happen by chance in GB18030 text."""

_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class TextPath:
    """A file that holds valid UTF-8: the given one, or a temporary copy of it."""

    path: Path
    encoding: str
    """Of the given file: utf-8, utf-8-sig, gb18030, utf-16 or utf-32."""
    broken_off: bool = False
    """The given file ended within a character; the copy leaves its first bytes out."""


def is_utf8(block: bytes | memoryview) -> bool:
    """Whether ``block`` is valid UTF-8, at several GB a second and without holding the GIL."""
    ends = pa.py_buffer(np.array([0, len(block)], dtype=np.int64))
    text = pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(block)])
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def as_utf8(path: Path, copy: Path) -> TextPath:
    """``path`` itself if its head is UTF-8 (the rest is yet to be seen), else a UTF-8 ``copy`` of it.

    Raises E004.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    for mark, encoding in _WIDE:
        if head.startswith(mark):
            return transcode(path, copy, encoding)
    if head.startswith(codecs.BOM_UTF8):
        return TextPath(path, "utf-8-sig")
    if _first_bad_byte(head) is None:
        return TextPath(path, "utf-8")
    return recover(path, copy)


def recover(path: Path, copy: Path) -> TextPath:
    """For a file that is not UTF-8: broken off within a character, or GB18030, or refused (E004)."""
    seen, bad = _first_failure(path)
    if bad is None:
        return transcode(path, copy, "utf-8")
    if seen >= _SURE or is_marked(path):
        raise _unreadable(path, bad)
    return transcode(path, copy, "gb18030")


def transcode(path: Path, copy: Path, encoding: str) -> TextPath:
    """Rewrite ``path`` as UTF-8, strictly. Raises E004 with the byte and row that cannot be read."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    with path.open("rb") as file, copy.open("wb") as out:
        while chunk := file.read(_CHUNK):
            pending = len(decoder.getstate()[0])
            try:
                out.write(decoder.decode(chunk).encode())
            except (UnicodeDecodeError, UnicodeEncodeError) as error:
                raise _unreadable(path, done - pending + error.start) from error
            done += len(chunk)
    name = "utf-8-sig" if encoding == "utf-8" and is_marked(path) else encoding
    return TextPath(copy, name, broken_off=bool(decoder.getstate()[0]))


def is_marked(path: Path) -> bool:
    """Whether the file begins with the UTF-8 byte-order mark."""
    with path.open("rb") as file:
        return file.read(3) == codecs.BOM_UTF8


def _first_failure(path: Path) -> tuple[int, int | None]:
    """How many characters beyond ASCII precede the first bad byte, and its offset."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    seen = done = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            pending = len(decoder.getstate()[0])
            try:
                seen += _beyond_ascii(decoder.decode(chunk))
            except UnicodeDecodeError as error:
                return seen + _beyond_ascii(
                    error.object[: error.start].decode()
                ), done - pending + error.start
            done += len(chunk)
    return seen, None


def _beyond_ascii(text: str) -> int:
    return 0 if text.isascii() else sum(character > "\u07ff" for character in text)


def _first_bad_byte(head: bytes) -> int | None:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as error:
        return error.start
    return None


def _unreadable(path: Path, offset: int) -> TiduiError:
    """E004; bytes and rows are counted from 1."""
    newlines, left = 0, offset
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(_CHUNK, left))):
            newlines += chunk.count(b"\n")
            left -= len(chunk)
    return refusal("E004", str(path), byte=offset + 1, row=newlines + 1)
