"""``/healthz``: the process answers. ``/readyz``: what it stands on answers too, and if not, which part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from models.errors import TiduiError
from models.registry.migrate import is_current
from models.rules.rulebook import rulebook
from service.extension import Tidui, state, tidui
from service.security import public
from service.wire import answer

blueprint = Blueprint("health", __name__)
Check = Callable[[], dict[str, Any]]


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    return answer({"status": "ok"})


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """200 when look-ups can be answered. Redis away is told, but look-ups go on: ready all the same."""
    parts = {"database": _one(_database), "rulebook": _one(_rulebook), "redis": _redis(tidui())}
    ready = parts["database"]["ok"] and parts["rulebook"]["ok"]
    parts["edition"] = _edition() if parts["database"]["ok"] else {"ok": False}
    status = "ready" if ready and all(part["ok"] for part in parts.values()) else "degraded"
    return answer(
        {"status": status if ready else "not_ready", "parts": parts},
        200 if ready else 503,
        headers={} if ready else {"Retry-After": "5"},
    )


def _one(check: Check) -> dict[str, Any]:
    try:
        return {"ok": True, **check()}
    except (TiduiError, SQLAlchemyError) as error:
        said = error.message if isinstance(error, TiduiError) else None
        return {"ok": False, "zh": said.zh if said else "不能用", "en": said.en if said else "away"}


def _database() -> dict[str, Any]:
    current = is_current(tidui().database)
    return {"ok": current, **({} if current else {"zh": "表结构待更新", "en": "the schema is not current"})}


def _rulebook() -> dict[str, Any]:
    return {"hash": rulebook().hash}


def _redis(extension: Tidui) -> dict[str, Any]:
    uncounted = extension.limiter.uncounted  # by this process
    if extension.limiter.answers():
        return {"ok": True, "uncounted": uncounted}
    return {
        "ok": False,
        "uncounted": uncounted,
        "zh": "不能用：查询照常但不计次，登录暂停",
        "en": "away: look-ups go on uncounted, log-ins wait",
    }


def _edition() -> dict[str, Any]:
    active = state().edition_hash
    if active is None:
        return {"ok": False, "zh": "还没有导入名册", "en": "no registry was imported yet"}
    return {"ok": True, "hash": active}
