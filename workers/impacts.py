"""``tidui.impact``: one registry under two sets of rules; and giving out those that wait."""

from __future__ import annotations

from typing import Any

from celery import Celery, shared_task

from models.impacts.jobs import do_impact, open_impacts
from workers.queue import IMPORT_SECONDS, holder, send


@shared_task(name="tidui.impact", bind=True, time_limit=IMPORT_SECONDS)  # type: ignore[untyped-decorator]
def impact(task: Any, impact_id: str) -> None:
    """Work out an impact, unless another has it or it is done."""
    kept = holder(task.app)
    do_impact(kept.database, kept.settings, impact_id, kept.clock)


def give_out_impacts(celery: Celery) -> int:
    """Part of the sweep: how many were given out."""
    kept = holder(celery)
    ids = open_impacts(kept.database, kept.clock)
    for id_ in ids:
        send(celery, "impact", id_)
    return len(ids)
