"""The clock: what is started when, by celery-redbeat; and ``run_beat``, which keeps it going.

Any number of beats may run: one holds a lock in Redis and works, the others wait for it. The lock of one
that was killed times out. An emptied Redis loses the schedule: the beat begins anew and writes it again.
"""

from __future__ import annotations

import logging
import signal
import time
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

from celery import Celery, shared_task
from celery.beat import Service
from celery.schedules import crontab, schedule
from redbeat import RedBeatScheduler

from models.jobs.scheduled import record
from models.runs.nightly import nightly as judge_anew
from workers.queue import holder, send

ZONE = ZoneInfo("Asia/Shanghai")
AGAIN_SECONDS = 5
"""After trouble with Redis the beat begins anew."""
log = logging.getLogger("tidui.beat")


def entries(sweep_seconds: int) -> dict[str, dict[str, Any]]:
    """Celery's ``beat_schedule``. What was not picked up in time is dropped: the next one does."""
    return {
        "sweep": {
            "task": "tidui.tick",
            "schedule": schedule(sweep_seconds),
            "options": {"expires": 2 * sweep_seconds},
        },
        "nightly": {
            "task": "tidui.nightly",
            "schedule": crontab(minute="30", hour="0"),
            "options": {"expires": 6 * 3600},
        },
    }


@shared_task(name="tidui.tick", bind=True)  # type: ignore[untyped-decorator]
def tick(task: Any) -> None:
    """A sweep at the beat's bidding, and the sign that beat, queue and worker are alive."""
    kept = holder(task.app)
    sent = send(task.app, "sweep")
    with kept.database.write() as connection:
        record(connection, "sweep", kept.clock(), {"sent": sent})


@shared_task(name="tidui.nightly", bind=True)  # type: ignore[untyped-decorator]
def nightly(task: Any) -> None:
    """Judge all firms anew where the standing is no longer that of today."""
    kept = holder(task.app)
    now = kept.clock()
    night = judge_anew(kept.database, kept.settings, today=now.astimezone(ZONE).date(), now=now)
    log.info("nightly: %s", "；".join(reason.zh for reason in night.reasons) or "nothing to do")
    if night.begun is not None:
        send(task.app, "sweep")


def run_beat(celery: Celery) -> int:
    """Work, or wait for the one that does, until SIGTERM or Ctrl-C; the exit code."""
    celery.conf.beat_schedule = entries(holder(celery).settings.sweep_seconds)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    while True:
        try:
            Service(celery, scheduler_cls=RedBeatScheduler).start()
            return 0
        except SystemExit:
            return 0
        except Exception as error:  # of Redis: away, restarted, emptied; the schedule is written anew
            log.warning("the beat lost Redis or its lock and begins anew: %s", error)
        try:
            time.sleep(AGAIN_SECONDS)
        except SystemExit:
            return 0


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
