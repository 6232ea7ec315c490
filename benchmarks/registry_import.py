"""Import of a synthetic registry into PostgreSQL and SQLite: seconds and peak memory.

``python -m benchmarks.registry_import [--firms 1000000] [--keep FOLDER] [--only sqlite|postgresql]``

The targets are 5 minutes on PostgreSQL and 1.2 GB (issue 3). With ``--keep`` the registries stay:
PostgreSQL's in the database ``tidui_million``, SQLite's and the editions in the folder. ``--later`` measures
a second import too, a quarter later with one firm in fifty renamed.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import psycopg

from benchmarks.measure import Run, run, tidui

POSTGRES = os.environ.get("TIDUI_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
DATABASE = "tidui_million"


def main() -> None:
    arguments = _arguments()
    with _folder(arguments.keep) as folder:
        first = _synthetic(folder, arguments.firms)
        for database in ("postgresql", "sqlite"):
            if arguments.only in (None, database):
                os.environ.update(_environment(database, folder))
                run(tidui("registry", "migrate"))
                _print(f"{database}, first import", run(tidui("registry", "import", str(first), *_DATED[0])))
                if arguments.later:
                    later = _a_quarter_later(first)
                    _print(
                        f"{database}, a quarter later",
                        run(tidui("registry", "import", str(later), *_DATED[1])),
                    )


_DATED = (("--dated", "2026-06-30"), ("--dated", "2026-09-30"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--firms", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", choices=("postgresql", "sqlite"))
    parser.add_argument("--later", action="store_true", help="the second import too")
    return parser.parse_args()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="tidui-bench-") as folder:
        yield Path(folder)
    drop_database()


def drop_database() -> None:
    """PostgreSQL's registry, kept or half made."""
    _administer(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')


def _synthetic(folder: Path, firms: int) -> Path:
    path = folder / f"firms_{firms}.parquet"
    if not path.exists():
        run(tidui("synth", "-n", str(firms), "-o", str(path), "--as-of", "2026-06-30"))
    return path


def _a_quarter_later(first: Path) -> Path:
    path = first.with_name(f"{first.stem}_later.parquet")
    renamed = pl.when(pl.int_range(pl.len()) % 50 == 0).then(pl.col("name") + "新").otherwise("name")
    pl.scan_parquet(first).with_columns(renamed.alias("name")).sink_parquet(path)
    return path


def _environment(database: str, folder: Path) -> dict[str, str]:
    data = folder / ("data" if database == "sqlite" else "data_postgresql")
    if database == "sqlite":
        for left in data.glob("tidui.sqlite*"):
            left.unlink()
        return {"TIDUI_DATA": str(data), "TIDUI_DATABASE_URL": ""}
    drop_database()
    _administer(f'CREATE DATABASE "{DATABASE}"')
    return {"TIDUI_DATA": str(data), "TIDUI_DATABASE_URL": f"{POSTGRES.rsplit('/', 1)[0]}/{DATABASE}"}


def _administer(statement: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(statement.encode())


def _print(what: str, measured: Run) -> None:
    print(f"{what:32} {measured.seconds:7.1f} s  {measured.gigabytes:5.2f} GB", flush=True)


if __name__ == "__main__":
    main()
