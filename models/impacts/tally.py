"""Counts of pieces added up, and read as gained, lost, and so on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from models.impacts.judge import PLACES, Counted
from models.verdict import Verdict

Change = Literal["gained", "lost", "newly_unknown", "newly_known", "otherwise", "unchanged"]
CHANGES: tuple[Change, ...] = (
    "gained", "lost", "newly_unknown", "newly_known", "otherwise", "unchanged",
)  # fmt: skip
"""Each firm is in exactly one. Swapping the sides swaps the first two, and the next two."""
_PIECES = 64
"""So many pieces' counts wait before they are added up."""
_REASON = ("a", "b", "by_a", "by_b")


def change_of(a: Verdict, b: Verdict) -> Change:
    """What becomes of a firm that is ``a`` under the first rules and ``b`` under the second."""
    if a == b:
        return "unchanged"
    if Verdict.MET in (a, b):
        return "gained" if b == Verdict.MET else "lost"
    if Verdict.UNKNOWN in (a, b):
        return "newly_unknown" if b == Verdict.UNKNOWN else "newly_known"
    return "otherwise"


def deciding_side(a: Verdict, b: Verdict) -> Literal["a", "b"]:
    """The side whose terms are behind a change: where it falls short, or where something is missing."""
    change = change_of(a, b)
    if change == "otherwise":
        return "a" if a == Verdict.UNMET else "b"
    return "a" if change in {"gained", "newly_known"} else "b"


@dataclass
class Tally:
    """The counts of one pair over all pieces."""

    _places: list[pl.DataFrame] = field(default_factory=list)
    _reasons: list[pl.DataFrame] = field(default_factory=list)

    def add(self, counted: Counted) -> None:
        self._places = _gathered([*self._places, counted.places], (*PLACES, "a", "b"))
        self._reasons = _gathered([*self._reasons, counted.reasons], _REASON)

    def from_to(self) -> dict[tuple[Verdict, Verdict], int]:
        """Verdicts before and after → firms."""
        rows = _added(self._places, ("a", "b")).iter_rows()
        return {(Verdict(a), Verdict(b)): firms for a, b, firms in rows}

    def by(self, place: str) -> dict[str | None, Counter[Change]]:
        """District or section → changes, in order of their codes; None where it is blank."""
        found: dict[str | None, Counter[Change]] = {}
        rows = _added(self._places, (place, "a", "b")).sort(place, "a", "b", nulls_last=True).iter_rows()
        for where, a, b, firms in rows:
            found.setdefault(where, Counter())[change_of(Verdict(a), Verdict(b))] += firms
        return found

    def deciding(self) -> dict[tuple[Change, Literal["a", "b"]], Counter[int]]:
        """Change and side → mask of the deciding terms → firms."""
        found: dict[tuple[Change, Literal["a", "b"]], Counter[int]] = {}
        for a, b, by_a, by_b, firms in _added(self._reasons, _REASON).iter_rows():
            before, after = Verdict(a), Verdict(b)
            side = deciding_side(before, after)
            masks = found.setdefault((change_of(before, after), side), Counter())
            masks[by_a if side == "a" else by_b] += firms
        return found


def _gathered(waiting: list[pl.DataFrame], keys: Sequence[str]) -> list[pl.DataFrame]:
    return waiting if len(waiting) < _PIECES else [_added(waiting, keys)]


def _added(counts: Sequence[pl.DataFrame], keys: Sequence[str]) -> pl.DataFrame:
    if not counts:
        return pl.DataFrame(schema={**dict.fromkeys(keys, pl.Int8), "firms": pl.UInt32})
    return pl.concat(counts).group_by(keys).agg(pl.col("firms").sum())
