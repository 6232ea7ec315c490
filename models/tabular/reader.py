"""Tables of firms, whatever they are written in: open, see what was recognised, scan.

>>> with open_table(Path("firms.xlsx"), as_of=date(2026, 6, 30)) as table:
...     for firms in table.batches({"revenue_2025"}, log):
...         print(firms["revenue_2025"].sum())
...     table.finish(log)
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl

from models.tabular.cells import as_text, read_uscc, reader_for, without_float_tail
from models.tabular.choices import NO_CHOICES, Choice, Choices
from models.tabular.convert import Quick, is_worded, number_type, quick
from models.tabular.csvfile import open_csv
from models.tabular.former import FORMER_NAME, read_former
from models.tabular.guard import Limits
from models.tabular.headers import ColumnReading, read_headers
from models.tabular.issues import Issue, IssueLog, refusal
from models.tabular.morsel import Figure, Morsel
from models.tabular.numerals import plain
from models.tabular.parquetfile import open_parquet
from models.tabular.sniff import Kind, sniff
from models.tabular.source import Piece, Source, Wanted
from models.tabular.uscc import CodeLedger, other_rows
from models.tabular.workbook import unpack_workbook

__all__ = ["Choice", "Choices", "ColumnReading", "Limits", "Table", "open_table"]

IDENTITY = ("row", "uscc", "name", "error")
"""What a scan gives of every firm beside its figures."""

FOUND_LIMIT = 20
"""How many firms a search gives at most."""


def open_table(
    path: Path,
    *,
    as_of: date | None = None,
    limits: Limits | None = None,
    choices: Choices = NO_CHOICES,
    every: bool = False,
) -> Table:
    """Find out what ``path`` is and what its columns hold. A context manager: it may need temporary files.

    Raises FileRefused (E001–E015). Columns of a year after ``as_of`` are reported (E304). ``choices``: what
    somebody said headers mean. ``every``: all columns can be had as written (:meth:`Table.written`).
    """
    limits = limits or Limits()
    workdir = tempfile.TemporaryDirectory(prefix="tidui-")
    try:
        source = _open(path, Path(workdir.name), limits, choices, every)
        return Table(path, source, as_of.year if as_of else None, workdir, choices)
    except BaseException:
        workdir.cleanup()
        raise


def _open(path: Path, workdir: Path, limits: Limits, choices: Choices, every: bool) -> Source:
    kind = sniff(path, limits)
    if kind == "parquet":
        return open_parquet(path, choices)
    if kind == "csv":
        return open_csv(path, workdir, choices, every=every)
    found = unpack_workbook(path, workdir / "sheet.arrow", limits, choices=choices, every=every)
    return Source(
        kind="xlsx",
        frame=pl.scan_ipc(workdir / "sheet.arrow"),
        header=found["header"],
        header_row=found["header_row"],
        sheet=found["sheet"],
        other_sheets=found["others"],
        blank_count=found["blank_count"],
        unnamed=found["unnamed"],
        sample=found["sample"],
    )


def _different(header: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Headers by their place, told apart where two are alike."""
    seen: set[str] = set()
    for place, name in enumerate(header):
        shown = f"{name} ({place + 1})" if name in seen else name
        seen.add(shown)
        yield place, shown


def _as_written(column: pl.Series) -> pl.Series:
    """Typed cells of Parquet as text, numbers as a sheet shows them."""
    if column.dtype == pl.String:
        return column
    texts = [None if cell is None else without_float_tail(as_text(cell)) for cell in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)


