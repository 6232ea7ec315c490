"""The parts of an edition: sixteen Parquet files by code, figures in their external form.

External form in a table is what ``tidui score`` reads again: titles as ``2027-06-30`` or ``none``, industries
as digits; everything else as it is held (:mod:`models.fields`).
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from models.dtypes import dtype_of
from models.fields import NO_TITLE, Field, catalogue
from models.registry.title_columns import NONE
from models.tabular.former import FORMER_NAME

FORMER = FORMER_NAME.key
NAMES = ("name", FORMER)

BUCKETS = 16
ROW_GROUP = 8_192
_HELD_BACK = BUCKETS * ROW_GROUP
"""Rows kept until they are worth a row group in every part."""


def part_name(bucket: int) -> str:
    return f"part-{bucket:02d}.parquet"


def buckets_of(codes: pl.Series) -> pl.Series:
    """The bucket of every code: CRC-32 modulo sixteen, the same on every machine."""
    return pl.Series("bucket", [zlib.crc32(code.encode()) % BUCKETS for code in codes], dtype=pl.UInt8)


def field_of(column: str) -> Field:
    parsed = catalogue().parse_column(column)
    assert parsed is not None, column
    return parsed[0]


def external_dtype(column: str) -> type[pl.DataType]:
    """The polars type of a column in its external form."""
    field = field_of(column)
    return pl.String if field.type == "title" or field.key == "industry" else dtype_of(field)


def external(column: str) -> pl.Expr:
    """A canonical column from the form it is held in to the external form."""
    field, value = field_of(column), pl.col(column)
    if field.type == "title":
        return pl.when(value == NO_TITLE).then(pl.lit(NONE)).otherwise(value.cast(pl.String)).alias(column)
    if field.key == "industry":
        digits: pl.Expr = (value // 10).cast(pl.String).str.zfill(4)
        return digits.str.head(value % 10).alias(column)
    return value


def internal(column: str) -> pl.Expr:
    """A canonical column from its external form to the one rules read."""
    field, value = field_of(column), pl.col(column)
    if field.type == "title":
        day = value.str.to_date("%Y-%m-%d", strict=False)
        return pl.when(value == NONE).then(pl.lit(NO_TITLE)).otherwise(day).alias(column)
    if field.key == "industry":
        digits = value.str.pad_end(4, "0").cast(pl.Int32) * 10
        return (digits + value.str.len_bytes().cast(pl.Int32)).alias(column)
    return value


def documents(part: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """One JSON object per firm: its name, then every figure of ``columns`` that is not blank.

    Former names stand in it where the part has them.
    """
    former = [FORMER] if FORMER in part.columns else []
    cells = [_cell(name) for name in ("name", *former, *columns)]
    inside = pl.concat_str(cells, separator=",", ignore_nulls=True)
    return part.select(pl.concat_str(pl.lit("{"), inside, pl.lit("}")).alias("document")).to_series()


def _cell(column: str) -> pl.Expr:
    """``"revenue_2025":123``, null for a blank."""
    value = pl.col(column)
    if column in NAMES:  # the only texts that may hold anything
        written = pl.struct(value).struct.json_encode()
        return pl.when(value.is_not_null()).then(written.str.slice(1).str.head(-1))
    text = value.cast(pl.String)
    if external_dtype(column) in (pl.String, pl.Date):
        return pl.concat_str(pl.lit(f'"{column}":"'), text, pl.lit('"'))
    return pl.concat_str(pl.lit(f'"{column}":'), text)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an edition."""

    file: str
    rows: int
    sha256: str


class PartsWriter:
    """Deals firms out to the parts, keeping the order of the file in each; some rows wait in memory."""

    def __init__(self, folder: Path, columns: Sequence[str], *, former: bool = False) -> None:
        """``columns``: canonical columns of figures, in the order they are to stand in.

        ``former``: there is a column of former names, too.
        """
        self._folder = folder
        self._names = ("name", FORMER) if former else ("name",)
        self._columns = columns
        self._waiting: list[pl.DataFrame] = []
        self._held = 0
        self._rows = [0] * BUCKETS
        dtypes = {column: external_dtype(column) for column in columns}
        names = dict.fromkeys(("uscc", *self._names), pl.String)
        empty = pl.DataFrame(schema={"row": pl.UInt32, **names, **dtypes})
        self._schema = _arrow(empty).schema
        self._writers = [
            pq.ParquetWriter(folder / part_name(bucket), self._schema, compression="zstd")
            for bucket in range(BUCKETS)
        ]

    def add(self, firms: pl.DataFrame) -> None:
        """Firms in internal form with ``row``, ``uscc``, ``name`` and the columns."""
        names = pl.col(self._names).str.replace_all("\x00", "", literal=True)  # no database holds one
        firms = firms.select("row", "uscc", names, *(external(column) for column in self._columns))
        self._waiting.append(firms.with_columns(buckets_of(firms["uscc"])))
        self._held += firms.height
        if self._held >= _HELD_BACK:
            self._write()

    def close(self) -> list[Part]:
        """Write what waits, settle the files on the disk and hash them."""
        self._write()
        for writer in self._writers:
            writer.close()
        return [
            Part(part_name(bucket), self._rows[bucket], settle(self._folder / part_name(bucket)))
            for bucket in range(BUCKETS)
        ]

    def _write(self) -> None:
        if not self._waiting:
            return
        held = pl.concat(self._waiting)
        self._waiting.clear()
        self._held = 0
        for number, writer in enumerate(self._writers):  # one after the other: a second copy of all is large
            firms = held.filter(pl.col("bucket") == number).drop("bucket")
            if firms.height:
                self._rows[number] += firms.height
                writer.write_table(_arrow(firms).cast(self._schema), row_group_size=ROW_GROUP)
        # Arrow would keep what it took for itself, and this process has other work to come.
        pa.default_memory_pool().release_unused()


def read_part(folder: Path, bucket: int, columns: Iterable[str] | None = None) -> pl.DataFrame:
    """A part, or some of its columns, in external form."""
    path = folder / part_name(bucket)
    return pl.read_parquet(path, columns=None if columns is None else list(columns), glob=False)


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def settle(path: Path) -> str:
    """Make sure that the bytes are on the disk; their hash."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())
