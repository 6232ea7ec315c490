"""Doing the failed parts of a run once more; what is done stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from models.errors import Text
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.job_tables import run_part
from models.registry.tables import run
from models.runs.begin import active_key_of
from models.runs.record import RunConflict, read_run

AGAIN = ("partly_succeeded", "failed")


def retry_run(database: Database, run_id: int, *, actor: Actor, now: datetime) -> int:
    """Queue the failed parts of a run again; how many. Then send the task ``sweep`` once.

    Raises RunUnknown (J404), RunConflict (J410: nothing failed; J411: the same is being run anew),
    DatabaseAway.
    """
    with database.write() as connection:
        found = read_run(connection, run_id)
        failed = (run_part.c.run_id == run_id, run_part.c.status == "failed")
        count = connection.execute(
            update(run_part)
            .where(*failed)
            .values(status="queued", deliveries=0, error=None, lease_until=None, lease_owner=None)
        ).rowcount
        if found.status not in AGAIN or not count:
            raise _nothing(run_id, found.status)
        values = {
            "status": "running",
            "parts_left": count,
            "active_key": active_key_of(found),
            "finished_at": None,
            "problem": None,
            "summary": None,
            "lease_until": None,
            "lease_owner": None,
        }
        try:
            with connection.begin_nested():
                connection.execute(update(run).where(run.c.id == run_id).values(values))
        except IntegrityError:
            raise RunConflict(
                "J411",
                Text("同样的评估正在进行", "the same question is being run"),
                Text("等它结束，或先取消它", "Wait for it to end, or cancel it first"),
            ) from None
        append(connection, [actor.event("run.retry", f"run:{run_id}", parts=count)], now)
    return int(count)


def _nothing(run_id: int, status: str) -> RunConflict:
    return RunConflict(
        "J410",
        Text(f"第 {run_id} 次评估没有失败的部分", f"run {run_id} has no failed parts ({status})"),
        Text("只能重试部分完成或失败的评估", "Only a run that failed, wholly or partly, can be retried"),
    )
