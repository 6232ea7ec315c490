"""The worker and the beat that ``tidui serve`` brings along: started with it, and anew when one ends."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from service.processes import Child

AGAIN_SECONDS = 2.0
"""Before one that ended is started again; doubled each time it ends soon, up to:"""
AGAIN_AT_MOST = 60.0
LONG_ENOUGH = 60.0
"""One that ran so long had begun well."""
LOG_BYTES = 10 * 1024**2
log = logging.getLogger("tidui.serve")


@dataclass
class _Kept:
    """One process that is to be there."""

    name: str
    command: Sequence[str]
    log: Path
    child: Child | None = None
    started: float = 0.0
    pause: float = AGAIN_SECONDS

    def tend(self, environment: Mapping[str, str], now: float) -> None:
        """Start it if it does not run and its pause is over."""
        if self.child is not None and self.child.running:
            return
        if self.child is None or now >= self.started + self.pause:
            if self.child is not None:
                log.warning("%s ended (%s) and is started again", self.name, self.child.process.returncode)
            self._start(environment, now)

    def _start(self, environment: Mapping[str, str], now: float) -> None:
        again = self.child is not None
        soon = now - self.started < LONG_ENOUGH
        self.pause = min(self.pause * 2, AGAIN_AT_MOST) if again and soon else AGAIN_SECONDS
        command = [sys.executable, "-m", "models.cli", *self.command]
        self.child = Child.start(self.name, command, environment=environment, log=_fresh(self.log))
        self.started = now


@dataclass
class Background:
    """``processes`` 0: neither worker nor beat."""

    processes: int
    folder: Path
    """Where their logs go."""
    environment: Mapping[str, str]
    _kept: list[_Kept] = field(default_factory=list)

    def start(self) -> None:
        if self.processes:
            self.folder.mkdir(parents=True, exist_ok=True)
            worker = ("worker", "--processes", str(self.processes))
            self._kept = [
                _Kept("worker", worker, self.folder / "worker.log"),
                _Kept("beat", ("beat",), self.folder / "beat.log"),
            ]
            self.tend()

    def tend(self) -> None:
        """Call now and then: what ended is started again."""
        for one in self._kept:
            one.tend(self.environment, time.monotonic())

    @property
    def children(self) -> list[Child]:
        return [one.child for one in self._kept if one.child is not None]


def _fresh(path: Path) -> Path:
    """A log that has grown large makes way; the one before it goes."""
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".1.log"))
    return path
