"""A run's progress as server-sent events: what stands now, then every change, then the end.

A stream holds a thread of its process and nothing else: it reads the database for a moment every second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from models.errors import Text
from models.registry.database import DatabaseAway
from service.places import Places

Report = dict[str, Any]
STREAMS = 2
"""Streams at once in a process of four threads."""
STREAM_PLACES = (
    "J503",
    Text("这个进程的进度流已满", "all streams of this process are taken"),
    Text("稍后再试，或改为轮询 GET /v1/runs/编号", "Try again, or poll GET /v1/runs/{id}"),
)
FINAL = frozenset({"succeeded", "partly_succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between looks, between heartbeats when nothing changes, until the client must come again."""

    look: float = 1.0
    heartbeat: float = 15.0
    longest: float = 300.0


def places() -> Places:
    return Places(STREAMS, *STREAM_PLACES)


def event_id(report: Report) -> str:
    """The same as long as nothing that counts has changed."""
    parts = report["parts"]
    return "-".join(str(number) for number in (report["status"], report["done"], *parts.values()))


def events(read: Callable[[], Report], first: Report, last_id: str | None, pace: Pace) -> Iterator[bytes]:
    """``progress`` whenever something has changed, ``end`` once. ``last_id``: what the client has seen."""
    wait = threading.Event().wait
    seen, report, quiet = last_id, first, 0.0
    yield b"retry: 3000\n\n"
    for _ in range(round(pace.longest / pace.look)):
        if event_id(report) != seen or report["status"] in FINAL:
            seen, quiet = event_id(report), 0.0
            yield _event(report, seen)
            if report["status"] in FINAL:
                return
        wait(pace.look)
        quiet += pace.look
        if quiet >= pace.heartbeat:
            quiet = 0.0
            yield b": heartbeat\n\n"
        report = _again(read, report)


def _again(read: Callable[[], Report], before: Report) -> Report:
    try:
        return read()
    except DatabaseAway:
        return before  # it comes back, or the client's next call is told


def _event(report: Report, id: str) -> bytes:
    kind = "end" if report["status"] in FINAL else "progress"
    return f"event: {kind}\nid: {id}\ndata: ".encode() + orjson.dumps(report) + b"\n\n"
