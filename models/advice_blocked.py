"""What stands in the way of every plan, and why it is not advised to change it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.advice_fields import nature_of
from models.advice_judge import Judge
from models.advice_moves import either_way
from models.advice_outlook import figure_column
from models.errors import Text
from models.figures import Column
from models.rules.compile import Branch
from models.rules.condition import Condition
from models.rules.explain import member_text
from models.rules.quantity import Figures, Period


@dataclass(frozen=True, slots=True)
class Blocked:
    """A condition that nothing which may be advised would turn."""

    id: str
    text: Text
    why: Text | None


def blocked_by(term: Branch, judge: Judge, figures: Figures, period: Period) -> Blocked:
    """The condition in words, what is there, and why nothing is advised."""
    text = member_text(term.member, period)
    member = term.member
    actual = member.test.shown(figures, period) if isinstance(member, Condition) else None
    if actual is not None:
        text = Text(f"{text.zh}（实际：{actual.zh}）", f"{text.en} (actual: {actual.en})")
    return Blocked(member.id or "", text, _why(term, judge, figures, period))


def _why(term: Branch, judge: Judge, figures: Figures, period: Period) -> Text | None:
    turning = list({column.name: column for column in _turning(term, judge, figures, period)}.values())
    worse = [column for column in turning if _would_be_worse(column)]
    if worse:
        zh, en = "、".join(c.label.zh for c in worse), ", ".join(c.label.en for c in worse)
        return Text(
            f"只有压低{zh}才能满足；做小不是改进，不作建议",
            f"it would take less of: {en}; doing less is no improvement and is not advised",
        )
    reasons = (nature_of(column.field).why for column in turning)
    return next((why for why in reasons if why is not None), None)


def _turning(term: Branch, judge: Judge, figures: Figures, period: Period) -> Iterator[Column]:
    """Known figures that would turn one of its conditions, whether that is sensible or not."""
    for leaf in (b for b in term.walk() if isinstance(b.member, Condition)):

        def holds(tried: Figures, leaf: Branch = leaf) -> bool:
            return judge.is_met(leaf.slot, tried)

        for column in map(figure_column, judge.columns(leaf.slot)):
            known = figures.get(column.name) is not None
            if known and any(True for _ in either_way(holds, column, figures, period)):
                yield column


def _would_be_worse(column: Column) -> bool:
    nature = nature_of(column.field)
    return nature.better == "up" and nature.when == "year"
