"""What calls that assess a firm, or advise it, take and give."""

from __future__ import annotations

import marshmallow as ma

from service.schemas.firms import FirmHead
from service.schemas.shared import (
    HASH,
    MOST_STANDARDS,
    USCC,
    Strict,
    as_of_field,
    both_field,
    code_written,
    hash_field,
    kind_field,
    standards_field,
)

VERDICTS = ["unmet", "unknown", "review", "met"]


class AssessmentQuery(Strict):
    as_of = as_of_field()
    kind = kind_field()
    standards = standards_field()
    rules = hash_field(load_default=None)


class AssessmentOrder(Strict):
    as_of = as_of_field()
    kind = kind_field()
    standards = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, 60)),
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(1, MOST_STANDARDS),
        metadata={"example": ["srdi.n2"], "description": "标准编号；不写为全部"},
    )
    rules = hash_field(load_default=None, allow_none=True)
    name = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(1, 200),
        metadata={"example": "某企业（假设情形）"},
    )
    uscc = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=code_written(),
        metadata={"example": USCC, "description": "只原样写进回答，不查企业库"},
    )
    facts = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Raw(allow_none=True),
        required=True,
        validate=ma.validate.Length(max=2000),
        metadata={
            "example": {"industry": "3911", "revenue_2025": 123000000, "rd_expense_2025": 5200000},
            "description": '规范列名 → 值；金额为元，比例 0.105 或 "10.5%"，null 为空白',
        },
    )


class InputShown(ma.Schema):
    column = ma.fields.String(required=True, metadata={"example": "rd_expense_2025"})
    label = both_field(required=True)
    year = ma.fields.Integer(required=True, allow_none=True)
    unit = ma.fields.String(required=True, allow_none=True, metadata={"example": "元"})
    value = ma.fields.Raw(required=True, allow_none=True, metadata={"example": 5200000})
    source = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={
            "example": "upload",
            "description": "upload 导入 hand 手工 list 名单 request 随请求",
        },
    )
    dated = ma.fields.Date(required=True, allow_none=True)


class ConditionShown(ma.Schema):
    id = ma.fields.String(required=True, allow_none=True, metadata={"example": "rd_ratio_1"})
    text = both_field(required=True, metadata={"example": {"zh": "要求", "en": "what is required"}})
    verdict = ma.fields.String(
        required=True, validate=ma.validate.OneOf(["unmet", "unknown", "review", "met"])
    )
    verdict_text = both_field(required=True, metadata={"example": {"zh": "未达标", "en": "unmet"}})
    reason = both_field(
        required=True,
        metadata={
            "example": {"zh": "实际 2.9%，要求 不低于3%", "en": "actual 2.9%; required: at least 3%"},
            "description": "为什么是这个结论：实际与要求，或组内如何",
        },
    )
    instead = both_field()
    clause = ma.fields.Dict(required=True, metadata={"description": "文件、附件、条款、网页、可信度"})
    about = ma.fields.String()
    unit = ma.fields.String(
        allow_none=True,
        metadata={"description": "actual 和 required.line 的单位；ratio 为小数，0.03 即 3%；没有单位为 null"},
    )
    required = ma.fields.Dict(
        metadata={
            "example": {
                "comparison": "ge",
                "line": 0.03,
                "shown": {"zh": "不低于3%", "en": "at least 3%"},
            },
            "description": "要求，按 about 的种类：comparison 和 line；is；held 和 valid_on；from 和 to；"
            "one_of；sector 和 inside；district；years；class。shown 写给人看；attested：由人核验",
        }
    )
    actual = ma.fields.Raw(allow_none=True)
    shown = both_field(
        allow_none=True,
        metadata={
            "example": {"zh": "2.9%", "en": "2.9%"},
            "description": "actual 写给人看的样子；缺时为 null",
        },
    )
    inputs = ma.fields.List(ma.fields.Nested(InputShown))
    note = both_field()
    join = ma.fields.String(metadata={"description": "all 须全部满足；any 满足其一"})
    name = both_field(allow_none=True)
    members = ma.fields.List(ma.fields.Dict(), metadata={"description": "组内的条件，形状相同"})


