"""A process whose parent is killed ends by force where it will not end by itself."""

from __future__ import annotations

import subprocess
import sys

import psutil

_CHILD = """
import signal, time
from workers import orphaned
orphaned.GRACE = 1
signal.signal(signal.SIGTERM, signal.SIG_IGN)
orphaned.end_with_parent()
print("ready", flush=True)
time.sleep(600)
"""
_PARENT = """
import os, subprocess, sys, time
from workers.orphaned import STARTED_BY
env = {**os.environ, STARTED_BY: str(os.getpid())}
child = subprocess.Popen(
    [sys.executable, "-c", sys.argv[1]], env=env, start_new_session=True, stdout=subprocess.PIPE
)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_child_that_hears_no_signal_ends_after_its_parent() -> None:
    command = [sys.executable, "-c", _PARENT, _CHILD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
    gone, alive = psutil.wait_procs([child], timeout=30)
    assert gone
    assert not alive
