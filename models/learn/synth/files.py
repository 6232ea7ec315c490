"""A synthetic registry to a file, chunk by chunk, so that memory does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import chain
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from models.learn.synth.frame import generate
from models.tabular.issues import refusal
from models.tabular.output import atomic_output

CHUNK = 100_000
"""Firms per chunk, and rows per Parquet row group."""
XLSX_ROWS = 1_048_575
UNIQUE = ("uscc", "name")

Progress = Callable[[int], None]


def write(n: int, seed: int, path: Path, as_of: date, progress: Progress | None = None) -> None:
    """Write ``n`` firms as ``.csv``, ``.xlsx`` or ``.parquet``; ``progress`` is told the firms so far.

    The same arguments give the same bytes. Raises E401, E402, E404 (see :func:`atomic_output`) and E403 for
    more rows than a sheet holds.
    """
    ending = path.suffix.lower()
    if ending == ".xlsx" and n > XLSX_ROWS:
        raise refusal("E403", str(path), rows=n)
    with atomic_output(path) as part:
        chunks = _chunks(n, seed, as_of, progress)
        if ending == ".csv":
            _csv(chunks, part)
        elif ending == ".parquet":
            _parquet(chunks, part)
        else:
            _xlsx(chunks, part, as_of)


def _chunks(n: int, seed: int, as_of: date, progress: Progress | None) -> Iterator[pl.DataFrame]:
    """At least one chunk, so that an empty registry still has its header."""
    for start in range(0, max(n, 1), CHUNK):
        length = min(CHUNK, n - start)
        yield generate(length, seed, as_of, start=start)
        if progress:
            progress(start + length)


def _csv(chunks: Iterator[pl.DataFrame], path: Path) -> None:
    with path.open("wb") as file:
        for place, chunk in enumerate(chunks):
            chunk.write_csv(file, include_header=place == 0)


def _parquet(chunks: Iterator[pl.DataFrame], path: Path) -> None:
    first = next(chunks)
    # A dictionary is tried for every column by default, in vain for figures and at half of the time.
    repeated = [name for name, dtype in first.schema.items() if dtype == pl.String and name not in UNIQUE]
    schema = _arrow(first).schema
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=repeated) as writer:
        for chunk in chain([first], chunks):
            writer.write_table(_arrow(chunk), row_group_size=CHUNK)


def _arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _xlsx(chunks: Iterator[pl.DataFrame], path: Path, as_of: date) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(str(path), options) as book:
        # The time of creation would make two files of one registry differ.
        book.set_properties({"created": datetime(as_of.year, as_of.month, as_of.day)})
        sheet = book.add_worksheet("企业")
        sheet.freeze_panes(1, 2)
        written = 0
        for chunk in chunks:
            if written == 0:
                sheet.write_row(0, 0, chunk.columns)
            for values in chunk.iter_rows():
                written += 1
                sheet.write_row(written, 0, values)
