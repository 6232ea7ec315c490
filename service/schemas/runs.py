"""What the calls about runs take and give."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from service.fields import said
from service.schemas.shared import HASH, MOST_STANDARDS, USCC, Strict, as_of_field, hash_field, kind_field

STATUSES = ("queued", "running", "succeeded", "partly_succeeded", "failed", "cancelled", "replaced")
VERDICTS = ("met", "review", "unknown", "unmet")
CURSOR = {"description": "上一页给的 cursor；没有就从头 What the page before gave"}


class EditionField(ma.fields.Field[str]):
    """An edition by number, or by the beginning of its hash."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> str:
        number = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31
        if number or (isinstance(value, str) and 1 <= len(value) <= 64):
            return str(value)
        message = said("F005", "应为版本的编号或哈希", "must be an edition's number or its hash")
        raise ma.ValidationError(message)


class RunOrder(Strict):
    edition = EditionField(
        load_default=None,
        metadata={
            "type": ["integer", "string"],
            "example": 3,
            "description": "版本编号，或哈希开头至少 6 位；不写为现行版本 The active edition by default",
        },
    )
    as_of = as_of_field()
    kind = kind_field()
    standards = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, 60)),
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(1, MOST_STANDARDS),
        metadata={"example": ["srdi.n2", "giant.n2"], "description": "不写为全部 All by default"},
    )
    rulebook = hash_field(load_default=None, allow_none=True)


class RunSchema(ma.Schema):
    id = ma.fields.Integer(required=True, metadata={"example": 12})
    edition = ma.fields.Integer(required=True, metadata={"example": 3})
    edition_hash = ma.fields.String(required=True, metadata={"example": HASH})
    as_of = ma.fields.Date(required=True)
    kind = ma.fields.String(required=True, metadata={"example": "new"})
    rulebook = ma.fields.String(required=True, metadata={"example": HASH})
    standards = ma.fields.List(
        ma.fields.String(), required=True, allow_none=True, metadata={"description": "null：全部"}
    )
    models = ma.fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "各任务所用模型的指纹；null：没有估计", "example": {"above_scale": HASH}},
    )
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(STATUSES))
    status_text = ma.fields.Dict(required=True, metadata={"example": {"zh": "进行中", "en": "running"}})
    requested_by = ma.fields.String(required=True, allow_none=True)
    started_at = ma.fields.DateTime(required=True)
    finished_at = ma.fields.DateTime(required=True, allow_none=True)
    stood_at = ma.fields.DateTime(
        required=True, allow_none=True, metadata={"description": "何时成为全库现状；null：没有"}
    )
    previous_run = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "变动是与哪次评估相比"}
    )
    firms = ma.fields.Integer(required=True, metadata={"example": 1_000_000})
    done = ma.fields.Integer(required=True, metadata={"example": 380_000, "description": "已评估的企业数"})
    parts = ma.fields.Dict(
        required=True,
        metadata={"example": {"queued": 20, "running": 2, "done": 42, "failed": 0, "cancelled": 0}},
    )
    rate = ma.fields.Float(required=True, metadata={"description": "每秒企业数 Firms a second"})
    seconds_left = ma.fields.Float(required=True, allow_none=True)
    problem = ma.fields.String(required=True, allow_none=True)
    failed_parts = ma.fields.List(
        ma.fields.Dict(), required=True, metadata={"description": "没有做成的部分和原因；可以重试"}
    )
    links = ma.fields.Dict(required=True)


class RunPage(ma.Schema):
    runs = ma.fields.List(ma.fields.Nested(RunSchema), required=True)
    cursor = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "下一页；null 为末页"}
    )


class RunsQuery(Strict):
    cursor = ma.fields.Integer(validate=ma.validate.Range(1, 2**31 - 1), metadata={**CURSOR, "example": 12})
    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 100))


def limit_field() -> ma.fields.Integer:
    return ma.fields.Integer(load_default=100, validate=ma.validate.Range(1, 1000))


