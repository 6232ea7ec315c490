"""What the calls about impacts take and give."""

from __future__ import annotations

import marshmallow as ma

from models.impacts.pairs import MOST_PAIRS
from models.impacts.tally import CHANGES
from service.schemas.runs import EditionField
from service.schemas.shared import HASH, Strict, as_of_field, hash_field, kind_field

IMPACT_STATUSES = ("queued", "running", "succeeded", "failed")


class PairOrder(Strict):
    a = ma.fields.String(required=True, validate=ma.validate.Length(1, 60), metadata={"example": "srdi.n63"})
    b = ma.fields.String(required=True, validate=ma.validate.Length(1, 60), metadata={"example": "srdi.n2"})


class ImpactOrder(Strict):
    as_of = as_of_field()
    kind = kind_field()
    rulebook_a = hash_field(load_default=None, allow_none=True)
    rulebook_b = hash_field(load_default=None, allow_none=True)
    standards = ma.fields.List(
        ma.fields.Nested(PairOrder),
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(1, MOST_PAIRS),
        metadata={
            "example": [{"a": "srdi.n63", "b": "srdi.n2"}],
            "description": "不写则比较两份规则里不同的标准 By default all that read differently",
        },
    )
    edition = EditionField(
        load_default=None,
        metadata={
            "type": ["integer", "string"],
            "example": 3,
            "description": "版本编号，或哈希开头至少 6 位；不写为现行版本 The active edition by default",
        },
    )


class ConditionSchema(ma.Schema):
    side = ma.fields.String(required=True, validate=ma.validate.OneOf(["a", "b"]))
    standard = ma.fields.String(required=True, metadata={"example": "srdi.n2"})
    condition = ma.fields.String(required=True, metadata={"example": "debt_ratio"})
    text = ma.fields.Dict(required=True)
    firms = ma.fields.Integer(required=True, metadata={"description": "这一条起作用的企业数"})
    alone = ma.fields.Integer(required=True, metadata={"description": "其中只因这一条的"})


class PairSchema(ma.Schema):
    a = ma.fields.Dict(required=True)
    b = ma.fields.Dict(required=True)
    counts = ma.fields.Dict(
        required=True,
        metadata={
            "example": dict.fromkeys(CHANGES, 0),
            "description": "每家企业恰在一类；a、b 对调时 gained 与 lost、newly_unknown 与 newly_known 对调",
        },
    )
    from_to = ma.fields.Dict(required=True, metadata={"description": "之前的结论 → 之后的结论 → 企业数"})
    districts = ma.fields.List(ma.fields.Dict(), required=True)
    sections = ma.fields.List(ma.fields.Dict(), required=True)
    conditions = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.List(ma.fields.Nested(ConditionSchema)),
        required=True,
        metadata={"description": "每类变化背后的条件，常见的在前"},
    )


class ReportSchema(ma.Schema):
    as_of = ma.fields.Date(required=True)
    kind = ma.fields.String(required=True)
    rulebook_a = ma.fields.String(required=True, metadata={"example": HASH})
    rulebook_b = ma.fields.String(required=True, metadata={"example": HASH})
    edition = ma.fields.Dict(required=True)
    firms = ma.fields.Integer(required=True)
    pairs = ma.fields.List(ma.fields.Nested(PairSchema), required=True)
    same = ma.fields.List(ma.fields.String(), required=True, metadata={"description": "两份规则里相同的标准"})
    only_a = ma.fields.List(ma.fields.String(), required=True)
    only_b = ma.fields.List(ma.fields.String(), required=True)
    disclaimer = ma.fields.Dict(required=True)


class ImpactSchema(ma.Schema):
    id = ma.fields.String(required=True, metadata={"example": "4b1c2d3e-0000-4000-8000-000000000000"})
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(IMPACT_STATUSES))
    edition = ma.fields.Integer(required=True)
    as_of = ma.fields.Date(required=True)
    kind = ma.fields.String(required=True)
    rulebook_a = ma.fields.String(required=True, metadata={"example": HASH})
    rulebook_b = ma.fields.String(required=True, metadata={"example": HASH})
    requested_by = ma.fields.String(required=True)
    queued_at = ma.fields.DateTime(required=True)
    ended_at = ma.fields.DateTime(required=True, allow_none=True)
    problem = ma.fields.Dict(
        required=True, allow_none=True, metadata={"description": "失败的原因：code、zh、en"}
    )
    report = ma.fields.Nested(ReportSchema, required=True, allow_none=True)
    links = ma.fields.Dict(required=True)
