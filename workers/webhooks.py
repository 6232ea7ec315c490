"""``tidui.deliver``: one message to one webhook; and giving out those whose time has come."""

from __future__ import annotations

from typing import Any

from celery import Celery, shared_task

from models.webhooks.announcing import give_out
from models.webhooks.delivering import deliver as send_message
from workers.queue import holder, send


@shared_task(name="tidui.deliver", bind=True)  # type: ignore[untyped-decorator]
def deliver(task: Any, delivery_id: str) -> None:
    """Send a message once. What comes of it is written down; the sweep sends it again when it is time."""
    kept = holder(task.app)
    send_message(kept.database, delivery_id, allowed=kept.settings.webhook_networks)


def give_out_messages(celery: Celery) -> int:
    """Part of the sweep, and at the end of a run that became the standing: how many were given out."""
    ids = give_out(holder(celery).database)
    for id_ in ids:
        send(celery, "deliver", id_)
    return len(ids)
