"""What an upload would change: against the active edition with its parents, as their files had it.

The upload's firms are laid down bucket by bucket while they are read, and each bucket is then held against
the same bucket of the registry: memory does not grow with either.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from models.figures import column_of, external
from models.registry.merged import Registry
from models.registry.partitions import BUCKETS, buckets_of, field_of

EXAMPLES = 20
_SLIP, _NEAR = 4.0, 0.3
"""A figure ten thousand times what it was, from half to twice that: powers of ten."""
_AT_ONCE = 40_000_000
"""Cells of the registry that are looked at together."""
_MEASURED = frozenset(["money", "count", "decimal"])


class Laid:
    """Firms of an upload on disk, by bucket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pieces = 0

    def add(self, firms: pl.DataFrame) -> None:
        """``uscc``, ``name`` and figures as they are held inside."""
        numbered = firms.with_columns(buckets_of(firms["uscc"]))
        for bucket in range(BUCKETS):
            some = numbered.filter(pl.col("bucket") == bucket).drop("bucket")
            if some.height:
                some.write_ipc(self._folder / f"{bucket:02d}-{self._pieces:06d}.arrow")
        self._pieces += 1

    def bucket(self, bucket: int, columns: Sequence[str]) -> pl.DataFrame | None:
        """Codes that stand once, with their name and ``columns``; None if there are none."""
        files = sorted(self._folder.glob(f"{bucket:02d}-*.arrow"))
        if not files:
            return None
        held = pl.concat(pl.read_ipc(file, columns=["uscc", "name", *columns]) for file in files)
        return held.filter(pl.col("uscc").is_unique())


@dataclass
class _Column:
    """How one column's figures differ: firms with a figure both times, those whose figure is another, …"""

    both: int = 0
    changed: int = 0
    filled: int = 0
    jumped: int = 0

    @property
    def slipped(self) -> bool:
        """Whether its unit may have been mistaken."""
        return self.jumped > 0 and 2 * self.jumped >= self.both


@dataclass
class Differences:
    """Filled bucket by bucket."""

    edition: str
    firms: Counter[str] = field(default_factory=Counter)
    """new, gone, same, changed, renamed, jumped."""
    columns: dict[str, _Column] = field(default_factory=dict)
    new: list[dict[str, Any]] = field(default_factory=list)
    gone: list[dict[str, Any]] = field(default_factory=list)
    jumps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def slips(self) -> list[str]:
        """Columns that may be in another unit than last time."""
        return [name for name, found in self.columns.items() if found.slipped]

    def plain(self) -> dict[str, Any]:
        names = ("new", "gone", "same", "changed", "renamed", "jumped")
        return {
            "edition": self.edition,
            "firms": {name: self.firms[name] for name in names},
            "columns": [
                {
                    "column": name, "both": one.both, "changed": one.changed, "filled": one.filled,
                    "jumped": one.jumped, "unit_slip": one.slipped,
                }
                for name, one in self.columns.items()
                if one.changed or one.filled
            ],
            "examples": {"new": self.new, "gone": self.gone, "jumped": self.jumps},
        }  # fmt: skip


