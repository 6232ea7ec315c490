"""Every worker asks for a sweep when it starts and every so many seconds after.

Its own timer does it, not the beat: an emptied or restarted Redis loses the beat's schedule, not this.
"""

from __future__ import annotations

from typing import Any

from celery import Celery, bootsteps

from workers.queue import holder, send


class Sweeping(bootsteps.StartStopStep):  # type: ignore[misc]
    """Begins anew whenever the connection to Redis was lost."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        celery: Celery = parent.app
        send(celery, "sweep")
        self.timer = parent.timer.call_repeatedly(
            holder(celery).settings.sweep_seconds, send, (celery, "sweep")
        )

    def stop(self, parent: Any) -> None:
        if timer := getattr(self, "timer", None):
            timer.cancel()
