"""Plan targets compiled for a date: which firms count towards which, in tables and one by one.

A firm's two masks hold a verdict of two bits per target, at ``2 * place`` (the chain of
:class:`models.verdict.Verdict`): ``held`` for recognised, ``met`` for qualifying. So a firm whose title is
blank is told from one that holds none, and what is missing can be counted beside what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import polars as pl

from models.plan import Basis, Definition, Plan, PlanTarget
from models.rules.compile import compile_pack
from models.rules.condition import Condition, Group
from models.rules.firm import write_function
from models.rules.program import Builder, Program, Slot
from models.rules.quantity import Figures, Period
from models.rules.rulebook import Rulebook
from models.rules.table import staged
from models.verdict import Verdict

BASES: tuple[Basis, ...] = ("held", "met")
MASKS: Mapping[Basis, str] = {"held": "held_targets", "met": "met_targets"}
"""The columns of ``standing``."""
COUNTS: Mapping[str, tuple[Basis, Verdict]] = {
    "held": ("held", Verdict.MET),
    "held_unknown": ("held", Verdict.UNKNOWN),
    "met": ("met", Verdict.MET),
    "met_review": ("met", Verdict.REVIEW),
    "met_unknown": ("met", Verdict.UNKNOWN),
}
"""The columns of ``plan_count``. Lists, titles and the directory are figures: they are never in review."""
CountName = Literal["held", "held_unknown", "met", "met_review", "met_unknown"]


@dataclass(frozen=True)
class CompiledTarget:
    """One target with the slots of its two verdicts, None where there is nothing to compute."""

    target: PlanTarget
    slots: Mapping[Basis, Slot | None]
    standards: tuple[str, ...]
    """The versions that ``met`` is judged by on the date; empty where none had come into force."""


@dataclass(frozen=True)
class Targets:
    """A plan compiled for one date and one rulebook."""

    plan: Plan
    book: Rulebook
    period: Period
    targets: tuple[CompiledTarget, ...]
    program: Program

    def inputs(self) -> frozenset[str]:
        """Canonical columns that the masks are made from."""
        return self.program.inputs(self._slots)

    def with_masks(self, frame: pl.LazyFrame, available: Collection[str]) -> pl.LazyFrame:
        """Add ``held_targets`` and ``met_targets`` (Int32, never null) to a frame of firms.

        ``frame``: one row per firm, figures in canonical types (:mod:`models.fields`); columns not in
        ``available`` count as blank.
        """
        names = frame.collect_schema().names()
        return self.masks(available)(frame, names)

    def masks(self, available: Collection[str]) -> Callable[[pl.LazyFrame, Sequence[str]], pl.LazyFrame]:
        """The same written once for any number of frames; the second argument names what else is kept."""
        stages, verdicts = staged(self.program, self._slots, available)
        masks = [self._mask(basis, verdicts).alias(MASKS[basis]) for basis in BASES]

        def with_masks(frame: pl.LazyFrame, kept: Sequence[str]) -> pl.LazyFrame:
            for stage in stages:
                frame = frame.with_columns(stage)
            return frame.select(*kept, *masks)

        return with_masks

    def of_firm(self, figures: Figures) -> dict[tuple[str, Basis], Verdict]:
        """The verdicts of one firm: (target, basis) → verdict; what cannot be computed is left out."""
        values = self._run(figures)
        return {
            (compiled.target.id, basis): Verdict(values[slot])
            for compiled in self.targets
            for basis, slot in compiled.slots.items()
            if slot is not None
        }

    @cached_property
    def _slots(self) -> list[Slot]:
        return sorted({slot for t in self.targets for slot in t.slots.values() if slot is not None})

    @cached_property
    def _run(self) -> Callable[[Figures], dict[Slot, Any]]:
        return write_function(self.program, self._slots)

    def _mask(self, basis: Basis, verdicts: Mapping[Slot, pl.Expr]) -> pl.Expr:
        parts = [
            verdicts[slot].cast(pl.Int32) * pl.lit(4**compiled.target.place, dtype=pl.Int32)
            for compiled in self.targets
            if (slot := compiled.slots[basis]) is not None
        ]
        return pl.sum_horizontal(parts) if parts else pl.lit(0, dtype=pl.Int32)


def compile_targets(plan: Plan, book: Rulebook, period: Period) -> Targets:
    """Compile a plan's targets by the rulebook's versions in force on the date."""
    b = Builder()
    scope = [_slot(b, member, period) for member in plan.scope]
    targets = tuple(_compile(b, target, scope, book, period) for target in plan.targets)
    return Targets(plan, book, period, targets, b.program())


def _compile(
    b: Builder, target: PlanTarget, scope: list[Slot], book: Rulebook, period: Period
) -> CompiledTarget:
    standards = standards_of(target.met, book, period) if target.met else ()
    slots: dict[Basis, Slot | None] = {}
    for basis in BASES:
        definition = target.definition(basis)
        named = definition is not None and bool(definition.families or definition.standards)
        if definition is None or (named and not standards):
            slots[basis] = None
            continue
        members = [_slot(b, member, period) for member in definition.conditions]
        if named:
            members.append(b.any([compile_pack(b, book[i], period).verdict for i in standards]))
        slots[basis] = b.all([*scope, *members])
    return CompiledTarget(target, slots, standards)


def standards_of(definition: Definition, book: Rulebook, period: Period) -> tuple[str, ...]:
    """The standards a definition names: as written, and each family's version that had come into force."""
    versions = (book.version(family, period) for family in definition.families)
    return (*definition.standards, *(pack.id for pack in versions if pack is not None))


def _slot(b: Builder, member: Condition | Group, period: Period) -> Slot:
    if isinstance(member, Condition):
        return member.test.build(b, period)
    children = [_slot(b, child, period) for child in member.live(period)]
    return b.all(children) if member.mode == "all" else b.any(children)


def count_targets(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """Firms behind each target by district, from a frame with ``district`` and the two masks.

    Returns ``target, district`` (``''`` where blank) and the counts of :data:`COUNTS` (Int64), one row for
    every target and district that occurs. Counts of pieces add up (:func:`add_counts`).
    """
    cells = [
        _counted(target, name).alias(f"{target.place}.{name}") for target in plan.targets for name in COUNTS
    ]
    by_district = frame.group_by(pl.col("district").fill_null("")).agg(cells).sort("district")
    pieces = [
        by_district.select(
            pl.lit(target.id).alias("target"),
            "district",
            *(pl.col(f"{target.place}.{name}").alias(name) for name in COUNTS),
        )
        for target in plan.targets
    ]
    return pl.concat(pieces)


def _counted(target: PlanTarget, name: str) -> pl.Expr:
    basis, verdict = COUNTS[name]
    of_target: pl.Expr = pl.col(MASKS[basis]) // 4**target.place % 4
    return of_target.eq(int(verdict)).cast(pl.Int64).sum()


def add_counts(pieces: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """One count from those of pieces of a registry."""
    return (
        pl.concat(pieces).group_by("target", "district").agg(pl.col(*COUNTS).sum()).sort("target", "district")
    )
