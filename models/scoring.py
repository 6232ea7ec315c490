"""Score a registry file: read, judge, write, piece by piece (contract.md, *The main command*)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import polars as pl

from models.errors import Text
from models.ladder import rung_names
from models.rules.compile import Compiled, Standards, compile_standards
from models.rules.condition import Condition
from models.rules.explain import member_text
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.rules.table import Judge, Words
from models.tabular.guide import ResultGuide, StandardGuide
from models.tabular.issue_table import issue_table_path, write_issue_table
from models.tabular.issues import Issue, IssueLog
from models.tabular.output import atomic_output, check_output
from models.tabular.reader import Table, open_table
from models.tabular.resultfile import open_result
from models.tabular.results import write_result_workbook
from models.tabular.source import PIECE

LADDER_COLUMNS = ("recognised", "qualifies", "could_reach")


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
    words = Words(standards)

    def judged_into(path: Path, *, csv: bool = False) -> None:
        with open_result(path, csv=csv) as file, closing(_judged(table, standards, log)) as pieces:
            for piece in pieces:
                tally.hear(piece)
                file.write(words.columns(piece))
        table.finish(log)

    guide = guide_of(book, standards, request.source.name)
    issues_at: Path | None = None
    ending = request.output.suffix.lower()
    if ending == ".xlsx":
        write_result_workbook(request.output, judged_into, guide, log, table.notes, source=request.source)
    else:
        with atomic_output(request.output, request.source) as part:
            judged_into(part, csv=ending == ".csv")
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


def _judged(table: Table, standards: Standards, log: IssueLog) -> Generator[pl.DataFrame, None, None]:
    """The firms of a table judged piece by piece: one is read while another is judged and a third written."""
    columns = standards.inputs() & table.available
    judge = Judge(standards, columns)
    pieces = ahead(_larger(table.batches(sorted(columns), log)))
    return ahead(map(judge.piece, pieces))


def _larger(pieces: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Pieces of text files put together: writing a query costs as much as judging 20,000 firms."""
    waiting: list[pl.DataFrame] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(one.height for one in waiting) >= PIECE:
            yield pl.concat(waiting, rechunk=True)
            waiting.clear()
    if waiting:
        yield pl.concat(waiting, rechunk=True)


T = TypeVar("T")


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The items, each worked out by a thread of its own while the one before it is used."""
    end = object()
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(next, items, end)
        while (item := waiting.result()) is not end:
            waiting = thread.submit(next, items, end)
            yield cast(T, item)


def _write_issues(request: Request, log: IssueLog, notes: Sequence[Issue]) -> Path | None:
    """The list of issues beside the result; one of an earlier run does not stay behind."""
    path = issue_table_path(request.output)
    if not len(log) and not notes:
        path.unlink(missing_ok=True)
        return None
    write_issue_table(path, log, notes, request.source)
    return path


class _Tally:
    """Counts ladder answers as they pass by."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._counts: dict[str, Counter[int]] = {name: Counter() for name in LADDER_COLUMNS}
        self._progress = progress
        self.rows = self.unreadable = 0

    def hear(self, judged: pl.DataFrame) -> None:
        self.rows += judged.height
        self.unreadable += judged.height - judged["error"].null_count()
        for name, counts in self._counts.items():
            found = np.bincount(judged[name].drop_nulls().to_numpy())
            counts.update({rung: int(count) for rung, count in enumerate(found) if count})
        self._progress(self.rows)

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
