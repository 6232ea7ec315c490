"""``/v1/firms/{uscc}/peers``: where a firm stands among those of its sector and size."""

from __future__ import annotations

from typing import Any

from flask import Response

from models.errors import Text
from models.figures import internal
from models.forms import both
from models.peers import peers_of, quantiles_of
from models.registry.merged import read_registry
from models.rules.rulebook import rulebook
from models.store import store_of
from service.answers import firm_etag, link_day, seen_facts, seen_version
from service.auditing import record
from service.extension import reading, state, tidui
from service.schemas.peers import PeersQuery, PeersShown
from service.security import needs
from service.wire import Blueprint, answer, not_modified

blueprint = Blueprint("peers", __name__, url_prefix="/v1/firms", description="同行位置 Peers")
NOTE = Text(
    "与现行名册里已填这一项的企业比，百分位是低于它的企业所占的比例；不是评定",
    "Against firms of the active edition that report the figure; the percentile is the share below it",
)


@blueprint.get("/<string:uscc>/peers")
@needs("assess")
@blueprint.arguments(PeersQuery, location="query")
@blueprint.response(200, PeersShown)
def read_peers(query: dict[str, Any], uscc: str) -> Response:
    """同行位置：每项数据在同行业门类、同规模企业里的百分位 Percentiles among firms of its sector and size

    同组不足 30 家的，放宽到同行业门类，再到全部企业；缺的数据没有百分位。
    """
    day = query.get("as_of") or link_day()
    tag = firm_etag("peers", uscc, seen_version(uscc), state(), day)
    record("firm.peers", uscc, as_of=day.isoformat())
    unchanged = not_modified(tag)
    if unchanged is not None:
        return unchanged
    known, book = seen_facts(uscc), rulebook()
    settings = tidui().settings
    quantiles = quantiles_of(
        str(state().edition_hash),
        lambda: read_registry(reading(), settings, state()),
        store_of(settings),
        day.year,
        book,
    )
    body = {
        "firm": {"uscc": known.uscc, "name": known.name},
        "as_of": day,
        "edition": state().edition_hash,
        **peers_of(quantiles, internal(known.external), day.year, book),
        "note": both(NOTE),
    }
    return answer(body, etag=firm_etag("peers", uscc, known.version, state(), day))
