"""Every rulebook an answer was given by, kept as its files: read again by hash, years later, the same."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from models.errors import RulesRefused, Text, TiduiError
from models.fields import load_catalogue
from models.kept import Kept
from models.registry.tables import rulebook as rulebook_table
from models.rules.rulebook import Rulebook, load_rulebook, rulebook
from models.seeds import seed

FILES = ("ladder.yaml", "fields.csv", "fields/labels.yaml", "rules/*.yaml", "programmes/*.yaml")
"""What a rulebook is made of, below the folder of seeds."""

_NAME = re.compile(r"(?:ladder\.yaml|fields\.csv|fields/labels\.yaml|(?:rules|programmes)/[\w.-]+\.yaml)")
_HASH = re.compile(r"[0-9a-f]{64}")
_LOADED: Kept[tuple[str, str], Rulebook] = Kept(4)


class RulebookUnknown(TiduiError):
    """No answer was ever given by a rulebook of this hash."""

    status = 404


def remember(connection: Connection, book: Rulebook, now: datetime, *, root: Path | None = None) -> None:
    """Keep a rulebook, once, within the caller's transaction; ``root`` is the folder it was loaded from.

    RulesRefused (R060) where the folder no longer holds what was loaded.
    """
    if known(connection, book.hash):
        return
    content = pack_files(root or seed())
    _unpacked(content, book.hash)
    row = insert(rulebook_table).values(hash=book.hash, content=content, first_used=now)
    try:
        with connection.begin_nested():
            connection.execute(row)
    except IntegrityError:
        if not known(connection, book.hash):
            raise


def known(connection: Connection, rulebook_hash: str) -> bool:
    """Was this rulebook kept?"""
    asked = select(rulebook_table.c.hash).where(rulebook_table.c.hash == rulebook_hash)
    return connection.execute(asked).first() is not None


def load(connection: Connection, rulebook_hash: str) -> Rulebook:
    """The rulebook of a hash. RulebookUnknown (R061); RulesRefused (R060) where what was kept was changed."""
    if not _HASH.fullmatch(rulebook_hash):
        raise _unknown(rulebook_hash)
    asked = select(rulebook_table.c.content).where(rulebook_table.c.hash == rulebook_hash)
    content = connection.execute(asked).scalar()
    if content is None:
        raise _unknown(rulebook_hash)
    # The bytes too, not the hash alone: another database may hold something else under it.
    key = (rulebook_hash, str(hash(bytes(content))))
    return _LOADED.get(key, lambda: _unpacked(bytes(content), rulebook_hash))


def to_judge_by(connection: Connection, wanted: str | None, now: datetime) -> Rulebook:
    """The rulebook of a hash, or the one that ships, which is then kept. Raises as :func:`load`."""
    shipped = rulebook()
    if wanted is None or wanted == shipped.hash:
        remember(connection, shipped, now)
        return shipped
    return load(connection, wanted)


def pack_files(root: Path) -> bytes:
    """The files as one archive; the same files give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(root):
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix())
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return packed.getvalue()


def _files(root: Path) -> Iterator[Path]:
    for pattern in FILES:
        yield from sorted(root.glob(pattern))


def _unpacked(content: bytes, rulebook_hash: str) -> Rulebook:
    with tempfile.TemporaryDirectory(prefix="tidui-rules-") as folder:
        root = Path(folder)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                if not _NAME.fullmatch(name):
                    raise _changed(rulebook_hash)
                target = root / name
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(archive.read(name))
        book = load_rulebook(root, load_catalogue(root / "fields.csv", root / "fields" / "labels.yaml"))
    if book.hash != rulebook_hash:
        raise _changed(rulebook_hash)
    return book


def _unknown(rulebook_hash: str) -> RulebookUnknown:
    return RulebookUnknown(
        "R061",
        Text(f"没有规则“{rulebook_hash[:64]}”", f"there is no rulebook “{rulebook_hash[:64]}”"),
        Text("写回答里的完整规则哈希（64 位）", "Give the whole hash an answer names (64 characters)"),
    )


def _changed(rulebook_hash: str) -> RulesRefused:
    return RulesRefused(
        "R060",
        Text(
            f"规则文件与哈希 {rulebook_hash[:12]} 不符",
            f"the rule files are not those of hash {rulebook_hash[:12]}",
        ),
        Text("文件被改过；请恢复备份", "They were changed; restore them from a backup"),
    )
