"""What checks look like: a batch, one check, its replay, the keys."""

from __future__ import annotations

import marshmallow as ma

from service.schemas.programmes import USCC, both_field


class CheckAnswer(ma.Schema):
    """The answer exactly as it was signed."""

    format = ma.fields.String(required=True, metadata={"example": "tidui-check/1"})
    check = ma.fields.UUID(required=True)
    batch = ma.fields.UUID(required=True)
    programme = ma.fields.Dict(required=True)
    as_of = ma.fields.Date(required=True)
    kind = ma.fields.String(required=True)
    options = ma.fields.List(ma.fields.String(), required=True)
    in_force = ma.fields.Boolean(required=True)
    not_in_force = both_field()
    operational_definition = both_field()
    disclaimer = both_field(required=True)
    exclusions = ma.fields.Dict(required=True)
    uscc = ma.fields.String(required=True, metadata={"example": USCC})
    name = ma.fields.String(required=True, allow_none=True, metadata={"example": "上海示例精密机械有限公司"})
    district = ma.fields.Dict(required=True, allow_none=True)
    verdict = ma.fields.String(
        required=True, validate=ma.validate.OneOf(["eligible", "not_eligible", "unknown", "to_review"])
    )
    verdict_text = both_field(required=True)
    purpose_reached = ma.fields.Dict(
        required=True, allow_none=True, metadata={"description": "目的已达成（已是专精特新等），不是被拒"}
    )
    conditions = ma.fields.List(ma.fields.Dict(), required=True)
    amount = ma.fields.Dict(required=True, allow_none=True, metadata={"description": "null：没有公开的数额"})
    facts = ma.fields.List(
        ma.fields.Dict(), required=True, metadata={"description": "用到的数据，含空白，各有来源和日期"}
    )
    edition = ma.fields.Dict(required=True)
    rulebook = ma.fields.String(required=True)
    tidui = ma.fields.String(required=True)
    purpose = ma.fields.String(required=True, metadata={"example": "2025年成长券资格预核"})
    asked_by = ma.fields.Dict(required=True)
    asked_at = ma.fields.String(required=True, metadata={"example": "2025-06-30T02:00:00.000+00:00"})


class CheckShown(ma.Schema):
    answer = ma.fields.Nested(CheckAnswer, required=True)
    signature = ma.fields.String(
        required=True, metadata={"description": "JWS（RFC 7515 附录 F，载荷分离），EdDSA/Ed25519"}
    )
    links = ma.fields.Dict(required=True)


class CheckResult(ma.Schema):
    given = ma.fields.String(required=True, metadata={"example": USCC})
    uscc = ma.fields.String(required=True, allow_none=True)
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(["checked", "not_found", "invalid"]))
    note = both_field(required=True, allow_none=True)
    check = ma.fields.Nested(CheckShown, required=True, allow_none=True)


class CheckBatch(ma.Schema):
    batch = ma.fields.UUID(required=True)
    programme = ma.fields.String(required=True, metadata={"example": "voucher.growth"})
    as_of = ma.fields.Date(required=True)
    kind = ma.fields.String(required=True)
    options = ma.fields.List(ma.fields.String(), required=True)
    counts = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Integer(),
        required=True,
        metadata={
            "example": {
                "eligible": 1, "not_eligible": 0, "unknown": 0, "to_review": 0, "not_found": 0, "invalid": 0,
            }
        },
    )  # fmt: skip
    results = ma.fields.List(
        ma.fields.Nested(CheckResult), required=True, metadata={"description": "次序与提交的一致，一个不少"}
    )


class ReceiptSchema(ma.Schema):
    format = ma.fields.String(required=True, metadata={"example": "tidui-receipt/1"})
    answer = ma.fields.Nested(CheckAnswer, required=True)
    jws = ma.fields.String(required=True)
    key = ma.fields.Dict(required=True)


class DifferenceSchema(ma.Schema):
    pointer = ma.fields.String(required=True, metadata={"example": "/conditions/3/verdict"})
    then = ma.fields.Raw(required=True, allow_none=True)
    now = ma.fields.Raw(required=True, allow_none=True)


class ReplaySchema(ma.Schema):
    check = ma.fields.UUID(required=True)
    identical = ma.fields.Boolean(required=True)
    signature_holds = ma.fields.Boolean(required=True)
    differences = ma.fields.List(ma.fields.Nested(DifferenceSchema), required=True)
    registry_today = ma.fields.Dict(
        required=True, metadata={"description": "仅供参考：企业库现在的数据与核查时有哪些不同"}
    )
    said = both_field(required=True)


class KeySet(ma.Schema):
    keys = ma.fields.List(
        ma.fields.Dict(), required=True, metadata={"description": "JWK（RFC 7517、8037），现用的在前"}
    )
