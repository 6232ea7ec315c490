"""One piece of a table at a time: codes, row errors, and the cells that the quick reading left over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field

import numpy as np
import polars as pl

from models.dtypes import dtype_of
from models.fields import Field
from models.tabular.cells import Cell, Reader, as_text, issue_details, read_uscc, without_float_tail
from models.tabular.coded import Coded
from models.tabular.convert import Quick
from models.tabular.issues import Issue, IssueLog
from models.tabular.source import Piece, Source
from models.tabular.uscc import CodeLedger, Flags, faultless

_REMEMBERED = 100_000
"""Cells of one column whose exact reading is kept: left-over cells repeat themselves."""


@dataclass(slots=True)
class Figure:
    """One column to convert: ``source`` as written, ``name`` as it will be called."""

    name: str
    header: str
    field: Field
    source: str
    read: Reader
    quick: Quick | None = None
    """How it is read in one go; None where it is a column of few words, each of which is read exactly."""
    number: pl.DataType | None = None
    """As what a text file's parser may read it (:func:`models.tabular.convert.number_type`)."""
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
        bounds = self.quick.bounds if self.quick else None
        if bounds is None:
            return values
        low, high = values.min(), values.max()
        if low is None or (low >= bounds[0] and high <= bounds[1]):  # type: ignore[operator]
            return values
        within = values.is_between(*bounds).fill_null(False)
        return values.zip_with(within, values.clear().extend_constant(None, len(values)))


