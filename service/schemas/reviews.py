"""``/v1/reviews``: what a person should look at."""

from __future__ import annotations

import marshmallow as ma

from models.reviews.kinds import kinds
from service.schemas.runs import cursor_field, district_field, limit_field
from service.schemas.shared import USCC, Strict, code_written, reason_field

STATUSES = ("open", "decided", "gone", "all")
REVIEW = "9c1f0e7a52d4b8369c1f0e7a52d4b836"
_DECISIONS = sorted({key for names in kinds().decisions.values() for key in names})


class ReviewsQuery(Strict):
    kind = ma.fields.String(
        validate=ma.validate.OneOf(list(kinds().kinds)),
        metadata={"example": "unit_slip", "description": "只看一类"},
    )
    status = ma.fields.String(
        load_default="open",
        validate=ma.validate.OneOf(STATUSES),
        metadata={"description": "open 待核；decided 已有结论；gone 数据已变、不再成立；all 全部"},
    )
    uscc = ma.fields.String(validate=code_written(), metadata={"example": USCC})
    district = district_field()
    cursor = cursor_field()
    limit = limit_field()


class DecisionOrder(Strict):
    decision = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(_DECISIONS),
        metadata={"example": "wrong", "description": "可选项见该事项的 choices"},
    )
    reason = reason_field("电话核实：单位误填为元")


class ReviewShown(ma.Schema):
    id = ma.fields.String(required=True, metadata={"example": REVIEW})
    uscc = ma.fields.String(required=True, metadata={"example": USCC})
    name = ma.fields.String(required=True, allow_none=True)
    district = ma.fields.Dict(required=True, allow_none=True)
    kind = ma.fields.Dict(required=True)
    why = ma.fields.Dict(required=True, metadata={"description": "哪里可疑，一句话"})
    year = ma.fields.Integer(required=True, metadata={"description": "评估日期的年份；数据是上一年的"})
    figures = ma.fields.List(ma.fields.Dict(), required=True)
    ratio = ma.fields.Float(required=True, allow_none=True)
    task = ma.fields.String(required=True, allow_none=True)
    standard = ma.fields.String(required=True, allow_none=True)
    verdict = ma.fields.String(required=True, allow_none=True)
    score = ma.fields.Float(required=True, allow_none=True)
    still_found = ma.fields.Boolean(required=True, metadata={"description": "最近一次评估仍然如此"})
    first_run = ma.fields.Integer(required=True)
    last_run = ma.fields.Integer(required=True)
    decision = ma.fields.String(required=True, allow_none=True)
    decision_text = ma.fields.Dict(required=True, allow_none=True)
    decided_at = ma.fields.DateTime(required=True, allow_none=True)
    decided_by = ma.fields.String(required=True, allow_none=True)
    choices = ma.fields.Dict(required=True, metadata={"description": "可以作的结论"})
    decisions = ma.fields.List(
        ma.fields.Dict(), metadata={"description": "历次结论，新的在前；只在看一项时给"}
    )
    links = ma.fields.Dict(required=True)


class ReviewsPage(ma.Schema):
    reviews = ma.fields.List(ma.fields.Nested(ReviewShown), required=True)
    total = ma.fields.Integer(required=True, metadata={"description": "同样条件下一共多少项"})
    cursor = ma.fields.String(required=True, allow_none=True, metadata={"description": "null 为末页"})
