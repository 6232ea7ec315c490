"""A run as it stands on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import orjson
from sqlalchemy import Connection, select

from models.errors import Text, TiduiError
from models.registry.days import this_day
from models.registry.tables import run, state

ENGINE = "workers"
OPEN = ("queued", "running")
"""Status of a run that is not at its end."""


class RunUnknown(TiduiError):
    """There is no such run."""

    status = 404


class RunConflict(TiduiError):
    """The run is not in a state for this."""

    status = 409


@dataclass(frozen=True, slots=True)
class Run:
    """One row of ``run`` that workers do; times in UTC."""

    id: int
    edition_id: int
    as_of: date
    kind: str
    rulebook_hash: str
    plan_hash: str
    status: str
    firms: int
    """Firms of the registry: as planned while it is open, as judged when it has ended."""
    started_at: datetime
    finished_at: datetime | None
    engine: str
    active_key: str | None
    standards: tuple[str, ...] | None
    """Ids asked for, in order; None: all."""
    requested_by: str | None
    parts: int
    parts_left: int
    previous_run_id: int | None
    stood_at: datetime | None
    corrections_upto: int | None
    lists_upto: int | None
    summary: str | None
    problem: str | None
    models: dict[str, str] | None
    """Task → hash of the model that estimates; None: nothing is estimated."""

    @property
    def open(self) -> bool:
        return self.status in OPEN


def read_run(connection: Connection, run_id: int, *, any_engine: bool = False) -> Run:
    """RunUnknown (J404) where workers know of no such run; ``any_engine``: those of imports too."""
    names = list(Run.__dataclass_fields__)
    asked = select(*(run.c[name] for name in names)).where(run.c.id == run_id)
    row = connection.execute(asked).one_or_none()
    if row is None or not (any_engine or row.engine == ENGINE):
        raise RunUnknown(
            "J404",
            Text(f"没有第 {run_id} 次评估", f"there is no run {run_id}"),
            Text("看有哪些：tidui runs list 或 GET /v1/runs", "See tidui runs list, or GET /v1/runs"),
        )
    values = dict(row._mapping)
    asked_for = values["standards"]
    values["standards"] = None if asked_for is None else tuple(orjson.loads(asked_for))
    pinned = values["models"]
    values["models"] = None if pinned is None else orjson.loads(pinned)
    return Run(**values)


def ended_run(connection: Connection, run_id: int) -> Run:
    """A run that has results: RunUnknown (J404), RunConflict (J412) while it is open, cancelled or failed."""
    found = read_run(connection, run_id)
    if found.open or found.status in ("cancelled", "failed"):
        raise RunConflict(
            "J412",
            Text(f"第 {run_id} 次评估没有结果", f"run {run_id} has no results: {found.status}"),
            Text("等它做完", "Wait until it has ended"),
        )
    return found


def may_stand(connection: Connection, found: Run, shipped: str) -> bool:
    """Whether look-ups may go by this run: it is of the active edition, judged by the rules that look-ups use
    (``shipped``), and not for a day that was still to come when it began.
    """
    active = connection.execute(select(state.c.edition_id)).scalar_one()
    to_come = found.as_of > this_day(found.started_at)
    return bool(active == found.edition_id and found.rulebook_hash == shipped and not to_come)


def list_runs(connection: Connection, *, before: int | None = None, limit: int = 20) -> list[Run]:
    """Runs that workers do or did, the newest first; ``before``: go on below this id."""
    asked = select(run.c.id).where(run.c.engine == ENGINE).order_by(run.c.id.desc()).limit(limit)
    if before is not None:
        asked = asked.where(run.c.id < before)
    return [read_run(connection, number) for number in connection.execute(asked).scalars().all()]


def part_key(run_id: int, part: int) -> str:
    """Where the result of a part lies in the store."""
    return f"{run_folder(run_id)}/part-{part:04d}.parquet"


def run_folder(run_id: int) -> str:
    return f"runs/{run_id}"
