"""Who stands elsewhere than before, and what decided it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, select, tuple_

from models.figures import place
from models.forms import both
from models.registry.job_tables import movement
from models.registry.judging import LADDER
from models.registry.search.cursor import Mark, read_mark, write_mark
from models.registry.tables import run
from models.rules.explain import member_text
from models.runs.judges import Judges, judges_of
from models.runs.page import Page
from models.runs.record import read_run

AFTER_ALL = "Z" * 19
"""Comes after every code, in any collation."""


def movement_page(
    connection: Connection,
    *,
    run_id: int | None = None,
    since: int | None = None,
    cursor: str | None = None,
    limit: int = 100,
    district: str | None = None,
) -> Page:
    """Movements of one run, by code; or of every run that became the standing after run ``since`` (0: all),
    oldest first: the change feed, which ``cursor`` alone goes on with; it gives a ``next`` at its end too.

    Raises RunUnknown (J404), UsageRefused (R420).
    """
    if run_id is not None:
        read_run(connection, run_id)
    question = orjson.dumps(["movements", run_id, district])
    mark = read_mark(cursor, question) if cursor else Mark(since or 0, AFTER_ALL if since else "")
    within = movement.c.run_id == run_id if run_id is not None else run.c.stood_at.is_not(None)
    code = mark.after if run_id is None or cursor else ""
    stage = run_id if run_id is not None else mark.stage
    begins = tuple_(movement.c.run_id, movement.c.uscc) > tuple_(stage, code)
    found = connection.execute(_asked(within, begins, district).limit(limit + 1)).all()
    page = found[:limit]
    judges = {number: judges_of(connection, read_run(connection, number)) for number in _told(page)}
    rows = [_row(row, judges.get(row.run_id)) for row in page]
    if page and (run_id is None or len(found) > limit):
        mark = Mark(page[-1].run_id, page[-1].uscc)
    ended = run_id is not None and len(found) <= limit
    return Page(rows, None if ended else write_mark(mark, question))


def _asked(
    within: ColumnElement[bool], begins: ColumnElement[bool], district: str | None
) -> Select[tuple[Any, ...]]:
    asked = (
        select(movement, run.c.previous_run_id, run.c.as_of, run.c.stood_at)
        .join(run, run.c.id == movement.c.run_id)
        .where(within, begins)
        .order_by(movement.c.run_id, movement.c.uscc)
    )
    return asked if district is None else asked.where(movement.c.district == district)


def _told(page: Sequence[Row[Any]]) -> set[int]:
    """The runs of which standards are named."""
    return {row.run_id for row in page if row.deciding != "[]"}


def _row(row: Row[Any], judges: Judges | None) -> dict[str, Any]:
    values = row._mapping
    return {
        "run": row.run_id,
        "since_run": row.previous_run_id,
        "as_of": row.as_of,
        "stood_at": row.stood_at,
        "uscc": row.uscc,
        "name": row.name,
        "district": place(row.district),
        "change": _change(values),
        **{name: {"before": values[f"{name}_before"], "after": values[f"{name}_after"]} for name in LADDER},
        "deciding": [_decided(judges, one) for one in orjson.loads(row.deciding)] if judges else [],
    }


def _change(values: Any) -> str:
    """``new``, ``gone``; else ``up`` or ``down`` by the first answer that differs."""
    before = [values[f"{name}_before"] for name in LADDER]
    after = [values[f"{name}_after"] for name in LADDER]
    if before[0] is None:
        return "new"
    if after[0] is None:
        return "gone"
    return "up" if after > before else "down"


def _decided(judges: Judges, one: Mapping[str, Any]) -> dict[str, Any]:
    """A standard of a rung that was crossed, its conditions in words."""
    compiled = judges.judging.standards.compiled[one["standard"]]
    words = {
        branch.member.id: both(member_text(branch.member, compiled.period)) for branch in compiled.branches
    }
    shown = {
        side: [{"id": name, "text": words.get(name)} for name in one[side]] for side in ("unmet", "open")
    }
    return {**one, "name": both(compiled.pack.name), **shown}
