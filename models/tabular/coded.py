"""A text column as the few words that occur in it and the places where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Coded:
    """What a column of dates, yes or no, or names of districts is held as: a million cells, a few words."""

    words: Sequence[str | None]
    places: pl.Series
    """The place in ``words`` of each cell, null where the cell is blank."""

    @classmethod
    def of(cls, written: pl.Series) -> Coded:
        """From a column of strings."""
        return cls(*distinct(written))

    @classmethod
    def from_arrow(cls, array: Any) -> Coded:
        """From a pyarrow DictionaryArray of strings, as a Parquet file gives it."""
        return cls(*_parts(array))

    def to_arrow(self) -> Any:
        """As a pyarrow DictionaryArray."""
        return pa.DictionaryArray.from_arrays(self.places.to_arrow(), pa.array(self.words, pa.string()))

    def texts(self) -> pl.Series:
        """The column as strings again."""
        return self.each(self.words, pl.String)

    def each(self, values: Sequence[object], dtype: type[pl.DataType]) -> pl.Series:
        """The column with the word at each place replaced by the value at the same place of ``values``."""
        return pl.Series(values, dtype=dtype).gather(self.places)

    def where(self, chosen: Sequence[int]) -> pl.Series:
        """The numbers of the cells that hold one of the words at the places ``chosen``."""
        return self.places.is_in(list(chosen)).fill_null(False).arg_true()


def distinct(column: pl.Series) -> tuple[list[Any], pl.Series]:
    """The different values of a column, nulls apart, and for each cell the place of its value among them."""
    return _parts(column.to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode())


def _parts(array: Any) -> tuple[list[Any], pl.Series]:
    places = pl.from_arrow(array.indices)
    assert isinstance(places, pl.Series)
    return array.dictionary.to_pylist(), places