def compare(laid: Laid, registry: Registry, columns: Sequence[str]) -> Differences:
    """Hold what was laid down against the registry."""
    found = Differences(registry.editions[0].hash)
    shared = sorted(set(columns) & registry.columns)
    firms = sum(one.manifest.firms for one in registry.editions)
    for bucket in range(BUCKETS):
        changed: pl.Series | None = None
        jumped: pl.Series | None = None
        for place, group in enumerate(_groups(shared, firms // BUCKETS)):
            mine, theirs = laid.bucket(bucket, group), registry.bucket(bucket, group, _everybody)
            if mine is None:
                _count_gone(found, theirs, theirs)
                break
            known = mine.join(theirs, on="uscc", how="inner", suffix="@", maintain_order="left")
            if not place:
                _count_firms(found, mine, theirs, known)
            flags = _figures(found, known, group)
            changed = flags["changed"] if changed is None else changed | flags["changed"]
            jumped = flags["jumped"] if jumped is None else jumped | flags["jumped"]
        if changed is not None and jumped is not None:
            found.firms["changed"] += int(changed.sum())
            found.firms["same"] += len(changed) - int(changed.sum())
            found.firms["jumped"] += int(jumped.sum())
    return found


def _groups(columns: Sequence[str], firms: int) -> Iterator[Sequence[str]]:
    """The columns in lots small enough; one lot where there are none."""
    size = max(1, _AT_ONCE // max(1, firms))
    yield from [columns[start : start + size] for start in range(0, len(columns), size)] or [()]


def _everybody(codes: pl.Series) -> pl.Series:
    return pl.Series([True]).new_from_index(0, len(codes))


def _count_firms(found: Differences, mine: pl.DataFrame, theirs: pl.DataFrame, known: pl.DataFrame) -> None:
    new = mine.join(theirs, on="uscc", how="anti", maintain_order="left")
    found.firms["new"] += new.height
    _note(found.new, new)
    _count_gone(found, theirs, theirs.join(mine, on="uscc", how="anti", maintain_order="left"))
    found.firms["renamed"] += known.filter(pl.col("name") != pl.col("name@")).height


def _count_gone(found: Differences, theirs: pl.DataFrame, gone: pl.DataFrame) -> None:
    found.firms["gone"] += gone.height
    _note(found.gone, gone)


def _note(examples: list[dict[str, Any]], firms: pl.DataFrame) -> None:
    examples += firms.select("uscc", "name").head(EXAMPLES - len(examples)).to_dicts()


def _figures(found: Differences, known: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Count by column; for each firm whether anything changed, whether anything jumped."""
    if not columns or not known.height:
        blank = pl.Series([False], dtype=pl.Boolean).new_from_index(0, known.height)
        return pl.DataFrame({"changed": blank, "jumped": blank})
    tests = [expression for name in columns for expression in _tests(name)]
    flags = known.select(tests)
    sums = flags.sum().row(0, named=True)
    for name in columns:
        one = found.columns.setdefault(name, _Column())
        one.both += sums[f"{name}.both"]
        one.changed += sums[f"{name}.changed"]
        one.filled += sums[f"{name}.filled"]
        one.jumped += sums[f"{name}.jumped"]
        if sums[f"{name}.jumped"]:
            _note_jumps(found, known.filter(flags[f"{name}.jumped"]), name)
    different = [f"{name}.{kind}" for name in columns for kind in ("changed", "filled")]
    return flags.select(
        pl.any_horizontal(different).alias("changed"),
        pl.any_horizontal([f"{name}.jumped" for name in columns]).alias("jumped"),
    )


def _tests(name: str) -> Iterator[pl.Expr]:
    after, before = pl.col(name), pl.col(f"{name}@")
    there = after.is_not_null()
    yield (there & before.is_not_null()).alias(f"{name}.both")
    yield (after != before).fill_null(False).alias(f"{name}.changed")
    yield (there & before.is_null()).alias(f"{name}.filled")
    if field_of(name).type not in _MEASURED:
        yield pl.lit(False).alias(f"{name}.jumped")
        return
    power = (after.cast(pl.Float64) / before.cast(pl.Float64)).log(10).abs()
    near = (power - _SLIP).abs() < _NEAR
    yield (near & (after != before)).fill_null(False).alias(f"{name}.jumped")


def _note_jumps(found: Differences, firms: pl.DataFrame, name: str) -> None:
    said = column_of(name)
    assert said is not None
    for row in firms.head(EXAMPLES - len(found.jumps)).iter_rows(named=True):
        before, after = row[f"{name}@"], row[name]
        found.jumps.append(
            {
                "uscc": row["uscc"], "name": row["name"], "column": name,
                "label": {"zh": said.label.zh, "en": said.label.en},
                "before": external(name, before), "after": external(name, after),
                "times": float(f"{math.fabs(after / before):.3g}"),
            }
        )  # fmt: skip
