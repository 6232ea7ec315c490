"""``/v1/prospects``: which firms to call, by what the models think likely."""

from __future__ import annotations

from typing import Any

from flask import Response

from models.forms import both
from models.learn.outlook import NOTE
from models.learn.tasks import task as task_of
from models.runs.prospects import prospect_page
from service.answers import etag, firm_links
from service.auditing import record
from service.districts import asked_district
from service.extension import reading, state
from service.schemas.prospects import ProspectsPage, ProspectsQuery
from service.security import needs
from service.wire import Blueprint, answer, not_modified

blueprint = Blueprint("prospects", __name__, url_prefix="/v1/prospects", description="先给谁打电话 Prospects")


@blueprint.get("")
@needs("lookup")
@blueprint.arguments(ProspectsQuery, location="query")
@blueprint.response(200, ProspectsPage)
@blueprint.alt_response(409, response="H409")
def read_prospects(query: dict[str, Any]) -> Response:
    """先给谁打电话：最近一次整库评估中概率高的企业在前 Whom to call, the likeliest first

    只列训练企业前 5% 那样高的；已持有该称号的不列。是估计，不是评定结论；`rules` 是规则对同一问题的结论。
    """
    district = asked_district(query.get("district"))
    found = prospect_page(
        reading(),
        state(),
        query["task"],
        district=district,
        verdict=query.get("rules"),
        cursor=query.get("cursor"),
        limit=query["limit"],
    )
    rows = found.page.rows
    record("prospects.read", f"run:{found.run.id}", task=query["task"], firms=[row["uscc"] for row in rows])
    names = [row["name"] for row in rows]
    tag = etag("prospects", found.run.id, state().run_id, district, sorted(query.items()), names)
    unchanged = not_modified(tag)
    if unchanged is not None:
        return unchanged
    task = task_of(query["task"])
    body = {
        "task": {"id": task.id, "name": both(task.name), "question": both(task.question)},
        "run": found.run.id,
        "edition": found.run.edition_id,
        "as_of": found.run.as_of,
        "model": (found.run.models or {}).get(task.id),
        "current": found.current,
        "total": found.total,
        "prospects": [{**row, "links": firm_links(row["uscc"])} for row in rows],
        "cursor": found.page.next,
        "note": both(NOTE),
    }
    return answer(body, etag=tag)
