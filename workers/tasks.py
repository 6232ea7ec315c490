"""Thin tasks: a message says which row, the row says what is to be done, models do it.

Tasks of other kinds of work stand in modules of their own (``workers.uploads``, ``impacts``, ``webhooks``,
``schedule``), as ``tidui.<name>``. What of theirs is to be given out by the sweep they offer as a function
``give_out_…(celery)``, listed in :data:`GIVING_OUT`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from celery import Celery, shared_task

from models.errors import TiduiError
from models.runs.finish import FINISH_SECONDS, finish_run
from models.runs.part import do_part
from models.runs.sweep import Work, give_out, sweep
from workers.queue import holder, send

GIVING_OUT = {
    "workers.uploads": "give_out_uploads",
    "workers.impacts": "give_out_impacts",
    "workers.webhooks": "give_out_messages",
    "workers.trainings": "give_out_trainings",
}
"""Module → its function that gives out what is due; returns how many."""
log = logging.getLogger("tidui.tasks")


@shared_task(name="tidui.run_part", bind=True)  # type: ignore[untyped-decorator]
def run_part(task: Any, run_id: int, part: int) -> None:
    """Do a part of a run, unless another has it; then give out what comes next."""
    kept = holder(task.app)
    try:
        done = do_part(kept.database, kept.settings, run_id, part)
    except TiduiError as error:
        log.error("part %s of run %s: %s", part, run_id, error)
        return
    if done is None:
        return
    log.info("part %s of run %s: %s firms, %s moved", part, run_id, done.firms, done.moved)
    if done.last:
        send(task.app, "run_finish", run_id)
    else:
        send_all(task.app, give_out(kept.database, kept.settings, run_id))


@shared_task(name="tidui.run_finish", bind=True, time_limit=FINISH_SECONDS)  # type: ignore[untyped-decorator]
def run_finish(task: Any, run_id: int) -> None:
    """End a run whose parts have ended; who subscribed is told by what the sweep gives out."""
    kept = holder(task.app)
    finished = finish_run(kept.database, kept.settings, run_id, kept.clock())
    if finished is None:
        return
    log.info("run %s: %s%s", run_id, finished.status, ", the standing" if finished.stood else "")
    if finished.stood:
        _give_out_others(task.app)


@shared_task(name="tidui.sweep", bind=True)  # type: ignore[untyped-decorator]
def sweep_all(task: Any) -> None:
    """Give out work that waits and work that was lost."""
    kept = holder(task.app)
    send_all(task.app, sweep(kept.database, kept.settings))
    _give_out_others(task.app)


def send_all(celery: Celery, works: Iterable[Work]) -> None:
    for name, arguments in works:
        if not send(celery, name, *arguments):
            return  # Redis is away; these rows are named again when their time is up


def _give_out_others(celery: Celery) -> None:
    """Of the other kinds of work; trouble with one does not hold up the next."""
    for give in _others():
        try:
            give(celery)
        except TiduiError as error:
            log.error("%s: %s", give.__name__, error)


def _others() -> list[Callable[[Celery], int]]:
    found = {name: function for name, function in GIVING_OUT.items() if find_spec(name)}
    return [getattr(import_module(name), function) for name, function in found.items()]
