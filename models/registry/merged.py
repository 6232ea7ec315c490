"""The whole registry as tables: the figures of a lineage's editions merged, bucket by bucket.

The same words, weighed the same, as in :mod:`models.registry.words`. Editions are merged by columns; the few
firms that a hand or a list speaks of get their figures from there, one by one; a complete list's silence
is again worked out by columns. A test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from models.fields import NO_TITLE
from models.registry.editions import folder_with
from models.registry.facts import Pins, complete_lists, figures_of
from models.registry.listing import Edition, editions_of
from models.registry.partitions import (
    BUCKETS,
    NAMES,
    buckets_of,
    external_dtype,
    internal,
    part_name,
    read_part,
)
from models.registry.state import State
from models.registry.tables import correction, title_entry, title_list
from models.registry.title_columns import MEMBER, title_column
from models.registry.words import ListWord
from models.settings import Settings
from models.tabular.former import JOINED

FIRMS_AT_ONCE = 1_000
Within = Callable[[pl.Series], pl.Series]
"""Codes → which of them are wanted."""
PLACE = frozenset(("district", "industry"))
"""Part of a firm's identity: always given when asked for, if only as blanks."""


@dataclass(frozen=True)
class Overlay:
    """What hands and lists say over the editions."""

    spoken_of: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Firm → its merged figures (external), for firms that a correction or a list's entry names."""
    columns: tuple[str, ...] = ()
    """Columns that corrections and lists speak of."""
    complete: Mapping[str, ListWord] = field(default_factory=dict)
    """What complete lists say of every other firm."""


def read_overlay(
    connection: Connection,
    state: State,
    pins: Pins | None = None,
    concerns: Callable[[str], bool] = lambda code: True,
) -> Overlay:
    """Gather it, with the merged figures of every firm that is named and that it ``concerns``.

    ``pins``: as things were said up to then.
    """
    said = select(correction.c.uscc, correction.c.column).where(correction.c.edition_id.in_(state.lineage))
    listed = select(title_entry.c.uscc).distinct()
    titles = select(title_list.c.title).distinct()
    if pins is not None:
        said = said.where(correction.c.id <= pins.corrections)
        listed = listed.where(title_entry.c.list_id <= pins.lists)
        titles = titles.where(title_list.c.id <= pins.lists)
    hands = connection.execute(said).all()
    codes = {row.uscc for row in hands} | set(connection.execute(listed).scalars())
    named = sorted(filter(concerns, codes))
    spoken_of: dict[str, Mapping[str, Any]] = {}
    for first in range(0, len(named), FIRMS_AT_ONCE):
        some = figures_of(connection, state, named[first : first + FIRMS_AT_ONCE], pins)
        spoken_of |= {code: dict(figures.values_by_column) for code, figures in some.items()}
    columns = {row.column for row in hands}
    columns |= {title_column(title) for title in connection.execute(titles).scalars()}
    return Overlay(spoken_of, tuple(sorted(columns)), complete_lists(connection, pins))


