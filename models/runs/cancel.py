"""Cancelling a run: nothing more of it is stored, and what was is taken away by the finish."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update

from models.errors import Text
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.job_tables import run_part
from models.registry.tables import run
from models.runs.record import OPEN, RunConflict, read_run


def cancel_run(database: Database, run_id: int, *, actor: Actor, now: datetime) -> None:
    """Cancel a run that is queued or running; once more does nothing. Then send ``run_finish`` with its id.

    A part at work finds out when it takes the next step that counts, and stores nothing. Raises
    RunUnknown (J404), RunConflict (J409) where it has ended already, DatabaseAway.
    """
    with database.write() as connection:
        found = read_run(connection, run_id)
        if found.status == "cancelled":
            return
        # Parts first, then their run: whoever ends a part takes the two in this order.
        waiting = (run_part.c.run_id == run_id, run_part.c.status.in_(OPEN))
        connection.execute(
            update(run_part).where(*waiting).values(status="cancelled", lease_until=None, lease_owner=None)
        )
        ended = {"status": "cancelled", "active_key": None, "finished_at": now}
        mine = (run.c.id == run_id, run.c.status.in_(OPEN))
        if connection.execute(update(run).where(*mine).values(ended)).rowcount == 0:
            raise RunConflict(
                "J409",
                Text(f"第 {run_id} 次评估已经结束，不能取消", f"run {run_id} has ended: {found.status}"),
                Text("只能取消排队或进行中的评估", "Only a run that is queued or running can be cancelled"),
            )
        append(connection, [actor.event("run.cancel", f"run:{run_id}")], now)
