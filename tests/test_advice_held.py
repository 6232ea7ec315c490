"""What every plan promises, tried over firms of the demo registry and all standards by the rules."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import pytest

from models.advice_changes import Change
from models.advice_fields import nature_of
from models.advice_plan import Plan, Planner
from models.advice_scale import scale_of
from models.advice_words import part_of_it
from models.figures import read_figures
from models.rules.compile import compile_standards
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from models.seeds import seed
from tests.firms import AS_OF
from tests.test_advice_plan import made

EVERY = 67
"""One firm in so many: thirty, from the smallest to the largest."""
PERIOD = Period(AS_OF, "new")
STANDARDS = [pack_id for pack_id, pack in rulebook().packs.items() if pack.size_table is None]


@cache
def planner() -> Planner:
    return Planner(compile_standards(rulebook(), PERIOD))


@cache
def firms() -> list[dict[str, Any]]:
    with seed("demo", "firms.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))[::EVERY]
    return [read_figures({k: v for k, v in row.items() if v}).figures for row in rows]


def plans(standard: str) -> Iterator[tuple[dict[str, Any], Plan]]:
    for figures in firms():
        plan = planner().plan(standard, figures)
        assert plan is not None
        yield figures, plan


def is_met(standard: str, figures: dict[str, Any], day: date) -> bool:
    judge = planner().judge(standard, day)
    return judge.is_met(judge.compiled.verdict, figures)


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_plan_keeps_its_word(standard: str) -> None:
    for figures, plan in plans(standard):
        if not plan.is_possible:
            assert plan.changes == ()
            assert plan.blocked
            continue
        assert is_met(standard, made(plan, figures), plan.day)
        for change in plan.changes:
            _is_sensible(change, plan)
            _is_least(standard, change, plan, figures)
        _is_earliest(standard, plan, figures)


def _is_sensible(change: Change, plan: Plan) -> None:
    """No past rewritten, nothing made worse, no date before it can count."""
    if change.kind != "change":
        return
    column, nature = change.column, nature_of(change.column.field)
    assert column.year is None or column.year >= AS_OF.year
    if change.before is not None:
        assert nature.is_better(column.field, change.before, change.after)
        assert column.field.key not in {"total_assets", "total_cost", "total_income"}
    if change.when == "year":
        assert change.earliest is not None
        assert AS_OF < change.earliest <= plan.day
    if change.when in {"round", "others"}:
        assert plan.earliest is None


def _is_least(standard: str, change: Change, plan: Plan, figures: dict[str, Any]) -> None:
    scale = scale_of(change.column.field, PERIOD)
    if change.kind != "change" or scale is None or change.before is None or change.bound == "within":
        return
    if part_of_it(change, plan) is not None:
        return  # as large as a part of it, which is least itself
    step = -1 if change.is_more else 1
    less = scale.value(scale.number(change.after) + step)
    assert not is_met(standard, {**made(plan, figures), change.column.name: less}, plan.day)


def _is_earliest(standard: str, plan: Plan, figures: dict[str, Any]) -> None:
    """The same done as early as can be does not do on any earlier first of January, nor today."""
    if plan.earliest is None:
        return
    for year in range(AS_OF.year, plan.day.year):
        day = AS_OF if year == AS_OF.year else date(year, 1, 1)
        back = plan.day.year - year
        assert not is_met(standard, _tried(plan, figures, back, day), day)


def _tried(plan: Plan, figures: dict[str, Any], back: int, day: date) -> dict[str, Any]:
    sources = {**dict(plan.carried), **plan.taken}
    tried = dict(figures)
    for column, source in sources.items():
        year = int(column[-4:]) - back
        if year >= AS_OF.year and day > AS_OF:
            name = f"{column[:-4]}{year}"
            tried.setdefault(name, 0 if source is None else figures[source])
    for change in plan.changes:
        column_year = change.column.year
        if change.kind == "answer":
            tried[change.column.name] = change.after
        elif column_year is None:
            if change.earliest is not None and change.earliest <= day:
                tried[change.column.name] = change.after
        elif AS_OF.year <= column_year - back < day.year:
            tried[change.column.field.column(column_year - back)] = change.after
    return tried
