"""Parquet: typed columns go on as they are, everything else becomes text."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from models.tabular.headers import find_header
from models.tabular.issues import refusal
from models.tabular.source import Source

_INDEX = "\0row"
"""Not ``row``: a file may have a column of that name."""


def open_parquet(path: Path) -> Source:
    """Lay a Parquet file open; row 2 is its first, as in a sheet with a header. Raises E002, E003, E010."""
    try:
        with pq.ParquetFile(path) as file:
            rows = file.metadata.num_rows
        frame = pl.scan_parquet(path, glob=False)
        schema = frame.collect_schema()
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError) as error:
        raise refusal("E010", str(path), reason=str(error).splitlines()[0][:200]) from error
    header = list(schema)
    if find_header([header]) is None:
        raise refusal("E003", str(path))
    if not rows:
        raise refusal("E002", str(path))
    columns = [_plain(name, dtype).alias(f"c{place}") for place, (name, dtype) in enumerate(schema.items())]
    index = pl.col(_INDEX).cast(pl.UInt32).alias("row")
    numbered = frame.with_row_index(_INDEX, offset=2).select(index, *columns)
    unreadable = [place for place, dtype in enumerate(schema.values()) if _is_opaque(dtype)]
    return Source(kind="parquet", frame=numbered, header=header, header_row=1, unreadable=unreadable)


def _is_opaque(dtype: pl.DataType) -> bool:
    return dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Time, pl.Duration)


def _plain(name: str, dtype: pl.DataType) -> pl.Expr:
    """Blank text and NaN become null; kinds of numbers and dates are narrowed to a few."""
    column = pl.col(name)
    if _is_opaque(dtype):
        return pl.lit(None, dtype=pl.String)
    if dtype == pl.String:
        return pl.when(column != "").then(column)
    if dtype.is_float() or dtype in (pl.UInt64, pl.Int128):
        return column.cast(pl.Float64).fill_nan(None)
    if dtype.is_integer():
        return column.cast(pl.Int64)
    if dtype == pl.Boolean:
        return column
    return column.cast(pl.Date if dtype in (pl.Date, pl.Datetime) else pl.String)
