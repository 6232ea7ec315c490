"""Noting who looked up or changed what: ``record`` for look-ups, ``record_in`` for changes.

A look-up's record goes to this process's spool before the answer leaves and enters the chain half a second
later; a change's record is part of the change's own transaction.
"""

from __future__ import annotations

import logging
import os
import threading
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import current_app, g, request
from sqlalchemy import Connection

from models.errors import Text, TiduiError
from models.registry.audit import Actor, Event, append
from models.registry.database import Database, DatabaseAway
from models.registry.spool import Spool, drain_left_over

DRAIN_SECONDS = 0.5
LEFT_OVER_SECONDS = 30.0
PURPOSE_LENGTH = 500
log = logging.getLogger("tidui.audit")


class AuditAway(TiduiError):
    """The look-up cannot be recorded, so it is not answered."""

    status = 503


def actor(purpose: str | None = None) -> Actor:
    """The present caller, for functions of models/ that write their own audit records."""
    who = g.caller
    return Actor(f"key:{who.id}", who.role, who.client, purpose if purpose is not None else stated_purpose())


def record(
    action: str,
    object: str,
    /,
    *,
    purpose: str | None = None,
    before: str | None = None,
    after: str | None = None,
    **details: Any,
) -> None:
    """Note a look-up, durably, before it is answered. AuditAway (A001) if that is impossible."""
    extension = current_app.extensions["tidui"]
    event = actor(purpose).event(action, object, before, after, **details)
    extension.auditor.note(event, extension.clock())


def record_in(
    connection: Connection,
    action: str,
    object: str,
    /,
    *,
    purpose: str | None = None,
    before: str | None = None,
    after: str | None = None,
    **details: Any,
) -> None:
    """Note a change in its own transaction. Do it last: it locks the chain until the transaction ends."""
    event = actor(purpose).event(action, object, before, after, **details)
    append(connection, [event], current_app.extensions["tidui"].clock())


def stated_purpose() -> str:
    """What the header ``X-Purpose`` says: UTF-8, percent-encoded or bare; empty if it says nothing."""
    given: str = request.environ.get("HTTP_X_PURPOSE", "")
    if not given:
        return ""
    # WSGI hands headers over as Latin-1; what was UTF-8 on the wire is read back as such.
    raw = unquote_to_bytes(given.encode("latin-1", "replace"))
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = ""
    if not text or len(text) > PURPOSE_LENGTH or "\0" in text:
        raise PurposeRefused(
            "R413",
            Text("请求头 X-Purpose 应为 1～500 字的 UTF-8 文字", "X-Purpose: 1 to 500 characters of UTF-8"),
            Text("中文可用百分号编码", "Percent-encode what is not ASCII"),
        )
    return text


class PurposeRefused(TiduiError):
    """The stated purpose cannot be read."""


class Auditor:
    """The process's spool and the thread that empties it, both made at first use (so after a fork)."""

    def __init__(self, folder: Path, database: Database, clock: Any) -> None:
        self._folder = folder
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._pid = 0
        self._spool: Spool | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, event: Event, at: datetime) -> None:
        try:
            self._started().write(event, at)
        except OSError as error:
            raise AuditAway(
                "A001",
                Text(
                    "查询记录写不下来，按规定不能答复",
                    "the look-up cannot be recorded, so it is not answered",
                ),
                Text("请联系管理员检查磁盘", "Ask the administrator to look at the disk"),
            ) from error

    def flush(self) -> None:
        """Everything noted so far is in the chain when this returns. Raises DatabaseAway."""
        if self._spool is not None:
            self._spool.drain(self._database, self._clock())

    def start(self) -> None:
        """Begin to drain, also what earlier processes left over."""
        self._started()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        if self._spool is not None:
            try:
                self.flush()
            except DatabaseAway:
                log.warning("audit records stay in %s until the next start", self._spool.path)
            self._spool.close()
            self._spool = None

    def _started(self) -> Spool:
        if self._spool is None or self._pid != os.getpid():
            with self._lock:
                if self._spool is None or self._pid != os.getpid():
                    self._stop.clear()
                    self._spool = Spool(self._folder)
                    self._pid = os.getpid()
                    self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
                    self._thread.start()
        return self._spool

    def _run(self) -> None:
        since = LEFT_OVER_SECONDS
        while not self._stop.wait(DRAIN_SECONDS):
            since += DRAIN_SECONDS
            try:
                self.flush()
                if since >= LEFT_OVER_SECONDS:
                    drain_left_over(self._folder, self._database, self._clock())
                    since = 0.0
            except DatabaseAway:
                continue  # it waits in the file
            except Exception:
                log.exception("audit records could not be drained; they wait in the spool")
