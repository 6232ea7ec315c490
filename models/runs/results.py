"""The results of a run: page by page, or all of them as one file. They are read from the parts' own files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl
from sqlalchemy import Connection, select

from models.errors import Text, UsageRefused
from models.registry.job_tables import run_part
from models.registry.listing import editions_of
from models.registry.search.cursor import Mark, read_mark, write_mark
from models.runs.estimating import outlook_key
from models.runs.judges import judges_of
from models.runs.page import Page
from models.runs.record import Run, RunConflict, ended_run, part_key
from models.scoring import guide_of
from models.settings import Settings
from models.store import Store, store_of
from models.tabular.coded import Coded
from models.tabular.issues import IssueLog
from models.tabular.output import atomic_output
from models.tabular.resultfile import Block, open_result
from models.tabular.results import write_result_workbook

PARTS_A_PAGE = 40
"""Parts that one page may look through; with a filter it then ends early and says where to go on."""
_PLAIN = ("uscc", "name")


def result_page(
    settings: Settings,
    connection: Connection,
    run_id: int,
    cursor: str | None = None,
    limit: int = 100,
    *,
    standard: str | None = None,
    verdict: str | None = None,
    district: str | None = None,
) -> Page:
    """Firms of a run in a fixed order. With filters a page may hold fewer than ``limit`` and still go on.

    Raises RunUnknown (J404), RunConflict (J412: not ended), UsageRefused (R420 cursor, J002 standard),
    StoreAway.
    """
    found = ended_run(connection, run_id)
    question = orjson.dumps(["results", run_id, standard, verdict, district])
    mark = read_mark(cursor, question) if cursor else Mark(0, "")
    wanted = _filter(connection, found, standard, verdict, district)
    parts = [number for number in _parts(connection, run_id) if number >= mark.stage]
    store, rows, after = store_of(settings), list[dict[str, Any]](), str(mark.after)
    for looked, number in enumerate(parts):
        if looked == PARTS_A_PAGE or len(rows) == limit:
            return Page(rows, write_mark(Mark(number, ""), question))
        part = pl.scan_parquet(store.fetch(part_key(run_id, number)), glob=False)
        some = part.filter(wanted, pl.col("uscc") > after).head(limit + 1 - len(rows)).collect()
        rows += some.to_dicts()
        if len(rows) > limit:
            last = rows[limit - 1]["uscc"]
            return Page(rows[:limit], write_mark(Mark(number, last), question))
        after = ""
    return Page(rows, None)


def write_results(
    settings: Settings, connection: Connection, run_id: int, path: Path, *, district: str | None = None
) -> int:
    """Write all of it, or one district's, to ``path`` (.parquet, .csv, .xlsx), whole or not at all.

    Returns the number of firms. Raises RunUnknown (J404), RunConflict (J412: not ended), OutputRefused (E403
    for more firms than a sheet holds), StoreAway.
    """
    found = ended_run(connection, run_id)
    numbers, store = _parts(connection, run_id), store_of(settings)
    written = 0

    def into(target: Path, *, csv: bool = False) -> None:
        nonlocal written
        with open_result(target, csv=csv) as file:
            for frame in _frames(store, [part_key(run_id, number) for number in numbers], district):
                file.write(_block(frame))
                written += frame.height

    if path.suffix.lower() == ".xlsx":
        judges = judges_of(connection, found)
        source = editions_of(connection, (found.edition_id,))[0].source_name
        guide = guide_of(judges.book, judges.judging.standards, source)
        write_result_workbook(path, into, guide, IssueLog(), ())
    else:
        with atomic_output(path) as part:
            into(part, csv=path.suffix.lower() == ".csv")
    return written


def write_estimates(
    settings: Settings, connection: Connection, run_id: int, path: Path, *, district: str | None = None
) -> int:
    """The models' estimates of all firms, or of one district's, to ``path`` (.parquet, .csv).

    ``uscc``, ``district`` and per task ``.score .reason .band .rival``. Returns the number of firms. Raises
    RunUnknown (J404), RunConflict (J412: not ended, J415: nothing was estimated), StoreAway.
    """
    found = ended_run(connection, run_id)
    if found.models is None:
        raise RunConflict(
            "J415",
            Text(f"第 {run_id} 次评估没有模型估计", f"run {run_id} has no estimates"),
            Text("启用模型后再启动一次评估", "Release a model, then start a run"),
        )
    written = 0
    with atomic_output(path) as part, open_result(part, csv=path.suffix.lower() == ".csv") as file:
        keys = [outlook_key(run_id, number) for number in _parts(connection, run_id)]
        for frame in _frames(store_of(settings), keys, district):
            file.write(_block(frame))
            written += frame.height
    return written


def _parts(connection: Connection, run_id: int) -> Sequence[int]:
    asked = select(run_part.c.part).where(run_part.c.run_id == run_id, run_part.c.status == "done")
    return connection.execute(asked.order_by(run_part.c.part)).scalars().all()


def _filter(
    connection: Connection, found: Run, standard: str | None, verdict: str | None, district: str | None
) -> pl.Expr:
    wanted = pl.lit(True)
    if standard is not None:
        if standard not in judges_of(connection, found).judging.standards.chosen:
            raise UsageRefused(
                "J002",
                Text(f"这次评估没有标准“{standard}”", f"the run has no standard “{standard}”"),
                Text("写这次评估所含标准的编号", "Give the id of a standard the run was made for"),
                "standard",
            )
        if verdict is not None:
            wanted &= pl.col(standard) == verdict
    if district is not None:
        wanted &= pl.col("district") == district
    return wanted


def _frames(store: Store, keys: Sequence[str], district: str | None) -> Iterator[pl.DataFrame]:
    """The parts one after the other; an empty one where there is none, so that a file has its columns."""
    for key in keys:
        frame = pl.read_parquet(store.fetch(key), glob=False)
        yield frame if district is None else frame.filter(pl.col("district") == district)


def _block(frame: pl.DataFrame) -> Block:
    return {
        column.name: Coded.of(column) if column.dtype == pl.String and column.name not in _PLAIN else column
        for column in frame
    }
