"""``/v1/movements``: the change feed: who stands elsewhere since a run, a day, or what was read last."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from models.runs.movements import movement_page
from models.runs.page import Page
from models.runs.standings import last_standing_before
from service.api.results import NOTE
from service.auditing import record
from service.districts import asked_district
from service.extension import reading
from service.schemas.runs import FeedPage, FeedQuery
from service.security import needs
from service.wire import Blueprint, answer

blueprint = Blueprint("movements", __name__, url_prefix="/v1/movements", description="升降变动 Movements")
SHANGHAI = ZoneInfo("Asia/Shanghai")
_RUN = re.compile(r"[0-9]{1,9}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@blueprint.get("")
@needs("lookup")
@blueprint.arguments(FeedQuery, location="query")
@blueprint.response(200, FeedPage, description="旧的在前 Oldest first")
def read_feed(query: dict[str, Any]) -> Response:
    """变动流：从某次评估、某天或上次读到的地方起，旧的在前 The change feed, oldest first

    每次把答复里的 next 写进下次的 since，不重不漏。
    """
    district = asked_district(query.get("district"))
    page = _page(query["since"], query["limit"], district)
    record("movements.feed", "movements", since=query["since"], firms=[row["uscc"] for row in page.rows])
    more = len(page.rows) == query["limit"]
    return answer({"movements": page.rows, "next": page.next, "more": more, "note": NOTE})


def _page(since: str, limit: int, district: str | None) -> Page:
    """UsageRefused (R420) for what is neither a run, a day nor a cursor of the feed."""
    day = _day(since)
    if day is not None:
        begins = datetime.combine(day, time.min, SHANGHAI)
        after = last_standing_before(reading(), begins)
        return movement_page(reading(), since=after, limit=limit, district=district)
    if _RUN.fullmatch(since):
        return movement_page(reading(), since=int(since), limit=limit, district=district)
    return movement_page(reading(), cursor=since, limit=limit, district=district)


def _day(since: str) -> date | None:
    try:
        return date.fromisoformat(since) if _DAY.fullmatch(since) else None
    except ValueError:
        return None