@dataclass(frozen=True, slots=True)
class Morsel:
    """Turns pieces of a source as they are written into firms."""

    source: Source
    code: Figure
    name: Figure | None
    figures: Sequence[Figure]
    log: IssueLog
    ledger: CodeLedger

    def __call__(self, piece: Piece) -> pl.DataFrame:
        """The piece without blank rows: ``row``, ``uscc``, ``name``, ``error`` and the figures."""
        frame = self._without_blank_rows(piece.frame)
        rows = frame["row"]
        errors: dict[int, Issue] = dict(self._broken_rows(frame))
        written = _Written(frame, piece)
        codes = self._codes(written.plain(self.code.source), rows, errors)
        usable = np.ones(frame.height, dtype=bool)
        usable[list(errors)] = False
        self.log.add(errors.values())
        self.ledger.add(*((codes.filter(usable), rows.filter(usable)) if errors else (codes, rows)))
        quick = self._quick(frame)
        figures = [self._figure(written, quick, figure, rows, usable) for figure in self.figures]
        names = self._names(written, quick, rows, usable)
        firms = pl.DataFrame([rows, codes, names, _texts(errors, frame.height), *figures]).rechunk()
        if not errors:
            return firms
        held = [figure.name for figure in self.figures]
        return firms.with_columns(pl.when(pl.Series(usable)).then(pl.col(held)).name.keep())

    def _quick(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The quick columns, all at once: they are worked out side by side."""
        held = frozenset(frame.columns)
        quick = [
            figure.quick.values.alias(figure.name)
            for figure in (self.name, *self.figures)
            if figure and figure.quick and figure.source in held
        ]
        return frame.select(pl.col("row"), *quick)

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
            places = piece["over"].is_not_null().arg_true()
        elif any(piece[name].null_count() < piece.height for name in self.source.spare):
            filled = [pl.col(name).str.strip_chars() != "" for name in self.source.spare]
            places = piece.select(pl.any_horizontal(filled).fill_null(False)).to_series().arg_true()
        for place in places:
            yield place, Issue("E108", row=piece["row"][place])
        if self.source.cut_row is not None:
            for place in (piece["row"] == self.source.cut_row).arg_true():
                yield place, Issue("E109", row=self.source.cut_row)

    def _codes(self, column: pl.Series, rows: pl.Series, errors: dict[int, Issue]) -> pl.Series:
        """The codes, normalised where they can be read; what cannot is put into ``errors``."""
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
                issue = self._issue(self.code, cell.code, rows[place], text)
                if cell.value is None:
                    errors.setdefault(place, issue)
                elif place not in errors:
                    warnings.append(issue)
        self.log.add(warnings)
        return written.scatter(doubtful, pl.Series(found, dtype=pl.String))

    def _names(self, written: _Written, quick: pl.DataFrame, rows: pl.Series, usable: Flags) -> pl.Series:
        if self.name is None:
            return pl.Series("name", [None], dtype=pl.String).new_from_index(0, len(usable))
        names = self._figure(written, quick, self.name, rows, usable)
        column = written.plain(self.name.source)
        if column.null_count():
            missing = rows.filter(column.is_null() & pl.Series(usable))
            self.log.add(Issue("E107", row=row, column=self.name.header) for row in missing)
        return names

    def _figure(
        self, written: _Written, quick: pl.DataFrame, figure: Figure, rows: pl.Series, usable: Flags
    ) -> pl.Series:
        """Each word of a column of few words, or what the quick reading left over, is read exactly."""
        if figure.quick is None:
            return self._worded(written.coded(figure.source), figure, rows, usable)
        column = written.plain(figure.source)
        if figure.name not in quick.columns:  # a number that somebody's writer has coded
            quick = column.to_frame().select(figure.quick.values.alias(figure.name))
        values = figure.certain(quick[figure.name])
        if values.null_count() == column.null_count():
            return values
        column = written.text(figure.source)
        places = (values.is_null() & column.is_not_null()).arg_true()
        texts = column.gather(places).to_list()
        cells = [figure.exact(text) for text in texts]
        self.log.add(
            self._issue(figure, cell.code, rows[place], text)
            for place, text, cell in zip(places, texts, cells, strict=True)
            if cell.code and usable[place]
        )
        found = pl.Series([cell.value for cell in cells], dtype=values.dtype)
        return values.clone().scatter(places, found)

    def _worded(self, column: Coded, figure: Figure, rows: pl.Series, usable: Flags) -> pl.Series:
        cells = [figure.exact(word) if word else Cell() for word in column.words]
        wrong = {at: cell.code for at, cell in enumerate(cells) if cell.code}
        for place in column.where(list(wrong)) if wrong else ():
            if usable[place]:
                at = column.places[place]
                self.log.add([self._issue(figure, wrong[at], rows[place], column.words[at])])
        return column.each([cell.value for cell in cells], dtype_of(figure.field)).alias(figure.name)

    def _issue(self, figure: Figure, code: str, row: int, value: object) -> Issue:
        text = value if isinstance(value, str) else "" if value is None else as_text(value)
        shown = text if self.source.kind == "csv" else without_float_tail(text)
        if code == "E103":  # the one that tells about the cell itself
            return Issue(code, row, figure.header, shown, issue_details(figure.field, code, text))
        details = figure.details.setdefault(code, issue_details(figure.field, code))
        return Issue(code, row, figure.header, shown or None, details)


@dataclass(frozen=True, slots=True)
class _Written:
    """The columns of a piece as they stand in the file, in the form that is asked for."""

    frame: pl.DataFrame
    """That of the piece, without blank rows."""
    piece: Piece

    def plain(self, column: str) -> pl.Series:
        words = self.piece.coded
        return words[column].texts().alias(column) if column in words else self.frame[column]

    def coded(self, column: str) -> Coded:
        words = self.piece.coded
        return words[column] if column in words else Coded.of(self.frame[column])

    def text(self, column: str) -> pl.Series:
        """As it is written, also where the parser made numbers of it."""
        plain = self.plain(column)
        if self.piece.text is None or plain.dtype == pl.String:
            return plain
        written = self.piece.text(column)
        if len(written) == len(plain):
            return written
        return written.filter(self.piece.frame["row"].is_in(self.frame["row"].implode()))


def _rendered(column: pl.Series) -> pl.Series:
    texts = [None if value is None else as_text(value) for value in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)


def _texts(errors: dict[int, Issue], height: int) -> pl.Series:
    """The ``error`` column: ``E103 代码应为 18 位，这里是 17 位``."""
    texts: list[str | None] = [None] * height
    for place, issue in errors.items():
        texts[place] = f"{issue.code} {issue.text.zh}"
    return pl.Series("error", texts, dtype=pl.String)
