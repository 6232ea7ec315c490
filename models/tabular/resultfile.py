"""Results on their way into a Parquet or CSV file, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from models.tabular.coded import Coded
from models.tabular.issue_table import neutralise

Block = Mapping[str, pl.Series | Coded]
"""Some rows of a result: the same columns in the same order each time."""


class ResultFile(Protocol):
    """A file that takes blocks; a block becomes a row group in Parquet."""

    def write(self, block: Block) -> None:
        """Add the rows of a block."""


@contextmanager
def open_result(path: Path, *, csv: bool = False) -> Iterator[ResultFile]:
    """Write Parquet, or CSV for spreadsheet programs: with a byte order mark, nothing read as a formula."""
    if csv:
        with path.open("wb") as file:
            yield _Csv(file)
        return
    parquet = _Parquet(path)
    try:
        yield parquet
    finally:
        parquet.close()


class _Parquet:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def write(self, block: Block) -> None:
        table = pa.table({name: _arrow(column) for name, column in block.items()})
        if self._writer is None:
            # The file's own schema says plain strings: that words are coded is nothing to its readers.
            self._writer = pq.ParquetWriter(
                self._path,
                table.schema,
                compression="zstd",
                store_schema=False,
                write_statistics=False,
                use_dictionary=[name for name, column in block.items() if isinstance(column, Coded)],
            )
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _arrow(column: pl.Series | Coded) -> pa.Array:
    if isinstance(column, Coded):
        return column.to_arrow()
    return column.to_arrow(compat_level=pl.CompatLevel.oldest())


class _Csv:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._begun = False

    def write(self, block: Block) -> None:
        frame = pl.DataFrame([_texts(column).alias(name) for name, column in block.items()])
        texts = [name for name, column in block.items() if isinstance(column, pl.Series)]
        safe = frame.with_columns(
            neutralise(pl.col(name)) for name in texts if frame[name].dtype == pl.String
        )
        safe.write_csv(self._file, include_header=not self._begun, include_bom=not self._begun)
        self._begun = True


def _texts(column: pl.Series | Coded) -> pl.Series:
    return column.texts() if isinstance(column, Coded) else column
