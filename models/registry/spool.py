"""Events on their way into the chain: one file a process, a line an event, drained in batches.

A line is written before the answer leaves, so a killed process loses nothing that was answered. Whoever holds
a file's lock owns it; a file that can be locked is left over from a process that has ended, and anybody may
drain it. Draining twice is harmless: an event's id enters the chain once.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import threading
import uuid
from datetime import datetime
from pathlib import Path

import orjson

from models.registry.audit import Event, append
from models.registry.database import Database

BATCH = 500
ANEW_AT = 1 << 20
"""Bytes already in the chain at which the file is begun anew."""


class Spool:
    """One process's file. Threads may write at the same time; one at a time drains."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._prefix, self._count = uuid.uuid4().hex[:20], itertools.count(1)
        self.path, self._file = _new_file(folder)
        self._writing = threading.Lock()
        self._draining = threading.Lock()
        self._drained = 0
        self._written = 0
        self._doubtful = False  # whether the last batch may have been committed after all

    @property
    def waiting(self) -> int:
        """Bytes not yet in the chain."""
        return self._written - self._drained

    def write(self, event: Event, at: datetime) -> None:
        """Note an event. OSError if the disk will not take it, and then nothing is noted."""
        plain = _plain(event)
        plain["id"] = event.id or f"{self._prefix}-{next(self._count)}"
        plain["at"] = at
        line = orjson.dumps(plain, option=orjson.OPT_APPEND_NEWLINE)
        with self._writing:
            done = os.write(self._file, line)
            if done != len(line):
                os.ftruncate(self._file, self._written)
                raise OSError("the disk is full")
            self._written += done

    def drain(self, database: Database, now: datetime) -> int:
        """Move what waits into the chain; the number of events. Raises DatabaseAway, losing nothing.

        What is written meanwhile waits for the next time: chasing it would be a transaction for each event.
        """
        total = 0
        with self._draining:
            end = self._written
            while self._drained < end:
                events, size = _read(self._file, self._drained, end)
                first_time, self._doubtful = not self._doubtful, True
                _enter(database, events, now, first_time=first_time)
                self._doubtful = False
                self._drained += size
                total += len(events)
            self._shorten()
        return total

    def close(self) -> None:
        """Let go of the file; removed if nothing waits in it."""
        with self._draining, self._writing:
            if not self.waiting:
                self.path.unlink(missing_ok=True)
            os.close(self._file)

    def _shorten(self) -> None:
        """Go on in a new file that holds only what still waits; killed on the way, both are drained."""
        if self._drained < ANEW_AT:
            return
        with self._writing:
            rest = os.pread(self._file, self._written - self._drained, self._drained)
            try:
                path, file = _new_file(self.path.parent, rest)
            except OSError:
                return  # the disk is full: the old file goes on, until another time
            self.path.unlink(missing_ok=True)
            os.close(self._file)
            self.path, self._file, self._drained, self._written = path, file, 0, len(rest)


def _new_file(folder: Path, content: bytes = b"") -> tuple[Path, int]:
    """A file that this process owns. OSError if the disk will not take it, and then there is none."""
    while True:
        path = folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Before it was ours, another process may have found it, empty, and cleared it away.
            ours = os.fstat(file).st_nlink > 0
            if ours and os.write(file, content) != len(content):
                raise OSError("the disk is full")
        except OSError:
            path.unlink(missing_ok=True)
            os.close(file)
            raise
        if ours:
            return path, file
        os.close(file)


def drain_left_over(folder: Path, database: Database, now: datetime) -> int:
    """Take in the files of processes that have ended; the number of events found in them."""
    total = 0
    for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else ():
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            total += _drain_whole(file, database, now)
            path.unlink(missing_ok=True)
        except BlockingIOError:
            pass  # its process lives
        finally:
            os.close(file)
    return total


def _drain_whole(file: int, database: Database, now: datetime) -> int:
    start, end, total = 0, os.fstat(file).st_size, 0
    while start < end:
        events, size = _read(file, start, end)
        if not size:
            break  # half a line: its process was killed while it wrote, before any answer
        _enter(database, events, now)
        start += size
        total += len(events)
    return total


def _read(file: int, start: int, end: int) -> tuple[list[Event], int]:
    """Up to a batch of whole lines from ``start``, and how many bytes they take."""
    piece = os.pread(file, min(end - start, 1 << 20), start)
    if b"\n" not in piece:  # one very long line
        piece = os.pread(file, end - start, start)
    lines = piece.split(b"\n")[:-1][:BATCH]
    return [_event(line) for line in lines], sum(len(line) + 1 for line in lines)


def _enter(database: Database, events: list[Event], now: datetime, *, first_time: bool = False) -> None:
    with database.write() as connection:
        append(connection, events, now, first_time=first_time)


def _plain(event: Event) -> dict[str, object]:
    return {
        "actor": event.actor,
        "role": event.role,
        "client": event.client,
        "action": event.action,
        "object": event.object,
        "purpose": event.purpose,
        "before": event.before,
        "after": event.after,
        "details": event.details,
    }


def _event(line: bytes) -> Event:
    found = orjson.loads(line)
    return Event(**{**found, "at": datetime.fromisoformat(found["at"])})
