"""A worker that ``tidui serve`` started ends with it, also where its own stopping hangs.

The kernel sends SIGTERM when the supervisor is killed, but Redis goes at the same moment, and Celery's
stopping can then wait for it for ever. What was at work is taken up by another: parts have leases.
"""

from __future__ import annotations

import os
import signal
import threading
import time

STARTED_BY = "TIDUI_STARTED_BY"
"""Names the process that started us, where it wants us to end with it."""
GRACE = 10.0
"""Seconds to stop by ourselves."""
_LOOK_EVERY = 1.0


def end_with_parent() -> None:
    """Watch the process that started us, if it is named; end our process group soon after it has gone."""
    parent = int(os.environ.get(STARTED_BY, "0"))
    if parent and os.getppid() == parent:
        threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    time.sleep(GRACE)
    os.killpg(os.getpgrp(), signal.SIGKILL)
