"""What the calls about uploads take and give."""

from __future__ import annotations

import marshmallow as ma

from models.uploads.rows import STATUS_TEXTS
from service.schemas.shared import HASH, Strict, both_field

MOST_HEADERS = 2_000
_ID = "7d0f9a52-3c1e-4a7b-9f60-2f6d1f0a9c11"
STATUSES = [status for status in STATUS_TEXTS if status != "deleted"]


class UploadQuery(Strict):
    dated = ma.fields.Date(
        required=True,
        metadata={
            "pattern": "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$",
            "example": "2026-06-30",
            "description": "数据截至日期 The day the figures speak of",
        },
    )
    name = ma.fields.String(
        validate=ma.validate.Length(1, 255),
        metadata={"example": "名册.csv", "description": "文件名；表单里已带的可不写 The file's name"},
    )


class UploadsQuery(Strict):
    cursor = ma.fields.UUID(metadata={"example": _ID, "description": "上一页给的 cursor"})
    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 100))


class ColumnMeaning(Strict):
    """``{}``: as it is found out by itself, also next time."""

    column = ma.fields.String(
        load_default=None, validate=ma.validate.Length(1, 80), metadata={"example": "revenue_2025"}
    )
    unit = ma.fields.String(
        load_default=None, validate=ma.validate.Length(1, 10), metadata={"example": "万元"}
    )


class MappingOrder(Strict):
    columns = ma.fields.Dict(
        keys=ma.fields.String(validate=ma.validate.Length(1, 500)),
        values=ma.fields.Nested(ColumnMeaning, allow_none=True),
        required=True,
        validate=ma.validate.Length(1, MOST_HEADERS),
        metadata={
            "minProperties": 1,
            "maxProperties": MOST_HEADERS,
            "propertyNames": {"minLength": 1, "maxLength": 500},
            "example": {"2025年产值": {"column": "revenue_2025", "unit": "万元"}, "备注": None},
            "description": "表头 → 列和单位；null 忽略该列；{} 恢复自动识别",
        },
    )


class ConfirmOrder(Strict):
    mode = ma.fields.String(
        load_default="good_rows",
        validate=ma.validate.OneOf(["good_rows", "all_or_nothing"]),
        metadata={
            "example": "good_rows",
            "description": "good_rows 合格的行导入，不合格的退回；all_or_nothing 有一行不合格就都不导入",
        },
    )


class ColumnTaken(ma.Schema):
    header = ma.fields.String(required=True, metadata={"example": "2025年营业收入（万元）"})
    position = ma.fields.Integer(required=True, metadata={"example": 3})
    column = ma.fields.String(required=True, allow_none=True, metadata={"example": "revenue_2025"})
    label = both_field(required=True, allow_none=True)
    year = ma.fields.Integer(required=True, allow_none=True)
    unit = ma.fields.String(required=True, allow_none=True, metadata={"example": "万元"})
    how = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(["key", "header", "synonym", "chosen", "ignored", "unusable"]),
    )
    how_text = both_field(required=True)
    filled = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "读出的格子数"})
    bad = ma.fields.Integer(required=True, metadata={"description": "有问题的格子数"})
    samples = ma.fields.List(ma.fields.String(), required=True)


class RowCounts(ma.Schema):
    rows = ma.fields.Integer(required=True, metadata={"example": 399})
    good = ma.fields.Integer(required=True, metadata={"description": "可以导入的行"})
    rejected = ma.fields.Integer(required=True, metadata={"description": "代码读不出或重复的行"})
    bad_cells = ma.fields.Integer(required=True, metadata={"description": "按缺数据处理的格子和列"})
    warnings = ma.fields.Integer(required=True)


class CheckReport(ma.Schema):
    file = ma.fields.Dict(
        required=True,
        metadata={"example": {"kind": "csv", "encoding": "gb18030", "separator": ",", "header_row": 1}},
    )
    counts = ma.fields.Nested(RowCounts, required=True)
    columns = ma.fields.List(ma.fields.Nested(ColumnTaken), required=True)
    errors = ma.fields.List(ma.fields.Dict(), required=True, metadata={"description": "按错误代码汇总"})
    notes = ma.fields.List(ma.fields.Dict(), required=True, metadata={"description": "关于文件和列"})
    first_errors = ma.fields.List(ma.fields.Dict(), required=True, metadata={"description": "前 100 处"})
    differences = ma.fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "与现行版本相比：新增、没有再出现、有变动、相差约一万倍；null：还没有版本"},
    )


class UploadSchema(ma.Schema):
    id = ma.fields.UUID(required=True, metadata={"example": _ID})
    name = ma.fields.String(required=True, metadata={"example": "名册.csv"})
    owner = ma.fields.String(required=True, metadata={"example": "key:abcdefghijkl"})
    size = ma.fields.Integer(required=True, metadata={"example": 100059})
    sha256 = ma.fields.String(required=True, metadata={"example": HASH})
    dated = ma.fields.Date(required=True)
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(STATUSES))
    status_text = both_field(required=True)
    mode = ma.fields.String(required=True, allow_none=True)
    problem = ma.fields.Dict(
        required=True, allow_none=True, metadata={"description": "被拒绝或失败的原因：代码、说明、建议"}
    )
    edition = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "导入成了哪个版本"})
    received_at = ma.fields.DateTime(required=True)
    checked_at = ma.fields.DateTime(required=True, allow_none=True)
    ended_at = ma.fields.DateTime(required=True, allow_none=True)
    links = ma.fields.Dict(required=True)


class UploadWhole(UploadSchema):
    mapping = ma.fields.Dict(required=True, allow_none=True)
    report = ma.fields.Nested(CheckReport, required=True, allow_none=True)


class UploadPage(ma.Schema):
    uploads = ma.fields.List(ma.fields.Nested(UploadSchema), required=True)
    cursor = ma.fields.UUID(required=True, allow_none=True)


class FirstRow(ma.Schema):
    row = ma.fields.Integer(required=True, metadata={"example": 2})
    written = ma.fields.List(ma.fields.String(allow_none=True), required=True)
    read = ma.fields.Dict(required=True)
    error = ma.fields.String(required=True, allow_none=True)
    errors = ma.fields.List(ma.fields.Dict(), required=True)


class PreviewSchema(ma.Schema):
    header = ma.fields.List(ma.fields.String(), required=True)
    rows = ma.fields.List(ma.fields.Nested(FirstRow), required=True)
