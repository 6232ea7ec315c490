"""What kind of file this is, told from its content; never from its name."""

from __future__ import annotations

import mmap
import zipfile
from pathlib import Path
from typing import Literal

from models.tabular.guard import Limits, check_archive
from models.tabular.issues import refusal

Kind = Literal["csv", "xlsx", "parquet"]

_HEAD = 4096
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC = (
    (b"%PDF", "PDF"),
    (b"\x1f\x8b", "gzip 压缩包"),
    (b"7z\xbc\xaf\x27\x1c", "7z 压缩包"),
    (b"Rar!", "RAR 压缩包"),
    (b"ARROW1", "Arrow / Feather"),
    (b"SQLite format 3", "SQLite 数据库"),
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
    (b"{\\rtf", "RTF"),
)
_ZIPPED = (
    ("xl/workbook.bin", ".xlsb"),
    ("word/document.xml", "Word 文档"),
    ("ppt/presentation.xml", "PowerPoint 文档"),
    ("content.xml", ".ods / OpenDocument"),
)


def sniff(path: Path, limits: Limits) -> Kind:
    """The kind of a file that can be read. Raises E001, E005–E008, E010–E012."""
    if not path.exists():
        raise refusal("E011", str(path))
    if not path.is_file():
        raise refusal("E012", str(path), reason="不是普通文件（not a regular file）")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise refusal("E012", str(path), reason=error.strerror or str(error)) from error
    if not head:
        raise refusal("E001", str(path))
    return _kind(path, head, limits)


def _kind(path: Path, head: bytes, limits: Limits) -> Kind:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path, limits)
    if head.startswith(_OLE):
        raise _ole(path)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            raise refusal("E005", str(path), kind=kind)
    return "csv"


def refuse_other_text(path: Path, text: str) -> None:
    """Raise E005 if ``text``, in which no header was found, is markup or JSON rather than a table."""
    start = text.lstrip("\ufeff \t\r\n")[:1]
    kind = {"<": "HTML / XML 网页", "{": "JSON", "[": "JSON"}.get(start)
    if "\0" in text:
        kind = "二进制文件，或不带 BOM 的 UTF-16"
    if kind:
        raise refusal("E005", str(path), kind=kind)


def _zipped(path: Path, limits: Limits) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "xl/workbook.xml" not in names:
                known = (kind for name, kind in _ZIPPED if name in names)
                raise refusal("E005", str(path), kind=next(known, "ZIP 压缩包"))
            check_archive(archive, path, limits)
            if _has_macros(archive, names):
                raise refusal("E006", str(path))
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise refusal("E010", str(path), reason=f"压缩包不完整（{error}）") from error
    return "xlsx"


def _has_macros(archive: zipfile.ZipFile, names: set[str]) -> bool:
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return True
    return "[Content_Types].xml" in names and b"macroEnabled" in archive.read("[Content_Types].xml")


def _ole(path: Path) -> Exception:
    """An OLE file is a workbook under a password, or of the format before 2007, or something else."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find("EncryptedPackage".encode("utf-16-le")) >= 0:
            return refusal("E007", str(path))
        old = (
            content.find("Book".encode("utf-16-le")) >= 0 or content.find("Workbook".encode("utf-16-le")) >= 0
        )
    return refusal("E005", str(path), kind=".xls（旧版 Excel）" if old else "OLE 复合文档")
