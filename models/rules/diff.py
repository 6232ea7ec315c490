"""Two versions of a standard, condition by condition: added, dropped, tightened, relaxed, reworded, same.

Conditions are matched by what they test (the quantity, the field), not by their ids: a version may
number its conditions anew.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from models.errors import Text
from models.rules.condition import Choice, Condition, FirstYear, Group, Rank, Score, Test, Threshold
from models.rules.explain import member_text
from models.rules.pack import Pack
from models.rules.quantity import Period

Change = Literal["added", "dropped", "tightened", "relaxed", "changed", "same"]

CHANGES: dict[Change, Text] = {
    "added": Text("新增", "added"),
    "dropped": Text("取消", "dropped"),
    "tightened": Text("收紧", "tightened"),
    "relaxed": Text("放宽", "relaxed"),
    "changed": Text("改变", "changed"),
    "same": Text("不变", "same"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One condition in the first pack, the second, or both."""

    change: Change
    before_id: str | None
    before: Text | None
    after_id: str | None
    after: Text | None


@dataclass(frozen=True, slots=True)
class _Placed:
    """A condition, and whether it must hold or is one of several ways."""

    condition: Condition
    text: Text
    required: bool
    brackets: bool = False
    """The subject stands in several branches, each with its own line: no one step leads to another."""


def diff_packs(before: Pack, after: Pack, period: Period) -> list[Difference]:
    """What changed between two packs at a date and for a kind, in the second's order, dropped last."""
    old, new = _placed(before, period), _placed(after, period)
    found: list[Difference] = []
    for key, now in new.items():
        was = old.get(key)
        change: Change = "added" if was is None else _change(was, now)
        found.append(_difference(change, was, now))
    found += [_difference("dropped", was, None) for key, was in old.items() if key not in new]
    return found


def _difference(change: Change, was: _Placed | None, now: _Placed | None) -> Difference:
    before = (was.condition.id, was.text) if was else (None, None)
    after = (now.condition.id, now.text) if now else (None, None)
    return Difference(change, *before, *after)


def _placed(pack: Pack, period: Period) -> dict[Hashable, _Placed]:
    period = pack.effective(period)
    found: dict[Hashable, _Placed] = {}
    for number, (condition, required) in enumerate(_walk(pack.root, period, True)):
        key = _subject(condition.test)
        text = member_text(condition, period)
        if not required:
            text = Text(f"{text.zh}（途径之一）", f"{text.en} (one of several ways)")
        if key in found:
            found[key] = replace(found[key], brackets=True)
            found[key, number] = _Placed(condition, text, required, brackets=True)
        else:
            found[key] = _Placed(condition, text, required)
    return found


def _walk(group: Group, period: Period, required: bool) -> Iterator[tuple[Condition, bool]]:
    for member in group.live(period):
        if isinstance(member, Condition):
            yield member, required
        else:
            yield from _walk(member, period, required and member.mode == "all")


def _subject(test: Test) -> Hashable:
    if isinstance(test, Threshold):
        return test.quantity, test.op in {"ge", "gt"}
    if isinstance(test, Score):
        return "score", test.of
    if isinstance(test, Choice | Rank | FirstYear):
        return type(test).__name__, test.field.key
    return test


def _change(was: _Placed, now: _Placed) -> Change:
    step = _compare(was.condition.test, now.condition.test)
    place = now.required - was.required
    if step is None or ((was.brackets or now.brackets) and (step or place)):
        return "changed"
    if step * place < 0:
        return "changed"  # asks more of fewer firms, or less of more
    both = step or place
    return "same" if both == 0 else "tightened" if both > 0 else "relaxed"


def _compare(was: Test, now: Test) -> int | None:
    """1 if the later asks more, −1 if less, 0 if the same, None if neither can be said."""
    if was == now:
        return 0
    if isinstance(was, Threshold) and isinstance(now, Threshold):
        return _compare_lines(was.op, was.line, now.op, now.line)
    if isinstance(was, Score) and isinstance(now, Score):
        return _compare_lines(was.op, was.line, now.op, now.line) or None
    if isinstance(was, Rank) and isinstance(now, Rank):
        most = [test.within or 10**9 for test in (was, now)]
        return (most[0] > most[1]) - (most[0] < most[1])
    if isinstance(was, Choice) and isinstance(now, Choice):
        before, after = set(was.among), set(now.among)
        return 1 if after < before else -1 if before < after else None
    return None


def _compare_lines(was_op: str, was_line: Fraction | int, now_op: str, now_line: Fraction | int) -> int:
    upward = now_op in {"ge", "gt"}
    strict = {"gt", "lt"}
    before = (was_line, was_op in strict) if upward else (was_line, was_op not in strict)
    after = (now_line, now_op in strict) if upward else (now_line, now_op not in strict)
    asks_more = (after > before) - (after < before)
    return asks_more if upward else -asks_more
