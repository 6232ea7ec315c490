"""``/v1/prospects``: whom to call."""

from __future__ import annotations

import marshmallow as ma

from models.learn.tasks import tasks
from service.schemas.runs import VERDICTS, cursor_field, district_field, limit_field
from service.schemas.shared import HASH, Strict


class ProspectsQuery(Strict):
    task = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(list(tasks())),
        metadata={"example": "above_scale", "description": "任务，见 GET /v1/models"},
    )
    district = district_field()
    rules = ma.fields.String(
        validate=ma.validate.OneOf(VERDICTS),
        metadata={"example": "unmet", "description": "规则对同一问题的结论"},
    )
    cursor = cursor_field()
    limit = limit_field()


class ProspectsPage(ma.Schema):
    task = ma.fields.Dict(required=True)
    run = ma.fields.Integer(required=True, metadata={"example": 12})
    edition = ma.fields.Integer(required=True, metadata={"example": 3})
    as_of = ma.fields.Date(required=True)
    model = ma.fields.String(required=True, metadata={"example": HASH})
    current = ma.fields.Boolean(
        required=True, metadata={"description": "false：此后名册又有变化，还没有重新评估"}
    )
    total = ma.fields.Integer(required=True, metadata={"description": "同样条件下一共多少家"})
    prospects = ma.fields.List(
        ma.fields.Dict(),
        required=True,
        metadata={"description": "概率高的在前：名次、企业、概率、位置、对照、因素；规则的结论另列"},
    )
    cursor = ma.fields.String(required=True, allow_none=True, metadata={"description": "null 为末页"})
    note = ma.fields.Dict(required=True)
