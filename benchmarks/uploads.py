"""Checking uploads, as ratios within one run.

    python -m benchmarks.uploads [--firms 1000000] [--sheet 200000] [--keep FOLDER]

A check is what a worker's child does with a file: read every column, report, hold it against the active
edition. Both sides are processes of their own, from start to exit. Targets (issue 4): a CSV of a million rows
and 100 columns in at most 3 times what pyarrow takes to read it, and 1.2 GB; a workbook of 200,000 rows in at
most twice what calamine takes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
from sqlalchemy import insert, update

from benchmarks.measure import Run, python, run, tidui
from models.settings import Settings

DATED = date(2026, 6, 30)
COLUMNS, SHEET_COLUMNS = 100, 32
TIMES = 3


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--firms", type=int, default=1_000_000)
    options.add_argument("--sheet", type=int, default=200_000, help="rows of the workbook")
    options.add_argument("--keep", type=Path, help="keep the files here, and use those that are")
    given = options.parse_args()
    with ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidui-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        text, sheet = _files(folder, given.firms, given.sheet)
        empty, full = folder / "empty", folder / "full"
        _registry(empty, None)
        _registry(full, text)
        bare = run(python("-m", "benchmarks.uploads", "pyarrow", str(text)), TIMES)
        first = run(python("-m", "benchmarks.uploads", "check", str(text), str(empty)), TIMES)
        later = run(python("-m", "benchmarks.uploads", "check", str(text), str(full)), TIMES)
        shape = f"CSV {given.firms:,} × {COLUMNS}"
        _say(f"check ÷ pyarrow's bare read, {shape}", first, bare, "≤ 3, ≤ 1.2 GB")
        _say("the same, beside an active edition of as many", later, bare, "≤ 3, ≤ 1.2 GB")
        bare = run(python("-m", "benchmarks.uploads", "calamine", str(sheet)), TIMES)
        checked = run(python("-m", "benchmarks.uploads", "check", str(sheet), str(empty)), TIMES)
        shape = f"workbook {given.sheet:,} × {SHEET_COLUMNS}"
        _say(f"check ÷ calamine's bare read, {shape}", checked, bare, "≤ 2")


def _say(what: str, ours: Run, bare: Run, target: str) -> None:
    ratio = ours.seconds / bare.seconds
    print(f"{what:58} {ratio:6.2f}   {ours.seconds:5.1f} s ÷ {bare.seconds:5.1f} s   "
          f"{ours.gigabytes:.2f} GB (bare {bare.gigabytes:.2f})   target {target}", flush=True)  # fmt: skip


def _files(folder: Path, firms: int, rows: int) -> tuple[Path, Path]:
    """The CSV and the workbook: the first columns of a synthetic registry."""
    whole, text, sheet = folder / "firms.parquet", folder / "firms.csv", folder / "firms.xlsx"
    if not whole.exists():
        run(tidui("synth", "-n", str(firms), "-o", str(whole), "--as-of", DATED.isoformat()))
    names = pl.scan_parquet(whole).collect_schema().names()
    if not text.exists():
        pl.scan_parquet(whole).select(names[:COLUMNS]).sink_csv(text)
    if not sheet.exists():
        head = pl.read_parquet(whole, columns=names[:SHEET_COLUMNS], n_rows=rows)
        _write_sheet(head, sheet)
    return text, sheet


def _write_sheet(firms: pl.DataFrame, path: Path) -> None:
    import xlsxwriter  # noqa: PLC0415

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, firms.columns)
        for row, cells in enumerate(firms.iter_rows(), 1):
            for column, cell in enumerate(cells):
                if cell is not None:
                    page.write(row, column, cell.isoformat() if isinstance(cell, date) else cell)


def _registry(data: Path, source: Path | None) -> None:
    """A registry whose active edition is made of ``source``: the parts that a check looks at."""
    from models.registry.database import Database  # noqa: PLC0415
    from models.registry.editions import build_edition  # noqa: PLC0415
    from models.registry.migrate import upgrade  # noqa: PLC0415
    from models.registry.tables import edition, state  # noqa: PLC0415
    from models.tabular.reader import open_table  # noqa: PLC0415

    if (data / "tidui.sqlite").exists():
        return
    settings = _settings(data)
    database = Database(settings.database_url)
    upgrade(database)
    if source is not None:
        with open_table(source, as_of=DATED) as table:
            manifest = build_edition(settings, table, "0" * 64, DATED).manifest
        values = {
            "hash": manifest.hash, "status": "ready", "source_name": source.name, "source_hash": "0" * 64,
            "dated": DATED, "rows": manifest.rows, "firms": manifest.firms, "manifest": manifest.text,
            "imported_at": datetime.now(UTC), "imported_by": "bench",
        }  # fmt: skip
        with database.write() as connection:
            made = connection.execute(insert(edition).values(values)).inserted_primary_key
            assert made is not None
            connection.execute(update(state).values(edition_id=made[0]))
    database.close()


def _settings(data: Path) -> Settings:
    return Settings(data=data, database_url=f"sqlite:///{data}/tidui.sqlite", redis_url=None)


def _check(path: Path, data: Path) -> None:
    from models.uploads.child import Request, ask  # noqa: PLC0415

    settings = _settings(data)
    with tempfile.TemporaryDirectory(prefix="tidui-check-") as folder:
        place = (str(data), settings.database_url, None)
        answer = ask(Request.of("check", path, path.name, DATED, Path(folder), {}, place))
    print(answer["report"]["counts"], (answer["report"]["differences"] or {}).get("firms"))


def _bare(reader: str, path: str) -> None:
    if reader == "pyarrow":
        from pyarrow import csv  # noqa: PLC0415

        csv.read_csv(path)
    else:
        import python_calamine  # noqa: PLC0415

        python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        _check(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1:2] in (["pyarrow"], ["calamine"]):
        _bare(sys.argv[1], sys.argv[2])
    else:
        main()
