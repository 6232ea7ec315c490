"""Identity of firms in the database: what the merged editions say, and what has to change for them.

A new firm's row names the edition it first stands in, so it may be stored before that edition is active:
nobody sees it. A row that is seen already changes only in the transaction that makes the edition active.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl
from sqlalchemy import Connection, bindparam, select, update

from models.registry.corrections import refresh_identity
from models.registry.database import Database
from models.registry.merged import PLACE, Registry
from models.registry.partitions import buckets_of
from models.registry.staging import stage
from models.registry.state import State
from models.registry.tables import correction, firm

IDENTITY = ("name", "district", "industry", "edition_id")
_AT_ONCE = 50_000


@dataclass
class Projection:
    """What is left to change when the edition becomes active: rows of ``firm`` that read differently."""

    changed: list[pl.DataFrame] = field(default_factory=list)
    last_correction: int = 0
    """Corrections made after this one are not in it."""

    @property
    def firms(self) -> int:
        return sum(frame.height for frame in self.changed)


def project(
    database: Database, registry: Registry, progress: Callable[[int], None] = lambda firms: None
) -> Projection:
    """Store the firms that are new, in committed batches, and find those that change."""
    with database.read() as connection:
        found = Projection(last_correction=last_correction(connection))
        known = _known(connection)
    seen = 0
    for bucket, frame in enumerate(registry.buckets(PLACE)):
        wanted = frame.select("uscc", "name", *sorted(PLACE), pl.col("first").alias("edition_id"))
        held = known.pop(bucket, None)
        new = wanted if held is None else wanted.join(held, on="uscc", how="anti")
        stage(database, firm, new.with_columns(pl.lit(1, dtype=pl.Int32).alias("version")))
        if held is not None:
            both = wanted.join(held, on="uscc", how="inner", suffix="@")
            differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}@")) for name in IDENTITY)
            found.changed.append(both.filter(differs).select(wanted.columns))
        seen += frame.height
        progress(seen)
    return found


def apply(connection: Connection, state: State, projection: Projection) -> None:
    """Within the transaction that makes ``state`` the current one: as much work as firms have changed."""
    statement = (
        update(firm)
        .where(firm.c.uscc == bindparam("code"))
        .values({name: bindparam(f"new_{name}") for name in IDENTITY})
    )
    for frame in projection.changed:
        rows = frame.rename({"uscc": "code", **{name: f"new_{name}" for name in IDENTITY}}).to_dicts()
        if rows:
            connection.execute(statement, rows)
    for code in _corrected_since(connection, state, projection.last_correction):
        refresh_identity(connection, state, code)


def last_correction(connection: Connection) -> int:
    newest = select(correction.c.id).order_by(correction.c.id.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none() or 0


def _corrected_since(connection: Connection, state: State, last: int) -> Sequence[str]:
    query = (
        select(correction.c.uscc)
        .distinct()
        .where(correction.c.id > last, correction.c.edition_id.in_(state.lineage))
    )
    return connection.execute(query).scalars().all()


def _known(connection: Connection) -> dict[int, pl.DataFrame]:
    """Rows of ``firm`` by bucket."""
    columns = [firm.c[name] for name in ("uscc", *IDENTITY)]
    schema = dict.fromkeys(("uscc", "name", "district"), pl.String) | dict.fromkeys(
        ("industry", "edition_id"), pl.Int32
    )
    rows = connection.execution_options(yield_per=_AT_ONCE).execute(select(*columns))
    frames = [pl.DataFrame(list(map(tuple, part)), schema=schema, orient="row") for part in rows.partitions()]
    if not frames:
        return {}
    frame = pl.concat(frames)
    parts = frame.with_columns(buckets_of(frame["uscc"])).partition_by(
        "bucket", as_dict=True, include_key=False
    )
    return {int(bucket[0]): part for bucket, part in parts.items()}
