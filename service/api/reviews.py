"""``/v1/reviews``: what looks wrong, decided by people; their decisions are kept, and usable as labels."""

from __future__ import annotations

from typing import Any

from flask import Response

from models.reviews.deciding import decide
from models.reviews.labels import labels, labels_csv
from models.reviews.queue import review_page, review_shown
from service.auditing import actor, record
from service.districts import asked_district
from service.extension import now, reading, stop_reading, tidui
from service.idempotency import idempotent
from service.schemas.reviews import DecisionOrder, ReviewShown, ReviewsPage, ReviewsQuery
from service.security import caller, limited, needs
from service.wire import Blueprint, answer

blueprint = Blueprint("reviews", __name__, url_prefix="/v1/reviews", description="待核事项 Reviews")


@blueprint.get("")
@needs("lookup")
@blueprint.arguments(ReviewsQuery, location="query")
@blueprint.response(200, ReviewsPage)
def read_reviews(query: dict[str, Any]) -> Response:
    """待核事项：自相矛盾或骤变的数据、规则与模型相左的企业，重的在前 What a person should look at

    每次整库评估都会查一遍；同样的数据不会因再次评估而重开，已有的结论保留。
    """
    rows, cursor, total = review_page(
        reading(),
        kind=query.get("kind"),
        district=asked_district(query.get("district")),
        uscc=query.get("uscc"),
        status=query["status"],
        cursor=query.get("cursor"),
        limit=query["limit"],
    )
    record("reviews.read", "reviews", status=query["status"], firms=[row["uscc"] for row in rows])
    return answer({"reviews": rows, "total": total, "cursor": cursor})


@blueprint.get("/labels.csv")
@needs("lookup")
@limited("check")
@blueprint.response(200, description="一行一个结论 A row a decision", content_type="text/csv")
def read_labels() -> Response:
    """已作的结论（看不准的除外），可作训练标签 The decisions that stand, as labels"""
    found = labels(reading(), caller().district)
    record("reviews.export", "reviews", rows=found.height, district=caller().district)
    return Response(
        labels_csv(found),
        mimetype="text/csv",
        headers={"Content-Disposition": 'attachment; filename="tidui-labels.csv"'},
    )


@blueprint.get("/<string:review>")
@needs("lookup")
@blueprint.response(200, ReviewShown)
def read_review(review: str) -> Response:
    """一个待核事项和历次结论 One of them, with every decision about it"""
    found = review_shown(reading(), review, caller().district)
    record("review.read", found["uscc"], review=review)
    return answer(found)


@blueprint.post("/<string:review>/decisions")
@needs("write")
@limited("write")
@idempotent()
@blueprint.arguments(DecisionOrder, location="json")
@blueprint.response(201, ReviewShown)
def add_decision(order: dict[str, Any], review: str) -> Response:
    """作一个结论；改主意就再作一个，原来的留着 Decide; a later decision does not erase the ones before

    数据有误的，另用 `PATCH /v1/firms/{uscc}/facts` 更正，下次评估就不再列出。
    """
    stop_reading()
    with tidui().database.write() as connection:
        decide(
            connection,
            review,
            order["decision"],
            reason=order["reason"].strip(),
            actor=actor(),
            now=now(),
            district=caller().district,
        )
        body = review_shown(connection, review)
    return answer(body, 201, headers={"Location": f"/v1/reviews/{review}"})
