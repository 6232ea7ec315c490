"""Both sides of every pair judged at once, and counted, piece by piece.

All packs compile to one program, so what the two sides share is worked out once. Of a firm that stands
otherwise under the other rules the deciding terms are kept: those whose verdict is that of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from models.codes import industries
from models.impacts.pairs import Pair
from models.kept import Kept
from models.rules.compile import Compiled, compile_pack
from models.rules.pack import Pack
from models.rules.program import Builder, Slot
from models.rules.quantity import Period
from models.rules.table import staged
from models.verdict import Verdict

PLACES = ("district", "section")
_SHORT = (Verdict.UNMET, Verdict.UNKNOWN, Verdict.REVIEW)


@dataclass(frozen=True)
class Side:
    """One standard compiled, with a mask of the terms that fall short in each of the three ways."""

    compiled: Compiled
    short: tuple[Slot, ...]

    def slots(self) -> tuple[Slot, ...]:
        return (self.compiled.verdict, *self.short)


@dataclass(frozen=True)
class Counted:
    """Firms of some pieces, of one pair."""

    places: pl.DataFrame
    """``district, section, a, b, firms``: verdicts before and after."""
    reasons: pl.DataFrame
    """``a, b, by_a, by_b, firms`` where the verdicts differ: masks of the deciding terms on each side."""


class ImpactJudge:
    """Pairs compiled for a date and a kind. Use from one thread."""

    def __init__(self, pairs: Sequence[Pair], period: Period) -> None:
        b = Builder()
        self.sides = [(_side(b, pair.a, period), _side(b, pair.b, period)) for pair in pairs]
        self._program = b.program()
        self._slots = [slot for pair in self.sides for side in pair for slot in side.slots()]
        self.inputs = self._program.inputs(self._slots)
        """Canonical columns to read, beside ``district`` and ``industry``."""
        self._queries: Kept[frozenset[str], tuple[Sequence[Sequence[pl.Expr]], list[pl.Expr]]] = Kept(4)

    def __call__(self, firms: pl.DataFrame) -> list[Counted]:
        """Count a piece: a row a firm in canonical types; columns that are not there are blank."""
        available = frozenset(firms.columns)
        stages, shown = self._queries.get(available, lambda: self._query(available))
        frame = firms.lazy()
        for stage in stages:
            frame = frame.with_columns(stage)
        judged = frame.select(shown).collect(optimizations=pl.QueryOptFlags.none())
        return [_counted(judged, number) for number in range(len(self.sides))]

    def _query(self, available: frozenset[str]) -> tuple[Sequence[Sequence[pl.Expr]], list[pl.Expr]]:
        stages, columns = staged(self._program, self._slots, available)
        shown = [_district(available), _section(available)]
        for number, sides in enumerate(self.sides):
            for name, side in zip("ab", sides, strict=True):
                verdict = columns[side.compiled.verdict]
                shown.append(verdict.alias(f"{name}{number}"))
                shown.append(_deciding(verdict, [columns[slot] for slot in side.short], f"by_{name}{number}"))
        return stages, shown


def _side(b: Builder, pack: Pack, period: Period) -> Side:
    compiled = compile_pack(b, pack, period)
    verdicts = [branch.slot for branch in compiled.branches]
    return Side(compiled, tuple(b.mask(verdicts, (short,)) for short in _SHORT))


def _deciding(verdict: pl.Expr, masks: Sequence[pl.Expr], name: str) -> pl.Expr:
    unmet, unknown, review = masks
    chosen = (
        pl.when(verdict == int(Verdict.UNMET))
        .then(unmet)
        .when(verdict == int(Verdict.UNKNOWN))
        .then(unknown)
        .when(verdict == int(Verdict.REVIEW))
        .then(review)
    )
    return chosen.otherwise(pl.lit(0, pl.UInt32)).alias(name)


def _district(available: frozenset[str]) -> pl.Expr:
    return (pl.col("district") if "district" in available else pl.lit(None, pl.String)).alias("district")


def _section(available: frozenset[str]) -> pl.Expr:
    """The section's letter: 39114 is of division 39, which is of C."""
    if "industry" not in available:
        return pl.lit(None, pl.String).alias("section")
    division = (pl.col("industry") // 1000).cast(pl.Int32)
    return division.replace_strict(_sections(), default=None, return_dtype=pl.String).alias("section")


@cache
def _sections() -> dict[int, str]:
    return {int(division): letter for division, letter in industries().sections.items()}


def _counted(judged: pl.DataFrame, number: int) -> Counted:
    names = {f"{name}{number}": name for name in ("a", "b", "by_a", "by_b")}
    one = judged.lazy().select(*PLACES, *(pl.col(given).alias(name) for given, name in names.items()))
    places = one.group_by(*PLACES, "a", "b").agg(pl.len().alias("firms"))
    differing = one.filter(pl.col("a") != pl.col("b"))
    reasons = differing.group_by("a", "b", "by_a", "by_b").agg(pl.len().alias("firms"))
    return Counted(*pl.collect_all([places, reasons]))
