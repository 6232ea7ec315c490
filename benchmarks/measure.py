"""Timing of whole commands: wall time and peak memory of a child process, the best of a few runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Run:
    """One command: seconds on the clock, gigabytes at the peak."""

    seconds: float
    gigabytes: float


def run(command: Sequence[str], times: int = 1) -> Run:
    """Run a command ``times`` times; the quickest run and the largest memory."""
    return _best([_once(command) for _ in range(times)])


def in_turn(*commands: Sequence[str], times: int) -> list[Run]:
    """The same for several commands, run in turn, so that what else the machine does falls on all."""
    rounds = [[_once(command) for command in commands] for _ in range(times)]
    return [_best(runs) for runs in zip(*rounds, strict=True)]


def _best(runs: Sequence[Run]) -> Run:
    return Run(min(r.seconds for r in runs), max(r.gigabytes for r in runs))


# Between the benchmark and the command, for Linux counts what its parent held to a child's peak memory.
_LAUNCHER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
seconds = time.perf_counter() - started
print(json.dumps([seconds, usage.ru_maxrss, os.waitstatus_to_exitcode(status)]))
"""


def _once(command: Sequence[str]) -> Run:
    done = subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCHER, *command],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, kilobytes, code = json.loads(done.stdout)
    if code:
        raise SystemExit(f"{' '.join(command)}: exit {code}\n{done.stderr}")
    return Run(seconds, kilobytes / (1024 if sys.platform == "darwin" else 1) / 1e6)


def tidui(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("tidui")), *arguments]


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]
