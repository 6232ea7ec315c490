"""Import: a file becomes the active edition in one step, after all the long work was done unseen.

What is written on the way (Parquet, facts, firms, names, a run) belongs to an edition that is ``building``
and that no look-up sees. The last transaction changes what differs, points at the edition and leaves the
audit record. An import that was killed leaves the old edition active; the next one clears what it staged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import polars as pl
from sqlalchemy import Connection, func, insert, select, update

from models.registry import firms, runs
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.days import check_dated
from models.registry.editions import Built, Manifest, build_edition, publish, read_manifest
from models.registry.lock import one_at_a_time
from models.registry.merged import read_registry
from models.registry.partitions import BUCKETS, NAMES, documents, file_hash, read_part
from models.registry.search.tables import firm_name, name_gram
from models.registry.search.write import NameEntry, stage_names
from models.registry.staging import BATCH, count_rows, stage
from models.registry.state import State, changed, read_state
from models.registry.tables import edition, facts, firm, standing
from models.registry.unfinished import clear_unfinished
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook, rulebook
from models.settings import Settings
from models.tabular.choices import NO_CHOICES, Choices, plain_choices
from models.tabular.former import split_former
from models.tabular.issue_table import write_issue_table
from models.tabular.issues import Issue, IssueLog
from models.tabular.reader import open_table

Stage = Literal["reading", "facts", "names", "firms", "standing"]
Progress = Callable[[Stage, int], None]
"""Hears what is being done and how many rows of it are."""

ISSUE_TABLE = "issues.csv"

__all__ = ["Imported", "check_dated", "import_file"]


def _silent(stage: Stage, rows: int) -> None:
    """Progress that nobody listens to."""


@dataclass(frozen=True)
class Imported:
    """What an import made of a file."""

    edition_id: int
    edition_hash: str
    manifest: Manifest
    run_id: int | None
    already: bool = False
    """The same file of the same date had been imported before; nothing was done."""
    active: bool = True
    changed_firms: int = 0
    """Firms known before whose name, district or industry now reads differently."""
    newest_before: date | None = None
    """The latest day that editions below it speak of; None where there are none."""
    issues: IssueLog | None = None
    notes: Sequence[Issue] = ()
    issues_at: Path | None = None

    @property
    def outweighed(self) -> bool:
        """Editions below it speak of a later day: where both have a figure, theirs stands."""
        return self.newest_before is not None and self.newest_before > self.dated

    @property
    def dated(self) -> date:
        return date.fromisoformat(self.manifest.content["dated"])


def import_file(
    database: Database,
    settings: Settings,
    path: Path,
    *,
    dated: date,
    actor: Actor,
    now: datetime,
    book: Rulebook | None = None,
    as_of: date | None = None,
    kind: str = "new",
    progress: Progress = _silent,
    choices: Choices = NO_CHOICES,
) -> Imported:
    """Make ``path`` the active edition, over the one that is active now.

    ``dated``: the day its figures speak of; those of a later day stand over them. ``as_of``: the day standing
    is judged for, by default the latest that any of the figures speaks of.
    ``choices``: what somebody said its headers mean; read so, the same bytes are another source.
    Raises FileRefused, Busy (G001) and DatabaseAway; whatever is raised, the registry is as it was.
    """
    with one_at_a_time(database, settings):
        clear_unfinished(database, settings, now)
        with open_table(path, as_of=dated, choices=choices) as table:
            source_hash = _source_hash(path, choices)
            with database.read() as connection:
                known = _already(connection, source_hash, dated)
            if known:
                return known
            built = build_edition(settings, table, source_hash, dated, lambda rows: progress("reading", rows))
        importing = _Import(database, settings, built, actor, now, progress)
        return importing.activate(book or rulebook(), as_of, kind)


@dataclass(frozen=True)
class _Import:
    database: Database
    settings: Settings
    built: Built
    actor: Actor
    now: datetime
    progress: Progress

    def activate(self, book: Rulebook, as_of: date | None, kind: str) -> Imported:
        manifest = self.built.manifest
        issues_at = self._write_issues()
        with self.database.write() as connection:
            before = read_state(connection)
            newest = _newest_day(connection, before)
            edition_id = self._begin(connection, before.edition_id)
        dated = date.fromisoformat(manifest.content["dated"])
        period = Period(as_of or max(dated, newest or dated), kind)
        publish(self.settings, self.built.folder)
        after = State(
            edition_id, manifest.hash, (edition_id, *before.lineage), None, before.registry_version,
            before.keys_version,
        )  # fmt: skip
        self._stage_facts(edition_id)
        self._stage_names(edition_id, before)
        with self.database.read() as connection:
            registry = read_registry(connection, self.settings, after)
        projection = firms.project(self.database, registry, lambda rows: self.progress("firms", rows))
        staged = runs.stage_run(
            self.database, registry, book, period, self.now, lambda rows: self.progress("standing", rows)
        )
        count_rows(self.database, (facts, firm, standing, firm_name, name_gram))
        with self.database.write() as connection:
            firms.apply(connection, after, projection)
            connection.execute(update(edition).where(edition.c.id == edition_id).values(status="ready"))
            runs.finish_run(connection, staged.id, self.now)
            changed(connection, edition_id=edition_id, run_id=staged.id)
            self._record(connection, edition_id, before.edition_hash)
        return Imported(
            edition_id, manifest.hash, manifest, staged.id, changed_firms=projection.firms,
            newest_before=newest, issues=self.built.issues, notes=self.built.notes, issues_at=issues_at,
        )  # fmt: skip

    def _begin(self, connection: Connection, parent: int | None) -> int:
        manifest = self.built.manifest
        values = {
            "hash": manifest.hash,
            "parent_id": parent,
            "status": "building",
            "source_name": manifest.content["source"]["name"],
            "source_hash": manifest.content["source"]["sha256"],
            "dated": date.fromisoformat(manifest.content["dated"]),
            "rows": manifest.rows,
            "firms": manifest.firms,
            "manifest": manifest.text,
            "imported_at": self.now,
            "imported_by": self.actor.name,
        }
        made = connection.execute(insert(edition).values(values)).inserted_primary_key
        assert made is not None
        return int(made[0])

    def _stage_facts(self, edition_id: int) -> None:
        """Documents of every firm, part by part."""
        columns = self.built.manifest.columns
        done = 0
        for bucket in range(BUCKETS):
            part = read_part(self.built.folder, bucket)
            owner = pl.lit(edition_id, dtype=pl.Int32).alias("edition_id")
            for some in part.iter_slices(BATCH):  # a document is some two kilobytes
                rows = some.select("uscc", owner).with_columns(documents(some, columns))
                stage(self.database, facts, rows)
            done += part.height
            self.progress("facts", done)

    def _stage_names(self, edition_id: int, before: State) -> None:
        """Every firm's names, a nameless one's too: its code is found by a part of it."""
        stage_names(self.database, edition_id, self._names(), lineage=before.lineage)

    def _names(self) -> Iterator[NameEntry]:
        done = 0
        names = NAMES if self.built.manifest.former_names else NAMES[:1]
        for bucket in range(BUCKETS):
            part = read_part(self.built.folder, bucket, ("uscc", *names))
            self.progress("names", done)
            for code, name, *former in part.iter_rows():
                yield NameEntry(code, name or "")
                for joined in former:
                    yield from (NameEntry(code, other) for other in split_former(joined))
            done += part.height

    def _write_issues(self) -> Path | None:
        """The list of what was wrong in the file, beside the edition's parts."""
        if not len(self.built.issues) and not self.built.notes:
            return None
        path = self.built.folder / ISSUE_TABLE
        write_issue_table(path, self.built.issues, self.built.notes)
        return path

    def _record(self, connection: Connection, edition_id: int, before: str | None) -> None:
        counts = self.built.manifest.content["counts"]
        source = self.built.manifest.content["source"]["name"]
        event = self.actor.event(
            "registry.import", f"edition:{edition_id}", before, self.built.manifest.hash,
            file=source, **counts,
        )  # fmt: skip
        append(connection, [event], self.now)


def _newest_day(connection: Connection, state: State) -> date | None:
    """The latest day that a visible edition speaks of."""
    latest = select(func.max(edition.c.dated)).where(edition.c.id.in_(state.lineage))
    found: date | None = connection.execute(latest).scalar_one()
    return found


def _source_hash(path: Path, choices: Choices) -> str:
    """Of the bytes, and of how they were read where that is not by themselves alone."""
    bare = file_hash(path)
    if not choices:
        return bare
    said = json.dumps([bare, plain_choices(choices)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _already(connection: Connection, source_hash: str, dated: date) -> Imported | None:
    """The edition that this file was made into before."""
    query = select(edition).where(
        edition.c.source_hash == source_hash, edition.c.dated == dated, edition.c.status == "ready"
    )
    row = connection.execute(query.order_by(edition.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    state = read_state(connection)
    is_active = state.edition_id == row.id
    run_id = state.run_id if is_active else runs.latest_run(connection, row.id)
    return Imported(row.id, row.hash, read_manifest(row.manifest), run_id, already=True, active=is_active)
