"""``tidui worker`` with traps in its parts: ``python -m tests.workers.trapped FOLDER [--ahead SECONDS]``.

Files in the folder set the traps; the worker looks for them at each step of a part and works as ever where
there is none. ``hold-<step>`` or ``hold-<step>-<part>``: it writes its process's number into ``at-<part>``
and waits until the trap is gone. ``kill-<part>``: it kills its own process, that part in hand. ``full``: no
file may grow beyond 1 kB.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ahead", type=float, default=0.0)
    arguments = parser.parse_args()
    if arguments.ahead:
        set_ahead(arguments.ahead)

    from models.runs.part import do_part  # noqa: PLC0415  (after the clock was put forward)
    from models.settings import read_settings  # noqa: PLC0415
    from workers import tasks  # noqa: PLC0415
    from workers.command import celery_for, run_worker  # noqa: PLC0415
    from workers.queue import holder  # noqa: PLC0415

    def trapped(database: Any, settings: Any, run_id: int, part: int) -> Any:
        return do_part(database, settings, run_id, part, traps(arguments.folder, part))

    vars(tasks)["do_part"] = trapped
    celery = celery_for(read_settings())
    holder(celery).clock = lambda: datetime.now(UTC) + timedelta(seconds=arguments.ahead)
    raise SystemExit(run_worker(celery, 1, None))


def set_ahead(seconds: float) -> None:
    """This process's clock is fast."""
    now = time.time
    time.time = lambda: now() + seconds


def traps(folder: Path, part: int) -> Callable[[str], None]:
    def progress(step: str) -> None:
        if (folder / f"kill-{part}").exists() and step == "read":
            os.kill(os.getpid(), signal.SIGKILL)
        limit = 1024 if (folder / "full").exists() and step == "judged" else resource.RLIM_INFINITY
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        while any((folder / name).exists() for name in (f"hold-{step}", f"hold-{step}-{part}")):
            (folder / f"at-{part}").write_text(str(os.getpid()))
            time.sleep(0.02)

    return progress


if __name__ == "__main__":
    main()
