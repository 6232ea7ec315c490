"""``GET /v1/firms``: finding a firm by whatever was typed."""

from __future__ import annotations

from typing import Any

from flask import Response

from models.figures import place, trade
from models.forms import both
from models.registry.search.find import Hit, search_firms
from models.tabular.cells import read_district
from service.api.firms import rung_shown
from service.auditing import record
from service.extension import reading, state
from service.schemas.firms import FirmSearch, HitPage
from service.schemas.shared import refuse
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
    page = search_firms(
        reading(),
        state(),
        query["q"],
        district=_district(query.get("district")),
        industry=query.get("industry"),
        rung=query.get("rung"),
        limit=query["limit"],
        cursor=query.get("cursor"),
        only_district=caller().district,
    )
    record("firm.search", "firms", q=query["q"], hits=[hit.uscc for hit in page.hits])
    return answer({"firms": [hit_shown(hit) for hit in page.hits], "cursor": page.cursor})


def _district(written: str | None) -> str | None:
    if written is None:
        return None
    code = read_district(written).value
    if not isinstance(code, str):
        raise refuse(
            "query:district",
            "E213",
            "不认识的区名或行政区划代码，请填 浦东新区 或 310115",
            "not a known district; write its name or its six digits, such as 310115",
        )
    return code


def hit_shown(hit: Hit) -> dict[str, Any]:
    """A firm that was found, and why."""
    own = f"/v1/firms/{hit.uscc}"
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
        "links": {"self": own, "assessment": f"{own}/assessment", "advice": f"{own}/advice"},
    }
