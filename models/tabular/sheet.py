"""Filling a sheet downwards: text as text, wrapped rows as high as they need, widths given once."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Styles = Mapping[str, Any]
Row = Sequence[object]

_LIMIT = 32_767
"""Characters a cell holds."""
_LINE = 15
"""Points of one line of text."""
_TALLEST = 409


class SheetWriter:
    """Writes row after row, never back, as XlsxWriter's constant memory asks."""

    def __init__(self, sheet: Any, styles: Styles, widths: Sequence[float]) -> None:
        self.sheet = sheet
        self.styles = styles
        self.widths = widths
        self.row = 0
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)

    def line(self, cells: Row, style: str | Sequence[str | None] | None = None) -> None:
        """Write one row; ``style`` is for all of it, or one per cell."""
        named = [style] * len(cells) if style is None or isinstance(style, str) else style
        if "wrap" in named or style == "head":
            self.sheet.set_row(self.row, row_height(cells, self.widths))
        for column, value in enumerate(cells):
            write_cell(self.sheet, self.row, column, value, self.styles.get(named[column] or ""))
        self.row += 1

    def table(
        self, title: str, headers: Row, rows: Iterable[Row], style: Sequence[str | None] | None = None
    ) -> None:
        """A title, a header, rows and an empty line."""
        self.line([title], "section")
        self.line(headers, "head")
        for row in rows:
            self.line(row, style)
        self.row += 1


def write_cell(sheet: Any, row: int, column: int, value: object, style: Any = None) -> None:
    """Write text as text and a number as a number, never a formula; nothing for None and empty text."""
    if isinstance(value, str):
        if value:
            sheet.write_string(row, column, _cell_text(value), style)
    elif value is not None:
        sheet.write_number(row, column, value, style)


def row_height(cells: Row, widths: Sequence[float]) -> float:
    """Points that the fullest of some wrapped cells needs; not every program finds out by itself."""
    lines = (_lines(str(value), width) for value, width in zip(cells, widths, strict=False) if value)
    return min(_TALLEST, _LINE * max(lines, default=1))


def _lines(text: str, width: float) -> int:
    return sum(max(1, -int(-_display_width(part) // (width - 1))) for part in text.split("\n"))


def _display_width(text: str) -> float:
    """In widths of a digit: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1.05 for character in text)


def _cell_text(text: str) -> str:
    """Text that fits a cell and is no markup: XlsxWriter would pass ``<r>…</r>`` into the file as it is."""
    if len(text) > _LIMIT:
        return text[: _LIMIT - 1] + "…"
    return f" {text}" if text.startswith("<r>") else text
