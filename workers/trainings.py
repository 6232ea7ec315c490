"""``tidui.train``: a model trained on an edition; and giving out those that wait."""

from __future__ import annotations

from typing import Any

from celery import Celery, shared_task

from models.trainings.jobs import do_training, open_trainings
from workers.queue import IMPORT_SECONDS, holder, send


@shared_task(name="tidui.train", bind=True, time_limit=IMPORT_SECONDS)  # type: ignore[untyped-decorator]
def train(task: Any, training_id: str) -> None:
    """Train a model, unless another worker does or it is done."""
    kept = holder(task.app)
    do_training(kept.database, kept.settings, training_id, kept.clock)


def give_out_trainings(celery: Celery) -> int:
    """Part of the sweep: how many were given out."""
    kept = holder(celery)
    ids = open_trainings(kept.database, kept.clock)
    for id_ in ids:
        send(celery, "train", id_)
    return len(ids)
