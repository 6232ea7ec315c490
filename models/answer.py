"""Answers as plain data, the same for the command line and the service: standing, gaps, whole assessments."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from models.advice import Advice, Gap, Question, StandardGap
from models.codes import districts, industries
from models.errors import Text
from models.figures import Column, FigureIssue, column_of, internal
from models.forms import both
from models.ladder import Standing
from models.registry.words import Fact as RegistryFact
from models.rules.units import show_value
from models.verdict import DISCLAIMER, Verdict

Plain = dict[str, Any]
"""Strings, numbers, lists and dicts (dates are dates), ready for JSON."""

IDENTITY = ("row", "uscc", "name", "error")


def assessment_dict(
    firm: Mapping[str, Any], standing: Standing, answers: list[Plain], rulebook_hash: str
) -> Plain:
    """``tidui explain --json``: a firm of a file, every standard with its conditions, its figures."""
    return {
        **{key: firm[key] for key in IDENTITY},
        "disclaimer": both(DISCLAIMER),
        "rulebook": rulebook_hash,
        "ladder": standing_dict(standing),
        "standards": answers,
        "figures": {key: value for key, value in firm.items() if key not in IDENTITY and value is not None},
    }


def standing_dict(standing: Standing) -> Plain:
    """The ladder's three answers, rung by rung; growth track and technology marks."""
    return {
        "recognised": standing.recognised,
        "qualifies": standing.qualifies,
        "could_reach": standing.could_reach,
        "rungs": [
            {
                "rung": rung.number,
                "name": both(rung.name),
                "title": rung.title.key if rung.title is not None else None,
                "standards": _keys(rung.standards),
                "lapsed": list(rung.lapsed),
            }
            for rung in standing.rungs
        ],
        "growth_track": [
            {"name": both(name), "standards": _keys(verdicts)} for name, verdicts in standing.growth_track
        ],
        "technology_marks": [
            {"name": both(name), "held": held, "standard": verdict.key if verdict is not None else None}
            for name, held, verdict in standing.technology_marks
        ],
    }


def advice_dict(advice: Advice) -> Plain:
    """What the next rung still asks, what can be applied for now, which blanks to ask for."""
    return {
        "ladder": standing_dict(advice.standing),
        "ready": list(advice.ready),
        "next_rung": advice.next_rung,
        "standards": [gap_dict(standard) for standard in advice.standards],
        "questions": [_question(question) for question in advice.questions],
    }


def gap_dict(standard: StandardGap) -> Plain:
    """What stands between a firm and one standard."""
    return {
        **_plain(standard),
        "verdict": standard.verdict.key,
        "gaps": [_plain(item) for item in standard.gaps],
    }


def _question(question: Question) -> Plain:
    return {
        "column": question.column,
        "label": question.field.header_zh,
        "standards": question.standards,
        "conditions": question.conditions,
    }


def _keys(verdicts: Mapping[str, Verdict]) -> dict[str, str]:
    return {standard: verdict.key for standard, verdict in verdicts.items()}


def _plain(item: StandardGap | Gap) -> Plain:
    return {
        f.name: _plain_value(getattr(item, f.name))
        for f in dataclasses.fields(item)
        if f.name not in {"gaps", "verdict"}
    }


def _plain_value(value: Any) -> Any:
    if isinstance(value, Text):
        return both(value)
    if isinstance(value, tuple):
        return [_plain_value(part) for part in value]
    return _plain(value) if isinstance(value, Gap) else value


def fact_words(column: Column, value: Any) -> Text:
    """An external value as people write it: ``1.23亿元``, ``10.5%``, ``是``, ``无``, ``310115 浦东新区``."""
    held = internal({column.name: value})[column.name]
    if column.field.options:
        return column.field.options.get(held, Text(str(held), str(held)))
    if column.name == "industry":
        label = industries().label(held)
        return Text(label, label)
    if column.name == "district":
        label = districts().label(held)
        return Text(label, label)
    if "_rank" in column.name:
        return Text(f"第{held}名", f"rank {held}") if held else Text("无", "none")
    if column.field.type == "year":
        return Text("从未", "never") if held == 0 else Text(f"{held}年", str(held))
    return show_value(held, "%" if column.field.type == "ratio" else column.field.unit)


def fact_dict(name: str, fact: RegistryFact) -> Plain:
    """One fact with its label, unit, year, source, date; and what else was said of it."""
    column = column_of(name)
    assert column is not None
    told: Plain = {
        "column": name,
        "label": both(column.label),
        "year": column.year,
        "unit": column.unit or None,
        **_said(column, fact),
    }
    if fact.also:
        told["also"] = [_said(column, other) for other in fact.also]
    return told


def _said(column: Column, fact: RegistryFact) -> Plain:
    told = {
        "value": fact.value,
        "shown": both(fact_words(column, fact.value)),
        "source": fact.source,
        "dated": fact.dated,
        "origin": fact.origin,
    }
    return told if fact.reason is None else {**told, "reason": fact.reason}


def issue_dict(issue: FigureIssue) -> Plain:
    return {
        "column": issue.column,
        "code": issue.code,
        "message": both(issue.message),
        "fix": both(issue.fix),
    }
