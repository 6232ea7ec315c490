"""``POST /v1/firms/match``: a list of names against the registry."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

from flask import Response

from models.forms import both
from models.matching import Match, Query, Status
from service.api.search import hit_shown
from service.auditing import record
from service.extension import state
from service.matched import codes_of, matched
from service.schemas.matching import MatchAnswer, MatchOrder
from service.security import limited, needs
from service.wire import Blueprint, answer

blueprint = Blueprint("matching", __name__, url_prefix="/v1/firms", description="批量匹配 Matching lists")


@blueprint.post("/match")
@needs("lookup")
@limited("check")
@blueprint.arguments(MatchOrder)
@blueprint.response(200, MatchAnswer)
def match_firms(order: dict[str, Any]) -> Response:
    """把一份名单（至多 500 个名称或代码）与企业库逐一对上，不猜 Match a list of up to 500 names

    每个查询答 found / ambiguous / not_found / invalid，候选企业附分数和一句理由；次序不变。
    代码与名称说的不是一家，或名称不完全一致时，答 ambiguous，由人来选。
    """
    given = order["queries"]
    found = matched([Query(one["name"], one["uscc"], one["district"]) for one in given])
    counts = Counter(one.status for one in found)
    record("firm.match", "firms", queries=len(given), hits=codes_of(found))
    return answer(
        {
            "results": [_shown(query, one) for query, one in zip(given, found, strict=True)],
            "counts": {status: counts[status] for status in get_args(Status)},
            "edition": state().edition_hash,
        }
    )


def _shown(query: dict[str, Any], found: Match) -> dict[str, Any]:
    return {
        "query": query,
        "status": found.status,
        "why": both(found.why),
        "candidates": [hit_shown(hit) for hit in found.candidates],
    }
