"""Advice for one firm as plain data: what the next rung asks, the smallest changes, what to ask first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from models.advice import Gap, Question, StandardGap, advise, gap_to
from models.advice_changes import Change, when_text
from models.advice_fields import nature_of
from models.advice_plan import Plan
from models.advice_words import part_of_it, plan_text, wanted_text
from models.answer import Plain, fact_words, gap_dict, standing_dict
from models.assessing import Firm, Sheet
from models.errors import Text
from models.figures import Column, column_of, external, internal
from models.forms import both
from models.ladder import rung_names
from models.verdict import DISCLAIMER

ASKED = 10
"""Blanks worth asking for that an answer lists."""

_KINDS = {
    "answer": Text("先问清", "ask first"),
    "change": Text("须改变", "must change"),
    "wait": Text("须等到", "must wait"),
}


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
    """The smallest set of changes; ``verdict`` is what the rules say on ``evaluated_on`` with them made.

    ``assumed``: figures of years still open, taken to be as in the last known year.
    """
    return {
        "possible": plan.is_possible,
        "verdict": plan.verdict.key,
        "text": both(plan_text(plan)),
        "evaluated_on": plan.day,
        "earliest": plan.earliest,
        "waits_for_round": any(change.when == "round" for change in plan.changes),
        "waits_for_others": any(change.waits_for_others for change in plan.changes),
        "changes": [_change(change, plan, firm) for change in plan.changes],
        "assumed": [_assumed(column, source, firm) for column, source in plan.carried],
        "blocked": [
            {"id": item.id, "text": both(item.text), "why": None if item.why is None else both(item.why)}
            for item in plan.blocked
        ],
    }


def _assumed(name: str, source: str | None, firm: Firm) -> Plain:
    column = _column(name)
    value = 0 if source is None else firm.external.get(source)
    return {
        "column": name,
        "label": both(column.label),
        "year": column.year,
        "unit": column.unit or None,
        "value": value,
        "shown": both(fact_words(column, value)),
        "as_in": source,
    }


def _change(change: Change, plan: Plan, firm: Firm) -> Plain:
    column, why = change.column, nature_of(change.column.field).why
    as_in, part = plan.taken_from(column.name), part_of_it(change, plan)
    if part is not None:
        why = Text(f"不能小于{part.label.zh}", f"it cannot be less than {part.label.en}")
    fact = firm.facts.get(as_in or column.name)
    return {
        "column": column.name,
        "label": both(column.label),
        "year": column.year,
        "unit": column.unit or None,
        "kind": change.kind,
        "kind_text": both(_KINDS[change.kind]),
        "from": external(column.name, change.before),
        "from_column": None if fact is None else as_in or column.name,
        "from_source": None if fact is None else fact.source,
        "from_dated": None if fact is None else fact.dated,
        "to": external(column.name, change.after),
        "bound": change.bound,
        "example": change.joint and change.before is None,
        "wanted": both(wanted_text(change)),
        "difference": _difference(change),
        "when": change.when,
        "earliest": change.earliest,
        "when_text": both(when_text(change)),
        "why": None if why is None else both(why),
    }


def _difference(change: Change) -> Any:
    if change.kind != "change" or change.is_more is None or change.column.field.type in {"date", "title"}:
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
