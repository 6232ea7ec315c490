"""What calls about standards and rulebooks take and give."""

from __future__ import annotations

import marshmallow as ma

from service.schemas.shared import HASH, Strict, as_of_field, both_field, kind_field


class StandardsQuery(Strict):
    as_of = as_of_field(required=False)
    kind = kind_field()


class StandardQuery(Strict):
    as_of = as_of_field()
    kind = kind_field()


class FieldShown(ma.Schema):
    key = ma.fields.String(required=True, metadata={"example": "revenue"})
    column = ma.fields.String(
        required=True, metadata={"example": "revenue_2025", "description": "列名；按年的以 2025 年为例"}
    )
    label = both_field(required=True, metadata={"example": {"zh": "营业收入", "en": "operating revenue"}})
    type = ma.fields.String(required=True, metadata={"example": "money"})
    unit = ma.fields.String(required=True, allow_none=True, metadata={"example": "元"})
    yearly = ma.fields.Boolean(required=True, metadata={"description": "每年一列，列名带年份"})
    when_missing = ma.fields.String(
        required=True, metadata={"example": "unknown", "description": "空白时：unknown 缺数据，review 待核验"}
    )
    options = ma.fields.List(ma.fields.Dict(), required=True, metadata={"description": "可选的值"})
    range = ma.fields.List(ma.fields.Integer(), required=True, allow_none=True)
    note = ma.fields.String(required=True)


class FieldList(ma.Schema):
    fields_ = ma.fields.List(
        ma.fields.Nested(FieldShown), required=True, data_key="fields", metadata={"description": "全部数据项"}
    )


class StandardHead(ma.Schema):
    id = ma.fields.String(required=True, metadata={"example": "srdi.n2"})
    name = both_field(required=True)
    document = ma.fields.Dict(required=True)
    clause = ma.fields.Dict(required=True)
    kinds = ma.fields.List(ma.fields.String(), required=True)
    spans = ma.fields.List(ma.fields.Dict(), required=True, metadata={"description": "何时对何类申请有效"})
    in_force = ma.fields.Boolean(metadata={"description": "给了 as_of 才有"})
    programme = ma.fields.Boolean(required=True)
    pack_hash = ma.fields.String(required=True, metadata={"example": HASH})
    note = both_field()
    operational_definition = both_field()
    links = ma.fields.Dict(required=True)


class StandardList(ma.Schema):
    standards = ma.fields.List(ma.fields.Nested(StandardHead), required=True)
    ladder = ma.fields.List(ma.fields.Dict(), required=True)
    rulebook = ma.fields.String(required=True, metadata={"example": HASH})


class StandardFull(ma.Schema):
    id = ma.fields.String(required=True, metadata={"example": "srdi.n2"})
    name = both_field(required=True)
    as_of = ma.fields.Date(required=True)
    kind = ma.fields.String(required=True)
    in_force = ma.fields.Boolean(required=True)
    document = ma.fields.Dict(required=True)
    clause = ma.fields.Dict(required=True)
    pack_hash = ma.fields.String(required=True, metadata={"example": HASH})
    disclaimer = both_field(required=True)
    note = both_field()
    operational_definition = both_field()
    conditions = ma.fields.List(ma.fields.Dict(), required=True)
    card = ma.fields.List(ma.fields.Dict(), metadata={"description": "评分表"})
    size_table = ma.fields.List(ma.fields.Dict(), metadata={"description": "划型表：大、中、小型的下限"})
    options = ma.fields.List(ma.fields.Dict(), metadata={"description": "默认不启用的条件"})
    amount = ma.fields.Dict(allow_none=True)
    rulebook = ma.fields.String(required=True)
    links = ma.fields.Dict(required=True)


class DifferenceShown(ma.Schema):
    change = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(["added", "dropped", "tightened", "relaxed", "changed", "same"]),
    )
    change_text = both_field(required=True, metadata={"example": {"zh": "收紧", "en": "tightened"}})
    before_id = ma.fields.String(required=True, allow_none=True)
    before = both_field(required=True, allow_none=True)
    after_id = ma.fields.String(required=True, allow_none=True)
    after = both_field(required=True, allow_none=True)


class StandardDiff(ma.Schema):
    before = ma.fields.String(required=True, metadata={"example": "srdi.n63"})
    after = ma.fields.String(required=True, metadata={"example": "srdi.n2"})
    as_of = ma.fields.Date(required=True)
    kind = ma.fields.String(required=True)
    differences = ma.fields.List(ma.fields.Nested(DifferenceShown), required=True)
    rulebook = ma.fields.String(required=True)


class RulebookShown(ma.Schema):
    hash = ma.fields.String(required=True, metadata={"example": HASH})
    current = ma.fields.Boolean(required=True)
    standards = ma.fields.List(ma.fields.Nested(StandardHead), required=True)
    information = ma.fields.List(ma.fields.Dict(), required=True, metadata={"description": "只列出的券"})
    ladder = ma.fields.List(ma.fields.Dict(), required=True)
    families = ma.fields.Dict(required=True, metadata={"description": "同一标准的各版本，旧的在前"})
