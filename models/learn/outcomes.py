"""What became of a firm in a year: the answers that are learned. NaN where the history does not say.

A firm without a figure of the outcome's year is no "no": it is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from models.errors import Text
from models.fields import NO_TITLE
from models.learn.columns import Columns, FloatArray, columns_of_frame
from models.learn.history import History, day_of
from models.learn.lines import Lines
from models.learn.tasks import Task


@dataclass(frozen=True)
class FirmYears:
    """Firms of one outcome year: what was known before, and what became of them."""

    year: int
    uscc: pl.Series
    frame: pl.DataFrame
    """Canonical columns, for rules and groups."""
    columns: Columns
    outcome: FloatArray
    """0, 1 or NaN, shape (firms,)."""


def firm_years(history: History, task: Task, year: int, lines: Lines | None, title_years: int) -> FirmYears:
    """The firms known before ``year`` with their outcome in it."""
    frame = history.before(year)
    columns = columns_of_frame(frame, year)
    if task.outcome.kind == "holds":
        outcome = _holds(history, task.outcome.of, year, frame["uscc"], title_years)
    elif task.outcome.kind == "crosses":
        assert lines is not None
        outcome = _crosses(columns, lines)
    else:
        outcome = _grows(columns, task)
    return FirmYears(year, frame["uscc"], frame, columns, outcome)


def _crosses(columns: Columns, lines: Lines) -> FloatArray:
    line, before, then = lines.amount(columns), lines.reached(columns, 1), lines.reached(columns, 0)
    asked = (before < line) & ~np.isnan(then)
    return np.where(asked, (then >= line).astype(np.float64), np.nan)


def _grows(columns: Columns, task: Task) -> FloatArray:
    before, then = columns.field(task.outcome.of, 1), columns.field(task.outcome.of, 0)
    asked = (before > 0) & ~np.isnan(then)
    # In whole 元 and whole hundredths, so that growth of just the share counts.
    share = task.outcome.by
    grown = then * share.denominator >= before * (share.denominator + share.numerator)
    return np.where(asked, grown.astype(np.float64), np.nan)


def _holds(history: History, title: str, year: int, firms: pl.Series, title_years: int) -> FloatArray:
    table = history.shown_in(year)
    if table is not None:
        until = _titles(table.frame, title, firms)
        return _answers(until, day_of(year), None)
    later = history.shown_after(year)
    # A later table tells only of titles that were granted before ``year``, counted back from their end.
    if later is None or later.shows - year >= title_years:
        return np.full(len(firms), np.nan)
    return _answers(_titles(later.frame, title, firms), day_of(year), title_years)


def _titles(frame: pl.DataFrame, title: str, firms: pl.Series) -> pl.Series:
    if title not in frame.columns:
        return pl.Series([None] * len(firms), dtype=pl.Date)
    return firms.to_frame().join(frame.select("uscc", title), on="uscc", how="left", maintain_order="left")[
        title
    ]


def _answers(until: pl.Series, day: date, title_years: int | None) -> FloatArray:
    """1 where held on ``day``, 0 where not; with ``title_years`` a title granted later says nothing of it."""
    held = (until >= day).cast(pl.Float64)
    if title_years is not None:
        granted = until.dt.offset_by(f"-{title_years}y")
        unsaid = (until != NO_TITLE) & ((granted > day) | (until < day))
        held = held.set(unsaid.fill_null(False), None)
    return held.to_numpy()


def wide_titles(history: History, task: Task, until: int) -> Text | None:
    """A word on titles that had to be dated back from their end."""
    if task.outcome.kind != "holds" or history.shown_in(until) is not None:
        return None
    return Text(
        "历史里没有当年的表，称号按有效期止往回推算：复核过的和已失效的会被漏掉；给每年一张表更准",
        "no table of that year: titles are dated back from their end, which misses renewals and lapsed ones; "
        "give one table a year",
    )
