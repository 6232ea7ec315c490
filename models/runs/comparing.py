"""The firms of a part that stand elsewhere than in the run before, and the conditions that decided it.

What stood before is read from the result files of that run, or from its rows where an import made it: then
the verdicts of single standards are not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl
from sqlalchemy import Connection, select, text

from models.registry.job_tables import run_part
from models.registry.judging import LADDER
from models.rules.compile import Standards
from models.rules.table import Words
from models.runs.reading import Slice
from models.runs.record import ENGINE, part_key, read_run
from models.store import Store

_RUNGS = {name: pl.Int16 for name in LADDER}
_STANDING = {
    "postgresql": "SELECT uscc, {0} FROM standing WHERE run_id = :run AND uscc = ANY(:codes)",
    "sqlite": "SELECT uscc, {0} FROM standing WHERE run_id = :run AND uscc IN "
    "(SELECT value FROM json_each(:codes))",
}
AT_ONCE = 20_000
MOVED_SCHEMA: Mapping[str, Any] = {
    "uscc": pl.String,
    "name": pl.String,
    "district": pl.String,
    **{f"{name}_{side}": pl.Int16 for name in LADDER for side in ("before", "after")},
    "deciding": pl.String,
}


@dataclass(frozen=True)
class Before:
    """Where firms stood: ``uscc`` and the ladder's answers, and columns of single standards if known."""

    rows: pl.DataFrame

    @classmethod
    def read(
        cls,
        connection: Connection,
        store: Store,
        run_id: int,
        part: Slice,
        codes: pl.Series,
        standards: Standards,
    ) -> Before:
        """Of the part's slice, from that run's files; of ``codes``, from its rows."""
        earlier = read_run(connection, run_id, any_engine=True)
        if earlier.engine != ENGINE:
            return cls(_rows(connection, run_id, codes))
        columns = run_part.c
        asked = select(columns.part, columns.slices).where(
            columns.run_id == run_id, columns.bucket == part.bucket, columns.status == "done"
        )
        there = connection.execute(asked.order_by(columns.part)).all()
        # Where it was cut alike, the same firms lie in the part of the same number.
        wanted = ["uscc", *LADDER, *_columns(standards)]
        frames = [
            frame.filter(part.within(frame["uscc"])) if one.slices != part.slices else frame
            for one in there
            if one.slices != part.slices or one.part == part.part
            for frame in (_read(store.fetch(part_key(run_id, one.part)), wanted),)
        ]
        return cls(pl.concat(frames).with_columns(pl.col(*LADDER).cast(pl.Int16)))


@dataclass(frozen=True)
class Moved:
    """``rows`` as :data:`MOVED_SCHEMA`; ``matched``: firms of the part that the run before had too."""

    rows: pl.DataFrame
    matched: int


def moved_of(judged: pl.DataFrame, before: Before, standards: Standards, words: Words) -> Moved:
    """The firms of ``judged`` that are new or whose place on the ladder changed, by code."""
    was = before.rows.select("uscc", *(pl.col(name).alias(f"{name}_before") for name in LADDER))
    is_now = judged.select("uscc", "name", "district", *(pl.col(n).cast(pl.Int16) for n in LADDER))
    both = is_now.rename({name: f"{name}_after" for name in LADDER}).join(
        was, on="uscc", how="left", maintain_order="left"
    )
    changed = [pl.col(f"{name}_before").ne_missing(pl.col(f"{name}_after")) for name in LADDER]
    rows = both.filter(pl.any_horizontal(changed))
    deciding = pl.Series("deciding", _deciding(rows, judged, before, standards, words), dtype=pl.String)
    matched = both.height - both["recognised_before"].null_count()
    return Moved(rows.with_columns(deciding).select(*MOVED_SCHEMA), matched)


def _columns(standards: Standards) -> list[str]:
    """Those of the standards of rungs."""
    return [f"{name}{part}" for name in _of_rungs(standards) for part in ("", ".unmet", ".open")]


