"""Giving out work to the workers: only its id goes to the queue, what it is stands in the database."""

from __future__ import annotations

from celery import Celery

from service.extension import tidui
from workers.queue import TaskName, make_celery, send


def give_out(task: TaskName, *arguments: str | int) -> bool:
    """Send a task whose row is committed. False where Redis is away or there is none: the sweep sends it."""
    kept = tidui()
    if kept.settings.redis_url is None:
        return False
    celery: Celery = kept.once("celery", lambda: make_celery(kept.settings))
    return send(celery, task, *arguments)
