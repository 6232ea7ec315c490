"""Size class by 中小企业划型标准规定: a table of sectors with lower bounds (rules.md §3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar

from models.errors import Text
from models.fields import Field
from models.rules.program import Builder, Slot
from models.rules.quantity import Figures, Period


@dataclass(frozen=True, slots=True)
class SizeRow:
    """One sector: the codes it covers and its bounds (large, medium, small) per figure, None if unused."""

    number: int
    name: Text
    runs: tuple[tuple[int, int], ...]
    bounds: tuple[tuple[int, int, int] | None, ...]
    confidence: str


@dataclass(frozen=True)
class SizeTable:
    """A class needs every bound of its row; one known figure below refuses it (contract.md)."""

    LABELS: ClassVar[Mapping[str, Text]] = {
        "large": Text("大型", "large"),
        "medium": Text("中型", "medium"),
        "small": Text("小型", "small"),
        "micro": Text("微型", "micro"),
        "unknown": Text("缺数据", "unknown"),
    }
    KEYS: ClassVar[tuple[str, ...]] = ("micro", "small", "medium", "large")

    industry: Field
    figures: tuple[Field, ...]
    rows: tuple[SizeRow, ...]
    unclear: tuple[int, ...]
    """Codes too short for this table."""

    def row_slot(self, b: Builder) -> Slot:
        runs = [(low, high, row.number) for row in self.rows for low, high in row.runs]
        return b.classify(b.input(self.industry.column()), runs, self.unclear)

    def classes(self, b: Builder, period: Period) -> tuple[Slot, Slot, Slot]:
        """Verdicts for large, medium and small; all unknown where the sector is unknown or not covered."""
        row = self.row_slot(b)
        large, medium, small = (
            b.all([self._bound(b, period, row, figure, place) for figure in range(len(self.figures))])
            for place in range(3)
        )
        return large, medium, small

    def _bound(self, b: Builder, period: Period, row: Slot, figure: int, place: int) -> Slot:
        # An unused bound is −1 and compares 0 with it, so that the row's other bounds decide.
        bounds = [(r.number, bound[place] if (bound := r.bounds[figure]) else -1) for r in self.rows]
        line = b.lookup(row, bounds)
        used = b.compare("ge", line, b.const(0))
        value = b.pick(used, b.input(period.column(self.figures[figure], 1)), b.const(0))
        return b.judge(b.compare("ge", value, line))

    def row_of(self, code: int | None) -> SizeRow | None:
        return self._found(code)

    @cached_property
    def _found(self) -> Callable[[int | None], SizeRow | None]:
        """Few industries come up, and every answer asks for its own."""

        def find(code: int | None) -> SizeRow | None:
            if code is None or code in self.unclear:
                return None
            covering = (row for row in self.rows if any(low <= code <= high for low, high in row.runs))
            return next(covering, None)

        return lru_cache(4096)(find)

    def class_of(self, figures: Figures, period: Period) -> str:
        """``large``, ``medium``, ``small``, ``micro`` or ``unknown``, for showing."""
        row = self.row_of(figures.get(self.industry.column()))
        if row is None:
            return "unknown"
        values = [figures.get(period.column(field, 1)) for field in self.figures]
        for place, key in enumerate(("large", "medium", "small")):
            used = [
                (value, bound[place])
                for value, bound in zip(values, row.bounds, strict=True)
                if bound is not None
            ]
            if any(value is not None and value < line for value, line in used):
                continue
            return "unknown" if any(value is None for value, _ in used) else key
        return "micro"
