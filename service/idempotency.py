"""``@idempotent``: a POST that may be sent again. Same key and body: the same answer, and the work is done
once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, Response, make_response, request

from models.errors import Text, TiduiError
from models.registry.idempotency import Claim, Stored, begin, finish, release
from service.auditing import record
from service.extension import now, stop_reading, tidui
from service.security import caller, view_of

View = TypeVar("View", bound=Callable[..., Any])
KEY_LENGTH = 255
KEPT_HEADERS = ("Content-Type", "Location", "ETag")


class KeyMissing(TiduiError):
    """The call needs an Idempotency-Key, or has one that cannot be used."""


def idempotent(*, required: bool = False, streamed: bool = False) -> Callable[[View], View]:
    """Mark a view. Its 2xx answers are kept for a day; after an error the key may be used again.

    ``streamed``: the view reads its body by itself, too large to be held, and calls :func:`once`.
    """

    def mark(view: View) -> View:
        view.__dict__.update(
            tidui_idempotent="streamed" if streamed else "required" if required else "optional"
        )
        return view

    return mark


def install(app: Flask) -> None:
    """Wrap the marked views, outside all their other decorators."""
    for rule in app.url_map.iter_rules():
        wanted = getattr(view_of(app, rule.endpoint, "POST"), "tidui_idempotent", None)
        view = app.view_functions[rule.endpoint]
        if wanted not in (None, "streamed") and not hasattr(view, "tidui_wrapped"):
            app.view_functions[rule.endpoint] = _wrapped(view, required=wanted == "required")


def _wrapped(view: Callable[..., Any], *, required: bool) -> Callable[..., Any]:
    @wraps(view)
    def call(**arguments: Any) -> Any:
        key = _key(required)
        if request.method != "POST" or key is None:
            return view(**arguments)
        return _claimed(view, arguments, key, _request_hash(request.get_data(cache=True)))

    call.__dict__["tidui_wrapped"] = True
    return call


def once(body_hash: str, work: Callable[[], Response]) -> Response:
    """Do the work of a ``streamed`` view whose body had this hash, or answer as it was answered before."""
    key = _key(required=False)
    return work() if key is None else _claimed(work, {}, key, _request_hash(body_hash.encode()))


def _claimed(view: Callable[..., Any], arguments: dict[str, Any], key: str, request_hash: str) -> Response:
    claim = begin(tidui().database, caller().id, key, request_hash, now())
    return _replayed(claim) if isinstance(claim, Stored) else _worked(view, arguments, claim)


def _worked(view: Callable[..., Any], arguments: dict[str, Any], claim: Claim) -> Response:
    database = tidui().database
    try:
        response = make_response(view(**arguments))
    except BaseException:
        release(database, claim)
        raise
    stop_reading()
    if not 200 <= response.status_code < 300:
        release(database, claim)
        return response
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    finish(database, claim, Stored(response.status_code, headers, response.get_data()))
    return response


def _replayed(stored: Stored) -> Response:
    record("idempotency.replay", request.path)  # what it shows may be about firms: a look-up like any other
    response = Response(stored.body, stored.status, headers=dict(stored.headers))
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _key(required: bool) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None and not required:
        return None
    if not key or len(key) > KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise KeyMissing(
            "I400",
            Text(
                "需要请求头 Idempotency-Key：1～255 个可见字符，例如一个 UUID",
                "the header Idempotency-Key is needed: 1 to 255 visible characters, a UUID for example",
            ),
            Text(
                "重试同一请求时用同一个键，就不会重复办理", "Use the same key when you retry the same request"
            ),
        )
    return key


def _request_hash(body: bytes) -> str:
    parts = (request.method, request.full_path, request.mimetype)
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass"))
    digest.update(b"\n" + body)
    return digest.hexdigest()