def _of_rungs(standards: Standards) -> list[str]:
    return sorted({name for names in standards.rung_standards.values() for name in names})


def _read(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Of a result file those columns that it has."""
    held = pl.read_parquet_schema(path)
    return pl.read_parquet(path, columns=[column for column in columns if column in held], glob=False)


def _rows(connection: Connection, run_id: int, codes: pl.Series) -> pl.DataFrame:
    statement = text(_STANDING[connection.dialect.name].format(", ".join(LADDER)))
    found: list[Any] = []
    for some in codes.to_frame().iter_slices(AT_ONCE):
        listed = some.to_series().to_list()
        given = orjson.dumps(listed).decode() if connection.dialect.name == "sqlite" else listed
        found += connection.execute(statement, {"run": run_id, "codes": given}).all()
    return pl.DataFrame([tuple(row) for row in found], schema={"uscc": pl.String, **_RUNGS}, orient="row")


def _deciding(
    rows: pl.DataFrame, judged: pl.DataFrame, before: Before, standards: Standards, words: Words
) -> Iterator[str]:
    """For every row, as JSON: the standards of the rungs that it crossed, with what stood against them."""
    if not rows.height:
        return
    after = _texts(judged.filter(pl.col("uscc").is_in(rows["uscc"].implode())), standards, words)
    known = rows.select("uscc").join(before.rows, on="uscc", how="left", maintain_order="left")
    sides = [_answers(frame, standards) for frame in (known, after)]
    for place, row in enumerate(rows.iter_rows(named=True)):
        crossed = sorted(_crossed(row)) if row["recognised_before"] is not None else []
        ids = [name for rung in crossed for name in standards.rung_standards.get(rung, ())]
        shown = [_one(name, *(side[name][place] for side in sides)) for name in ids]
        yield orjson.dumps([one for one in shown if one["before"] != one["after"]]).decode()


def _texts(judged: pl.DataFrame, standards: Standards, words: Words) -> pl.DataFrame:
    """The columns of the standards of rungs, in words."""
    wanted = set(_columns(standards))
    shown = {o.name: words.column(o, judged[o.name]) for o in words.outputs if o.name in wanted}
    return pl.DataFrame({name: c if isinstance(c, pl.Series) else c.texts() for name, c in shown.items()})


def _crossed(row: Mapping[str, Any]) -> set[int]:
    """The rungs between where a firm stood and where it stands, by its own standards."""
    found: set[int] = set()
    for name in ("qualifies", "could_reach"):
        low, high = sorted((row[f"{name}_before"], row[f"{name}_after"]))
        found.update(range(low + 1, high + 1))
    return found


Answer = tuple[str | None, str | None, str | None]
"""A verdict, and the conditions unmet and open."""


def _answers(frame: pl.DataFrame, standards: Standards) -> dict[str, Sequence[Answer]]:
    """Standard of a rung → its answer for every row; nothing known where the frame has no such column."""
    nothing: list[str | None] = [None] * frame.height
    found: dict[str, Sequence[Answer]] = {}
    for name in _of_rungs(standards):
        columns = [
            frame[column].to_list() if column in frame.columns else nothing
            for column in (name, f"{name}.unmet", f"{name}.open")
        ]
        found[name] = list(zip(*columns, strict=True))
    return found


def _one(name: str, before: Answer, after: Answer) -> dict[str, Any]:
    """The conditions are those of the worse side: what held the firm down before, or does now."""
    order = ("unmet", "unknown", "review", "met")
    rose = before[0] is not None and after[0] is not None and order.index(before[0]) < order.index(after[0])
    worse = before if rose else after
    unmet, still_open = (ids.split(";") if ids else [] for ids in worse[1:])
    return {
        "standard": name,
        "before": before[0],
        "after": after[0],
        "unmet": unmet if worse[0] == "unmet" else [],
        "open": still_open if worse[0] != "met" else [],
    }
