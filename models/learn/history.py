"""A registry's history: one wide table, or one table a year, as firm-years.

Every table is in contract form. The latest year of which it has revenue dates it: a table with figures up
to 2022 shows the registry of 2023, its titles as they stood on 30 June 2023 (the contract's evaluation date).
Figures of year Y are read from the first table that has them; what has no year (district, trade) from the
table of the day.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from pathlib import Path

import polars as pl

from models.errors import LearnRefused, Text
from models.fields import catalogue
from models.tabular.issues import IssueLog
from models.tabular.output import ENDINGS
from models.tabular.reader import open_table

DATED_BY = "revenue"
"""The field whose latest year dates a table."""
_DAY = (6, 30)
_YEARLY = re.compile(r"_(\d{4})$")


@dataclass(frozen=True)
class YearTable:
    """One table: figures up to ``latest``, so the registry as of the year after."""

    name: str
    frame: pl.DataFrame
    """``uscc`` and canonical columns, one row per firm."""
    latest: int
    sha256: str

    @property
    def shows(self) -> int:
        return self.latest + 1


@dataclass(frozen=True)
class History:
    """Tables from the earliest to the latest, and what there was to say about them."""

    tables: tuple[YearTable, ...]
    notices: tuple[Text, ...] = ()
    dropped: int = field(default=0)
    """Rows that could not be read, or whose code stands twice in a table."""

    @property
    def firms(self) -> int:
        return pl.concat([table.frame.select("uscc") for table in self.tables])["uscc"].n_unique()

    @property
    def sha256(self) -> str:
        """Of all files together."""
        return hashlib.sha256("".join(table.sha256 for table in self.tables).encode()).hexdigest()

    @property
    def years(self) -> range:
        """Years of the figures, from the first to the last."""
        found = [year for table in self.tables for year in _years(table.frame, DATED_BY)]
        return range(min(found), max(found) + 1)

    def before(self, year: int, backs: int = 3) -> pl.DataFrame:
        """The firms as they were known in ``year``: figures of Y-1 … Y-``backs``, and those of Y itself.

        The figures of Y are there for the outcome alone. Empty where no table has figures of Y-1.
        """
        known = [table for table in self.tables if table.latest >= year - 1]
        if not known:
            return self.tables[-1].frame.clear()
        base = known[0].frame
        wanted = range(year - backs, year + 1)
        base = base.select(name for name in base.columns if (_year_of(name) or year) in wanted)
        return reduce(_with_missing, self._more(wanted, known[0]), base)

    def _more(self, wanted: range, base: YearTable) -> Iterator[pl.DataFrame]:
        for table in self.tables:
            names = [name for name in table.frame.columns if _year_of(name) in wanted]
            if table is not base and names:
                yield table.frame.select("uscc", *names)

    def shown_in(self, year: int) -> YearTable | None:
        """The table that shows the registry of ``year``."""
        return next((table for table in self.tables if table.shows == year), None)

    def shown_after(self, year: int) -> YearTable | None:
        return next((table for table in self.tables if table.shows > year), None)


def day_of(year: int) -> date:
    """The day on which titles are looked at in a year."""
    return date(year, *_DAY)


def read_history(paths: Sequence[Path], fields: Collection[str]) -> History:
    """Read the tables; of each only the columns of ``fields``. A folder stands for the tables in it.

    Raises FileRefused where a file cannot be read, LearnRefused L102 (nothing there) and L103 (no revenue).
    """
    files = sorted({file for path in paths for file in _files(path)})
    if not files:
        raise LearnRefused(
            "L102",
            Text("没有找到可读的表", "no table was found"),
            Text(
                "给一个 .csv、.xlsx 或 .parquet 文件，或放着这些文件的文件夹",
                "Name a .csv, .xlsx or .parquet file, or a folder of them",
            ),
            "、".join(str(path) for path in paths),
        )
    read = [_read(path, frozenset(fields) | {DATED_BY}) for path in files]
    tables = sorted((table for table, _, _ in read), key=lambda table: (table.latest, table.name))
    notices = [notice for _, found, _ in read for notice in found]
    return History(tuple(tables), tuple(notices), sum(dropped for _, _, dropped in read))


def history_of_frame(frame: pl.DataFrame, name: str, sha256: str) -> History:
    """A history of one wide frame with ``uscc`` and canonical columns. LearnRefused L103: no revenue."""
    return History((_dated(name, frame, sha256),))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for file in path.iterdir() if file.suffix.lower() in ENDINGS and file.name[0] != "."]
    return [path]


def _read(path: Path, fields: frozenset[str]) -> tuple[YearTable, list[Text], int]:
    log = IssueLog()
    with open_table(path) as table:
        wanted = sorted(name for name in table.available if _key(name) in fields)
        frame = pl.concat(list(table.batches(wanted, log)), how="vertical")
        table.finish(log)
    good = frame.filter(pl.col("error").is_null() & pl.col("uscc").is_unique())
    notices = [
        Text(f"{path.name}：{code} {times} 处", f"{path.name}: {code}, {times} times")
        for code, times in sorted(_by_code(log).items())
    ]
    held = good.drop("row", "name", "error", strict=False)
    return _dated(path.name, held, _sha256(path)), notices, frame.height - good.height


def _by_code(log: IssueLog) -> dict[str, int]:
    found: dict[str, int] = {}
    for (code, _), times in log.counts.items():
        found[code] = found.get(code, 0) + times
    return found


def _dated(name: str, frame: pl.DataFrame, sha256: str) -> YearTable:
    years = [year for year in _years(frame, DATED_BY) if frame[f"{DATED_BY}_{year}"].count()]
    if not years:
        raise LearnRefused(
            "L103",
            Text("表里没有一年的营业收入", "the table has no year of operating revenue"),
            Text("至少要有一列如“2024年营业收入（万元）”", "Give at least one column such as revenue_2024"),
            name,
        )
    return YearTable(name, frame, max(years), sha256)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _years(frame: pl.DataFrame, key: str) -> list[int]:
    return [year for name in frame.columns if _key(name) == key and (year := _year_of(name)) is not None]


def _key(name: str) -> str:
    parsed = catalogue().parse_column(name)
    return parsed[0].key if parsed else name


def _year_of(name: str) -> int | None:
    match = _YEARLY.search(name)
    return int(match[1]) if match else None


def _with_missing(base: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """``base`` with the columns of ``more``; a figure that ``base`` has stands."""
    joined = base.join(more, on="uscc", how="left", suffix="@", maintain_order="left")
    both = [name for name in more.columns if name != "uscc" and name in base.columns]
    filled = [pl.coalesce(name, f"{name}@").alias(name) for name in both]
    return joined.with_columns(filled).drop(f"{name}@" for name in both)
