"""How many of a standard's conditions on yearly figures a firm meets: the plain rival of likeness to holders.

Only conditions that a year's figures (and the industry) settle are counted. Rights, shares of a niche and
attested points are known of today only, and of holders above all: with them a count would know the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from models.fields import catalogue
from models.learn.columns import FloatArray
from models.rules.compile import Branch, compile_standards
from models.rules.firm import write_function
from models.rules.program import Slot
from models.rules.quantity import Figures, Period
from models.rules.rulebook import Rulebook
from models.rules.table import staged
from models.verdict import Verdict

_BESIDE = frozenset({"industry"})
_FIGURES = frozenset({"money", "count"})


class Gates:
    """Counts the conditions of one standard that are met on one date."""

    def __init__(self, book: Rulebook, pack_id: str, as_of: date) -> None:
        standards = compile_standards(book, Period(as_of, "new"), [pack_id])
        self._program = standards.program
        branches = standards.compiled[pack_id].branches
        self._slots = list(dict.fromkeys(slot for branch in branches for slot in self._told(branch)))
        self.inputs = self._program.inputs(self._slots)
        """Canonical columns that are read."""
        self._run = write_function(self._program, self._slots)

    @property
    def most(self) -> int:
        """How many conditions are counted."""
        return len(self._slots)

    def _told(self, branch: Branch) -> Iterator[Slot]:
        """The branch where yearly figures settle it, else those below it that they settle."""
        if all(_is_figure(column) for column in self._program.inputs([branch.slot])):
            yield branch.slot
            return
        for child in branch.children:
            yield from self._told(child)

    def of_frame(self, frame: pl.DataFrame) -> FloatArray:
        """Shape (firms,)."""
        stages, verdicts = staged(self._program, self._slots, self.inputs & set(frame.columns))
        lazy = frame.lazy()
        for stage in stages:
            lazy = lazy.with_columns(stage)
        met = [(verdict == Verdict.MET).cast(pl.Int64).alias(str(slot)) for slot, verdict in verdicts.items()]
        counts = lazy.select(met).collect(optimizations=pl.QueryOptFlags.none()).sum_horizontal()
        return counts.cast(pl.Float64).to_numpy()

    def of_firm(self, figures: Figures) -> float:
        """The same for one firm."""
        found = self._run(figures)
        return float([found[slot] for slot in self._slots].count(Verdict.MET))


def _is_figure(column: str) -> bool:
    parsed = catalogue().parse_column(column)
    assert parsed is not None, column
    field = parsed[0]
    return field.key in _BESIDE or (field.yearly and field.type in _FIGURES)
