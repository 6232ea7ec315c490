"""What the application keeps beside Flask: one ``Tidui`` object, and the request's view of the database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from flask import Flask, current_app, g, request
from sqlalchemy import Connection

from models.registry.database import Database
from models.registry.pulse import COUNTERS, Pulse, Stamp
from models.registry.state import State, read_state
from models.settings import Settings
from service.auditing import Auditor
from service.limits import Limiter

Made = TypeVar("Made")
Clock = Callable[[], datetime]


@dataclass
class Tidui:
    """One per application and process. Safe to share between threads."""

    settings: Settings
    database: Database
    clock: Clock
    limiter: Limiter
    auditor: Auditor
    pulse: Pulse
    _kept: dict[str, Any] = field(default_factory=dict)
    _state: State | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What ``make`` gives, made at first use and kept: ``once("assessor", lambda: Assessor(book))``."""
        if name not in self._kept:
            with self._lock:
                if name not in self._kept:
                    self._kept[name] = make()
        return cast(Made, self._kept[name])

    def state_at(self, stamp: Stamp) -> State:
        """The state of this stamp; read again only when something has changed."""
        kept = self._state
        # Corrections change firms and nothing of the state.
        if kept is None or stamp[: COUNTERS - 1] != (
            kept.edition_id,
            kept.run_id,
            kept.registry_version,
            kept.keys_version,
        ):
            kept = self._state = read_state(reading())
        return kept

    def close(self) -> None:
        """Write out what is waiting and let go of connections."""
        self.auditor.close()
        self.limiter.close()
        self.pulse.close()
        self.database.close()


def tidui() -> Tidui:
    """Of the application that answers the present request."""
    return cast(Tidui, current_app.extensions["tidui"])


def now() -> datetime:
    """The service's clock, UTC."""
    return tidui().clock()


def reading() -> Connection:
    """The request's connection for reading: opened at first use, closed with the request."""
    if "reading" not in g:
        with ExitStack() as stack:
            g.reading = stack.enter_context(tidui().database.read())
            g.reading_stack = stack.pop_all()
    return cast(Connection, g.reading)


def stamp() -> Stamp:
    """The counters this request answers from, read once, before its key is checked.

    In a route with ``<uscc>`` they hold that firm's version and district too.
    """
    kept: Stamp | None = g.get("stamp")
    if kept is None:
        uscc = (request.view_args or {}).get("uscc")
        kept = g.stamp = tidui().pulse.read(uscc if isinstance(uscc, str) else None)
    return kept


def state() -> State:
    """What look-ups see, as of the beginning of this request."""
    return tidui().state_at(stamp())


def stop_reading(_error: BaseException | None = None) -> None:
    """Give the request's connection back."""
    g.pop("reading", None)
    stack = g.pop("reading_stack", None)
    if stack is not None:
        stack.close()


def install(app: Flask, extension: Tidui) -> None:
    app.extensions["tidui"] = extension
    app.teardown_request(stop_reading)
