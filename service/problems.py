"""RFC 9457: every refusal is ``application/problem+json`` with a stable code, or a page for a browser
outside /v1.

Titles come from seeds/problems.yaml, which ``/docs/problems`` shows; ``type`` points there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
import yaml
from flask import Flask, Response, make_response, render_template, request
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from models.errors import Text, TiduiError
from models.registry.database import DatabaseAway
from models.seeds import seed
from service.envelope import trace_id
from service.fields import FieldProblem, FieldsRefused, field_problems
from service.limits import LimitReached

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
log = logging.getLogger("tidui.service")


@dataclass(frozen=True)
class Known:
    """A code in the catalogue."""

    code: str
    status: int
    title: Text
    hint: Text


@cache
def catalogue() -> Mapping[str, Known]:
    """Every code a caller can meet, from seeds/problems.yaml."""
    raw = yaml.safe_load(seed("problems.yaml").read_text(encoding="utf-8"))
    return {
        code: Known(code, it["status"], Text(it["zh"], it["en"]), Text(it["hint_zh"], it["hint_en"]))
        for code, it in raw.items()
    }


@dataclass(frozen=True)
class Problem:
    """One refusal as it is answered."""

    status: int
    code: str
    detail: Text | None = None
    hint: Text | None = None
    place: str | None = None
    errors: Sequence[FieldProblem] = ()
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> dict[str, Any]:
        return self.told(request.path.encode("utf-8", "replace").decode(), trace_id())

    def told(self, instance: str, trace: str) -> dict[str, Any]:
        """The body, for the path ``instance``."""
        known = catalogue().get(self.code) or catalogue()[f"H{self.status}"]
        hint = self.hint or known.hint
        body: dict[str, Any] = {
            "type": f"/docs/problems#{known.code}",
            "title": known.title.zh,
            "title_en": known.title.en,
            "status": self.status,
            "code": self.code,
            "detail": (self.detail or known.title).zh,
            "detail_en": (self.detail or known.title).en,
            "hint": hint.zh,
            "hint_en": hint.en,
            "instance": instance,
            "trace_id": trace,
        }
        if self.place is not None:
            body["place"] = self.place
        if self.errors:
            body["errors"] = [error.plain for error in self.errors]
        return body

    def response(self) -> Response:
        body = self.plain
        if _wants_page():
            response = make_response(render_template("problem.html", problem=body), self.status)
        else:
            response = Response(orjson.dumps(body), self.status, content_type=MEDIA_TYPE)
        response.headers.extend(self.headers)
        return response


def install(app: Flask) -> None:
    """Answer every exception of the application; after flask-smorest, whose handler this replaces."""
    app.register_error_handler(TiduiError, _of_tidui)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _of_fault)


def _of_tidui(error: TiduiError) -> Response:
    headers: tuple[tuple[str, str], ...] = ()
    if error.status == 401 and not getattr(error, "headers", ()):
        headers = (("WWW-Authenticate", 'Bearer realm="tidui"'),)
    elif isinstance(error, LimitReached):
        headers = (("Retry-After", str(error.standing.reset)),)
    elif error.status == 503:
        headers = (("Retry-After", str(RETRY_SECONDS)),)
    elif error.status >= 500:
        log.error("%s %s", error.code, error.message.en, exc_info=error, extra={"trace_id": trace_id()})
    headers += tuple(getattr(error, "headers", ()))
    # Where a fault of ours lies (a file, a line of a pack) is for the log, not for the caller.
    place = error.place if error.status < 500 else None
    fields = error.problems if isinstance(error, FieldsRefused) else ()
    return Problem(error.status, error.code, error.message, error.hint, place, fields, headers).response()


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None and status < 400:
        return make_response(error.response)  # a redirect
    messages = getattr(error, "data", {}).get("messages")
    if messages:
        problems = field_problems(messages)
        return _of_tidui(FieldsRefused(problems))
    headers = tuple(
        (name, value)
        for name, value in error.get_headers(request.environ)
        if name.lower() in {"allow", "retry-after", "www-authenticate", "content-range"}
    )
    return Problem(status, f"H{status}", headers=headers).response()


def _of_fault(error: Exception) -> Response:
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        return _of_tidui(
            DatabaseAway(
                "D001",
                Text("数据库暂时不能使用，请稍后再试", "the database cannot be used just now"),
                Text("几秒后重试；仍不行请联系管理员", "Try again in a few seconds"),
            )
        )
    log.error("unforeseen", exc_info=error, extra={"trace_id": trace_id()})
    return Problem(500, "H500").response()


def _wants_page() -> bool:
    if request.path.startswith("/v1/"):
        return False
    return request.accept_mimetypes.best_match([MEDIA_TYPE, "application/json", "text/html"]) == "text/html"
