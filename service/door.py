"""The door for OpenRefine and other web clients: tickets in the path, and CORS for ``/v1/reconcile``.

Around Flask, so that routes, their marks and links know nothing of it: ``/r/<ticket>/v1/reconcile`` is
``/v1/reconcile`` mounted under ``/r/<ticket>`` (WSGI's SCRIPT_NAME), and ``environ[TICKET]`` is the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from service.envelope import Application, Start
from service.tickets import FOLDER

TICKET = "tidui.ticket"
INSIDE = "/v1/reconcile"
_TICKETED = re.compile(re.escape(FOLDER) + rf"([A-Za-z0-9_-]{{1,200}})({INSIDE}(?:/.*)?)")
CORS = (
    (
        "Access-Control-Allow-Origin",
        "*",
    ),  # no cookies are read: a page learns nothing without a key or ticket
    ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Purpose"),
    ("Access-Control-Expose-Headers", "Retry-After, RateLimit, RateLimit-Policy, X-Request-Id"),
    ("Access-Control-Max-Age", "600"),
)


class Door:
    """WSGI middleware."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        ticketed = _TICKETED.fullmatch(path) if path.startswith(FOLDER) else None
        if ticketed:
            environ[TICKET], path = ticketed[1], ticketed[2]
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + FOLDER + ticketed[1]
            environ["PATH_INFO"] = path
        if path != INSIDE and not path.startswith(INSIDE + "/"):
            return self._application(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            headers.extend(CORS)
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return self._application(environ, start)