@dataclass(frozen=True)
class Registry:
    """All firms of a lineage, newest edition first."""

    settings: Settings
    editions: Sequence[Edition]
    overlay: Overlay

    @property
    def columns(self) -> frozenset[str]:
        """Every canonical column that any of its firms may have."""
        found = {column for one in self.editions for column in one.manifest.columns}
        return frozenset(found | set(self.overlay.columns))

    def buckets(self, columns: Collection[str]) -> Iterator[pl.DataFrame]:
        """Firms with ``uscc``, ``name``, ``first`` (edition they first stand in), ``former`` (other names
        they had, oldest first) and ``columns`` in the form rules read; each code in one bucket only.
        """
        wanted = self._held(columns)
        spoken_of = self._spoken_of(wanted)
        for bucket in range(BUCKETS):
            yield self._with_overlay(self._merge(bucket, wanted, None), spoken_of.get(bucket), wanted)

    def bucket(self, bucket: int, columns: Collection[str], within: Within) -> pl.DataFrame:
        """One of :meth:`buckets`; of it, the firms that lie ``within``."""
        wanted = self._held(columns)
        frame = self._merge(bucket, wanted, within)
        return self._with_overlay(frame, self._spoken_of(wanted).get(bucket), wanted)

    def _held(self, columns: Collection[str]) -> list[str]:
        held = self.columns | PLACE
        return [column for column in sorted(columns) if column in held]

    def _merge(self, bucket: int, columns: Sequence[str], within: Within | None) -> pl.DataFrame:
        by_weight = sorted(self.editions, key=lambda one: (one.dated, one.id), reverse=True)
        merged, *lighter = (self._part(one, bucket, columns, within) for one in by_weight)
        blank = pl.lit([], dtype=pl.List(pl.String))
        for part in lighter:
            joined = merged.join(
                part, on="uscc", how="full", coalesce=True, suffix="@", maintain_order="left_right"
            )
            # A title brings along the date of the edition that gave it.
            both = [name for name in merged.columns if name not in ("uscc", "first", "names")]
            merged = joined.select(
                "uscc",
                *(pl.coalesce(name, f"{name}@") for name in both),
                pl.min_horizontal("first", "first@"),
                pl.concat_list(pl.col(name).fill_null(blank) for name in ("names@", "names")).alias("names"),
            )
        former = pl.col("names").list.unique(maintain_order=True).list.set_difference(pl.concat_list("name"))
        return merged.with_columns(former.alias("former")).drop("names")

    def _part(self, one: Edition, bucket: int, columns: Sequence[str], within: Within | None) -> pl.DataFrame:
        """One edition's part with every wanted column, blank where the edition has none."""
        held = set(one.manifest.columns)
        folder = folder_with(self.settings, one.hash, part_name(bucket))
        told = NAMES if one.manifest.former_names else NAMES[:1]
        part = read_part(folder, bucket, ["uscc", *told, *(c for c in columns if c in held)])
        if within is not None:
            part = part.filter(within(part["uscc"]))
        part = part.with_columns(
            pl.lit(None, dtype=external_dtype(c)).alias(c) for c in columns if c not in held
        )
        dated = [
            pl.when(pl.col(c).is_not_null()).then(pl.lit(one.dated)).alias(f"{c}@dated")
            for c in columns
            if c in self.overlay.complete
        ]
        part = part.with_columns(*dated, _names(told), pl.lit(one.id, dtype=pl.Int32).alias("first"))
        return part.drop(told[1:]).with_columns(internal(c) for c in columns)

    def _with_overlay(
        self, frame: pl.DataFrame, spoken_of: pl.DataFrame | None, columns: Sequence[str]
    ) -> pl.DataFrame:
        silent = [
            pl.when(pl.col(column).is_null() | (pl.col(f"{column}@dated") <= word.dated))
            .then(pl.lit(False) if column in MEMBER else pl.lit(NO_TITLE))
            .otherwise(pl.col(column))
            .alias(column)
            for column, word in self.overlay.complete.items()
            if column in columns
        ]
        frame = frame.with_columns(silent).drop(pl.selectors.ends_with("@dated"))
        if spoken_of is None:
            return frame
        told = [column for column in spoken_of.columns if column != "uscc"]
        joined = frame.join(
            spoken_of.with_columns(pl.lit(True).alias("told@")),
            on="uscc",
            how="left",
            suffix="@",
            maintain_order="left",
        )
        return joined.with_columns(
            pl.when("told@").then(pl.col(f"{column}@")).otherwise(pl.col(column)).alias(column)
            for column in told
        ).select(frame.columns)

    def _spoken_of(self, columns: Sequence[str]) -> dict[int, pl.DataFrame]:
        """Bucket → the firms that hands and lists name, with what they say of the wanted columns."""
        told = [column for column in self.overlay.columns if column in columns]
        if not told or not self.overlay.spoken_of:
            return {}
        rows = [
            {"uscc": code, **{column: figures.get(column) for column in told}}
            for code, figures in self.overlay.spoken_of.items()
        ]
        frame = _external_frame(rows, told).with_columns(internal(column) for column in told)
        parts = frame.with_columns(buckets_of(frame["uscc"])).partition_by(
            "bucket", as_dict=True, include_key=False
        )
        return {int(bucket[0]): part for bucket, part in parts.items()}


def _names(told: Sequence[str]) -> pl.Expr:
    """All names an edition gives, as a list: former ones first."""
    former = [pl.col(name).str.split(JOINED).fill_null([]) for name in told[1:]]
    return pl.concat_list(*former, "name").list.drop_nulls().alias("names")


def read_registry(connection: Connection, settings: Settings, state: State) -> Registry:
    """The registry as ``state`` has it. An edition still being built may stand at its head."""
    return Registry(settings, editions_of(connection, state.lineage), read_overlay(connection, state))


def _external_frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pl.DataFrame:
    """Values as JSON gives them, in the types of the external form."""
    written: dict[str, Any] = {column: external_dtype(column) for column in columns}
    dates = [column for column, dtype in written.items() if dtype == pl.Date]
    schema = {"uscc": pl.String, **written, **dict.fromkeys(dates, pl.String)}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(pl.col(column).str.to_date("%Y-%m-%d") for column in dates)
