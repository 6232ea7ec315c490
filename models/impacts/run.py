"""Judge a file, or the whole registry, under two sets of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl

from models.ahead import ahead
from models.impacts.judge import Counted, ImpactJudge
from models.impacts.pairs import Comparison
from models.impacts.report import report
from models.impacts.tally import Tally
from models.registry.merged import Registry
from models.rules.quantity import Period
from models.tabular.issues import IssueLog
from models.tabular.reader import open_table

AT_ONCE = 50_000
"""Firms of a bucket that are judged by one query."""
Progress = Callable[[int], None]
"""Hears how many firms are done."""


def impact_of_file(
    path: Path, comparison: Comparison, period: Period, progress: Progress = lambda firms: None
) -> dict[str, Any]:
    """Every row of a file that can be read; ``unreadable`` counts the others. Raises FileRefused."""
    judge = ImpactJudge(comparison.pairs, period)
    log, unreadable = IssueLog(), 0
    with open_table(path, as_of=period.as_of) as table:

        def pieces() -> Iterator[pl.DataFrame]:
            nonlocal unreadable
            columns = sorted((judge.inputs | {"district", "industry"}) & table.available)
            for piece in table.batches(columns, log):
                readable = piece.filter(pl.col("error").is_null())
                unreadable += piece.height - readable.height
                yield readable

        answer = _judged(judge, comparison, period, pieces(), progress)
    return {**answer, "source": path.name, "unreadable": unreadable}


def impact_of_registry(
    registry: Registry, comparison: Comparison, period: Period, progress: Progress = lambda firms: None
) -> dict[str, Any]:
    """Every firm of a registry; ``progress`` may be called between buckets. Raises NotStored, StoreAway."""
    judge = ImpactJudge(comparison.pairs, period)
    buckets = registry.buckets(judge.inputs | {"district", "industry"})
    pieces = (piece for bucket in buckets for piece in bucket.iter_slices(AT_ONCE))
    edition = registry.editions[0]
    answer = _judged(judge, comparison, period, pieces, progress)
    return {**answer, "edition": {"id": edition.id, "hash": edition.hash, "dated": edition.dated.isoformat()}}


def _judged(
    judge: ImpactJudge,
    comparison: Comparison,
    period: Period,
    pieces: Iterator[pl.DataFrame],
    progress: Progress,
) -> dict[str, Any]:
    tallies = [Tally() for _ in judge.sides]
    firms = 0

    def counted(piece: pl.DataFrame) -> tuple[int, list[Counted]]:
        return piece.height, judge(piece)

    with closing(ahead(pieces)) as read, closing(ahead(map(counted, read))) as answers:
        for height, found in answers:
            firms += height
            for tally, one in zip(tallies, found, strict=True):
                tally.add(one)
            progress(firms)
    return report(comparison, judge, period, tallies, firms)
