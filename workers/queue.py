"""The Celery application: a broker on Redis, with settings that survive a killed worker (design.md §6)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any, Literal

from celery import Celery
from celery.signals import worker_process_init
from kombu.exceptions import OperationalError

from models.registry.database import Database
from models.settings import Settings

QUEUE = "tidui"
PART_SECONDS = 120
"""A part that takes longer is stopped; it is made to take 60 at most."""
IMPORT_SECONDS = 3_600
VISIBILITY_SECONDS = 2 * IMPORT_SECONDS
"""Well above the longest task: one still at work must not be given out again. Work whose worker died comes
back by its lease, long before."""

TaskName = Literal[
    "run_part",
    "run_finish",
    "upload_check",
    "upload_errors",
    "upload_import",
    "impact",
    "deliver",
    "train",
    "sweep",
    "nightly",
]
log = logging.getLogger("tidui.queue")


@dataclass
class Holder:
    """What the tasks of one process share. Its database opens at first use: in the child, after the fork."""

    settings: Settings
    database: Database
    clock: Callable[[], datetime]


def make_celery(settings: Settings) -> Celery:
    """The application for these settings; tasks find a :class:`Holder` at ``self.app.tidui``."""
    celery = Celery(
        "tidui",
        broker=_broker(settings.redis_url),
        include=_modules(),
        set_as_current=False,
    )
    celery.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        accept_content=["json"],
        task_time_limit=PART_SECONDS,
        worker_prefetch_multiplier=1,
        worker_max_memory_per_child=1_500_000,  # kB; a child keeps the most it ever needed
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # Redis may be away for hours; then work goes on
        broker_transport_options={
            "visibility_timeout": VISIBILITY_SECONDS,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_keepalive": True,
            "socket_connect_timeout": 2,
        },
        redbeat_redis_url=settings.redis_url,
        redbeat_redis_options={"health_check_interval": 30},
        redbeat_key_prefix="tidui:beat:",
        redbeat_lock_timeout=60,
        beat_max_loop_interval=5,
        timezone="Asia/Shanghai",
    )
    celery.tidui = Holder(settings, Database(settings.database_url, pool_size=2), lambda: datetime.now(UTC))
    return celery


def _broker(url: str | None) -> str | None:
    """Redis's URL as kombu writes it: it has a word of its own for a socket."""
    return url.replace("unix://", "redis+socket://", 1) if url and url.startswith("unix://") else url


def _modules() -> list[str]:
    """Where tasks stand, as far as these parts are there."""
    names = ("tasks", "uploads", "impacts", "webhooks", "trainings", "schedule")
    return [f"workers.{name}" for name in names if find_spec(f"workers.{name}")]


def send(celery: Celery, task: TaskName, *arguments: str | int) -> bool:
    """Give out work. False where Redis is away: its row is in the database, the sweep gives it out later."""
    try:
        celery.send_task(f"tidui.{task}", arguments, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("Redis is away, %s%r waits for the sweep: %s", task, arguments, error)
        return False
    return True


def holder(celery: Celery) -> Holder:
    """What :func:`make_celery` put there."""
    kept: Holder = celery.tidui
    return kept


@worker_process_init.connect(weak=False)  # type: ignore[untyped-decorator]
def _child_started(sender: Any = None, **_: Any) -> None:
    """A child of the pool must not use a connection that its parent opened."""
    from celery import current_app  # noqa: PLC0415  (of the child)

    if isinstance(kept := getattr(current_app, "tidui", None), Holder):
        kept.database.forget()
