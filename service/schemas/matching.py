"""What ``POST /v1/firms/match`` takes and gives."""

from __future__ import annotations

import marshmallow as ma

from models.matching import MOST_CANDIDATES, MOST_QUERIES
from service.schemas.firms import HitShown
from service.schemas.shared import USCC, Strict, both_field

LONGEST_NAME = 200


class MatchQuery(Strict):
    """One line of the caller's list."""

    id = ma.fields.String(
        validate=ma.validate.Length(max=100),
        metadata={"example": "第3行", "description": "调用方自己的编号，原样返回"},
    )
    name = ma.fields.String(
        load_default="",
        validate=ma.validate.Length(max=LONGEST_NAME),
        metadata={"example": "警松建设工程", "description": "企业名称、简称或曾用名；可以没有，只给代码"},
    )
    uscc = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(max=64),
        metadata={"example": USCC, "description": "统一社会信用代码，有则以它为准"},
    )
    district = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(max=20),
        metadata={"example": "徐汇区", "description": "区名或六位代码，用来区分同名企业"},
    )


class MatchOrder(Strict):
    queries = ma.fields.List(
        ma.fields.Nested(MatchQuery),
        required=True,
        validate=ma.validate.Length(1, MOST_QUERIES),
        metadata={
            "description": f"1～{MOST_QUERIES} 个",
            "example": [{"name": "警松建设工程"}, {"name": "上海上诚贸易有限公司", "district": "徐汇区"}],
        },
    )


class MatchShown(ma.Schema):
    query = ma.fields.Nested(MatchQuery, required=True, metadata={"description": "原样返回"})
    status = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(["found", "ambiguous", "not_found", "invalid"]),
        metadata={"description": "found 唯一；ambiguous 请人选；not_found 没有；invalid 这一行读不懂"},
    )
    why = both_field(required=True, metadata={"example": {"zh": "名称一致", "en": "the name is the same"}})
    candidates = ma.fields.List(
        ma.fields.Nested(HitShown),
        required=True,
        metadata={"description": f"至多 {MOST_CANDIDATES} 家，最像的在前；found 时第一家即是"},
    )


class MatchAnswer(ma.Schema):
    results = ma.fields.List(
        ma.fields.Nested(MatchShown), required=True, metadata={"description": "次序与提交的一致，一个不少"}
    )
    counts = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Integer(),
        required=True,
        metadata={"example": {"found": 1, "ambiguous": 1, "not_found": 0, "invalid": 0}},
    )
    edition = ma.fields.String(required=True, allow_none=True)
