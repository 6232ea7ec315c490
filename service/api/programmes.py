"""``/v1/programmes``: vouchers and awards, and checks of who is eligible."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from flask import Response

from models.programmes import Judge, programme_dict, programme_heads
from models.registry.audit import append
from models.registry.checks import Asked, Batch, Result, decide, keep
from models.registry.signing import own_key
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from models.verdict import DISCLAIMER
from service.api.checks import shown_check
from service.auditing import actor
from service.extension import now, reading, state, stop_reading, tidui
from service.idempotency import idempotent
from service.schemas.checks import CheckBatch
from service.schemas.programmes import CheckOrder, ProgrammeFull, ProgrammeList, ProgrammeQuery
from service.security import caller, limited, needs
from service.wire import Blueprint, answer, not_modified

blueprint = Blueprint(
    "programmes", __name__, url_prefix="/v1/programmes", description="券与奖励 Vouchers and awards"
)
JUDGES = 64
"""Programmes compiled for a date that a process keeps."""


@blueprint.get("")
@needs("lookup")
@blueprint.response(200, ProgrammeList)
def list_programmes() -> Response:
    """全部项目：依据、条件、金额 All programmes"""
    etag = _etag("programmes")
    unchanged = not_modified(etag)
    if unchanged is not None:
        return unchanged
    heads = [{**head, "links": _links(head)} for head in programme_heads(rulebook())]
    body = {
        "programmes": heads,
        "rulebook": rulebook().hash,
        "disclaimer": {"zh": DISCLAIMER.zh, "en": DISCLAIMER.en},
    }
    return answer(body, etag=etag)


@blueprint.get("/<string:programme>")
@needs("lookup")
@blueprint.arguments(ProgrammeQuery, location="query")
@blueprint.response(200, ProgrammeFull)
def read_programme(query: dict[str, Any], programme: str) -> Response:
    """一个项目的全部条件、金额和互斥 One programme in full

    不写 as_of 时条文按当天的年份写出；这里不作判断。
    """
    period = Period(query.get("as_of", now().date()), query["kind"])
    etag = _etag(programme, period.as_of, period.kind)
    unchanged = not_modified(etag)
    if unchanged is not None:
        return unchanged
    found = programme_dict(rulebook(), programme, period)
    return answer({**found, "links": _links(found)}, etag=etag)


@blueprint.post("/<string:programme>/checks")
@needs("programme")
@limited("check")
@idempotent(required=True)
@blueprint.arguments(CheckOrder)
@blueprint.response(201, CheckBatch)
def make_checks(order: dict[str, Any], programme: str) -> Response:
    """核查一家或至多 1000 家企业的资格，永久保存并签名 Check one firm or up to 1,000; kept for ever, signed

    代码错误或企业库里没有的也逐一列出并计数，次序不变。预评估，不构成认定。
    """
    judge = _judges()(programme, order["as_of"], order["kind"], tuple(order["options"]))
    key = tidui().once("signing-key", lambda: own_key(tidui().settings))
    who = actor(order["purpose"])
    asked = Asked(who.name, caller().label, order["purpose"], now())
    codes = order.get("firms") or [order["uscc"]]
    batch = decide(reading(), state(), judge, key, codes, asked, district=caller().district)
    stop_reading()
    with tidui().database.write() as connection:
        keep(connection, batch, judge, key.public, asked)
        events = [
            who.event("check.make", check.uscc, check=check.id, programme=programme, decision=check.decision)
            for check in batch.checks
        ]
        events.append(who.event("check.batch", batch.id, programme=programme, counts=batch.counts))
        append(connection, events, asked.at)
    return answer(_batch(batch, judge), 201)


def _batch(batch: Batch, judge: Judge) -> dict[str, Any]:
    return {
        "batch": batch.id,
        "programme": judge.pack.id,
        "as_of": judge.period.as_of,
        "kind": judge.period.kind,
        "options": list(judge.options),
        "counts": batch.counts,
        "results": [_result(result) for result in batch.results],
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "given": result.given,
        "uscc": result.uscc,
        "status": result.status,
        "note": {"zh": result.note.zh, "en": result.note.en} if result.note else None,
        "check": shown_check(result.check) if result.check else None,
    }


def _judges() -> Callable[[str, date, str, tuple[str, ...]], Judge]:
    """Compiled programmes, the last few dozen kept."""

    def judge(programme: str, as_of: date, kind: str, options: tuple[str, ...]) -> Judge:
        return Judge(rulebook(), programme, Period(as_of, kind), options)

    return tidui().once("judges", lambda: lru_cache(JUDGES)(judge))


def _links(head: dict[str, Any]) -> dict[str, str]:
    own = f"/v1/programmes/{head['id']}"
    return {"self": own, **({"checks": f"{own}/checks"} if head["judged"] else {})}


def _etag(*parts: object) -> str:
    return hashlib.sha256(repr((rulebook().hash, version("tidui"), *parts)).encode()).hexdigest()[:32]
