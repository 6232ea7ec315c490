"""Sets of changes: what they cost, and how near they bring a firm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.advice_changes import Change
from models.advice_fields import nature_of
from models.rules.compile import Compiled
from models.rules.program import Slot
from models.verdict import Verdict

Cost = tuple[int, int, int, int, float]
Set = Mapping[str, Change]


def goes_back(change: Change, held: Change) -> bool:
    """Would the change undo, or fall short of, one that is held already? Blanks may be answered anew."""
    if held.is_more is None or held.is_more != change.is_more:
        return True
    return bool(change.after < held.after) if held.is_more else bool(change.after > held.after)


def cost(changes: Set) -> Cost:
    known = [change for change in changes.values() if change.kind == "change"]
    others = sum(change.waits_for_others for change in known)
    prizes = sum(_is_prize(change) for change in changes.values())
    return others, len(known), prizes, len(changes) - len(known), sum(change.effort for change in known)


def _is_prize(change: Change) -> bool:
    """A blank that few firms could fill as wanted, though one answer would do."""
    field = change.column.field
    return change.kind == "answer" and field.type != "title" and nature_of(field).when == "round"


class Tried:
    """A set of changes, what the rules say with it, and how near it is."""

    def __init__(self, changes: Set, values: Mapping[Slot, Any], compiled: Compiled) -> None:
        self.changes, self.values = changes, values
        self.open = sum(values[branch.slot] != Verdict.MET for branch in compiled.branches)
        others, known, prizes, answers, effort = cost(changes)
        # A blank answered so that more conditions hold comes before fewer blanks answered.
        self.order = (others, known, self.open, prizes, answers, effort)
        self.key = tuple(sorted((name, str(change.after)) for name, change in changes.items()))
