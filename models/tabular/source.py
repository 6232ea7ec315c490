"""A file laid open: text (or typed) columns by position, ready to be scanned and converted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from models.tabular.coded import Coded
from models.tabular.sniff import Kind

PIECE = 100_000
"""Rows of a piece: enough to be worth a query's while, few enough for several to be in memory."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows in the order of the file: columns of ``Source.frame``, those of few words perhaps coded."""

    frame: pl.DataFrame
    coded: Mapping[str, Coded] = field(default_factory=dict)
    text: Callable[[str], pl.Series] | None = None
    """Where the file's parser made numbers of text: a column as it is written."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read of a source, ``row`` and the state of each row apart."""

    columns: Sequence[str]
    wordy: Collection[str] = ()
    """Those of few words."""
    numbers: Mapping[str, pl.DataType] = field(default_factory=dict)
    """Text columns that a parser may take for numbers, and what the quick reading takes them for."""


Pieces = Callable[[Wanted], Iterator[Piece]]
"""The rows wanted, piece by piece."""


def no_rows() -> npt.NDArray[np.uint32]:
    return np.empty(0, dtype=np.uint32)


@dataclass(frozen=True)
class Source:
    """``frame`` has ``row`` (UInt32, as the sheet shows it) and ``c0``, ``c1``, … for ``header``.

    A CSV frame still holds the blank rows that ``blank_rows`` names, and columns ``s0``, … that catch
    cells beyond the header; a frame from a text file has them in the column ``over``.
    """

    kind: Kind
    frame: pl.LazyFrame
    header: Sequence[str]
    header_row: int
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    other_sheets: Sequence[str] = ()
    blank_count: int = 0
    blank_rows: npt.NDArray[np.uint32] = field(default_factory=no_rows)
    """Sorted row numbers that are no firms and still stand in ``frame``."""
    spare: Sequence[str] = ()
    cut_row: int | None = None
    """The row in which the file breaks off."""
    unnamed: Sequence[int] = ()
    """Positions of columns that hold something below an empty header."""
    unreadable: Sequence[int] = ()
    """Positions of columns of a kind no figure is held in (lists, bytes)."""
    sample: Sequence[Sequence[str | None]] = ()
    """The first rows below the header, to choose the quick way of reading by."""
    reader: Pieces | None = None
    """A quicker way to the rows than ``frame``, where there is one."""

    def pieces(self, wanted: Wanted) -> Iterator[Piece]:
        """All rows: ``row``, what is wanted, and what else tells of a row's state (``over``, ``s0``, …)."""
        if self.reader is not None:
            yield from self.reader(wanted)
            return
        held = self.frame.collect_schema()
        state = (name for name in ("over", *self.spare) if name in held)
        frame = self.frame.select("row", *wanted.columns, *state)
        for piece in frame.collect_batches(chunk_size=PIECE, maintain_order=True, engine="streaming"):
            yield Piece(piece)
