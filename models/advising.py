"""Advice for one firm as plain data: what the next rung asks, the smallest changes, what to ask first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from models.advice import Gap, Question, StandardGap, advise, gap_to
from models.advice_changes import Change, when_text
from models.advice_plan import Plan
from models.answer import Plain, fact_words, gap_dict, standing_dict
from models.assessing import Firm, Sheet
from models.errors import Text
from models.figures import Column, column_of, external, internal
from models.forms import both
from models.ladder import rung_names
from models.verdict import DISCLAIMER

ASKED = 10
"""Blanks worth asking for that an answer lists."""

_BOUNDS = {"at_least": Text("至少", "at least"), "at_most": Text("至多", "at most")}
_KINDS = {"answer": Text("先问清", "ask first"), "change": Text("须改变", "must change")}


def advice_answer(sheet: Sheet, firm: Firm, ids: Sequence[str] | None = None) -> Plain:
    """Gap and plan for the next rung's standards, then for each other one asked for."""
    figures = internal(firm.external)
    found = advise(sheet.book, sheet.standards, sheet.reader, figures)
    next_ids = tuple(gap.id for gap in found.standards)
    trace = sheet.read(figures)
    others = [i for i in ids or () if i not in next_ids]
    gaps = [*found.standards, *(gap_to(sheet.standards.compiled[i], sheet.standards, trace) for i in others)]
    plans = {gap.id: sheet.planner.plan(gap.id, figures) for gap in gaps}
    asked = found.questions[:ASKED]
    return {
        "firm": firm.head,
        "as_of": sheet.period.as_of,
        "kind": sheet.period.kind,
        "disclaimer": both(DISCLAIMER),
        "ladder": standing_dict(found.standing),
        "ready": [_rung(sheet, rung) for rung in found.ready],
        "next_rung": None if found.next_rung is None else _rung(sheet, found.next_rung),
        "standards": [_standard(gap, plans[gap.id], firm, gap.id in next_ids) for gap in gaps],
        "questions": [question_dict(question) for question in asked],
        "columns": _columns(gaps),
        "hashes": sheet.hashes(firm, [gap.id for gap in gaps]),
    }


def question_dict(question: Question) -> Plain:
    """A blank, and how many standards and conditions an answer settles on average."""
    column = _column(question.column)
    return {
        "column": question.column,
        "label": both(column.label),
        "year": column.year,
        "unit": column.unit or None,
        "standards": round(question.standards, 4),
        "conditions": round(question.conditions, 4),
    }


def _rung(sheet: Sheet, rung: int) -> Plain:
    return {"rung": rung, "name": both(rung_names(sheet.book)[rung])}


def _standard(gap: StandardGap, plan: Plan | None, firm: Firm, is_next: bool) -> Plain:
    return {
        **gap_dict(gap),
        "verdict_text": both(gap.verdict.text),
        "next_rung": is_next,
        "plan": None if plan is None else plan_dict(plan, firm),
    }


def plan_dict(plan: Plan, firm: Firm) -> Plain:
    """The smallest set of changes; ``verdict`` is what the rules say with them made."""
    return {
        "possible": plan.is_possible,
        "verdict": plan.verdict.key,
        "text": both(_plan_text(plan)),
        "earliest": plan.earliest,
        "waits_for_round": any(change.when == "round" for change in plan.changes),
        "changes": [_change(change, firm) for change in plan.changes],
        "blocked": [{"id": condition, "text": both(text)} for condition, text in plan.blocked],
    }


def _plan_text(plan: Plan) -> Text:
    if not plan.is_possible:
        said = ("；".join(t.zh for _, t in plan.blocked), "; ".join(t.en for _, t in plan.blocked))
        return Text(f"没有找到能达标的变化，卡在：{said[0]}", f"no changes were found; in the way: {said[1]}")
    if not plan.changes:
        return Text("已达标，不用改变", "met already")
    asked = sum(change.kind == "answer" for change in plan.changes)
    changed = len(plan.changes) - asked
    zh = "，".join(f"{word}{n}项" for word, n in (("改变", changed), ("问清空白", asked)) if n)
    en = ", ".join(f"{n} {word}" for word, n in (("to change", changed), ("blank to answer", asked)) if n)
    when = plan.earliest
    if when is None:
        return Text(
            f"{zh}，按规则即达标；日期取决于下一轮", f"{en}; then met; when depends on the next round"
        )
    if when == plan.as_of:
        return Text(f"{zh}，按规则即达标", f"{en}; then met")
    return Text(f"{zh}，按规则即达标；最早{when}", f"{en}; then met, on {when} at the earliest")


def _change(change: Change, firm: Firm) -> Plain:
    column, bound = change.column, change.bound
    fact = firm.facts.get(column.name)
    after = external(column.name, change.after)
    wanted = fact_words(column, after)
    if bound is not None:
        wanted = Text(f"{_BOUNDS[bound].zh}{wanted.zh}", f"{_BOUNDS[bound].en} {wanted.en}")
    if column.field.type == "title" and after != "none":
        wanted = Text("持有有效称号", "the title is held")
    return {
        "column": column.name,
        "label": both(column.label),
        "year": column.year,
        "unit": column.unit or None,
        "kind": change.kind,
        "kind_text": both(_KINDS[change.kind]),
        "from": None if fact is None else fact.value,
        "from_source": None if fact is None else fact.source,
        "from_dated": None if fact is None else fact.dated,
        "to": None if change.joint and change.kind == "answer" else after,
        "bound": bound,
        "wanted": None if change.joint and change.kind == "answer" else both(wanted),
        "difference": _difference(change),
        "when": change.when,
        "earliest": change.earliest,
        "when_text": both(when_text(change)),
    }


def _difference(change: Change) -> Any:
    if change.kind == "answer" or change.is_more is None or change.column.field.type in {"date", "title"}:
        return None
    difference = change.after - change.before
    return difference if isinstance(difference, int) else round(difference, 6)


def _columns(gaps: Sequence[StandardGap]) -> Plain:
    """What the blanks named in gaps are, for people."""
    names = sorted({name for gap in gaps for item in gap.gaps for name in _blanks(item)})
    return {
        name: {"label": both(column.label), "year": column.year, "unit": column.unit or None}
        for name in names
        if (column := _column(name))
    }


def _blanks(gap: Gap) -> Iterator[str]:
    yield from gap.blanks
    for way in gap.alternatives:
        for item in way:
            yield from _blanks(item)


def _column(name: str) -> Column:
    column = column_of(name)
    assert column is not None
    return column
