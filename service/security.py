"""Who may call what: every view says its scope by ``@needs`` or that it is open by ``@public``.

The marks are read when the application is made; a view without one stops it from starting. What they ask for
is checked before the view and before its arguments are read, in whatever order decorators stand.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import Flask, Request, g, request

from models.errors import Text, TiduiError
from models.registry import keys
from models.registry.secrets import pepper as read_pepper
from service.door import TICKET
from service.envelope import HEADERS
from service.extension import Tidui, reading, stamp, tidui
from service.limits import Kind, LimitReached
from service.tickets import Ticket, read_ticket

View = TypeVar("View", bound=Callable[..., Any])
CACHED_KEYS = 10_000
BASIC = (("WWW-Authenticate", 'Bearer realm="tidui"'), ("WWW-Authenticate", 'Basic realm="tidui"'))


class NotAuthenticated(TiduiError):
    """No key, or one that does not hold. ``headers``: how one is sent, where it is not Bearer alone."""

    status = 401
    headers: tuple[tuple[str, str], ...] = ()


class NotAllowed(TiduiError):
    """The key holds, but not for this."""

    status = 403


@dataclass(frozen=True)
class Caller:
    """Whose request this is. ``district`` None: sees all districts."""

    id: str
    label: str
    scopes: frozenset[str]
    district: str | None
    role: str
    client: str


@dataclass(frozen=True)
class Mark:
    """What one method of one route asks for; ``scope`` None: open to all."""

    scope: str | None
    limit: Kind | None = None
    basic: bool = False
    asking: tuple[str, ...] = ()

    def lets_in(self, here: Request) -> bool:
        """Whether the call is one that needs no key. A key that is sent is looked at all the same."""
        if self.scope is None:
            return True
        if not self.asking or "HTTP_AUTHORIZATION" in here.environ or TICKET in here.environ:
            return False
        return not any(name in here.args for name in self.asking)


def needs(scope: str, *, basic: bool = False, asking: tuple[str, ...] = ()) -> Callable[[View], View]:
    """The view asks for a key with this scope.

    ``basic``: the key may also come as HTTP Basic's password, or as a ticket in the path.
    ``asking``: no key is needed for a call without any of these query parameters.
    """
    if scope not in keys.SCOPES:
        raise ValueError(f"no scope {scope}")

    def mark(view: View) -> View:
        view.__dict__.update(tidui_scope=scope, tidui_basic=basic, tidui_asking=asking)
        return view

    return mark


def public(view: View) -> View:
    """The view is open to all, without a key."""
    view.__dict__.update(tidui_scope=None)
    return view


def limited(kind: Kind) -> Callable[[View], View]:
    """Which limit counts the view's calls; else ``lookup``, or ``write`` for scopes that change things."""

    def mark(view: View) -> View:
        view.__dict__.update(tidui_limit=kind)
        return view

    return mark


def key_pepper() -> bytes:
    """What keys are hashed and tickets are sealed with. SecretRefused."""
    return tidui().once("pepper", lambda: read_pepper(tidui().settings))


def caller() -> Caller:
    """Whose request this is, in a view that is not public."""
    return cast(Caller, g.caller)


def marks_of(app: Flask) -> dict[tuple[str, str], Mark]:
    """Endpoint and method to mark, for every route. ValueError names the views that have none."""
    found: dict[tuple[str, str], Mark] = {}
    missing: list[str] = []
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            mark = _mark(view_of(app, rule.endpoint, method), method)
            if mark is None:
                missing.append(f"{method} {rule.rule}")
            else:
                found[rule.endpoint, method] = mark
    if missing:
        raise ValueError("neither @needs nor @public: " + ", ".join(sorted(missing)))
    return found


def view_of(app: Flask, endpoint: str, method: str) -> Any:
    """The function that answers: the view itself, or the method of a MethodView."""
    view = app.view_functions[endpoint]
    return getattr(getattr(view, "view_class", None), method.lower(), view)


def _mark(view: Any, method: str) -> Mark | None:
    if not hasattr(view, "tidui_scope"):
        return None
    scope = view.tidui_scope
    if scope is None:
        return Mark(None)
    usual: Kind = "write" if scope in {"write", "upload", "run"} else "lookup"
    return Mark(scope, getattr(view, "tidui_limit", usual), view.tidui_basic, view.tidui_asking)