def cursor_field() -> ma.fields.String:
    return ma.fields.String(validate=ma.validate.Length(1, 1000), metadata=CURSOR)


def district_field() -> ma.fields.String:
    return ma.fields.String(
        validate=ma.validate.Length(1, 20),
        metadata={"example": "310115", "description": "区名或六位代码 A district's name or six digits"},
    )


class ResultsQuery(Strict):
    standard = ma.fields.String(validate=ma.validate.Length(1, 60), metadata={"example": "srdi.n2"})
    verdict = ma.fields.String(
        validate=ma.validate.OneOf(VERDICTS),
        metadata={"example": "met", "description": "某项标准的结论，与 standard 一起写"},
    )
    district = district_field()
    cursor = cursor_field()
    limit = limit_field()

    @ma.validates_schema
    def _together(self, data: dict[str, Any], **_: Any) -> None:
        if ("verdict" in data) != ("standard" in data):
            missing = "standard" if "verdict" in data else "verdict"
            told = said("F001", "standard 和 verdict 要一起写", "standard and verdict go together")
            raise ma.ValidationError({missing: [told]})


class ResultsPage(ma.Schema):
    run = ma.fields.Integer(required=True, metadata={"example": 12})
    results = ma.fields.List(
        ma.fields.Dict(),
        required=True,
        metadata={
            "description": "列同 tidui score 的结果；加过滤时一页可能不足 limit，也可能为空，以 cursor 为准",
            "example": [{"uscc": USCC, "recognised": 2, "qualifies": 3, "could_reach": 4, "srdi.n2": "met"}],
        },
    )
    cursor = ma.fields.String(required=True, allow_none=True, metadata={"description": "null 为末页"})
    note = ma.fields.Dict(required=True)


class MovementsQuery(Strict):
    district = district_field()
    cursor = cursor_field()
    limit = limit_field()


class FeedQuery(Strict):
    since = ma.fields.String(
        load_default="0",
        validate=ma.validate.Length(1, 1000),
        metadata={
            "example": "2026-06-30",
            "description": "评估编号（不含它）、日期（含当天，北京时间）或上次答复的 next；0 为全部",
        },
    )
    district = district_field()
    limit = limit_field()


class MovementsPage(ma.Schema):
    movements = ma.fields.List(
        ma.fields.Dict(),
        required=True,
        metadata={"description": "谁从哪一级到哪一级、与哪次评估相比、哪些条件起了决定作用"},
    )
    cursor = ma.fields.String(required=True, allow_none=True, metadata={"description": "null 为末页"})
    note = ma.fields.Dict(required=True)


class FeedPage(ma.Schema):
    movements = ma.fields.List(ma.fields.Dict(), required=True)
    next = ma.fields.String(
        required=True, metadata={"description": "下次写在 since 里，只得到以后的变动；到末尾也给"}
    )
    more = ma.fields.Boolean(required=True, metadata={"description": "这一页满了，可能还有"})
    note = ma.fields.Dict(required=True)


class ExpiryQuery(Strict):
    within = ma.fields.String(
        load_default="90d",
        validate=ma.validate.Regexp(r"[1-9][0-9]{0,3}d\Z"),
        metadata={"example": "90d", "description": "多少天以内"},
    )
    as_of = as_of_field(required=False)
    title = ma.fields.String(validate=ma.validate.Length(1, 40), metadata={"example": "srdi"})
    district = district_field()
    cursor = cursor_field()
    limit = limit_field()


class ExpiryPage(ma.Schema):
    as_of = ma.fields.Date(required=True)
    until = ma.fields.Date(required=True)
    expiries = ma.fields.List(ma.fields.Dict(), required=True)
    cursor = ma.fields.String(required=True, allow_none=True)


class SummarySchema(ma.Schema):
    """What the run found, added up."""

    run = ma.fields.Integer(required=True, metadata={"example": 12})
    note = ma.fields.Dict(required=True)
