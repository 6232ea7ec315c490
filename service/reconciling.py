"""Queries and answers in the shapes of the W3C Reconciliation Service API 0.2.

One type, ``firm``; its identifier is the 统一社会信用代码.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from models.figures import place, trade
from models.ladder import rung_names
from models.matching import MOST_CANDIDATES, Match, Query
from models.registry.search.find import Hit
from models.rules.rulebook import rulebook
from service.door import INSIDE
from service.schemas.matching import LONGEST_NAME
from service.schemas.reconcile import BATCH

FIRM = {"id": "firm", "name": "企业 Firm"}
PROPERTIES: Mapping[str, str] = {
    "uscc": "统一社会信用代码 Unified social credit code",
    "name": "企业名称 Name",
    "district": "所在区 District",
    "industry": "行业 Industry",
    "recognised": "已认定的梯队级 Recognised rung",
}
"""What may be fetched; ``uscc`` and ``district`` may also be given with a query."""


def manifest(root: str, host: str, *, ticketed: bool) -> dict[str, Any]:
    """What the service offers. ``root``: with the ticket, if the client came by one; ``host``: without.

    Both end with a slash.
    """
    own = root.rstrip("/") + INSIDE
    page = {"url": f"{own}/preview?id={{{{id}}}}"}
    return {
        "versions": ["0.2"],
        "name": "梯队 上海企业库 tidui",
        "identifierSpace": f"{host}v1/firms/",
        "schemaSpace": f"{host}openapi.json#/components/schemas/HitShown",
        "documentation": f"{host}docs",
        "serviceVersion": version("tidui"),
        "defaultTypes": [FIRM],
        "view": page,
        "preview": {**page, "width": 420, "height": 180},
        "suggest": {
            "entity": {"service_url": own, "service_path": "/suggest/entity"},
            "property": {"service_url": own, "service_path": "/suggest/property"},
        },
        "extend": {
            "propose_properties": {"service_url": own, "service_path": "/properties"},
            "property_settings": [],
        },
        "batchSize": BATCH,
        **({} if ticketed else {"authentication": {"type": "basic"}}),
    }


def read_query(asked: Mapping[str, Any]) -> Query:
    """A reconciliation query as one of ours; what is too long for a name is cut, not refused."""
    given = {one["pid"]: _text(one["v"]) for one in asked["properties"]}
    return Query((asked["query"] or "")[:LONGEST_NAME], given.get("uscc") or None, given.get("district"))


def of_firms(types: Any) -> bool:
    """Whether the types that were asked for, if any, include the one there is."""
    asked = types if isinstance(types, list) else [types]
    return types in (None, "", []) or any(
        (one.get("id") if isinstance(one, dict) else one) == FIRM["id"] for one in asked
    )


def candidates(found: Match, limit: int | None) -> list[dict[str, Any]]:
    """Scores are 0 to 100; ``match`` is true for the one firm that was found beyond doubt."""
    shown = found.candidates[: min(limit or MOST_CANDIDATES, MOST_CANDIDATES)]
    return [
        {
            **named(hit),
            "score": hit.score,
            "match": found.status == "found" and at == 0,
            "type": [FIRM],
            "features": [{"id": f"found_by_{hit.how}", "value": True}],
        }
        for at, hit in enumerate(shown)
    ]


def named(hit: Hit) -> dict[str, Any]:
    """Id, name, and what tells namesakes apart: code, district, why it was found."""
    district = place(hit.district)
    parts = (hit.uscc, district["name"] if district else "", hit.why.zh)
    return {"id": hit.uscc, "name": hit.name, "description": "　".join(part for part in parts if part)}


def values_of(hit: Hit) -> dict[str, str | None]:
    """Each of PROPERTIES as text, None for a blank."""
    district, industry = place(hit.district), trade(hit.industry)
    return {
        "uscc": hit.uscc,
        "name": hit.name,
        "district": district["name"] if district else None,
        "industry": f"{industry['code']} {industry['name']}" if industry else None,
        "recognised": None if hit.recognised is None else rung_names(rulebook())[hit.recognised].zh,
    }


def row(hit: Hit | None, wanted: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """The values of the wanted properties; an empty list where there is none."""
    values = {name: text for name, text in values_of(hit).items() if text} if hit else {}
    return {name: [{"str": values[name]}] if name in values else [] for name in wanted}


def properties_like(typed: str) -> list[dict[str, str]]:
    """Properties whose id or name contains what was typed."""
    part = typed.strip().lower()
    every = [{"id": name, "name": said} for name, said in PROPERTIES.items()]
    return [one for one in every if part in one["id"] or part in one["name"].lower()]


def _text(value: Any) -> str:
    """A property's value, or the first of several: text, a number, or an entity with an id."""
    if isinstance(value, list):
        return _text(value[0]) if value else ""
    if isinstance(value, dict):
        return _text(value.get("id"))
    return "" if value is None or isinstance(value, bool) else str(value)[:LONGEST_NAME]