class Guard:
    """Runs before every request; keeps the keys it has read for as long as none is revoked."""

    def __init__(self, app: Flask, extension: Tidui) -> None:
        self._marks = marks_of(app)
        self._tidui = extension
        self._known: dict[bytes, keys.Key] = {}
        self._version = -1
        self._salt = secrets.token_bytes(32)
        self._lock = threading.Lock()
        app.before_request(self.check)

    def check(self) -> None:
        """Raises NotAuthenticated, NotAllowed, LimitReached; leaves ``g.caller`` for the view."""
        here: Request = request._get_current_object()  # type: ignore[attr-defined]
        rule = here.url_rule
        if rule is None or here.method == "OPTIONS":
            return  # no such route or method: the router says so
        mark = self._marks[rule.endpoint, "GET" if here.method == "HEAD" else here.method]
        if mark.scope is None or mark.lets_in(here):
            return
        try:
            key = self._authenticate(here, mark)
        except NotAuthenticated as error:
            error.headers = BASIC if mark.basic else ()
            raise
        client, role = here.remote_addr or "", "ticket" if TICKET in here.environ else "key"
        g.caller = Caller(key.id, key.label, key.scopes, key.district, role, client)
        if mark.limit is not None:
            self._count(here, mark.limit, key.id)
        if mark.scope not in key.scopes:
            raise NotAllowed(
                "K403",
                Text(f"这个密钥没有“{mark.scope}”权限", f"this key lacks the scope “{mark.scope}”"),
                Text("请管理员另发密钥", "Ask the administrator for another key"),
            )

    def _authenticate(self, here: Request, mark: Mark) -> keys.Key:
        ticket: str | None = here.environ.get(TICKET) if mark.basic else None
        held = None if ticket is None else self._held(here, ticket)
        token = ticket or _token(here.environ.get("HTTP_AUTHORIZATION"), basic=mark.basic)
        version = stamp().keys_version
        if version != self._version:
            with self._lock:
                self._known, self._version = {}, version
        known = self._known
        # The cache's own name for a token, cheaper than the HMAC and of no use outside this process.
        name = hashlib.blake2b(token.encode(), key=self._salt, digest_size=32).digest()
        key = known.get(name)
        if key is None:
            key = self._found(here, token, held)
            if len(known) < CACHED_KEYS:
                known[name] = key
        state = key.state(self._tidui.clock())
        if state == "revoked":
            raise _refused("K103", "这个密钥已被撤销", "this key was revoked")
        if state == "expired":
            raise _refused("K104", "这个密钥已过期", "this key has expired")
        return key

    def _held(self, here: Request, ticket: str) -> Ticket:
        held = read_ticket(key_pepper(), ticket)
        if held is None:
            raise self._wrong(here)
        if held.expires_at <= self._tidui.clock():
            raise _refused("K105", "这个地址已过期", "this address has expired")
        return held

    def _found(self, here: Request, token: str, held: Ticket | None) -> keys.Key:
        if held is None:
            key = keys.find(reading(), key_pepper(), token)
        else:
            key = next((one for one in keys.all_keys(reading()) if one.id == held.key_id), None)
        if key is None:
            raise self._wrong(here)
        return key

    def _wrong(self, here: Request) -> NotAuthenticated:
        """One answer for an unknown id and a wrong secret, and only so many of them for one address."""
        self._tidui.limiter.spend_closed("login", here.remote_addr or "")
        return _refused("K102", "密钥不对", "the key is wrong")

    def _count(self, here: Request, kind: Kind, owner: str) -> None:
        headers = here.environ[HEADERS]
        try:
            standing = self._tidui.limiter.spend(kind, owner)
        except LimitReached as error:
            headers.extend(error.standing.headers)
            raise
        if standing is not None:
            headers.extend(standing.headers)


def _token(given: str | None, *, basic: bool) -> str:
    if given is None:
        raise _refused("K100", "没有带密钥", "no key was given")
    scheme, _, rest = given.partition(" ")
    if scheme.lower() == "bearer" and keys.TOKEN.fullmatch(rest.strip()):
        return rest.strip()
    if basic and scheme.lower() == "basic":
        return _password(rest.strip())
    raise _refused("K101", "请求头 Authorization 的写法不对", "the Authorization header is garbled")


def _password(encoded: str) -> str:
    try:
        password = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        password = ""
    if not keys.TOKEN.fullmatch(password):
        raise _refused("K101", "请求头 Authorization 的写法不对", "the Authorization header is garbled")
    return password


def _refused(code: str, zh: str, en: str) -> NotAuthenticated:
    return NotAuthenticated(
        code,
        Text(zh, en),
        Text("请求头写 Authorization: Bearer tdk_…", "Send the header Authorization: Bearer tdk_…"),
    )
