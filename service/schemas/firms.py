"""What calls about firms take and give."""

from __future__ import annotations

import marshmallow as ma

from service.schemas.shared import USCC, Strict, Written, both_field, reason_field


class FirmSearch(Strict):
    q = ma.fields.String(
        load_default="",
        validate=ma.validate.Length(max=200),
        metadata={
            "example": "警松",
            "description": "代码或名称的一部分、曾用名、拼音、首字母",
        },
    )
    district = ma.fields.String(
        validate=ma.validate.Length(1, 20),
        metadata={"example": "浦东新区", "description": "区名或六位代码"},
    )
    industry = ma.fields.String(
        validate=Written(
            r"(?:[A-Ta-t]|[A-Ta-t]?\d{2,4})\Z",
            "应为门类字母（C）或 2～4 位行业代码（39、3911、C39）",
            "must be a section letter (C) or 2 to 4 digits of an industry (39, 3911, C39)",
        ),
        metadata={"example": "C39", "description": "门类字母，或 2～4 位行业代码"},
    )
    rung = ma.fields.Integer(
        validate=ma.validate.Range(0, 6),
        metadata={"example": 3, "description": "已认定的梯队级 Recognised rung, 0 to 6"},
    )
    cursor = ma.fields.String(validate=ma.validate.Length(max=1000))
    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 100))


class PlaceShown(ma.Schema):
    code = ma.fields.String(required=True, metadata={"example": "310115"})
    name = ma.fields.String(required=True, metadata={"example": "浦东新区"})


class TradeShown(ma.Schema):
    code = ma.fields.String(required=True, metadata={"example": "3911"})
    section = ma.fields.String(required=True, metadata={"example": "C"})
    name = ma.fields.String(required=True, metadata={"example": "计算机整机制造"})


class RungShown(ma.Schema):
    rung = ma.fields.Integer(required=True, metadata={"example": 3})
    name = both_field(required=True, metadata={"example": {"zh": "专精特新", "en": "SRDI"}})


class FirmHead(ma.Schema):
    uscc = ma.fields.String(required=True, allow_none=True, metadata={"example": USCC})
    name = ma.fields.String(required=True, allow_none=True, metadata={"example": "上海示例精密机械有限公司"})
    district = ma.fields.Nested(PlaceShown, required=True, allow_none=True)
    industry = ma.fields.Nested(TradeShown, required=True, allow_none=True)


class HitShown(FirmHead):
    recognised = ma.fields.Nested(RungShown, required=True, allow_none=True)
    score = ma.fields.Float(required=True, metadata={"example": 92.5})
    how = ma.fields.String(required=True, metadata={"example": "part"})
    why = both_field(required=True, metadata={"example": {"zh": "名称含“警松”", "en": "…"}})
    matched_name = ma.fields.String(required=True)
    links = ma.fields.Dict(required=True)


class HitPage(ma.Schema):
    firms = ma.fields.List(ma.fields.Nested(HitShown), required=True)
    cursor = ma.fields.String(required=True, allow_none=True, metadata={"description": "下一页；null 为末页"})


class SaidOtherwise(ma.Schema):
    value = ma.fields.Raw(required=True, metadata={"example": 98000000})
    shown = both_field(required=True)
    source = ma.fields.String(required=True, metadata={"example": "upload"})
    dated = ma.fields.Date(required=True)
    origin = ma.fields.String(required=True, metadata={"example": "2026年一季度.csv"})
    reason = ma.fields.String(allow_none=True)


class FactShown(SaidOtherwise):
    column = ma.fields.String(required=True, metadata={"example": "revenue_2025"})
    label = both_field(required=True)
    year = ma.fields.Integer(required=True, allow_none=True, metadata={"example": 2025})
    unit = ma.fields.String(required=True, allow_none=True, metadata={"example": "元"})
    also = ma.fields.List(
        ma.fields.Nested(SaidOtherwise),
        metadata={
            "description": "别处的说法：手工更正与导入不一致或已证实时，两者都列出；后导入但日期较早的也列出"
        },
    )


class StandingShown(ma.Schema):
    recognised = ma.fields.Nested(RungShown, required=True)
    qualifies = ma.fields.Nested(RungShown, required=True)
    could_reach = ma.fields.Nested(RungShown, required=True)
    as_of = ma.fields.Date(required=True)
    kind = ma.fields.String(required=True)
    rulebook = ma.fields.String(required=True)
    disclaimer = both_field(required=True)


class FirmShown(FirmHead):
    version = ma.fields.Integer(required=True, metadata={"example": 1, "description": "手工更正的次数"})
    former_names = ma.fields.List(ma.fields.String(), required=True)
    facts = ma.fields.List(ma.fields.Nested(FactShown), required=True)
    standing = ma.fields.Nested(
        StandingShown,
        required=True,
        allow_none=True,
        metadata={"description": "最近一次全库计算的结果；null：还没有"},
    )
    edition = ma.fields.String(required=True, allow_none=True)
    warnings = ma.fields.List(ma.fields.Dict(), metadata={"description": "已采用但值得核对的值"})
    links = ma.fields.Dict(required=True)


class Correction(Strict):
    changes = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Raw(allow_none=True),
        required=True,
        validate=ma.validate.Length(1, 300),
        metadata={
            "minProperties": 1,
            "maxProperties": 300,
            "example": {"revenue_2025": 123000000, "rd_staff_2025": None},
            "description": "规范列名 → 值；null 撤回手工更正，恢复导入的值",
        },
    )
    reason = reason_field("企业来函更正营业收入，附审计报告")
