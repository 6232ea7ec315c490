"""``/v1/models``: learned models and their cards."""

from __future__ import annotations

import marshmallow as ma

from models.learn.tasks import tasks
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
