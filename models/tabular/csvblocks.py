"""A tidy text file block by block: numbers and repeated words come from the parser as such, not as text."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import polars as pl

from models.tabular.coded import Coded
from models.tabular.source import Piece, Wanted

_MOST_WORDS = 50_000
"""A column of more is one of texts: to keep all that were ever seen would cost more than it spares."""

Scan = Callable[[io.BytesIO, int, int, Mapping[str, pl.DataType]], pl.LazyFrame]
"""(text, lines to skip, number of the first row, columns that are not text) → rows."""


class BlockReader:
    """Turns blocks of whole records into pieces. What a block teaches about a column holds for the next."""

    def __init__(self, scan: Scan, wanted: Wanted, spare: list[str], *, coded: bool) -> None:
        """``coded``: columns of few words may be handed out as such, which drops no rows later."""
        self._scan = scan
        self._columns = ["row", *wanted.columns, *spare]
        self._numbers = dict(wanted.numbers)
        self._words = {name: pl.Categories.random("tidui") for name in wanted.wordy if coded}

    def read(self, block: bytes, skip: int, row: int) -> Piece:
        """The records of ``block``, of which the first ``skip`` lines are none; they count from ``row``."""

        def rows(dtypes: Mapping[str, pl.DataType]) -> pl.LazyFrame:
            return self._scan(io.BytesIO(block), skip, row, dtypes)

        words: dict[str, pl.DataType] = {name: pl.Categorical(held) for name, held in self._words.items()}
        try:
            frame = rows(self._numbers | words).select(self._columns).collect()
        except pl.exceptions.ComputeError:
            if not self._numbers:
                raise
            frame = rows(words).select(self._columns).collect()
            self._numbers = {
                name: dtype for name, dtype in self._numbers.items() if _holds(frame, name, dtype)
            }
        coded = {name: self._coded(frame[name], held) for name, held in self._words.items()}
        for name, column in coded.items():
            if len(column.words) > _MOST_WORDS:
                del self._words[name]
        return Piece(frame.drop(coded), coded, lambda name: rows({}).select(name).collect().to_series())

    @staticmethod
    def _coded(column: pl.Series, held: pl.Categories) -> Coded:
        return Coded(held.to_series().to_list(), column.to_physical())


def _holds(frame: pl.DataFrame, column: str, dtype: pl.DataType) -> bool:
    """Whether every cell that is not blank can be taken for a number."""
    written = frame[column]
    return written.cast(dtype, strict=False).null_count() == written.null_count()
