"""``GET /v1/firms``: finding a firm by whatever was typed."""

from __future__ import annotations

from typing import Any

from flask import Response

from models.figures import place, trade
from models.forms import both
from models.registry.search.find import Hit, search_firms
from service.answers import firm_links
from service.api.firms import rung_shown
from service.auditing import record
from service.districts import named_district
from service.extension import reading, state
from service.schemas.firms import FirmSearch, HitPage
from service.security import caller, needs
from service.wire import Blueprint, answer

blueprint = Blueprint("search", __name__, url_prefix="/v1/firms", description="查找企业 Finding firms")


@blueprint.get("")
@needs("lookup")
@blueprint.arguments(FirmSearch, location="query")
@blueprint.response(200, HitPage)
def find_firms(query: dict[str, Any]) -> Response:
    """按代码、名称、曾用名、简称、拼音、首字母查找，错一个字也找得到 Find a firm by whatever you know of it

    最像的在前，每条写明为什么；不给 q 时按代码列出。下一页用 cursor。
    """
    wanted = query.get("district")
    page = search_firms(
        reading(),
        state(),
        query["q"],
        district=None if wanted is None else named_district(wanted),
        industry=query.get("industry"),
        rung=query.get("rung"),
        limit=query["limit"],
        cursor=query.get("cursor"),
        only_district=caller().district,
    )
    record("firm.search", "firms", q=query["q"], hits=[hit.uscc for hit in page.hits])
    return answer({"firms": [hit_shown(hit) for hit in page.hits], "cursor": page.cursor})


def hit_shown(hit: Hit) -> dict[str, Any]:
    """A firm that was found, and why."""
    return {
        "uscc": hit.uscc,
        "name": hit.name,
        "district": place(hit.district),
        "industry": trade(hit.industry),
        "recognised": None if hit.recognised is None else rung_shown(hit.recognised),
        "score": hit.score,
        "how": hit.how,
        "why": both(hit.why),
        "matched_name": hit.matched_name,
        "links": firm_links(hit.uscc),
    }
