"""Score a registry file: read, judge, write, in one streaming query (contract.md, *The main command*)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from models.errors import Text
from models.ladder import rung_names
from models.rules.compile import Compiled, Standards, compile_standards
from models.rules.condition import Condition
from models.rules.explain import member_text
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.rules.table import assess
from models.tabular.guide import ResultGuide, StandardGuide
from models.tabular.issue_table import issue_table_path, neutralise, write_issue_table
from models.tabular.issues import Issue, IssueLog
from models.tabular.output import atomic_output, check_output
from models.tabular.reader import Table, open_table
from models.tabular.results import write_result_workbook

LADDER_COLUMNS = ("recognised", "qualifies", "could_reach")
ROW_GROUP = 100_000
_TEXT_COLUMNS = ("uscc", "name", "error")


@dataclass(frozen=True, slots=True)
class Request:
    """What to score, by which rules, and where to."""

    source: Path
    output: Path
    as_of: date
    kind: str = "new"
    standards: Sequence[str] | None = None
    """Ids in the order wanted; all by default."""


@dataclass
class Report:
    """What a run did: rows by ladder answer, issues, where things lie."""

    output: Path
    issues_at: Path | None
    rows: int
    unreadable: int
    ladder: dict[str, dict[int, int]]
    """Answer → rung number → firms."""
    issues: IssueLog
    notes: Sequence[Issue]
    rulebook: str
    guide: ResultGuide = field(repr=False)


def score(book: Rulebook, request: Request, progress: Callable[[int], None] = lambda rows: None) -> Report:
    """Score ``request.source`` into ``request.output``; ``progress`` hears how many rows are done.

    Raises FileRefused, OutputRefused or UsageRefused; then nothing stands under the output's name.
    """
    check_output(request.output, request.source)
    period = Period(request.as_of, request.kind)
    standards = compile_standards(book, period, request.standards)
    with open_table(request.source, as_of=request.as_of) as table:
        return _run(book, request, standards, table, progress)


def _run(
    book: Rulebook, request: Request, standards: Standards, table: Table, progress: Callable[[int], None]
) -> Report:
    log, tally = IssueLog(), _Tally(progress)
    columns = standards.inputs() & table.available
    result = tally.listen(assess(table.scan(columns, log), standards, columns))
    guide = guide_of(book, standards, request.source.name)

    def executed() -> None:
        table.finish(log)

    issues_at: Path | None = None
    if request.output.suffix.lower() == ".xlsx":
        write_result_workbook(
            request.output, result, guide, log, table.notes, executed=executed, source=request.source
        )
    else:
        _sink(result, request, table)
        executed()
        issues_at = _write_issues(request, log, table.notes)
    return Report(
        request.output,
        issues_at,
        tally.rows,
        tally.unreadable,
        tally.rungs(),
        log,
        table.notes,
        book.hash,
        guide,
    )


def _sink(result: pl.LazyFrame, request: Request, table: Table) -> None:
    try:
        with atomic_output(request.output, request.source) as part:
            if request.output.suffix.lower() == ".parquet":
                result.sink_parquet(part, row_group_size=ROW_GROUP, engine="streaming")
            else:
                safe = result.with_columns(neutralise(pl.col(name)) for name in _TEXT_COLUMNS)
                safe.sink_csv(part, include_bom=True, engine="streaming")
    except pl.exceptions.PolarsError as error:
        # Not of the output, which atomic_output has told of: the file was worse than its beginning.
        raise table.refuse(error) from error


def _write_issues(request: Request, log: IssueLog, notes: Sequence[Issue]) -> Path | None:
    """The list of issues beside the result; one of an earlier run does not stay behind."""
    path = issue_table_path(request.output)
    if not len(log) and not notes:
        path.unlink(missing_ok=True)
        return None
    write_issue_table(path, log, notes, request.source)
    return path


class _Tally:
    """Counts ladder answers as they stream by."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._counts: dict[str, Counter[int]] = {name: Counter() for name in LADDER_COLUMNS}
        self._progress = progress
        self._lock = threading.Lock()
        self.rows = self.unreadable = 0

    def listen(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        return frame.map_batches(self._hear, schema=frame.collect_schema(), streamable=True)

    def _hear(self, piece: pl.DataFrame) -> pl.DataFrame:
        unreadable = piece.height - piece["error"].null_count()
        counts = {name: np.bincount(piece[name].drop_nulls().to_numpy()) for name in LADDER_COLUMNS}
        with self._lock:
            self.rows += piece.height
            self.unreadable += unreadable
            for name, found in counts.items():
                self._counts[name].update({rung: int(count) for rung, count in enumerate(found) if count})
        self._progress(self.rows)
        return piece

    def rungs(self) -> dict[str, dict[int, int]]:
        return {name: dict(sorted(counts.items())) for name, counts in self._counts.items()}


def guide_of(book: Rulebook, standards: Standards, source: str) -> ResultGuide:
    """What a reader of the result has to know: names, sentences, dates, hash."""
    period = standards.period
    return ResultGuide(
        title=Text("企业梯队预评估结果", "Assessment of firms on the ladder"),
        as_of=period.as_of,
        kind=period.kind,
        rulebook=book.hash,
        source=source,
        rungs=rung_names(book),
        standards=[_standard_guide(standards.compiled[i]) for i in standards.chosen],
    )


def _standard_guide(compiled: Compiled) -> StandardGuide:
    pack, period = compiled.pack, compiled.period
    if pack.size_table is not None:
        table = pack.size_table
        conditions = {f.key: f.label for f in (table.industry, *table.figures)}
        attested: frozenset[str] = frozenset()
    else:
        conditions = {b.member.id or "": member_text(b.member, period) for b in compiled.branches}
        attested = frozenset(
            b.member.id
            for b in compiled.branches
            if isinstance(b.member, Condition) and b.member.test.attested
        )
    return StandardGuide(
        id=pack.id,
        name=pack.name,
        short=pack.short,
        document=f"{pack.document.title} {pack.document.number}",
        in_force=pack.in_force_on(period),
        conditions=conditions,
        attested=attested,
        has_score=compiled.score is not None,
        is_value=pack.size_table is not None,
    )
