"""Is what is stored what was imported: files against manifest, manifest against hash, rows against files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from sqlalchemy import Connection, select

from models.errors import Text
from models.registry.database import Database
from models.registry.editions import MANIFEST, edition_key
from models.registry.listing import Edition, list_editions
from models.registry.partitions import BUCKETS, Part, documents, file_hash, part_name, read_part
from models.registry.tables import facts
from models.settings import Settings
from models.store import NotStored, store_of

_AT_ONCE = 10_000
_NAMED = 20
"""How many firms a finding names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit."""

    edition_id: int
    place: str
    """A file, or a firm's code."""
    what: Text


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what was found."""

    editions: int
    files: int
    firms: int
    findings: tuple[Finding, ...]


def verify(database: Database, settings: Settings) -> Verified:
    """Read every file and every row of every edition."""
    with database.read() as connection:
        editions = list_editions(connection)
        findings: list[Finding] = []
        files = firms = 0
        for edition in editions:
            sound = list(_files(edition, settings))
            findings += sound
            files += len(edition.manifest.parts) + 1
            firms += edition.manifest.firms
            if not sound:
                first = _stored(edition, part_name(0), settings)
                assert first is not None
                findings += _rows(connection, edition, first.parent)
    return Verified(len(editions), files, firms, tuple(findings))


def _files(edition: Edition, settings: Settings) -> Iterator[Finding]:
    if edition.manifest.hash != edition.hash:
        yield Finding(
            edition.id,
            "edition",
            Text(
                "数据库里的清单与版本哈希不符",
                "the manifest in the database does not have the edition's hash",
            ),
        )
    written = _stored(edition, MANIFEST, settings)
    if written is None:
        yield Finding(edition.id, MANIFEST, Text("清单文件不见了", "the manifest file is missing"))
    elif written.read_text("utf-8", errors="replace") != edition.manifest.text:
        yield Finding(edition.id, MANIFEST, Text("清单文件被改动", "the manifest file was changed"))
    rejected = edition.manifest.content["rejected"]
    for part in (*edition.manifest.parts, *([Part(**rejected)] if rejected else [])):
        path = _stored(edition, part.file, settings)
        if path is None:
            yield Finding(edition.id, part.file, Text("文件不见了", "the file is missing"))
        elif file_hash(path) != part.sha256:
            yield Finding(edition.id, part.file, Text("文件被改动", "the file was changed"))


def _stored(edition: Edition, file: str, settings: Settings) -> Path | None:
    """A file of the edition as the store has it."""
    try:
        return store_of(settings).fetch(f"{edition_key(edition.hash)}/{file}")
    except NotStored:
        return None


def _rows(connection: Connection, edition: Edition, folder: Path) -> Iterator[Finding]:
    """The database's documents against those that the sound files give."""
    expected = _expected(edition, folder)
    changed: list[str] = []
    extra: list[str] = []
    query = select(facts.c.uscc, facts.c.document).where(facts.c.edition_id == edition.id)
    for code, document in connection.execution_options(yield_per=_AT_ONCE).execute(query):
        digest = expected.pop(code, None)
        if digest is None:
            extra.append(code)
        elif digest != _digest(document):
            changed.append(code)
    yield from _named(
        edition, extra, Text("数据库里多出的企业", "a firm in the database that the edition has not")
    )
    yield from _named(edition, sorted(expected), Text("数据库里缺这家企业", "the database lacks the firm"))
    yield from _named(
        edition, changed, Text("数据库里的数据被改动", "the firm's figures in the database were changed")
    )


def _expected(edition: Edition, folder: Path) -> dict[str, bytes]:
    """Code → digest of its document, made anew from the files."""
    found: dict[str, bytes] = {}
    for bucket in range(BUCKETS):
        part = read_part(folder, bucket)
        made = documents(part, edition.manifest.columns)
        found.update(zip(part["uscc"], map(_digest, made), strict=True))
    return found


def _digest(document: str) -> bytes:
    """Of what a document says: the spelling of numbers may differ between versions of libraries."""
    said: Mapping[str, object] = orjson.loads(document)
    return hashlib.blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def _named(edition: Edition, codes: list[str], what: Text) -> Iterator[Finding]:
    for code in codes[:_NAMED]:
        yield Finding(edition.id, code, what)
    if len(codes) > _NAMED:
        more = Text(f"{what.zh}，另有 {len(codes) - _NAMED} 家", f"{what.en}: {len(codes) - _NAMED} more")
        yield Finding(edition.id, "…", more)
