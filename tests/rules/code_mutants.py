"""Mutants of industry codes and of the size table: runs longer or shorter by a code, bounds moved by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from models.rules.size import SizeRow, SizeTable
from tests.rules.figure_mutants import BOTH, Mutants, put, without


def run_mutants(run: tuple[int, int]) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    """A run longer or shorter by one code of its own length, and the first and last number concerned."""
    low, high = run
    one = 10 ** (5 - low % 10)
    span = one - 10 + 4 - low % 10
    """From a code to the last one that begins with it."""
    yield f"from {low} -1", (low - one, high), (low - one, low - one + span)
    yield f"from {low} +1", (low + one, high), (low, low + span)
    yield f"to {high} -1", (low, high - one), (high - span, high)
    yield f"to {high} +1", (low, high + one), (high - span + one, high + one)


def size_mutants(table: SizeTable) -> Mutants:
    for place, row in enumerate(table.rows):
        for name, changed in _size_bounds(table, row):
            yield f"row {row.number} {name}", replace(table, rows=put(table.rows, place, changed))
        for at, run in enumerate(row.runs):
            for name, moved, witnesses in run_mutants(run):
                changed = replace(row, runs=put(row.runs, at, moved))
                other = replace(table, rows=put(table.rows, place, changed))
                if _reads_otherwise(table, other, witnesses):
                    yield f"row {row.number} codes {name}", other
    for place, code in enumerate(table.unclear):
        other = replace(table, unclear=without(table.unclear, place))
        if _reads_otherwise(table, other, (code, code)):
            yield f"unclear {code} dropped", other


def _size_bounds(table: SizeTable, row: SizeRow) -> Mutants:
    for place, bounds in enumerate(row.bounds):
        for at, bound in enumerate(bounds or ()):
            for sign in BOTH:
                assert bounds is not None
                moved = put(bounds, at, bound + sign)
                name = f"{table.figures[place].key}[{SizeTable.KEYS[3 - at]}] {sign:+}"
                yield name, replace(row, bounds=put(row.bounds, place, moved))


def _reads_otherwise(table: SizeTable, other: SizeTable, codes: tuple[int, int]) -> bool:
    """Does one of the codes get other bounds?"""

    def bounds(of: SizeTable, code: int) -> object:
        row = of.row_of(code)
        return row and row.bounds

    return any(bounds(table, code) != bounds(other, code) for code in codes)
