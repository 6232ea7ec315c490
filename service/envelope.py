"""What every answer carries: a trace id, rules for caches and browsers, and the headers of rate limits.

Done around Flask and not in it: the headers are ours and need none of the checks that adding them there
costs.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any, cast

from flask import request

Start = Callable[..., Any]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]
TRACE, HEADERS = "tidui.trace", "tidui.headers"
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""For pages. Inline styles because Swagger UI sets them; nothing may come from another host."""
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Envelope:
    """WSGI middleware. ``environ[HEADERS]`` is a list to which more may be added on the way."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._prefix = secrets.token_hex(8)
        self._count = itertools.count(1)

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID")
        if given is None or not _GIVEN.fullmatch(given):
            given = f"{self._prefix}-{next(self._count):x}"
        environ[TRACE] = given
        added: list[tuple[str, str]] = []
        environ[HEADERS] = added

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            headers.extend(added)
            headers.append(("X-Request-Id", given))
            headers.append(("X-Content-Type-Options", "nosniff"))
            _complete(headers)
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return self._application(environ, start)


def trace_id() -> str:
    """The present request's."""
    return cast(str, request.environ[TRACE])


def _complete(headers: list[tuple[str, str]]) -> None:
    known = {name.lower(): value for name, value in headers}
    if "cache-control" not in known:
        # With an ETag a browser may keep the answer but asks each time; without one it keeps nothing.
        headers.append(("Cache-Control", "private, no-cache" if "etag" in known else "no-store"))
    if "ratelimit" in known and "vary" not in known:
        headers.append(("Vary", "Authorization"))
    if known.get("content-type", "").startswith("text/html") and "content-security-policy" not in known:
        headers.append(("Content-Security-Policy", CONTENT_POLICY))
        headers.append(("Referrer-Policy", "same-origin"))
