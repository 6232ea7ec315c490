"""What the calls about programmes take and give."""

from __future__ import annotations

from datetime import date
from typing import Any

import marshmallow as ma

from service.fields import said

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
BOTH = {"zh": "预评估具备条件", "en": "eligible by this assessment"}
USCC = "91310115MA1K3XXXX0"


def as_of_field(*, required: bool) -> ma.fields.Date:
    """The evaluation date, within the years that figures can be of."""
    return ma.fields.Date(
        required=required,
        validate=ma.validate.Range(FIRST_DAY, LAST_DAY),
        metadata={
            "pattern": "^2(0[0-9]{2}|100)-[0-9]{2}-[0-9]{2}$",
            "example": "2025-06-30",
            "description": "评价日 Evaluation date",
        },
    )


def kind_field() -> ma.fields.String:
    return ma.fields.String(
        load_default="new",
        validate=ma.validate.OneOf(["new", "review"]),
        metadata={"description": "new 新申报，review 复核"},
    )


def both_field(**options: Any) -> ma.fields.Dict:
    """A sentence in both languages."""
    options.setdefault(
        "metadata", {"example": {"zh": "要求…；实际：…；达标", "en": "required: …; actual: …; met"}}
    )
    return ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), **options)


class ProgrammeQuery(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    as_of = as_of_field(required=False)
    kind = kind_field()


class ProgrammeHead(ma.Schema):
    id = ma.fields.String(required=True, metadata={"example": "voucher.growth"})
    name = both_field(required=True)
    short = ma.fields.String(metadata={"example": "成长券（操作性定义）"})
    judged = ma.fields.Boolean(required=True, metadata={"description": "false：取决于合同，只列出不判断"})
    why_not_judged = both_field()
    who = both_field()
    money = both_field()
    clause = ma.fields.Dict(required=True, metadata={"description": "文号、条款、网页、可信度（A/B/C）"})
    document = ma.fields.Dict()
    in_force_spans = ma.fields.List(ma.fields.Dict())
    pack_hash = ma.fields.String()
    has_public_amount = ma.fields.Boolean()
    options: ma.fields.Field[Any] = ma.fields.List(
        ma.fields.String(), metadata={"example": ["output_growth"], "description": "默认不启用"}
    )
    operational_definition = both_field(metadata={"description": "本项目的操作性定义，不是公开的发券规则"})
    links = ma.fields.Dict(required=True)


class ProgrammeList(ma.Schema):
    programmes = ma.fields.List(ma.fields.Nested(ProgrammeHead), required=True)
    rulebook = ma.fields.String(required=True)
    disclaimer = both_field(required=True)


class ProgrammeFull(ProgrammeHead):
    options = ma.fields.List(ma.fields.Dict(), metadata={"description": "默认不启用的附加条件"})
    as_of = ma.fields.Date()
    kind = ma.fields.String()
    in_force = ma.fields.Boolean()
    conditions = ma.fields.List(ma.fields.Dict())
    amount = ma.fields.Dict(allow_none=True, metadata={"description": "null：没有公开的数额"})
    exclusions = ma.fields.Dict()
    note = both_field()
    disclaimer = both_field()


class CheckOrder(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    as_of = as_of_field(required=True)
    kind = kind_field()
    purpose = ma.fields.String(
        required=True,
        validate=ma.validate.Length(2, 500),
        metadata={"example": "2025年成长券资格预核", "description": "用途，写入凭据和审计"},
    )
    options = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, 64)),
        load_default=list,
        validate=ma.validate.Length(max=10),
        metadata={"example": [], "description": "默认不启用的条件，如 output_growth"},
    )
    firms = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(max=64)),
        validate=ma.validate.Length(1, 1000),
        metadata={"example": [USCC], "description": "统一社会信用代码，1～1000 个；与 uscc 二选一"},
    )
    uscc = ma.fields.String(
        validate=ma.validate.Length(1, 64), metadata={"example": USCC, "description": "只核一家"}
    )

    @ma.validates_schema
    def one_of_two(self, data: dict[str, Any], **_: Any) -> None:
        if ("firms" in data) == ("uscc" in data):
            message = said("F011", "firms 和 uscc 要写且只写一个", "give either firms or uscc")
            raise ma.ValidationError(message, "firms")
