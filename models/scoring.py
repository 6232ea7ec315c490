"""Score a registry file: read, judge, write, piece by piece (contract.md, *The main command*)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from models.ahead import ahead
from models.errors import Text
from models.fields import catalogue
from models.ladder import rung_names
from models.rules.compile import Compiled, Standards, compile_standards
from models.rules.condition import Condition
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.rules.sentence import member_text
from models.rules.table import Judge, Words
from models.tabular.guide import ResultGuide, StandardGuide
from models.tabular.issue_table import issue_table_path, write_issue_table
from models.tabular.issues import Issue, IssueLog
from models.tabular.output import atomic_output, check_output
from models.tabular.reader import Table, open_table
from models.tabular.resultfile import Block, open_result
from models.tabular.results import write_result_workbook
from models.tabular.source import PIECE
from models.tabular.summary import ASSESSED
from models.verdict import Verdict

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
    unsettled: dict[str, int]
    """Answer → firms on rung 0 of which nothing better is known because figures are missing."""
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
    guide = guide_of(book, standards, request.source.name, table)
    log, tally = IssueLog(), _Tally(guide, progress)
    words, notes = Words(standards), [*table.notes, *_old_years(standards.period, table)]

    def told(judged: Iterator[pl.DataFrame]) -> Iterator[Block]:
        for piece in judged:
            tally.hear(piece)
            yield words.columns(piece)

    def judged_into(path: Path, *, csv: bool = False) -> None:
        with (
            open_result(path, csv=csv) as file,
            closing(_judged(table, standards, log)) as pieces,
            closing(ahead(told(pieces))) as blocks,
        ):
            for block in blocks:
                file.write(block)
        table.finish(log)

    issues_at: Path | None = None
    ending = request.output.suffix.lower()
    if ending == ".xlsx":
        write_result_workbook(request.output, judged_into, guide, log, notes, source=request.source)
    else:
        with atomic_output(request.output, request.source) as part:
            judged_into(part, csv=ending == ".csv")
        issues_at = _write_issues(request, log, notes)
    return Report(
        request.output,
        issues_at,
        tally.rows,
        tally.unreadable,
        tally.rungs(),
        tally.unsettled(),
        log,
        notes,
        book.hash,
        guide,
    )


def _judged(table: Table, standards: Standards, log: IssueLog) -> Generator[pl.DataFrame, None, None]:
    """The firms of a table judged piece by piece: one is read while another is judged and a third written."""
    columns = standards.inputs() & table.available
    pieces = ahead(_larger(table.batches(sorted(columns), log)))
    judge = Judge(standards, columns)  # takes a fifth of a second, while the first piece is read
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

    def __init__(self, guide: ResultGuide, progress: Callable[[int], None]) -> None:
        self._counts: dict[str, Counter[int]] = {name: Counter() for name in LADDER_COLUMNS}
        self._guide, self._progress = guide, progress
        self._unsettled: Counter[str] = Counter()
        self.rows = self.unreadable = 0

    def hear(self, judged: pl.DataFrame) -> None:
        self.rows += judged.height
        self.unreadable += judged.height - judged["error"].null_count()
        for name, counts in self._counts.items():
            found = np.bincount(judged[name].drop_nulls().to_numpy())
            counts.update({rung: int(count) for rung, count in enumerate(found) if count})
        if self._guide.scale in judged.columns:
            unknown = judged.filter(pl.col(self._guide.scale) == Verdict.UNKNOWN)
            self._unsettled.update({name: int((unknown[name] == 0).sum()) for name in ASSESSED})
        self._progress(self.rows)

    def rungs(self) -> dict[str, dict[int, int]]:
        return {name: dict(sorted(counts.items())) for name, counts in self._counts.items()}

    def unsettled(self) -> dict[str, int]:
        """As :attr:`Report.unsettled`; the answers that are settled for every firm are left out."""
        counts = {name: count for name, count in self._unsettled.items() if count}
        untold = 0 if self._guide.titles_given else self._counts["recognised"][0]
        return {"recognised": untold, **counts} if untold else counts


def _old_years(period: Period, table: Table) -> Iterator[Issue]:
    """A word on a file whose figures all end before the year that is judged: most are then missing."""
    parsed = [catalogue().parse_column(name) for name in table.available]
    years = [found[1] for found in parsed if found is not None and found[1] is not None]
    if years and max(years) < period.year(1):
        latest = max(years)
        details = {"latest": latest, "as_of": period.as_of, "needed": period.year(1)}
        yield Issue("E310", details={**details, "suggested": f"{latest + 1}-06-30"})


def guide_of(book: Rulebook, standards: Standards, source: str, table: Table | None = None) -> ResultGuide:
    """What a reader of the result has to know: names, sentences, dates, hash; ``table``: what was judged."""
    period = standards.period
    scale = next(iter(standards.rung_standards.get(1, ())), None)
    titles = standards.program.inputs([*standards.rung_titles.values()])
    notices = () if table is None else tuple(_notice(issue) for issue in _old_years(period, table))
    return ResultGuide(
        title=Text("企业梯队预评估结果", "Assessment of firms on the ladder"),
        as_of=period.as_of,
        kind=period.kind,
        rulebook=book.hash,
        source=source,
        rungs=rung_names(book),
        standards=[_standard_guide(standards.compiled[i]) for i in standards.chosen],
        scale=scale,
        titles_given=table is None or bool(titles & table.available),
        notices=notices,
    )


def _notice(issue: Issue) -> Text:
    return Text(f"{issue.code} {issue.text.zh}；{issue.fix.zh}", f"{issue.text.en}. {issue.fix.en}")


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
