"""One piece of a table at a time: codes, row errors, and the cells that the quick reading left over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field

import numpy as np
import polars as pl

from models.fields import Field
from models.tabular.cells import Cell, Reader, as_text, issue_details, read_uscc, without_float_tail
from models.tabular.issues import Issue, IssueLog
from models.tabular.source import Source
from models.tabular.uscc import CodeLedger, Flags, faultless

_REMEMBERED = 100_000
"""Cells of one column whose exact reading is kept: left-over cells repeat themselves."""


@dataclass(slots=True)
class Figure:
    """One column to convert: ``source`` as written; ``name`` holds the quick, then the exact reading."""

    name: str
    header: str
    field: Field
    source: str
    read: Reader
    bounds: tuple[int, int] | None = None
    """Quick values are certain within these."""
    known: dict[object, Cell] = dataclass_field(default_factory=dict)
    details: dict[str, Mapping[str, object]] = dataclass_field(default_factory=dict)
    """Of issues, by code; a million issues share them."""

    def exact(self, value: object) -> Cell:
        found = self.known.get(value)
        if found is None:
            found = self.read(value if isinstance(value, str) else as_text(value))
            if len(self.known) >= _REMEMBERED:
                self.known.clear()
            self.known[value] = found
        return found

    def certain(self, values: pl.Series) -> pl.Series:
        """``values`` without those out of bounds."""
        if self.bounds is None:
            return values
        low, high = values.min(), values.max()
        if low is None or (low >= self.bounds[0] and high <= self.bounds[1]):  # type: ignore[operator]
            return values
        within = values.is_between(*self.bounds).fill_null(False)
        return values.zip_with(within, values.clear().extend_constant(None, len(values)))


@dataclass(frozen=True, slots=True)
class Morsel:
    """Finishes pieces of ``source.frame`` that have the quick readings beside the written columns.

    Called from many threads.
    """

    source: Source
    code: Figure
    name: Figure | None
    figures: Sequence[Figure]
    log: IssueLog
    ledger: CodeLedger

    def __call__(self, piece: pl.DataFrame) -> pl.DataFrame:
        """The piece without blank rows, with ``uscc``, ``name`` and ``error``, its figures made exact."""
        piece = self._without_blank_rows(piece)
        columns = {series.name: series for series in piece.get_columns()}
        rows = columns["row"]
        errors: dict[int, Issue] = dict(self._broken_rows(piece))
        codes = self._codes(columns, errors)
        usable = np.ones(piece.height, dtype=bool)
        usable[list(errors)] = False
        self.log.add(errors.values())
        self.ledger.add(*((codes.filter(usable), rows.filter(usable)) if errors else (codes, rows)))
        changed = [codes, self._names(columns, usable), _texts(errors, piece.height)]
        for figure in self.figures:
            values = self._figure(columns, figure, usable)
            if values is not columns[figure.name]:
                changed.append(values)
        piece = piece.with_columns(changed)
        if not errors:
            return piece
        figures = [figure.name for figure in self.figures]
        return piece.with_columns(pl.when(pl.Series(usable)).then(pl.col(figures)).name.keep())

    def _without_blank_rows(self, piece: pl.DataFrame) -> pl.DataFrame:
        blank = self.source.blank_rows
        if not len(blank) or not piece.height:
            return piece
        low, high = np.searchsorted(blank, [piece["row"][0], piece["row"][-1] + 1])
        if low == high:
            return piece
        return piece.filter(~np.isin(piece["row"].to_numpy(), blank[low:high]))

    def _broken_rows(self, piece: pl.DataFrame) -> Iterator[tuple[int, Issue]]:
        """Rows with more cells than the header, and the one in which the file breaks off, by their place."""
        places: Iterable[int] = ()
        if "over" in piece.columns:
            places = piece["over"].arg_true()
        elif any(piece[name].null_count() < piece.height for name in self.source.spare):
            filled = [pl.col(name).str.strip_chars() != "" for name in self.source.spare]
            places = piece.select(pl.any_horizontal(filled).fill_null(False)).to_series().arg_true()
        for place in places:
            yield place, Issue("E108", row=piece["row"][place])
        if self.source.cut_row is not None:
            for place in (piece["row"] == self.source.cut_row).arg_true():
                yield place, Issue("E109", row=self.source.cut_row)

    def _codes(self, columns: Mapping[str, pl.Series], errors: dict[int, Issue]) -> pl.Series:
        """The codes, normalised where they can be read; what cannot is put into ``errors``."""
        column = columns[self.code.source]
        written = (column if column.dtype == pl.String else _rendered(column)).alias("uscc")
        doubtful = np.flatnonzero(~faultless(written))
        if not len(doubtful):
            return written
        found: list[object] = []
        warnings: list[Issue] = []
        for place, text in zip(doubtful.tolist(), written.gather(doubtful).to_list(), strict=True):
            cell = read_uscc(text or "")
            found.append(text if cell.value is None else cell.value)
            if cell.code:
                issue = self._issue(self.code, cell.code, columns["row"][place], text)
                if cell.value is None:
                    errors.setdefault(place, issue)
                elif place not in errors:
                    warnings.append(issue)
        self.log.add(warnings)
        return written.scatter(doubtful, pl.Series(found, dtype=pl.String))

    def _names(self, columns: Mapping[str, pl.Series], usable: Flags) -> pl.Series:
        if self.name is None:
            return pl.Series("name", [None], dtype=pl.String).new_from_index(0, len(usable))
        names = self._figure(columns, self.name, usable)
        written = columns[self.name.source]
        if written.null_count():
            missing = written.is_null() & pl.Series(usable)
            rows = columns["row"].filter(missing)
            self.log.add(Issue("E107", row=row, column=self.name.header) for row in rows)
        return names

    def _figure(self, columns: Mapping[str, pl.Series], figure: Figure, usable: Flags) -> pl.Series:
        """The quick column, itself if nothing was left over, else with the left-over cells read exactly."""
        written = columns[figure.source]
        values = figure.certain(columns[figure.name])
        if values.null_count() == written.null_count():
            return values
        places = (values.is_null() & written.is_not_null()).arg_true()
        texts = written.gather(places).to_list()
        cells = [figure.exact(text) for text in texts]
        bad = [
            (place, text, cell.code)
            for place, text, cell in zip(places, texts, cells, strict=True)
            if cell.code
        ]
        rows = columns["row"]
        self.log.add(
            self._issue(figure, code, rows[place], text) for place, text, code in bad if usable[place]
        )
        found = pl.Series([cell.value for cell in cells], dtype=values.dtype)
        return values.clone().scatter(places, found)

    def _issue(self, figure: Figure, code: str, row: int, value: object) -> Issue:
        text = value if isinstance(value, str) else "" if value is None else as_text(value)
        shown = text if self.source.kind == "csv" else without_float_tail(text)
        if code == "E103":  # the one that tells about the cell itself
            return Issue(code, row, figure.header, shown, issue_details(figure.field, code, text))
        details = figure.details.setdefault(code, issue_details(figure.field, code))
        return Issue(code, row, figure.header, shown or None, details)


def _rendered(column: pl.Series) -> pl.Series:
    texts = [None if value is None else as_text(value) for value in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)


def _texts(errors: dict[int, Issue], height: int) -> pl.Series:
    """The ``error`` column: ``E103 代码应为 18 位，这里是 17 位``."""
    texts: list[str | None] = [None] * height
    for place, issue in errors.items():
        texts[place] = f"{issue.code} {issue.text.zh}"
    return pl.Series("error", texts, dtype=pl.String)
