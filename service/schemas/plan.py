"""What the calls about the plan take and give."""

from __future__ import annotations

import marshmallow as ma

from models.targets import COUNTS
from service.schemas.programmes import USCC, both_field

UNKNOWN_DISTRICT = "unknown"


class PlanAnswer(ma.Schema):
    plan = ma.fields.Dict(required=True)
    run = ma.fields.Dict(
        required=True, allow_none=True, metadata={"description": "数字出自哪次全库计算；null：还没有"}
    )
    district = ma.fields.Dict(
        required=True, allow_none=True, metadata={"description": "密钥限于一个区时，只是这个区的数"}
    )
    scope = ma.fields.List(both_field(), required=True)
    targets = ma.fields.List(ma.fields.Dict(), required=True)
    district_clauses = ma.fields.List(ma.fields.Dict(), required=True)


class BehindQuery(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    basis = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(list(COUNTS)),
        metadata={
            "example": "held",
            "description": "held 已认定，held_unknown 未填；met 达标，met_review 待核验，met_unknown 缺数据",
        },
    )
    district = ma.fields.String(
        validate=ma.validate.Regexp(r"\d{6}\Z|unknown\Z"),
        metadata={"example": "310115", "description": "六位区划代码；unknown：区未填"},
    )
    cursor = ma.fields.String(validate=ma.validate.Regexp(r"[0-9A-Z]{18}\Z"), metadata={"example": USCC})
    limit = ma.fields.Integer(load_default=100, validate=ma.validate.Range(1, 100))


class FirmBehind(ma.Schema):
    uscc = ma.fields.String(required=True, metadata={"example": USCC})
    name = ma.fields.String(required=True, allow_none=True, metadata={"example": "上海示例精密机械有限公司"})
    district = ma.fields.Dict(required=True, allow_none=True)
    link = ma.fields.String(required=True)


class BehindPage(ma.Schema):
    target = ma.fields.String(required=True, metadata={"example": "17.2"})
    basis = ma.fields.String(required=True, metadata={"example": "held"})
    firms = ma.fields.List(ma.fields.Nested(FirmBehind), required=True)
    cursor = ma.fields.String(required=True, allow_none=True, metadata={"description": "下一页；null 为末页"})
