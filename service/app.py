"""``create_app``: Flask, the API and what stands around it. Nothing is read at import, nothing is global."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from models.registry.database import Database
from models.registry.pulse import Pulse
from models.settings import Settings
from service import extension, idempotency, problems
from service.api import register
from service.auditing import Auditor
from service.door import Door
from service.envelope import Envelope
from service.extension import Tidui
from service.limits import Limiter
from service.security import Guard
from service.wire import refuse_unclean_request


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Service(Flask):
    """Flask without asynchronous views: it need not ask at every call whether a view is one."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings, *, clock: Callable[[], datetime] = _utc_now) -> Flask:
    """The service for these settings. Opens no connection and starts no thread before the first request."""
    app = Service("service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.body_limit
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = True
    database = Database(settings.database_url)
    auditor = Auditor(settings.spool, database, clock)
    kept = Tidui(settings, database, clock, Limiter(settings), auditor, Pulse(database))
    extension.install(app, kept)
    app.before_request(refuse_unclean_request)
    register(app)
    problems.install(app)
    Guard(app, kept)
    idempotency.install(app)
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.wsgi_app = Envelope(Door(app.wsgi_app))  # type: ignore[method-assign]
    return app
