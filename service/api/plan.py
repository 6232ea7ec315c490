"""``/v1/plan``: the plan's targets, what is counted towards them now, and the firms behind each number."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import Any
from urllib.parse import urlencode

from flask import Response

from models.plan import plan
from models.registry.plan_counts import Answer, count_name, firms_behind, plan_report
from models.rules.rulebook import rulebook
from models.targets import COUNTS
from service.auditing import record
from service.districts import asked_district
from service.extension import now, reading, state
from service.schemas.plan import UNKNOWN_DISTRICT, BehindPage, BehindQuery, PlanAnswer, PlanQuery
from service.security import caller, needs
from service.wire import Blueprint, answer, not_modified

blueprint = Blueprint(
    "plan", __name__, url_prefix="/v1/plan", description="行动计划的企业数量目标 Targets of the plan"
)


@blueprint.get("")
@needs("lookup")
@blueprint.arguments(PlanQuery, location="query")
@blueprint.response(200, PlanAnswer)
def read_plan(query: dict[str, Any]) -> Response:
    """各项目标：定义、条款、现有数、占比、分区 Every target with its count now, share and districts"""
    seen, district = state(), asked_district(query.get("district"))
    today = now().date()
    parts = (seen.registry_version, seen.run_id, rulebook().hash, plan().hash, district, version("tidui"))
    dated = parts if seen.run_id is not None else (*parts, today)
    etag = hashlib.sha256(repr(dated).encode()).hexdigest()[:32]
    unchanged = not_modified(etag)
    if unchanged is not None:
        return unchanged
    report = plan_report(reading(), seen, plan(), rulebook(), today, district)
    for target in report["targets"]:
        _link(target)
    return answer(report, etag=etag)


def _link(target: Answer) -> None:
    """Every number that is not null leads to its firms."""
    for name, (basis, _) in COUNTS.items():
        shown = target["recognised" if basis == "held" else "qualifies"]
        if shown["count"] is not None:
            shown.setdefault("firms", {})[name] = _address(target["id"], name)
    for row in target["by_district"]:
        place = row["district"]["code"] if row["district"] else UNKNOWN_DISTRICT
        row["firms"] = {name: _address(target["id"], name, place) for name in COUNTS if row[name]}


def _address(target: str, basis: str, district: str | None = None) -> str:
    return f"/v1/plan/{target}/firms?" + urlencode(
        {"basis": basis, **({"district": district} if district else {})}
    )


@blueprint.get("/<string:target>/firms")
@needs("lookup")
@blueprint.arguments(BehindQuery, location="query")
@blueprint.response(200, BehindPage)
def read_firms(query: dict[str, Any], target: str) -> Response:
    """一个数字背后的企业 The firms behind one number"""
    district = query.get("district")
    found = firms_behind(
        reading(),
        state(),
        plan(),
        target,
        count_name(query["basis"]),
        district="" if district == UNKNOWN_DISTRICT else district,
        only_district=caller().district,
        after=query.get("cursor", ""),
        limit=query["limit"],
    )
    record("plan.firms", f"plan:{target}", basis=query["basis"], district=district, firms=len(found.firms))
    firms = [{**firm, "link": f"/v1/firms/{firm['uscc']}"} for firm in found.firms]
    return answer({"target": target, "basis": query["basis"], "firms": firms, "cursor": found.next})
