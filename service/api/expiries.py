"""``/v1/expiries``: whose titles run out soon."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from models.runs.expiries import expiry_page
from service.auditing import record
from service.districts import asked_district
from service.extension import now, reading, state
from service.schemas.runs import ExpiryPage, ExpiryQuery
from service.security import needs
from service.wire import Blueprint, answer

blueprint = Blueprint(
    "expiries", __name__, url_prefix="/v1/expiries", description="称号到期 Titles that run out"
)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@blueprint.get("")
@needs("lookup")
@blueprint.arguments(ExpiryQuery, location="query")
@blueprint.response(200, ExpiryPage)
def read_expiries(query: dict[str, Any]) -> Response:
    """多少天内到期的称号，早的在前；不写 as_of 从今天（北京时间）起 Titles that run out, the soonest first"""
    as_of = query.get("as_of") or now().astimezone(SHANGHAI).date()
    days = int(query["within"].removesuffix("d"))
    page = expiry_page(
        reading(),
        state(),
        within_days=days,
        as_of=as_of,
        cursor=query.get("cursor"),
        limit=query["limit"],
        district=asked_district(query.get("district")),
        title=query.get("title"),
    )
    record("expiries.read", "expiries", within=days, firms=[row["uscc"] for row in page.rows])
    until = as_of + timedelta(days=days)
    return answer({"as_of": as_of, "until": until, "expiries": page.rows, "cursor": page.next})
