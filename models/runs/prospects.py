"""Whom to call: the firms of a run by the chance that a model gives them, the best first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, and_, func, or_, select

from models.errors import Text
from models.figures import place, trade
from models.forms import both
from models.learn.model import BANDS
from models.learn.prospects import listings
from models.learn.strongest import read_factors
from models.learn.tasks import task as task_of
from models.outlook_answer import factor_rows
from models.registry.learning_tables import prospect
from models.registry.search.cursor import read_ranked, write_ranked
from models.registry.state import State
from models.registry.tables import firm, run
from models.rules.quantity import Period
from models.runs.judges import judges_of
from models.runs.page import Page
from models.runs.record import Run, RunConflict, read_run
from models.verdict import Verdict

NO_ESTIMATES = Text("还没有做过带模型估计的整库评估", "no run with estimates has ended yet")


@dataclass(frozen=True)
class Prospects:
    """A page of them, of which run, and how many there are under the same filters."""

    run: Run
    current: bool
    """Whether the run is the registry's standing: otherwise firms were imported since."""
    total: int
    page: Page


def run_with_estimates(connection: Connection, state: State) -> Run:
    """The registry's standing if models spoke in it, else the last such run that stood.

    RunConflict (J414) where there is none.
    """
    stood = select(func.max(run.c.id)).where(
        run.c.models.is_not(None), run.c.stood_at.is_not(None), run.c.status == "succeeded"
    )
    now = select(run.c.id).where(run.c.id == (state.run_id or 0), run.c.models.is_not(None))
    found = connection.execute(now).scalar() or connection.execute(stood).scalar()
    if found is None:
        raise RunConflict(
            "J414",
            NO_ESTIMATES,
            Text("先启动一次：POST /v1/runs", "Start one: POST /v1/runs"),
        )
    return read_run(connection, found)


def prospect_page(
    connection: Connection,
    state: State,
    task: str,
    *,
    district: str | None = None,
    verdict: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Prospects:
    """Firms by the score of ``task``, the highest first; ``verdict``: of the rules, on the same question.

    Raises UsageRefused (L101 task, R420 cursor), RunConflict (J414: no estimates yet).
    """
    asked_task = task_of(task)
    of = run_with_estimates(connection, state)
    columns = prospect.c
    wanted = [columns.run_id == of.id, columns.task == asked_task.id]
    if district is not None:
        wanted.append(columns.district == district)
    if verdict is not None:
        wanted.append(columns.verdict == int(Verdict[verdict.upper()]))
    total = connection.execute(select(func.count()).select_from(prospect).where(*wanted)).scalar_one()
    question = orjson.dumps(["prospects", of.id, task, district, verdict])
    if cursor is not None:
        shown, score, code = read_ranked(cursor, question)
        wanted.append(or_(columns.score < score, and_(columns.score == score, columns.uscc > code)))
    else:
        shown = 0
    asked = (
        select(prospect, firm.c.name, firm.c.industry)
        .outerjoin(firm, firm.c.uscc == columns.uscc)
        .where(*wanted)
        .order_by(columns.score.desc(), columns.uscc)
        .limit(limit + 1)
    )
    found = connection.execute(asked).all()
    page = found[:limit]
    standard = _standard(connection, of, task)
    rows = [_row(row, shown + rank, standard) for rank, row in enumerate(page, 1)]
    after = None
    if len(found) > limit:
        last = page[-1]
        after = write_ranked(shown + limit, last.score, last.uscc, question)
    return Prospects(of, of.id == state.run_id, total, Page(rows, after))


def _standard(connection: Connection, of: Run, task: str) -> Mapping[str, Any] | None:
    """The standard that the rules judge the same question by."""
    judges = judges_of(connection, of)
    listing = listings().tasks[task]
    pack_id = listing.pack_of(judges.book, Period(of.as_of, of.kind))
    return None if pack_id is None else {"id": pack_id, "name": both(judges.book[pack_id].name)}


def _row(row: Row[Any], rank: int, standard: Mapping[str, Any] | None) -> dict[str, Any]:
    band = BANDS[row.band]
    told = row.verdict is not None and standard is not None
    return {
        "rank": rank,
        "uscc": row.uscc,
        "name": row.name,
        "district": place(row.district),
        "industry": trade(row.industry),
        "score": row.score,
        "band": {"key": band.key, **both(band.name)},
        "rival": row.rival,
        "factors": factor_rows(read_factors(row.factors)),
        "rules": {"standard": standard, "verdict": Verdict(row.verdict).name.lower()} if told else None,
    }
