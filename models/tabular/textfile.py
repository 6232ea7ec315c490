"""Rows of text on disk: what spreadsheets and untidy text files are turned into before they are scanned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import pyarrow as pa

_BATCH = 20_000


class TextFile:
    """Writes an Arrow file with ``row`` (UInt32) and text columns ``c0``, ``c3``, … named by their position.

    A blank cell is null. ``over`` is what a row holds beyond the header, null where that is nothing.
    """

    def __init__(self, path: Path, positions: Sequence[int]) -> None:
        text = [pa.field(f"c{position}", pa.large_string()) for position in positions]
        self._schema = pa.schema([pa.field("row", pa.uint32()), *text, pa.field("over", pa.large_string())])
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._writer = pa.ipc.new_file(str(path), self._schema, options=options)
        self._rows: list[tuple[object, ...]] = []

    def add(self, row: int, cells: Sequence[str | None], over: str | None = None) -> None:
        """One row, its cells in the order of ``positions``."""
        self._rows.append((row, *cells, over))
        if len(self._rows) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            columns = [
                pa.array(column, type=field.type)
                for column, field in zip(zip(*self._rows, strict=True), self._schema, strict=True)
            ]
            self._writer.write_batch(pa.record_batch(columns, schema=self._schema))
            self._rows.clear()

    def __enter__(self) -> TextFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        self._writer.close()
