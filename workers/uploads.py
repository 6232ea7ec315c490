"""``tidui.upload_…``: check, write the error workbook, import; and giving out uploads that wait.

A message says that an upload waits, not which one is taken: that is whose turn it is. :data:`ANY` is the
sweep's: whoever gets it takes one and passes it on while more wait, so that an emptied Redis loses nothing.
"""

from __future__ import annotations

from typing import Any

from celery import Celery, shared_task

from models.uploads.check import check_next, write_errors
from models.uploads.confirm import import_next
from models.uploads.examine import AT_ONCE
from models.uploads.left_over import clear_left_over
from models.uploads.remove import due
from models.uploads.rows import Upload
from models.uploads.turns import CHECK, IMPORT, Work
from workers.queue import IMPORT_SECONDS, TaskName, holder, send

ANY = "*"
CHECK_SECONDS = 1_200
"""Above the limit of the child that reads the file."""


@shared_task(name="tidui.upload_check", bind=True, time_limit=CHECK_SECONDS)  # type: ignore[untyped-decorator]
def upload_check(task: Any, upload_id: str = ANY) -> None:
    """Check the upload whose turn it is."""
    kept = holder(task.app)
    done = check_next(kept.database, kept.settings)
    if done is None:
        return
    if _large(done):
        send(task.app, "upload_errors", done.id)
    if upload_id == ANY and due(kept.database, CHECK).waiting:
        send(task.app, "upload_check", ANY)


@shared_task(name="tidui.upload_errors", bind=True, time_limit=IMPORT_SECONDS)  # type: ignore[untyped-decorator]
def upload_errors(task: Any, upload_id: str) -> None:
    """Write the error workbook of a file too large to have it written with the check."""
    kept = holder(task.app)
    write_errors(kept.database, kept.settings, upload_id)


@shared_task(name="tidui.upload_import", bind=True, time_limit=IMPORT_SECONDS)  # type: ignore[untyped-decorator]
def upload_import(task: Any, upload_id: str = ANY) -> None:
    """Import the confirmed upload whose turn it is."""
    kept = holder(task.app)
    done = import_next(kept.database, kept.settings, kept.clock)
    if done is not None and upload_id == ANY and due(kept.database, IMPORT).waiting:
        send(task.app, "upload_import", ANY)


def give_out_uploads(celery: Celery) -> int:
    """Part of the sweep: start on uploads that wait though workers could be at them; how many those are."""
    kept = holder(celery)
    clear_left_over(kept.database, kept.settings)
    works: tuple[tuple[TaskName, Work, int], ...] = (
        ("upload_check", CHECK, max(1, kept.settings.workers)),
        ("upload_import", IMPORT, 1),  # of a registry there is one import at a time
    )
    total = 0
    for task, work, enough in works:
        waiting, at_work = due(kept.database, work)
        if waiting and at_work < enough:  # else messages are on their way, and more would pile up
            send(celery, task, ANY)
        total += waiting
    return total


def _large(done: Upload) -> bool:
    report = done.report
    return report is not None and report["counts"]["rows"] * len(report["columns"]) > AT_ONCE
