"""``/v1/reconcile``: the W3C Reconciliation Service API 0.2, so that OpenRefine can clean lists.

OpenRefine sends no headers: it comes in by a ticket (:mod:`service.tickets`, docs/openrefine.md). Manifest
and answers are as the specification has them, refusals are problem+json like everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from flask import Response, make_response, render_template, request

from models.matching import Query
from models.registry.corrections import firm_unknown
from models.registry.search.find import Hit, search_firms
from service.auditing import record
from service.door import INSIDE, TICKET
from service.extension import now, reading, state
from service.matched import codes_of, matched
from service.reconciling import (
    FIRM,
    PROPERTIES,
    candidates,
    manifest,
    named,
    of_firms,
    properties_like,
    read_query,
    row,
    values_of,
)
from service.schemas.reconcile import (
    Asked,
    IdQuery,
    OneOfTwo,
    Prefix,
    Proposed,
    Reconciled,
    Suggested,
    TicketOrder,
    TicketShown,
    TypeQuery,
)
from service.security import caller, key_pepper, limited, needs
from service.tickets import FOLDER, Ticket, write_ticket
from service.wire import Blueprint, answer

blueprint = Blueprint(
    "reconcile", __name__, url_prefix=INSIDE, description="OpenRefine 对接 Reconciliation (W3C, 0.2)"
)
SUGGESTIONS = 10
PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""A preview is made to stand in a frame of another page: no rule on who may frame it."""


@blueprint.get("")
@needs("lookup", basic=True, asking=("queries", "extend"))
@blueprint.arguments(Asked, location="query", unknown="exclude")
@blueprint.response(200, Reconciled)
def read_manifest(asked: dict[str, Any]) -> Response:
    """服务说明，不要密钥；带 queries 或 extend 时与 POST 相同 The manifest; with queries, as POST

    OpenRefine 里填的地址由 POST /v1/reconcile/tickets 取得。
    """
    if not asked:
        return answer(manifest(request.url_root, request.host_url, ticketed=TICKET in request.environ))
    return _answered(asked)


@blueprint.post("")
@needs("lookup", basic=True)
@limited("check")
@blueprint.arguments(OneOfTwo, location="form", unknown="exclude")
@blueprint.response(200, Reconciled)
def reconcile(asked: dict[str, Any]) -> Response:
    """queries：逐个对上企业；extend：取属性 Match a batch of queries, or fetch properties

    候选的 match 只在唯一确定时为 true；读不懂的查询没有候选。
    """
    return _answered(asked)


@blueprint.get("/suggest/entity")
@needs("lookup", basic=True)
@blueprint.arguments(Prefix, location="query", unknown="exclude")
@blueprint.response(200, Suggested)
def suggest_firms(asked: dict[str, Any]) -> Response:
    """边输边提示企业 Firms while somebody types"""
    prefix, skipped = asked["prefix"].strip(), asked["cursor"]
    if not prefix:
        return answer({"result": []})
    page = search_firms(
        reading(), state(), prefix, limit=skipped + SUGGESTIONS, only_district=caller().district
    )
    hits = page.hits[skipped:]
    record("reconcile.suggest", "firms", q=prefix, hits=[hit.uscc for hit in hits])
    return answer({"result": [{**named(hit), "notable": [FIRM]} for hit in hits]})


@blueprint.get("/suggest/property")
@needs("lookup", basic=True)
@blueprint.arguments(Prefix, location="query", unknown="exclude")
@blueprint.response(200, Suggested)
def suggest_properties(asked: dict[str, Any]) -> Response:
    """边输边提示属性 Properties while somebody types"""
    return answer({"result": properties_like(asked["prefix"])[asked["cursor"] :]})


@blueprint.get("/properties")
@needs("lookup", basic=True)
@blueprint.arguments(TypeQuery, location="query", unknown="exclude")
@blueprint.response(200, Proposed)
def propose_properties(asked: dict[str, Any]) -> Response:
    """可以取的属性 The properties that may be fetched"""
    return answer(
        {"type": asked["type"], "properties": properties_like("") if of_firms(asked["type"]) else []}
    )


@blueprint.get("/preview")
@needs("lookup", basic=True)
@blueprint.arguments(IdQuery, location="query", unknown="exclude")
@blueprint.response(200, content_type="text/html", description="一小页 A little page")
def preview(asked: dict[str, Any]) -> Response:
    """一家企业的一小页，放在别的页面里看 A little page about a firm, to stand in a frame"""
    (hit,) = _by_code([asked["id"]])
    if hit is None:
        raise firm_unknown(asked["id"])
    record("reconcile.preview", hit.uscc)
    rows = [(PROPERTIES[name], text) for name, text in values_of(hit).items() if name != "name" and text]
    page = make_response(render_template("preview.html", firm=hit, rows=rows))
    page.headers["Content-Security-Policy"] = PREVIEW_POLICY
    return page


@blueprint.post("/tickets")
@needs("lookup")
@blueprint.arguments(TicketOrder, required=False)
@blueprint.response(201, TicketShown)
def make_ticket(order: dict[str, Any]) -> Response:
    """用密钥换一个填进 OpenRefine 的地址，几小时后失效 An address for OpenRefine that ends in some hours

    地址里没有密钥；撤销密钥，地址随之失效。只能对接，不能做别的。
    """
    expires_at = (now() + timedelta(hours=order["hours"])).replace(microsecond=0)
    ticket = write_ticket(key_pepper(), Ticket(caller().id, expires_at))
    record("ticket.make", f"key:{caller().id}", expires_at=expires_at.isoformat())
    url = f"{request.host_url.rstrip('/')}{FOLDER}{ticket}{INSIDE}"
    return answer({"url": url, "expires_at": expires_at}, 201)


def _answered(asked: Mapping[str, Any]) -> Response:
    if "queries" in asked:
        return answer(_results(asked["queries"]))
    return answer(_extended(asked["extend"]))


def _results(queries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Queries for another type than the one there is have no candidates."""
    asked = {name: read_query(one) for name, one in queries.items() if of_firms(one["type"])}
    found = dict(zip(asked, matched(list(asked.values())), strict=True))
    record("reconcile.match", "firms", queries=len(queries), hits=codes_of(found.values()))
    return {
        name: {"result": candidates(found[name], one["limit"]) if name in found else []}
        for name, one in queries.items()
    }


def _extended(asked: Mapping[str, Any]) -> dict[str, Any]:
    wanted = [one["id"] for one in asked["properties"]]
    ids = list(dict.fromkeys(asked["ids"]))
    found = dict(zip(ids, _by_code(ids), strict=True))
    record("reconcile.extend", "firms", properties=wanted, hits=[hit.uscc for hit in found.values() if hit])
    return {
        "meta": [{"id": name, "name": PROPERTIES.get(name, name)} for name in wanted],
        "rows": {given: row(hit, wanted) for given, hit in found.items()},
    }


def _by_code(codes: Sequence[str]) -> list[Hit | None]:
    """The firm of each code, None where there is none that the key may see."""
    found = matched([Query("", code) for code in codes])
    return [one.candidates[0] if one.status == "found" else None for one in found]
