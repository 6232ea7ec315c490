"""``/v1/impacts``: the same registry under two sets of rules: who gains, who loses, by which condition."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response
from sqlalchemy import Row

from models.impacts.jobs import Asked, begin_impact, read_impact
from models.registry.listing import find_edition
from service.answers import assessor, chosen
from service.auditing import actor
from service.districts import refuse_district_key
from service.extension import now, reading, stop_reading, tidui
from service.idempotency import idempotent
from service.schemas.impacts import ImpactOrder, ImpactSchema
from service.security import needs
from service.wire import Blueprint, answer
from service.work import give_out

blueprint = Blueprint(
    "impacts", __name__, url_prefix="/v1/impacts", description="规则影响分析 Impacts of rules"
)


@blueprint.post("")
@needs("run")
@idempotent()
@blueprint.arguments(ImpactOrder, location="json")
@blueprint.response(
    202, ImpactSchema, description="已排队；结果见 Location。同样的分析正在进行时，就是那一次"
)
def start_impact(order: dict[str, Any]) -> Response:
    """同一名册、两套规则：谁新增达标、谁不再达标、因为哪一条 One registry under two sets of rules

    两份规则以哈希指明（不写为现行规则）；或在一份规则里比较标准对，如 63 号与 2 号。
    """
    _for_the_city()
    wanted, pairs = order["edition"], order["standards"]
    for side in ("a", "b"):
        used = assessor(order[f"rulebook_{side}"])
        chosen(used, None if pairs is None else [pair[side] for pair in pairs], "/standards")
    edition_id = None if wanted is None else find_edition(reading(), wanted).id
    stop_reading()  # what is read below must see what begin_impact writes
    asked = Asked(
        as_of=order["as_of"],
        kind=order["kind"],
        rulebook_a=order["rulebook_a"],
        rulebook_b=order["rulebook_b"],
        pairs=None if pairs is None else [(pair["a"], pair["b"]) for pair in pairs],
        edition_id=edition_id,
    )
    begun = begin_impact(tidui().database, asked, actor=actor(), now=now())
    if begun.fresh:
        give_out("impact", begun.id)
    with tidui().database.read() as connection:
        row = read_impact(connection, begun.id)
    return answer(_shown(row), 202, headers={"Location": f"/v1/impacts/{begun.id}"})


@blueprint.get("/<uuid:impact_id>")
@needs("run")
@blueprint.response(200, ImpactSchema)
def show_impact(impact_id: Any) -> Response:
    """一次影响分析的状态，完成后附结果（按标准、区、行业、条件） One impact, with its report"""
    _for_the_city()
    return answer(_shown(read_impact(reading(), str(impact_id))))


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": row.status,
        "edition": row.edition_id,
        "as_of": row.as_of,
        "kind": row.kind,
        "rulebook_a": row.rulebook_a,
        "rulebook_b": row.rulebook_b,
        "requested_by": row.requested_by,
        "queued_at": row.queued_at,
        "ended_at": row.ended_at,
        "problem": None if row.problem is None else orjson.loads(row.problem),
        "report": None if row.report is None else orjson.loads(row.report),
        "links": {"self": f"/v1/impacts/{row.id}"},
    }


def _for_the_city() -> None:
    refuse_district_key(
        "影响分析是全市的，限区的密钥不能用",
        "an impact is of the whole city: not for a key of one district",
    )
