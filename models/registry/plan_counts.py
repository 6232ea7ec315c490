"""The plan's targets as the current run counts them, and the firms behind each number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from models.errors import Text, TiduiError, UsageRefused
from models.figures import place
from models.plan import COMPARISONS, KINDS, Basis, Plan, PlanReading, PlanTarget
from models.registry.state import State
from models.registry.tables import edition, firm, plan_count, run, standing
from models.rules.explain import clause_dict, member_text
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.targets import COUNTS, CountName, compile_targets, standards_of

Answer = dict[str, Any]
Counts = Mapping[tuple[str, str], Mapping[str, int]]
"""(target, district) → the counts of :data:`models.targets.COUNTS`; ``''`` is a district left blank."""

_MASKS: Mapping[Basis, ColumnElement[int]] = {
    "held": standing.c.held_targets,
    "met": standing.c.met_targets,
}
_NO_VERSION = Text("这一天还没有施行的标准", "no standard had come into force by that day")


class TargetUnknown(TiduiError):
    """The plan has no such target."""

    status = 404


@dataclass(frozen=True, slots=True)
class Run:
    """The run that the numbers are from."""

    id: int
    as_of: date
    kind: str
    rulebook_hash: str
    plan_hash: str
    edition_hash: str
    firms: int


def current_run(connection: Connection, state: State) -> Run | None:
    """None where nothing was imported yet."""
    if state.run_id is None:
        return None
    query = select(run, edition.c.hash).join(edition).where(run.c.id == state.run_id)
    row = connection.execute(query).one()
    return Run(row.id, row.as_of, row.kind, row.rulebook_hash, row.plan_hash, row.hash, row.firms)


def read_counts(connection: Connection, run_id: int, district: str | None = None) -> Counts:
    query = select(plan_count).where(plan_count.c.run_id == run_id)
    if district is not None:
        query = query.where(plan_count.c.district == district)
    rows = connection.execute(query).mappings()
    return {(row["target"], row["district"]): {name: row[name] for name in COUNTS} for row in rows}


def plan_report(
    connection: Connection, state: State, plan: Plan, book: Rulebook, today: date, district: str | None = None
) -> Answer:
    """Every target with its definition, its count now and its share; one district's numbers where given.

    ``today`` dates the definitions where there is no run yet.
    """
    found = current_run(connection, state)
    counts = read_counts(connection, found.id, district) if found else None
    period = Period(found.as_of, found.kind) if found else Period(today, "new")
    computable = {
        (compiled.target.id, basis)
        for compiled in compile_targets(plan, book, period).targets
        for basis, slot in compiled.slots.items()
        if slot is not None
    }
    return {
        "plan": {
            "id": plan.id,
            "name": _both(plan.name),
            "document": {
                "title": plan.document.title,
                "number": plan.document.number,
                "from": plan.document.start,
                "to": plan.document.end,
            },
            "clause": clause_dict(plan.clause),
            "hash": plan.hash,
        },
        "run": _run(found, plan, book),
        "district": place(district),
        "scope": [_both(member_text(member, period)) for member in plan.scope],
        "targets": [_target(target, book, period, counts, computable) for target in plan.targets],
        "district_clauses": [
            {"id": clause, "text": _both(text), "computed": False} for clause, text in plan.district_clauses
        ],
    }


def _run(found: Run | None, plan: Plan, book: Rulebook) -> Answer | None:
    if found is None:
        return None
    answer: Answer = {
        "as_of": found.as_of,
        "kind": found.kind,
        "edition": found.edition_hash,
        "rulebook": found.rulebook_hash,
        "plan": found.plan_hash,
        "firms": found.firms,
    }
    if (found.rulebook_hash, found.plan_hash) != (book.hash, plan.hash):
        answer["note"] = _both(
            Text(
                "规则或目标定义在这次计算之后有更新，数字仍是旧口径；重算：tidui registry restand",
                "rules or definitions have changed since; count again by `tidui registry restand`",
            )
        )
    return answer


def _target(
    target: PlanTarget,
    book: Rulebook,
    period: Period,
    counts: Counts | None,
    computable: set[tuple[str, Basis]],
) -> Answer:
    own = {code: found for (name, code), found in (counts or {}).items() if name == target.id}
    sums = (
        {name: sum(found[name] for found in own.values()) for name in COUNTS} if counts is not None else None
    )
    return {
        "id": target.id,
        "name": _both(target.name),
        "clause": clause_dict(target.clause),
        "target": {
            "comparison": target.comparison,
            "value": target.value,
            "unit": "家",
            "kind": target.kind,
            "text": _both(_aim(target)),
        },
        "counts": _both(target.counts),
        "recognised": _basis(target, "held", book, period, sums, (target.id, "held") in computable),
        "qualifies": _basis(target, "met", book, period, sums, (target.id, "met") in computable),
        "by_district": [
            {"district": place(code or None), **_shown(found, target, computable)}
            for code, found in sorted(own.items(), key=lambda pair: (pair[0] == "", pair[0]))
            if any(found.values())
        ],
        "not_counted": [
            {"what": _both(what), "count": None, "why": _both(why)} for what, why in target.not_counted
        ],
        "readings": [_reading(reading) for reading in target.readings],
        "note": _both(target.note) if target.note else None,
    }


def _basis(
    target: PlanTarget,
    basis: Basis,
    book: Rulebook,
    period: Period,
    sums: Mapping[str, int] | None,
    computable: bool,
) -> Answer:
    """One of the two numbers with its definition; ``count`` is null, with the reason, where there is none."""
    definition = target.definition(basis)
    if definition is None or not computable:
        why = (target.no_held if basis == "held" else target.no_met) or _NO_VERSION
        return {"count": None, "why_null": _both(why)}
    standards = standards_of(definition, book, period)
    answer: Answer = {
        "count": sums and sums[basis],
        "share": sums and sums[basis] / target.value,
        "unknown": sums and sums[f"{basis}_unknown"],
        "definition": [_both(member_text(member, period)) for member in definition.conditions],
        "standards": [
            {"id": name, "name": _both(book[name].name), "in_force": book[name].in_force_on(period)}
            for name in standards
        ],
    }
    if basis == "met":
        answer["review"] = sums and sums["met_review"]
    return answer


def _shown(found: Mapping[str, int], target: PlanTarget, computable: set[tuple[str, Basis]]) -> Answer:
    return {
        name: found[name] if (target.id, basis) in computable else None for name, (basis, _) in COUNTS.items()
    }


def _aim(target: PlanTarget) -> Text:
    word, kind = COMPARISONS[target.comparison], KINDS[target.kind]
    return Text(f"{kind.zh}{word.zh}{target.value}家", f"{kind.en}: {word.en} {target.value:,} firms")


def _reading(reading: PlanReading) -> Answer:
    return {
        "at": reading.at,
        "comparison": reading.comparison,
        "value": reading.value,
        "confidence": reading.confidence,
        "note": _both(reading.note) if reading.note else None,
    }


@dataclass(frozen=True)
class Behind:
    """A page of the firms behind one number."""

    firms: Sequence[Answer]
    next: str | None
    """The code to go on after."""


def firms_behind(
    connection: Connection,
    state: State,
    plan: Plan,
    target_id: str,
    count: CountName,
    *,
    district: str | None = None,
    only_district: str | None = None,
    after: str = "",
    limit: int = 100,
) -> Behind:
    """Firms of the current run behind one count of a target, by code. TargetUnknown, UsageRefused.

    ``district`` as in the count (``''``: left blank); ``only_district``: what the caller may see.
    """
    target = plan.target(target_id)
    if target is None:
        raise TargetUnknown(
            "P420", Text(f"计划里没有目标“{target_id}”", f"the plan has no target “{target_id}”")
        )
    basis, verdict = COUNTS[count]
    mask = _MASKS[basis].bitwise_rshift(2 * target.place).bitwise_and(3)
    query = (
        select(standing.c.uscc, standing.c.district, firm.c.name)
        .join(firm, firm.c.uscc == standing.c.uscc)
        .where(standing.c.run_id == state.run_id, standing.c.uscc > after, mask == int(verdict))
        .order_by(standing.c.uscc)
        .limit(limit + 1)
    )
    if district is not None:
        query = query.where(
            standing.c.district.is_(None) if district == "" else standing.c.district == district
        )
    if only_district is not None:
        # The number is of the run; what a limited caller may see is of now.
        query = query.where(standing.c.district == only_district, firm.c.district == only_district)
    rows = connection.execute(query).all()
    firms = [{"uscc": r.uscc, "name": r.name, "district": place(r.district)} for r in rows[:limit]]
    return Behind(firms, rows[limit - 1].uscc if len(rows) > limit else None)


def count_name(text: str) -> CountName:
    """A count by its name. Raises UsageRefused."""
    for name in COUNTS:
        if name == text:
            return name  # type: ignore[return-value]
    raise UsageRefused("P421", Text(f"没有“{text}”这个口径", f"there is no count “{text}”"))


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
