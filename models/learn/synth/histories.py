"""A synthetic history: one table a year of the same firms, those that have closed since among them.

The table of year t is the registry as it stood on the evaluation date of t + 1: the firms there were, their
figures of t, their titles on that day. What else has no year (rights, attestations) is as of the last year.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from models.fields import catalogue
from models.learn.synth.figures import YEARS
from models.learn.synth.frame import THIS_YEAR_TOO, Block, blocks, draw_block, shown, slipping, title_series
from models.learn.synth.profile import BLOCK
from models.tabular.issues import refusal
from models.tabular.output import atomic_output

Progress = Callable[[int], None]
ENDINGS = (".parquet", ".csv")


def write_history(
    n: int,
    seed: int,
    directory: Path,
    as_of: date,
    *,
    years: int = YEARS,
    ending: str = ".parquet",
    slips: float = 0.0,
    progress: Progress | None = None,
) -> list[Path]:
    """Write ``directory/2022.parquet`` and so on, a table for each of ``years`` years before ``as_of``.

    Of ``n`` firms in all each table has those that were there. Raises E401 and E402 as
    :func:`models.tabular.output.atomic_output`, E404 for another ending.
    """
    if ending not in ENDINGS:
        raise refusal("E404", name=f"….{ending}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refusal("E401", str(directory), reason=error.strerror or str(error)) from error
    shown_years = list(range(as_of.year - years, as_of.year))
    paths = [directory / f"{year}{ending}" for year in shown_years]
    with ExitStack() as stack:
        files = [_Table(stack, stack.enter_context(atomic_output(path))) for path in paths]
        done = 0
        for number, length in blocks(0, n):
            block = draw_block(number, seed, as_of, years)
            frame = shown(block, seed, number, as_of.year, years, slipping(seed, number, slips))
            for file, year in zip(files, shown_years, strict=True):
                file.write(_as_of(frame, block, year + 1, as_of.year, length))
            done += length
            if progress:
                progress(done)
        for file in files:
            file.close()
    return paths


def _as_of(frame: pl.DataFrame, block: Block, day_year: int, latest: int, length: int) -> pl.DataFrame:
    """The registry of ``day_year`` as far as this block goes."""
    there = np.arange(BLOCK) < length
    there &= block.profile.established_year < day_year
    there &= (block.profile.gone == 0) | (block.profile.gone > day_year)
    return frame.select(_columns(frame, block, day_year, latest)).filter(pl.Series(there))


def _columns(frame: pl.DataFrame, block: Block, day_year: int, latest: int) -> Iterator[pl.Series]:
    """Columns in the order of the catalogue."""
    yield from (frame["uscc"], frame["name"])
    for field in catalogue():
        if field.key in {"uscc", "name"}:
            continue
        if field.yearly:
            wanted = [field.column(day_year)] if field.key in THIS_YEAR_TOO else []
            wanted.append(field.column(day_year - 1))
            yield from (frame[name] for name in wanted if name in frame.columns)
            continue
        values = block.values[field.key]
        told = frame[field.key]
        if field.type == "title" and values.ndim > 1 and day_year < latest:
            blank = told.is_null()
            told = title_series(field.key, values[latest - day_year]).set(blank, None)
        yield told


class _Table:
    """A Parquet or CSV file that takes blocks."""

    def __init__(self, stack: ExitStack, path: Path) -> None:
        self._stack = stack
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._csv: IO[bytes] | None = None

    def write(self, frame: pl.DataFrame) -> None:
        if self._path.name.split(".")[-3] == "csv":
            header = self._csv is None
            self._csv = self._csv or self._stack.enter_context(self._path.open("wb"))
            frame.write_csv(self._csv, include_header=header)
            return
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        if self._csv is not None:
            self._csv.close()