class StandardShown(ma.Schema):
    id = ma.fields.String(required=True, metadata={"example": "srdi.n2"})
    name = both_field(required=True)
    kind = ma.fields.String(required=True)
    in_force = ma.fields.Boolean(required=True)
    document = ma.fields.Dict(required=True)
    clause = ma.fields.Dict(required=True)
    note = both_field()
    operational_definition = both_field()
    verdict = ma.fields.String(
        required=True,
        metadata={"description": "unmet unknown review met；划型为 large 等"},
    )
    verdict_text = both_field(required=True, metadata={"example": {"zh": "未达标", "en": "unmet"}})
    reason = both_field(
        required=True,
        metadata={
            "example": {
                "zh": "不满足的条件有：【从事细分市场年限不低于3年】",
                "en": "unmet conditions: [years …]",
            },
            "description": "为什么是这个结论：把结论定在这里的条件，各在【】里",
        },
    )
    score = ma.fields.Dict(metadata={"description": "评分：总分、各部分、各指标的 [low, high]"})
    conditions = ma.fields.List(ma.fields.Nested(ConditionShown))
    labels = ma.fields.List(ma.fields.Dict())
    shown = ma.fields.List(ma.fields.Dict())
    sector = ma.fields.Dict(allow_none=True)
    bounds = ma.fields.List(ma.fields.Dict())
    inputs = ma.fields.List(ma.fields.Nested(InputShown))


class Hashes(ma.Schema):
    edition = ma.fields.String(required=True, allow_none=True, metadata={"example": HASH})
    figures = ma.fields.String(required=True, metadata={"example": HASH})
    rulebook = ma.fields.String(required=True, metadata={"example": HASH})
    packs = ma.fields.Dict(required=True)


class FactorShown(ma.Schema):
    feature = ma.fields.String(required=True, metadata={"example": "distance"})
    name = both_field(required=True)
    value = both_field(required=True, metadata={"example": {"zh": "还要增长19%", "en": "19% more is needed"}})
    effect = ma.fields.Float(required=True, metadata={"description": "对数几率的变化，精确 Shapley 值"})


class OutlookShown(ma.Schema):
    """A model's estimate: never a verdict, and apart from the rules."""

    task = ma.fields.String(required=True, metadata={"example": "above_scale"})
    name = both_field(required=True)
    question = both_field(required=True)
    year = ma.fields.Integer(required=True, metadata={"description": "估计的是哪一年"})
    score = ma.fields.Float(required=True, allow_none=True, metadata={"description": "概率；不估计时为 null"})
    band = ma.fields.Dict(required=True, allow_none=True, metadata={"description": "在训练企业中的位置"})
    abstained = ma.fields.Boolean(required=True)
    reason = ma.fields.Dict(required=True, allow_none=True, metadata={"description": "为什么不估计"})
    rival = ma.fields.Dict(required=True, metadata={"description": "不用模型的对照估计"})
    factors = ma.fields.List(ma.fields.Nested(FactorShown), required=True)
    model = ma.fields.Dict(required=True, metadata={"description": "哈希、训练日期、是否学自合成企业"})
    note = both_field(required=True, metadata={"example": {"zh": "估计，不是评定结论", "en": "…"}})


class AssessmentShown(ma.Schema):
    """Where a firm stands, and why. 预评估，不构成认定。"""

    firm = ma.fields.Nested(FirmHead, required=True)
    as_of = ma.fields.Date(required=True)
    kind = ma.fields.String(required=True)
    disclaimer = both_field(required=True, metadata={"example": {"zh": "预评估，不构成认定", "en": "…"}})
    ladder = ma.fields.Dict(required=True, metadata={"description": "已认定、现达标、可望达到，再逐级"})
    standards = ma.fields.List(ma.fields.Nested(StandardShown), required=True)
    hashes = ma.fields.Nested(Hashes, required=True)
    outlook = ma.fields.List(
        ma.fields.Nested(OutlookShown), required=True, metadata={"description": "模型的估计，一个任务一项"}
    )


class AdviceShown(ma.Schema):
    firm = ma.fields.Nested(FirmHead, required=True)
    as_of = ma.fields.Date(required=True)
    kind = ma.fields.String(required=True)
    disclaimer = both_field(required=True)
    ladder = ma.fields.Dict(required=True)
    ready = ma.fields.List(ma.fields.Dict(), required=True, metadata={"description": "现在就可以申请的级"})
    next_rung = ma.fields.Dict(required=True, allow_none=True)
    standards = ma.fields.List(
        ma.fields.Dict(),
        required=True,
        metadata={"description": "各标准的差距，和能达标的最小一组变化（plan）及其日期、假定、障碍"},
    )
    questions = ma.fields.List(ma.fields.Dict(), required=True, metadata={"description": "先问清的空白"})
    columns = ma.fields.Dict(required=True, metadata={"description": "空白各列的名称、年份、单位"})
    hashes = ma.fields.Nested(Hashes, required=True)
