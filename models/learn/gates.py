"""How many conditions of a standard a firm meets: the plain rival of likeness to title holders."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from models.learn.columns import FloatArray
from models.rules.compile import compile_standards
from models.rules.firm import FirmReader
from models.rules.quantity import Figures, Period
from models.rules.rulebook import Rulebook
from models.rules.table import Judge
from models.verdict import Verdict


class Gates:
    """Counts the terms of one standard that are met on one date."""

    def __init__(self, book: Rulebook, pack_id: str, as_of: date) -> None:
        self._standards = compile_standards(book, Period(as_of, "new"), [pack_id])
        self._compiled = self._standards.compiled[pack_id]
        self._reader: FirmReader | None = None

    @property
    def inputs(self) -> frozenset[str]:
        """Canonical columns that are read."""
        slots = [branch.slot for branch in self._compiled.branches]
        return self._standards.program.inputs(slots)

    def of_frame(self, frame: pl.DataFrame) -> FloatArray:
        """Shape (firms,)."""
        name = self._compiled.pack.id
        known = self.inputs & set(frame.columns)
        judged = Judge(self._standards, known).piece(_whole(frame))
        short = sum(
            np.bitwise_count(judged[f"{name}.{part}"].fill_null(0).to_numpy()) for part in ("unmet", "open")
        )
        counts: FloatArray = len(self._compiled.term_ids) - np.asarray(short, dtype=np.float64)
        return counts

    def of_firm(self, figures: Figures) -> float:
        """The same for one firm."""
        if self._reader is None:
            self._reader = FirmReader(self._standards, ladder=False)
        trace = self._reader.read(figures)
        return float(sum(trace.verdict(b.slot) is Verdict.MET for b in self._compiled.branches))


def _whole(frame: pl.DataFrame) -> pl.DataFrame:
    """With the columns that a judge looks for, whatever they hold."""
    missing: list[Any] = [
        pl.lit(None, dtype=pl.String).alias(name)
        for name in ("uscc", "name", "error")
        if name not in frame.columns
    ]
    return frame.with_columns(missing) if missing else frame
