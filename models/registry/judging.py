"""Firms judged by the standards and counted for the plan; shared by runs in an import and in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from models.kept import Kept
from models.plan import plan
from models.rules.compile import compile_standards
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.rules.table import Judge
from models.targets import compile_targets

Masks = Callable[[pl.LazyFrame, Sequence[str]], pl.LazyFrame]
LADDER = ("recognised", "qualifies", "could_reach")


class Judging:
    """Standards and targets compiled for one rulebook and date, for any number of frames of firms."""

    def __init__(self, book: Rulebook, period: Period, chosen: Sequence[str] | None) -> None:
        """``chosen``: standards whose answers are wanted beside the ladder's; None: all."""
        self.standards = compile_standards(book, period, chosen)
        self.targets = compile_targets(plan(), book, period)
        self.columns = self.standards.inputs() | self.targets.inputs() | {"district"}
        """Canonical columns that are read, where the registry has them."""
        self._written: Kept[frozenset[str], tuple[Judge, Masks]] = Kept(4)

    def __call__(self, firms: pl.DataFrame) -> pl.DataFrame:
        """``uscc, name, error`` (null), the numbers of :func:`models.rules.table.outputs`, ``district`` and
        the plan's masks; a row a firm in the order of ``firms``, which has canonical types.
        """
        available = frozenset(firms.columns)
        judge, masked = self._written.get(
            available, lambda: (Judge(self.standards, available), self.targets.masks(available))
        )
        judged = judge.piece(firms.with_columns(pl.lit(None, pl.String).alias("error")))
        # Every slot that is used twice is a column already: nothing is left to optimise.
        masks = masked(firms.lazy(), ["district"]).collect(optimizations=pl.QueryOptFlags.none())
        return judged.hstack(masks)
