"""Doing the work of runs in a test, as a worker would."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from models.registry.database import Database
from models.registry.job_tables import run_part
from models.runs.finish import finish_run
from models.runs.part import do_part
from models.runs.sweep import sweep
from models.settings import Settings


def work(database: Database, settings: Settings, now: datetime, *, most: int | None = None) -> None:
    """Do all parts that wait and the finishes they lead to; or ``most`` parts and no finish."""
    asked = select(run_part.c.run_id, run_part.c.part).where(run_part.c.status == "queued")
    with database.read() as connection:
        waiting = connection.execute(asked.order_by(run_part.c.run_id, run_part.c.part)).all()
    for run_id, part in waiting[:most]:
        do_part(database, settings, run_id, part)
    if most is None:
        for name, arguments in sweep(database, settings):
            if name == "run_finish":
                finish_run(database, settings, int(arguments[0]), now)
