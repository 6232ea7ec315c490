"""The current figures of all firms as a file that can be read again: what hands and lists say included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.merged import Registry, read_registry
from models.registry.partitions import FORMER, NAMES, external, external_dtype
from models.registry.state import State, active, read_state
from models.settings import Settings
from models.tabular.former import JOINED
from models.tabular.issue_table import neutralise
from models.tabular.issues import refusal
from models.tabular.output import atomic_output, check_output

_EXCEL_ROWS = 1_048_575
Progress = Callable[[int], None]


def _silent(firms: int) -> None:
    """Progress that nobody listens to."""


def export(
    database: Database,
    settings: Settings,
    path: Path,
    *,
    actor: Actor,
    now: datetime,
    progress: Progress = _silent,
) -> int:
    """Write code, names and every canonical column of every firm; how many firms. The export is audited.

    ``path`` ends in .csv, .xlsx or .parquet. Raises OutputRefused, NoEdition (G003), DatabaseAway.
    """
    check_output(path)
    with database.read() as connection:
        state = read_state(connection)
        active(state)
        registry = read_registry(connection, settings, state)
    columns = [*_names(registry), *sorted(registry.columns)]
    with atomic_output(path) as part:
        firms = _WRITERS[path.suffix.lower()](part, path, columns, _frames(registry, columns, progress))
        _record(database, state, path, firms, actor, now)
    return firms


def _names(registry: Registry) -> Sequence[str]:
    """``name``, and former names where there may be any."""
    several = len(registry.editions) > 1 or registry.editions[0].manifest.former_names
    return NAMES if several else NAMES[:1]


def _frames(registry: Registry, columns: Sequence[str], progress: Progress) -> Iterator[pl.DataFrame]:
    firms = 0
    figures = [column for column in columns if column not in NAMES]
    former = pl.col("former").list.join(JOINED).replace("", None).alias(FORMER)
    for bucket in registry.buckets(figures):
        blank = [pl.lit(None, dtype=external_dtype(c)).alias(c) for c in figures if c not in bucket.columns]
        held = [external(c) for c in figures if c in bucket.columns]
        yield bucket.with_columns(*held, *blank, former).select("uscc", *columns)
        firms += bucket.height
        progress(firms)


def _parquet(part: Path, path: Path, columns: Sequence[str], frames: Iterator[pl.DataFrame]) -> int:
    firms = 0
    writer: pq.ParquetWriter | None = None
    try:
        for frame in frames:
            table: pa.Table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            writer = writer or pq.ParquetWriter(part, table.schema, compression="zstd")
            writer.write_table(table.cast(writer.schema))
            firms += frame.height
    finally:
        if writer is not None:
            writer.close()
    return firms


def _csv(part: Path, path: Path, columns: Sequence[str], frames: Iterator[pl.DataFrame]) -> int:
    firms = 0
    with part.open("wb") as file:
        for frame in frames:
            safe = frame.with_columns(neutralise(pl.col(name)) for name in NAMES if name in columns)
            safe.write_csv(file, include_header=not firms, include_bom=not firms)
            firms += frame.height
    return firms


def _xlsx(part: Path, path: Path, columns: Sequence[str], frames: Iterator[pl.DataFrame]) -> int:
    """Codes and dates as text; a formula is never written."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    firms = 0
    with xlsxwriter.Workbook(part, options) as book:
        sheet = book.add_worksheet("数据")
        sheet.freeze_panes(1, 2)
        sheet.write_row(0, 0, ["uscc", *columns])
        for frame in frames:
            if firms + frame.height > _EXCEL_ROWS:
                raise refusal("E403", str(path), rows=f"{firms + frame.height:,}")
            for row in frame.with_columns(pl.col(pl.Date).cast(pl.String)).iter_rows():
                firms += 1
                for place, value in enumerate(row):
                    if value is not None:
                        sheet.write(firms, place, value)
    return firms


_WRITERS = {".csv": _csv, ".xlsx": _xlsx, ".parquet": _parquet}


def _record(database: Database, state: State, path: Path, firms: int, actor: Actor, now: datetime) -> None:
    """Before the file gets its name: no export without its record."""
    event = actor.event(
        "registry.export",
        f"edition:{state.edition_id}",
        None,
        state.edition_hash,
        file=path.name,
        firms=firms,
    )
    with database.write() as connection:
        append(connection, [event], now)