class Table:
    """An open table: ``columns`` says what each was taken for, ``notes`` what there is to say about them."""

    def __init__(
        self,
        path: Path,
        source: Source,
        last_year: int | None,
        workdir: tempfile.TemporaryDirectory[str],
        choices: Choices = NO_CHOICES,
    ) -> None:
        self.path = path
        self._source = source
        self._workdir = workdir
        self._ledger = CodeLedger()
        readings, notes = read_headers(source.header, last_year, choices)
        self.columns: Sequence[ColumnReading] = [
            replace(reading, how="ignored") if reading.position in source.unreadable else reading
            for reading in readings
        ]
        if "uscc" not in self._by_name:
            raise refusal("E003", str(path))
        self.notes: Sequence[Issue] = [*self._file_notes(), *notes, *self._column_notes()]

    @property
    def kind(self) -> Kind:
        return self._source.kind

    @property
    def encoding(self) -> str | None:
        return self._source.encoding

    @property
    def separator(self) -> str | None:
        return self._source.separator

    @property
    def sheet(self) -> str | None:
        return self._source.sheet

    @property
    def header_row(self) -> int:
        """The row of the header, counted from 1."""
        return self._source.header_row

    @property
    def header(self) -> Sequence[str]:
        """The headers as written, in their order."""
        return self._source.header

    @property
    def first_rows(self) -> Sequence[Sequence[str | None]]:
        """Up to 500 rows below the header as written, a text file's blank rows among them."""
        return self._source.sample

    @cached_property
    def available(self) -> frozenset[str]:
        """The canonical columns of figures it can give, such as ``revenue_2025``."""
        return frozenset(self._by_name) - {"uscc", "name", FORMER_NAME.key}

    @property
    def has_former_names(self) -> bool:
        """Whether a column tells former names (:mod:`models.tabular.former`)."""
        return FORMER_NAME.key in self._by_name

    @cached_property
    def _by_name(self) -> dict[str, ColumnReading]:
        return {reading.name: reading for reading in self.columns if reading.name}

    def _file_notes(self) -> Iterable[Issue]:
        source = self._source
        if source.blank_count:
            yield Issue("E306", details={"count": source.blank_count})
        if source.other_sheets:
            yield Issue("E307", details={"sheet": source.sheet, "others": "、".join(source.other_sheets)})

    def _column_notes(self) -> Iterable[Issue]:
        for position in self._source.unnamed:
            yield Issue("E301", column=f"第 {position + 1} 列（无表头）")
        for position in self._source.unreadable:
            if self.columns[position].field:
                yield Issue("E301", column=self._source.header[position])

    def batches(self, columns: Collection[str], log: IssueLog) -> Iterator[pl.DataFrame]:
        """Firms piece by piece in their order: ``row`` (UInt32), ``uscc``, ``name``, ``error``, figures.

        Columns that are not ``available`` are left out (``former_name`` may be asked for); the others come in
        the order asked for, and only they are read from the file. An unreadable row has its ``error`` told
        and its figures null.
        Issues go to ``log`` meanwhile; :meth:`finish` follows. Raises E010 where the file is damaged.
        """
        wanted = [
            name for name in dict.fromkeys(columns) if name in self.available or self._tells_former(name)
        ]
        self._ledger = CodeLedger()
        morsel = self._morsel(wanted, log, self._ledger)
        figures = [figure for figure in (morsel.code, morsel.name, *morsel.figures) if figure]
        sources = Wanted(
            list(dict.fromkeys(figure.source for figure in figures)),
            [figure.source for figure in morsel.figures if figure.quick is None],
            {figure.source: figure.number for figure in morsel.figures if figure.number is not None},
        )
        yield from map(morsel, self._pieces(sources))

    def _tells_former(self, name: str) -> bool:
        return name == FORMER_NAME.key and self.has_former_names

    def _pieces(self, wanted: Wanted) -> Iterator[Piece]:
        try:
            yield from self._source.pieces(wanted)
        except pl.exceptions.PolarsError as error:
            raise refusal("E010", str(self.path), reason=str(error).splitlines()[0][:200]) from error

    def finish(self, log: IssueLog) -> None:
        """After the last of the batches: report codes that stand in more than one row (E106)."""
        suspects = self._ledger.suspects()
        if not len(suspects):
            return
        header = self._by_name["uscc"]
        code = pl.col(f"c{header.position}")
        found = self._source.frame.select("row", code.cast(pl.String)).filter(
            pl.col("row").is_in(suspects.tolist())
        )
        rows: dict[str, list[int]] = {}
        for row, text in found.collect(engine="streaming").iter_rows():
            rows.setdefault(str(read_uscc(text or "").value), []).append(row)
        for value, places in rows.items():
            if len(places) > 1 and log.full:
                log.count("E106", header.header, len(places))
            elif len(places) > 1:
                log.add(
                    Issue("E106", row, header.header, value, {"others": others})
                    for row, others in other_rows(sorted(places))
                )

    def firms(self, needle: str, log: IssueLog | None = None) -> list[dict[str, Any]]:
        """Firms by exact code, else by a part of the code, else by a part of the name; at most 20.

        Each has ``row``, ``uscc``, ``name``, ``error`` and every available column as Python values. What is
        wrong with their cells goes to ``log``.
        """
        rows = self._matching_rows(plain(needle))
        wanted = sorted(self.available)
        morsel = self._morsel(wanted, log or IssueLog(), CodeLedger())
        found = self._source.frame.filter(pl.col("row").is_in(rows)).collect(engine="streaming")
        return morsel(Piece(found)).to_dicts()

    def written(self) -> Iterator[pl.DataFrame]:
        """Every row that is not blank, piece by piece: ``row`` and ``c0``, ``c1``, … as text, and ``over``:
        what stands beyond the header, null where nothing does; ``…`` ends it where there may be more.

        Columns whose header says nothing are there if the table was opened with ``every``.
        """
        source = self._source
        held = source.frame.collect_schema()
        names = [name for place in range(len(source.header)) if (name := f"c{place}") in held]
        blank = pl.Series(source.blank_rows, dtype=pl.UInt32)
        for piece in self._pieces(Wanted(names)):
            kept = piece.frame.filter(~pl.col("row").is_in(blank.implode())) if len(blank) else piece.frame
            yield kept.select("row", *(_as_written(kept[name]) for name in names), self._beyond(kept))

    def _beyond(self, piece: pl.DataFrame) -> pl.Expr:
        spare = [pl.col(name) for name in self._source.spare]
        if "over" in piece.columns:
            return pl.col("over")
        if not spare:
            return pl.lit(None, dtype=pl.String).alias("over")
        separator = self._source.separator or ","
        written = pl.concat_str([cell.fill_null("") for cell in spare], separator=separator)
        written = written.str.strip_chars_end(separator)
        more = pl.when(spare[-1].is_not_null()).then(pl.lit("…")).otherwise(pl.lit(""))
        filled = pl.any_horizontal(cell.str.strip_chars() != "" for cell in spare)
        return pl.when(filled).then(written + more).alias("over")

    def cells(self, rows: Sequence[int]) -> pl.DataFrame:
        """``row`` and ``cells``, a JSON object of header and cell as written.

        A text file gives all its columns, a workbook those whose header is known.
        """
        source = self._source
        held = source.frame.collect_schema()
        columns = [
            pl.col(f"c{place}").cast(pl.String).alias(header)
            for place, header in _different(source.header)
            if f"c{place}" in held
        ]
        found = source.frame.filter(pl.col("row").is_in(list(rows))).select(
            "row", pl.struct(columns).struct.json_encode().alias("cells")
        )
        return found.collect(engine="streaming")

    def _matching_rows(self, needle: str) -> list[int]:
        code = pl.col(f"c{self._by_name['uscc'].position}").cast(pl.String)
        code = code.str.normalize("NFKC").str.strip_chars().str.to_uppercase()
        tests = [code == needle.upper(), code.str.contains(needle.upper(), literal=True)]
        if "name" in self._by_name:
            name = pl.col(f"c{self._by_name['name'].position}").cast(pl.String).str.normalize("NFKC")
            tests.append(name.str.contains(needle, literal=True))
        if not needle:
            return []
        marked = self._source.frame.select("row", *(test.alias(str(at)) for at, test in enumerate(tests)))
        hits = marked.filter(pl.any_horizontal(pl.exclude("row"))).collect(engine="streaming")
        for at in range(len(tests)):
            rows: list[int] = hits.filter(pl.col(str(at)))["row"].head(FOUND_LIMIT).to_list()
            if rows:
                return rows
        return []

    def _morsel(self, wanted: Sequence[str], log: IssueLog, ledger: CodeLedger) -> Morsel:
        """What turns pieces of the source into firms with the figures ``wanted``."""
        dtypes = self._source.frame.collect_schema()
        names = [name for name in ("uscc", "name", *wanted) if name in self._by_name]
        figures = {name: self._figure(name, dtypes) for name in names}
        chosen = [figures[name] for name in wanted]
        return Morsel(self._source, figures["uscc"], figures.get("name"), chosen, log, ledger)

    def _figure(self, name: str, dtypes: pl.Schema) -> Figure:
        reading = self._by_name[name]
        field, unit, at = reading.field, reading.unit, f"c{reading.position}"
        assert field is not None
        if field is FORMER_NAME:  # each cell exactly, for it may hold several names
            return Figure(name, reading.header, field, at, read_former, Quick(pl.lit(None, dtype=pl.String)))
        dtype = dtypes[at]
        sample = self._sample(name)
        plan = None if is_worded(field, dtype) else quick(field, unit, at, dtype, sample)
        number = number_type(field, unit, dtype, sample)
        return Figure(name, reading.header, field, at, reader_for(field, unit), plan, number)

    def _sample(self, name: str) -> list[str | None]:
        at = self._by_name[name].position
        return [record[at] for record in self._source.sample if at < len(record)]

    def close(self) -> None:
        """Remove the temporary files; frames that were scanned cannot be executed any more."""
        self._workdir.cleanup()

    def __enter__(self) -> Table:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
