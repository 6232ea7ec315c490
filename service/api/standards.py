"""``/v1/standards`` and ``/v1/rulebooks``: what the rules say, and what changed between versions."""

from __future__ import annotations

from typing import Any

from flask import Response

from models.errors import Text, TiduiError
from models.fields import catalogue
from models.registry import rulebooks
from models.rules.diff import diff_packs
from models.rules.pack import Pack
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook, rulebook
from models.standards import (
    difference_dict,
    field_dict,
    information_dict,
    ladder_dict,
    standard_dict,
    standard_head,
)
from service.answers import etag, link_day
from service.extension import reading
from service.schemas.standards import (
    FieldList,
    RulebookShown,
    StandardDiff,
    StandardFull,
    StandardList,
    StandardQuery,
    StandardsQuery,
)
from service.security import needs
from service.wire import Blueprint, answer, not_modified

blueprint = Blueprint(
    "standards", __name__, url_prefix="/v1", description="标准与规则 Standards and rulebooks"
)


class StandardUnknown(TiduiError):
    """No standard of this id."""

    status = 404


@blueprint.get("/standards")
@needs("lookup")
@blueprint.arguments(StandardsQuery, location="query")
@blueprint.response(200, StandardList)
def list_standards(query: dict[str, Any]) -> Response:
    """全部标准和项目：文件、条款、何时有效 All standards and programmes"""
    book, day = rulebook(), query.get("as_of")
    tag = etag("standards", book.hash, day, query["kind"], link_day())
    unchanged = not_modified(tag)
    if unchanged is not None:
        return unchanged
    period = Period(day, query["kind"]) if day else None
    body = {"standards": _heads(book, period), "ladder": ladder_dict(book), "rulebook": book.hash}
    return answer(body, etag=tag)


@blueprint.get("/standards/<string:standard>")
@needs("lookup")
@blueprint.arguments(StandardQuery, location="query")
@blueprint.response(200, StandardFull)
def read_standard(query: dict[str, Any], standard: str) -> Response:
    """一个标准的全部条件和评分表 One standard in full"""
    book, pack = rulebook(), _pack(rulebook(), standard)
    tag = etag("standard", book.hash, standard, query["as_of"], query["kind"], link_day())
    unchanged = not_modified(tag)
    if unchanged is not None:
        return unchanged
    told = standard_dict(pack, Period(query["as_of"], query["kind"]))
    return answer({**told, "rulebook": book.hash, "links": _links(pack)}, etag=tag)


@blueprint.get("/standards/<string:before>/diff/<string:after>")
@needs("lookup")
@blueprint.arguments(StandardQuery, location="query")
@blueprint.response(200, StandardDiff)
def compare_standards(query: dict[str, Any], before: str, after: str) -> Response:
    """两个版本逐条比较：新增、取消、收紧、放宽 Two versions, condition by condition"""
    book = rulebook()
    was, is_now = _pack(book, before), _pack(book, after)
    tag = etag("diff", book.hash, before, after, query["as_of"], query["kind"])
    unchanged = not_modified(tag)
    if unchanged is not None:
        return unchanged
    found = diff_packs(was, is_now, Period(query["as_of"], query["kind"]))
    body = {
        "before": before,
        "after": after,
        "as_of": query["as_of"],
        "kind": query["kind"],
        "differences": [difference_dict(difference) for difference in found],
        "rulebook": book.hash,
    }
    return answer(body, etag=tag)


@blueprint.get("/fields")
@needs("lookup")
@blueprint.response(200, FieldList)
def list_fields() -> Response:
    """企业的全部数据项：列名、类型、单位、可选值 Every figure a firm can have, and how it is written"""
    shown = [field_dict(field) for field in catalogue()]
    tag = etag("fields", repr(shown))
    return not_modified(tag) or answer({"fields": shown}, etag=tag)


@blueprint.get("/rulebooks/<string:rulebook_hash>")
@needs("lookup")
@blueprint.response(200, RulebookShown)
def read_rulebook(rulebook_hash: str) -> Response:
    """一本规则里有什么；current 为现行规则 What a rulebook holds, by hash or “current”"""
    current = rulebook()
    is_current = rulebook_hash in ("current", current.hash)
    book = current if is_current else rulebooks.load(reading(), rulebook_hash)
    tag = etag("rulebook", book.hash, is_current, link_day())
    unchanged = not_modified(tag)
    if unchanged is not None:
        return unchanged
    body = {
        "hash": book.hash,
        "current": is_current,
        "standards": _heads(book, None),
        "information": [information_dict(item) for item in book.information],
        "ladder": ladder_dict(book),
        "families": {family: list(ids) for family, ids in book.families.items()},
    }
    return answer(body, etag=tag)


def _pack(book: Rulebook, standard: str) -> Pack:
    if standard not in book.packs:
        raise StandardUnknown(
            "S404",
            Text(f"没有标准“{standard[:60]}”", f"there is no standard “{standard[:60]}”"),
            Text("编号见 GET /v1/standards", "GET /v1/standards lists them"),
        )
    return book[standard]


def _heads(book: Rulebook, period: Period | None) -> list[dict[str, Any]]:
    return [{**standard_head(pack, period), "links": _links(pack)} for pack in book]


def _links(pack: Pack) -> dict[str, str]:
    day = link_day()
    links = {"self": f"/v1/standards/{pack.id}?as_of={day}"}
    if pack.programme:
        links["programme"] = f"/v1/programmes/{pack.id}?as_of={day}"
    return links
