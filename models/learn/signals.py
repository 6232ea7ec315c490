"""What a rival is told of every firm: the distance to the line, conditions met, or last year's growth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import polars as pl

from models.learn.columns import FloatArray
from models.learn.gates import Gates
from models.learn.history import day_of
from models.learn.tasks import Task
from models.rules.quantity import Figures
from models.rules.rulebook import Rulebook


class Signals:
    """Reads the rival's signal of one task, of a registry or of one firm."""

    def __init__(self, task: Task, book: Rulebook) -> None:
        self._task = task
        self._gates = lru_cache(4)(lambda year: Gates(book, task.rival.of, day_of(year)))

    def inputs(self, year: int) -> frozenset[str]:
        """Canonical columns read beside the task's features."""
        return self._gates(year).inputs if self._task.rival.kind == "gates" else frozenset()

    def of_frame(self, frame: pl.DataFrame, matrix: FloatArray, year: int) -> FloatArray:
        """``frame`` and ``matrix``: canonical columns and features of the same firms; shape (firms,)."""
        if self._task.rival.kind == "gates":
            return self._gates(year).of_frame(frame)
        return matrix[:, self._task.place(self._task.rival.of)]

    def of_firm(self, figures: Figures, row: Sequence[float], year: int) -> float:
        if self._task.rival.kind == "gates":
            return self._gates(year).of_firm(figures)
        return row[self._task.place(self._task.rival.of)]
