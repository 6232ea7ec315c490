"""Timing of whole commands: wall time and peak memory of a child process, the best of a few runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
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


def _once(command: Sequence[str]) -> Run:
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stderr is not None
        said = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if child.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {child.returncode}\n{said.decode()}")
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Run(seconds, kilobytes / 1e6)


def tidui(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("tidui")), *arguments]


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]
