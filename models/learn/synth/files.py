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

from models.learn.synth.figures import YEARS
from models.learn.synth.frame import Aside, generate_aside
from models.tabular.issues import refusal
from models.tabular.output import atomic_output

CHUNK = 100_000
"""Firms per chunk, and rows per Parquet row group."""
XLSX_ROWS = 1_048_575
UNIQUE = ("uscc", "name")

Progress = Callable[[int], None]


def write(
    n: int,
    seed: int,
    path: Path,
    as_of: date,
    progress: Progress | None = None,
    *,
    years: int = YEARS,
    slips: float = 0.0,
    truth: Path | None = None,
) -> None:
    """Write ``n`` firms as ``.csv``, ``.xlsx`` or ``.parquet``; ``progress`` is told the firms so far.

    ``truth``: a Parquet file of what is true of them (:func:`truth_table`). The same arguments give the same
    bytes. Raises E401, E402, E404 (see :func:`atomic_output`) and E403 for more rows than a sheet holds.
    """
    ending = path.suffix.lower()
    if ending == ".xlsx" and n > XLSX_ROWS:
        raise refusal("E403", str(path), rows=n)
    aside: list[Aside] = []
    with atomic_output(path) as part:
        chunks = _chunks(n, seed, as_of, progress, years, slips, aside if truth else None)
        if ending == ".csv":
            _csv(chunks, part)
        elif ending == ".parquet":
            _parquet(chunks, part)
        else:
            _xlsx(chunks, part, as_of)
    if truth is not None:
        with atomic_output(truth) as part:
            truth_table(aside).write_parquet(part)


def truth_table(aside: list[Aside]) -> pl.DataFrame:
    """A row per firm, and one more for each further slip of its: ``uscc, layer, registered_capital`` (万元),
    ``gone`` (year), ``column, kind, true`` (元) of the slip, null where there is none."""
    firms = pl.concat([one.firms for one in aside])
    slips = pl.concat([one.slips for one in aside])
    return firms.join(slips, on="uscc", how="left", maintain_order="left")


def _chunks(
    n: int,
    seed: int,
    as_of: date,
    progress: Progress | None,
    years: int,
    slips: float,
    kept: list[Aside] | None,
) -> Iterator[pl.DataFrame]:
    """At least one chunk, so that an empty registry still has its header."""
    for start in range(0, max(n, 1), CHUNK):
        length = min(CHUNK, n - start)
        frame, aside = generate_aside(length, seed, as_of, start=start, years=years, slips=slips)
        if kept is not None:
            kept.append(aside)
        yield frame
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
