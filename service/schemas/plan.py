"""What the calls about the plan take and give."""

from __future__ import annotations

import marshmallow as ma

from models.targets import COUNTS
from service.schemas.shared import USCC, Strict, Written, both_field, code_written

UNKNOWN_DISTRICT = "unknown"


class PlanAnswer(ma.Schema):
    plan = ma.fields.Dict(required=True)
    run = ma.fields.Dict(
        required=True, allow_none=True, metadata={"description": "数字出自哪次全库计算；null：还没有"}
    )
    district = ma.fields.Dict(
        required=True, allow_none=True, metadata={"description": "只数这个区；null：全市"}
    )
    scope = ma.fields.List(both_field(), required=True)
    targets = ma.fields.List(ma.fields.Dict(), required=True)
    district_clauses = ma.fields.List(ma.fields.Dict(), required=True)


class PlanQuery(Strict):
    district = ma.fields.String(
        validate=ma.validate.Length(1, 20),
        metadata={"example": "浦东新区", "description": "只数一个区：区名或六位代码"},
    )


class BehindQuery(Strict):
    basis = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(list(COUNTS)),
        metadata={
            "example": "held",
            "description": "held 已认定，held_unknown 未填；met 达标，met_review 待核验，met_unknown 缺数据",
        },
    )
    district = ma.fields.String(
        validate=Written(
            r"\d{6}\Z|unknown\Z", "应为六位区划代码或 unknown", "must be six digits or “unknown”"
        ),
        metadata={"example": "310115", "description": "六位区划代码；unknown：区未填"},
    )
    cursor = ma.fields.String(validate=code_written(), metadata={"example": USCC})
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
