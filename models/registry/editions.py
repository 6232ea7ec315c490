"""Editions: an import's firms as an immutable, hashed folder of Parquet, written before anything is stored.

A row that cannot enter (no readable code, or a code that stands twice) lies in ``rejected.parquet`` with its
cells as they were written; nothing is lost. The hash of an edition is that of its parts and their origin.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from models.registry.partitions import FORMER, Part, PartsWriter, settle
from models.registry.rejects import write_rejected
from models.settings import Settings
from models.store import store_of
from models.tabular.issue_table import issue_counts
from models.tabular.issues import Issue, IssueLog, refusal
from models.tabular.reader import IDENTITY, Table
from models.tabular.uscc import other_rows

MANIFEST = "manifest.json"
HASHED = ("format", "parts", "rejected", "columns", "source", "dated")
"""What of a manifest makes the edition's hash; counts and versions follow from it."""
_BUILDING = ".building-"


@dataclass(frozen=True)
class Manifest:
    """What an edition is made of."""

    content: Mapping[str, Any]

    @property
    def hash(self) -> str:
        chosen = {key: self.content[key] for key in HASHED}
        return hashlib.sha256(_canonical(chosen).encode()).hexdigest()

    @property
    def text(self) -> str:
        return _canonical(self.content)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.content["columns"])

    @property
    def former_names(self) -> bool:
        """Whether its parts have a column of former names."""
        return bool(self.content.get("former_names"))

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(Part(**part) for part in self.content["parts"])

    @property
    def rows(self) -> int:
        return int(self.content["counts"]["rows"])

    @property
    def firms(self) -> int:
        return int(self.content["counts"]["firms"])

    @property
    def rejected(self) -> int:
        return int(self.content["counts"]["rejected"])


@dataclass(frozen=True)
class Built:
    """An edition that lies in its folder, and what there was to say about the file."""

    manifest: Manifest
    folder: Path
    issues: IssueLog
    notes: Sequence[Issue]


def edition_folder(settings: Settings, edition_hash: str) -> Path:
    return settings.editions / edition_hash


def edition_key(edition_hash: str) -> str:
    """Where an edition's files lie in the store."""
    return f"editions/{edition_hash}"


def publish(settings: Settings, folder: Path) -> None:
    """Put a finished edition's files into the store, where hosts other than this one find them."""
    if settings.store:
        store = store_of(settings)
        for path in sorted(folder.iterdir()):
            store.put(path, f"{edition_key(folder.name)}/{path.name}")


def folder_with(settings: Settings, edition_hash: str, file: str) -> Path:
    """A local folder that holds this file of an edition; it is fetched from the store at first use."""
    folder = edition_folder(settings, edition_hash)
    if (folder / file).is_file():
        return folder
    return store_of(settings).fetch(f"{edition_key(edition_hash)}/{file}").parent


def remove_edition(settings: Settings, edition_hash: str) -> None:
    """The files of an edition that never became ready, here and in the store."""
    shutil.rmtree(edition_folder(settings, edition_hash), ignore_errors=True)
    if settings.store:
        store_of(settings).delete(edition_key(edition_hash))


def read_manifest(text: str) -> Manifest:
    return Manifest(json.loads(text))


def build_edition(
    settings: Settings,
    table: Table,
    source_hash: str,
    dated: date,
    progress: Callable[[int], None] = lambda rows: None,
) -> Built:
    """Write the edition of an open table; ``progress`` hears how many rows are read.

    Raises E406 where no row can enter, E010 where the file is damaged further in.
    """
    settings.editions.mkdir(parents=True, exist_ok=True)
    folder = settings.editions / f"{_BUILDING}{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        log = IssueLog()
        manifest = _write(folder, table, source_hash, dated, log, progress)
        # What the reading took Arrow would keep for itself; an import has other work to come.
        pa.default_memory_pool().release_unused()
        return Built(manifest, _put_in_place(settings, folder, manifest), log, table.notes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_unfinished(settings: Settings) -> None:
    """Folders that a killed import left half written."""
    for folder in settings.editions.glob(f"{_BUILDING}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _write(
    folder: Path,
    table: Table,
    source_hash: str,
    dated: date,
    log: IssueLog,
    progress: Callable[[int], None],
) -> Manifest:
    twice = _standing_twice(table)
    barred = list(twice)
    columns = sorted(table.available)
    former = table.has_former_names
    writer = PartsWriter(folder, columns, former=former)
    rejects: list[pl.DataFrame] = []
    rows = 0
    for piece in table.batches([FORMER, *columns] if former else columns, log):
        enters = pl.col("error").is_null() & ~pl.col("row").is_in(barred)
        firms = piece.filter(enters)
        writer.add(firms)
        if firms.height < piece.height:
            rejects.append(piece.filter(~enters).select(IDENTITY))
        rows += piece.height
        progress(rows)
    table.finish(log)
    parts = writer.close()
    if not any(part.rows for part in parts):
        raise refusal("E406", str(table.path))
    rejected = write_rejected(folder, table, rejects, twice)
    counts = {
        "rows": rows,
        "firms": sum(part.rows for part in parts),
        "rejected": rejected.rows if rejected else 0,
    }
    manifest = Manifest(
        {
            "format": 1,
            "parts": [asdict(part) for part in parts],
            "rejected": asdict(rejected) if rejected else None,
            "columns": columns,
            **({"former_names": True} if former else {}),
            "source": _source(table, source_hash),
            "dated": dated.isoformat(),
            "counts": counts,
            "issues": {found.kind.code: found.count for found in issue_counts(log, table.notes)},
            "tidui": importlib.metadata.version("tidui"),
        }
    )
    (folder / MANIFEST).write_text(manifest.text, "utf-8")
    settle(folder / MANIFEST)
    return manifest


def _standing_twice(table: Table) -> dict[int, str]:
    """Row → its code's other rows in words, for codes that stand more than once: none of them enters."""
    codes = [
        piece.filter(pl.col("error").is_null()).select("row", "uscc")
        for piece in table.batches((), IssueLog())
    ]
    found = pl.concat(codes) if codes else pl.DataFrame(schema={"row": pl.UInt32, "uscc": pl.String})
    repeated = found.filter(pl.col("uscc").is_duplicated()).group_by("uscc").agg(pl.col("row").sort())
    return dict(pair for rows in repeated["row"].to_list() for pair in other_rows(rows))


def _source(table: Table, source_hash: str) -> dict[str, object]:
    return {
        "name": table.path.name,
        "sha256": source_hash,
        "kind": table.kind,
        "encoding": table.encoding,
        "sheet": table.sheet,
    }


def _put_in_place(settings: Settings, folder: Path, manifest: Manifest) -> Path:
    """Give the finished folder its name. One that a killed import left there is the same, or gives way."""
    target = edition_folder(settings, manifest.hash)
    shutil.rmtree(target, ignore_errors=True)
    os.rename(folder, target)
    for place in (target, settings.editions):
        handle = os.open(place, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    return target


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
