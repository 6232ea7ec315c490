"""``/v1/models``: learned models and their cards."""

from __future__ import annotations

import marshmallow as ma

from models.learn.tasks import tasks
from service.schemas.runs import EditionField
from service.schemas.shared import HASH, Strict


class ModelQuery(Strict):
    task = ma.fields.String(
        load_default=None,
        validate=ma.validate.OneOf(list(tasks())),
        metadata={"example": "above_scale", "description": "只看一个任务"},
    )


class ModelShown(ma.Schema):
    hash = ma.fields.String(required=True, metadata={"example": HASH})
    task = ma.fields.String(required=True, metadata={"example": "above_scale"})
    status = ma.fields.String(required=True, metadata={"example": "released"})
    shipped = ma.fields.Boolean(required=True, metadata={"description": "随附的，学自合成企业"})
    added_at = ma.fields.DateTime(required=True, allow_none=True)
    added_by = ma.fields.String(required=True, allow_none=True)
    changed_at = ma.fields.DateTime(required=True, allow_none=True)
    changed_by = ma.fields.String(required=True, allow_none=True)
    card = ma.fields.Dict(
        required=True, metadata={"description": "数据、划分、检验、标定、分组、局限、不得用于"}
    )
    links = ma.fields.Dict(required=True)


class ModelsShown(ma.Schema):
    models = ma.fields.List(ma.fields.Nested(ModelShown), required=True)


class TrainingOrder(Strict):
    task = ma.fields.String(
        required=True, validate=ma.validate.OneOf(list(tasks())), metadata={"example": "above_scale"}
    )
    until = ma.fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=ma.validate.Range(2001, 2099),
        metadata={"example": 2025, "description": "学到哪一年的结果；不写为名册里最后一年的营业收入"},
    )
    seed = ma.fields.Integer(load_default=0, strict=True, validate=ma.validate.Range(0, 2**31 - 1))
    edition = EditionField(
        load_default=None,
        metadata={
            "type": ["integer", "string"],
            "example": 3,
            "description": "版本编号或哈希；不写为现行版本 The active edition by default",
        },
    )


class TrainingShown(ma.Schema):
    id = ma.fields.UUID(required=True)
    task = ma.fields.String(required=True, metadata={"example": "above_scale"})
    until = ma.fields.Integer(required=True, allow_none=True, metadata={"example": 2025})
    seed = ma.fields.Integer(required=True)
    edition = ma.fields.Integer(required=True, metadata={"example": 3})
    status = ma.fields.String(
        required=True, validate=ma.validate.OneOf(("queued", "running", "succeeded", "failed"))
    )
    model = ma.fields.String(
        required=True, allow_none=True, metadata={"example": HASH, "description": "做成的模型，待定"}
    )
    problem = ma.fields.Dict(required=True, allow_none=True)
    requested_by = ma.fields.String(required=True)
    queued_at = ma.fields.DateTime(required=True)
    ended_at = ma.fields.DateTime(required=True, allow_none=True)
    links = ma.fields.Dict(required=True)


class TrainingsShown(ma.Schema):
    trainings = ma.fields.List(ma.fields.Nested(TrainingShown), required=True)
