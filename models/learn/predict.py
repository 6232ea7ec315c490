"""Score a file of firms for all tasks, piece by piece; one is read while another is scored or written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import xlsxwriter

from models.ahead import ahead
from models.errors import LearnRefused, Text
from models.fields import catalogue
from models.learn.columns import columns_of_frame
from models.learn.drift import Drift, Tally, drift, tally
from models.learn.factors import FactorTexts
from models.learn.history import DATED_BY, day_of
from models.learn.model import Model
from models.learn.outlook import REASON_CODES, Outlooks, Scores
from models.rules.rulebook import Rulebook
from models.tabular.coded import Coded
from models.tabular.issues import IssueLog, refusal
from models.tabular.output import atomic_output, check_output
from models.tabular.reader import Table, open_table
from models.tabular.resultfile import Block, open_result
from models.tabular.results import MOST_ROWS
from models.tabular.sheet import write_cell

COLUMNS = ("uscc", "task", "score", "abstained", "reason", "top_factors")
DIGITS = 6
"""Of a score in a file."""


@dataclass
class Report:
    """What was scored: firms, and by task how many have a score and why others have none."""

    output: Path
    year: int
    firms: int = 0
    scored: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    issues: IssueLog = field(default_factory=IssueLog)
    tallies: dict[str, Tally] = field(default_factory=dict)

    def drifts(self, models: Sequence[Model]) -> dict[str, Drift]:
        """By task, how far the firms lie from those that its model learned from."""
        return {
            model.task.id: drift(model, self.tallies[model.task.id])
            for model in models
            if model.task.id in self.tallies
        }


def predict(
    models: Sequence[Model],
    source: Path,
    output: Path,
    book: Rulebook,
    year: int | None = None,
    progress: Callable[[int], None] = lambda firms: None,
) -> Report:
    """Write a row per firm and task: :data:`COLUMNS`; ``score`` is null where the model abstains.

    ``year``: the year that is estimated, from figures of the years before; by default the year after the
    file's last revenue. Raises FileRefused, OutputRefused, LearnRefused (L103: no year of revenue).
    """
    check_output(output, source)
    with open_table(source) as table:
        asked = _asked_year(table, source) if year is None else year
        report = Report(output, asked)
        outlooks = Outlooks(models, book)
        blocks = _blocks(table, outlooks, day_of(asked), report, progress)
        with atomic_output(output, source) as part, closing(blocks):
            if output.suffix.lower() == ".xlsx":
                _workbook(part, blocks)
            else:
                with open_result(part, csv=output.suffix.lower() == ".csv") as file:
                    for block in blocks:
                        file.write(block)
        table.finish(report.issues)
    return report


def _asked_year(table: Table, source: Path) -> int:
    years = [
        parsed[1]
        for name in table.available
        if (parsed := catalogue().parse_column(name)) and parsed[0].key == DATED_BY and parsed[1]
    ]
    if not years:
        raise LearnRefused(
            "L103",
            Text("表里没有一年的营业收入", "the table has no year of operating revenue"),
            Text("至少要有一列如“2024年营业收入（万元）”", "Give at least one column such as revenue_2024"),
            str(source),
        )
    return max(years) + 1


def _blocks(
    table: Table, outlooks: Outlooks, day: date, report: Report, progress: Callable[[int], None]
) -> Generator[Block, None, None]:
    texts = [FactorTexts(scorer.model) for scorer in outlooks.scorers]
    wanted = sorted(outlooks.inputs(day) & table.available)
    pieces = ahead(table.batches(wanted, report.issues))
    with ThreadPoolExecutor(2) as threads, closing(pieces):

        def scored(piece: pl.DataFrame) -> Block:
            columns = columns_of_frame(piece, day.year)

            def one(number: int) -> tuple[Scores, pl.Series]:
                found = outlooks.scorers[number].of_frame(piece, columns)
                return found, texts[number].of(found)

            found = list(threads.map(one, range(len(texts))))
            _count(report, outlooks, [scores for scores, _ in found], piece.height)
            progress(report.firms)
            return _block(piece, list(outlooks.models), found)

        with closing(ahead(map(scored, pieces))) as blocks:
            yield from blocks


def _count(report: Report, outlooks: Outlooks, found: Sequence[Scores], firms: int) -> None:
    report.firms += firms
    for task, scores in zip(outlooks.models, found, strict=True):
        counts = np.bincount(scores.why, minlength=len(REASON_CODES))
        report.scored[task] += int(counts[0])
        reasons = report.reasons.setdefault(task, Counter())
        reasons.update({str(REASON_CODES[k]): int(n) for k, n in enumerate(counts) if k and n})
        seen, before = tally(outlooks.models[task], scores), report.tallies.get(task)
        report.tallies[task] = seen if before is None else before + seen


def _block(piece: pl.DataFrame, names: list[str], found: Sequence[tuple[Scores, pl.Series]]) -> Block:
    """Firm by firm, task by task: the columns of every task laid side by side and read along the rows."""
    size, many = piece.height, len(names)
    firm = pl.Series(np.repeat(np.arange(size, dtype=np.uint32), many))
    why = np.stack([scores.why for scores, _ in found], axis=1).ravel()
    score = np.stack([scores.spread(scores.score) for scores, _ in found], axis=1).ravel()
    abstained = pl.Series(why != 0)
    return {
        "uscc": piece["uscc"].gather(firm),
        "task": Coded(names, pl.Series(np.tile(np.arange(many, dtype=np.uint32), size))),
        "score": pl.Series(score, nan_to_null=True).round(DIGITS),
        "abstained": abstained,
        "reason": Coded(
            REASON_CODES[1:], pl.Series(np.maximum(why, 1).astype(np.uint32) - 1).set(~abstained, None)
        ),
        "top_factors": _texts(size, found),
    }


def _texts(size: int, found: Sequence[tuple[Scores, pl.Series]]) -> pl.Series:
    """The factors' texts, which the estimated firms have, in the order of :func:`_block`."""
    texts = pl.concat([text for _, text in found])
    places = np.full((size, len(found)), len(texts), dtype=np.uint32)
    first = 0
    for task, (scores, text) in enumerate(found):
        places[scores.estimated, task] = np.arange(first, first + len(text))
        first += len(text)
    return pl.concat([texts, pl.Series([None], dtype=pl.String)]).gather(pl.Series(places.ravel()))


def _workbook(path: Path, blocks: Iterator[Block]) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet("估计")
        sheet.freeze_panes(1, 2)
        for place, (name, width) in enumerate(zip(COLUMNS, (22, 14, 10, 10, 14, 90), strict=True)):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, name)
        row = 1
        for block in blocks:
            columns = [one.texts() if isinstance(one, Coded) else one for one in block.values()]
            for cells in zip(*columns, strict=True):
                if row > MOST_ROWS:
                    raise refusal("E403", str(path), rows=row)
                for place, cell in enumerate(cells):
                    write_cell(sheet, row, place, cell)
                row += 1
