"""How far a run is: firms, parts, rate, time left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from models.registry.job_tables import run_part
from models.registry.tables import edition
from models.runs.record import Run, read_run

PART_STATES = ("queued", "running", "done", "failed", "cancelled")


def run_report(connection: Connection, run_id: int, now: datetime) -> dict[str, Any]:
    """The run as plain data; no links. RunUnknown (J404).

    ``firms``: of the registry; ``done``: judged and stored; ``rate``: firms a second since it began;
    ``seconds_left``: at that rate, null before the first part is done and after the end;
    ``problem``: why it, or some of its parts, failed (zh and en in one line, or null);
    ``failed_parts``: [{"part", "deliveries", "error"}].
    """
    found = read_run(connection, run_id)
    parts, done = _parts(connection, run_id)
    seconds = max((found.finished_at or now).timestamp() - found.started_at.timestamp(), 0.001)
    rate = done / seconds
    left = (found.firms - done) / rate if found.open and done else None
    return {
        "id": found.id,
        "edition": found.edition_id,
        "edition_hash": connection.execute(
            select(edition.c.hash).where(edition.c.id == found.edition_id)
        ).scalar_one(),
        "as_of": found.as_of,
        "kind": found.kind,
        "rulebook": found.rulebook_hash,
        "standards": None if found.standards is None else list(found.standards),
        "models": found.models,
        "status": found.status,
        "requested_by": found.requested_by,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
        "stood_at": found.stood_at,
        "previous_run": found.previous_run_id,
        "firms": found.firms,
        "done": done,
        "parts": parts,
        "rate": round(rate, 1),
        "seconds_left": None if left is None else round(max(left, 0.0), 1),
        "problem": found.problem,
        "failed_parts": _failed(connection, found),
    }


def _parts(connection: Connection, run_id: int) -> tuple[dict[str, int], int]:
    """Parts by state, and the firms of those that are done."""
    asked = (
        select(run_part.c.status, func.count(), func.coalesce(func.sum(run_part.c.firms), 0))
        .where(run_part.c.run_id == run_id)
        .group_by(run_part.c.status)
    )
    rows = {status: (count, firms) for status, count, firms in connection.execute(asked)}
    counts = {state: int(rows.get(state, (0, 0))[0]) for state in PART_STATES}
    return counts, int(rows.get("done", (0, 0))[1])


def _failed(connection: Connection, found: Run) -> list[dict[str, Any]]:
    asked = (
        select(run_part.c.part, run_part.c.deliveries, run_part.c.error)
        .where(run_part.c.run_id == found.id, run_part.c.status == "failed")
        .order_by(run_part.c.part)
    )
    return [
        {"part": part, "deliveries": deliveries, "error": error}
        for part, deliveries, error in connection.execute(asked)
    ]
