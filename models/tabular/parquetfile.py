"""Parquet: typed columns go on as they are, everything else becomes text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from models.errors import TiduiError
from models.tabular.choices import NO_CHOICES, Choices
from models.tabular.coded import Coded
from models.tabular.headers import find_header
from models.tabular.issues import refusal
from models.tabular.source import PIECE, Piece, Source, Wanted

_FIRST_ROW = 2
"""As in a sheet with a header."""

_INDEX = "\0row"
"""Not ``row``: a file may have a column of that name."""


def open_parquet(path: Path, choices: Choices = NO_CHOICES) -> Source:
    """Lay a Parquet file open; row 2 is its first, as in a sheet with a header. Raises E002, E003, E010."""
    try:
        with pq.ParquetFile(path) as file:
            rows = file.metadata.num_rows
        frame = pl.scan_parquet(path, glob=False)
        schema = frame.collect_schema()
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, error) from error
    header = list(schema)
    if find_header([header], choices) is None:
        raise refusal("E003", str(path))
    if not rows:
        raise refusal("E002", str(path))
    columns = [_plain(name, dtype).alias(f"c{place}") for place, (name, dtype) in enumerate(schema.items())]
    index = pl.col(_INDEX).cast(pl.UInt32).alias("row")
    numbered = frame.with_row_index(_INDEX, offset=_FIRST_ROW).select(index, *columns)
    unreadable = [place for place, dtype in enumerate(schema.values()) if _is_opaque(dtype)]

    def reader(wanted: Wanted) -> Iterator[Piece]:
        names = {column: header[int(column[1:])] for column in wanted.columns}
        words = [names[column] for column in wanted.wordy if schema[names[column]] == pl.String]
        return _pieces(path, names, words)

    return Source(
        kind="parquet", frame=numbered, header=header, header_row=1, unreadable=unreadable, reader=reader
    )


def _damaged(path: Path, error: Exception) -> TiduiError:
    return refusal("E010", str(path), reason=str(error).splitlines()[0][:200])


def _pieces(path: Path, names: Mapping[str, str], coded: Sequence[str]) -> Iterator[Piece]:
    """``names``: column → header; ``coded`` headers are read as the words of the file and their places."""
    row = _FIRST_ROW
    try:
        with pq.ParquetFile(path, read_dictionary=list(coded), pre_buffer=False) as file:
            for groups in _row_groups(file.metadata):
                # One thread: others judge and write meanwhile.
                batches = file.iter_batches(PIECE, groups, list(names.values()), use_threads=False)
                for batch in batches:
                    yield _piece(batch, names, row)
                    row += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def _row_groups(metadata: pq.FileMetaData) -> Iterator[list[int]]:
    """Row groups, small ones together: read in one go, pyarrow keeps 10 MB of each until the last is read."""
    waiting: list[int] = []
    rows = 0
    for group in range(metadata.num_row_groups):
        waiting.append(group)
        rows += metadata.row_group(group).num_rows
        if rows >= PIECE:
            yield waiting
            waiting, rows = [], 0
    if waiting:
        yield waiting


def _piece(batch: pa.RecordBatch, names: Mapping[str, str], first: int) -> Piece:
    words = {
        column: batch.column(name)
        for column, name in names.items()
        if _is_coded_text(batch.schema.field(name).type)
    }
    plain = {column: name for column, name in names.items() if column not in words}
    typed = pl.from_arrow(batch.select(list(plain.values())))
    assert isinstance(typed, pl.DataFrame)
    dtypes = typed.schema
    row = pl.int_range(first, first + batch.num_rows, dtype=pl.UInt32).alias("row")
    values = [_plain(name, dtypes[name]).alias(column) for column, name in plain.items()]
    return Piece(
        typed.select(row, *values), {column: Coded.from_arrow(array) for column, array in words.items()}
    )


def _is_coded_text(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.DictionaryType) and kind.value_type in (pa.string(), pa.large_string())


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
