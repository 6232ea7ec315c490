"""The firms of one part, as the registry stood when the run was made."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection

from models.registry.facts import Pins
from models.registry.listing import editions_of
from models.registry.merged import Registry, read_overlay
from models.registry.partitions import BUCKETS
from models.registry.state import State, lineage_of
from models.runs.record import Run
from models.settings import Settings


@dataclass(frozen=True, slots=True)
class Slice:
    """Which firms a part has: those of a bucket whose code falls on its place among so many slices."""

    part: int
    bucket: int
    place: int
    slices: int

    def holds(self, code: str) -> bool:
        hashed = zlib.crc32(code.encode())
        return hashed % BUCKETS == self.bucket and hashed // BUCKETS % self.slices == self.place

    def within(self, codes: pl.Series) -> pl.Series:
        """Which of the codes, all of the bucket, are of the slice."""
        found = [zlib.crc32(code.encode()) // BUCKETS % self.slices == self.place for code in codes]
        return pl.Series(found, dtype=pl.Boolean)


def pinned_registry(connection: Connection, settings: Settings, of: Run, part: Slice) -> Registry:
    """The run's edition and its parents, with what hands and lists had said of the part's firms by then."""
    lineage = lineage_of(connection, of.edition_id)
    state = State(of.edition_id, None, lineage, of.previous_run_id, 0, 0)
    pins = Pins(of.corrections_upto or 0, of.lists_upto or 0)
    overlay = read_overlay(connection, state, pins, part.holds)
    return Registry(settings, editions_of(connection, lineage), overlay)


def firms_of(registry: Registry, part: Slice, columns: Collection[str]) -> pl.DataFrame:
    """The part's firms by code, in canonical types: ``uscc, name, district, industry`` and the columns."""
    return registry.bucket(part.bucket, set(columns), part.within).sort("uscc")
