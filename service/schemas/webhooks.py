"""What the calls about webhooks take and give."""

from __future__ import annotations

import marshmallow as ma

from models.webhooks.deliveries import STATUSES
from models.webhooks.subscriptions import EVENTS
from service.schemas.runs import cursor_field
from service.schemas.shared import Strict, both_field

ID = "7c9f4b60-2f0e-4f0b-8f43-0d5a3c1c9f10"


class WebhookOrder(Strict):
    url = ma.fields.String(
        required=True,
        validate=ma.validate.Length(1, 2000),
        metadata={"example": "https://example.com/hooks/tidui", "description": "https，公网地址"},
    )
    events = ma.fields.List(
        ma.fields.String(validate=ma.validate.OneOf(EVENTS)),
        load_default=list(EVENTS),
        validate=ma.validate.Length(1, len(EVENTS)),
        metadata={"example": list(EVENTS)},
    )


class WebhookSchema(ma.Schema):
    id = ma.fields.UUID(required=True, metadata={"example": ID})
    url = ma.fields.String(required=True, metadata={"example": "https://example.com/hooks/tidui"})
    events = ma.fields.List(ma.fields.String(), required=True)
    district = ma.fields.Dict(
        required=True, allow_none=True, metadata={"description": "只通知这个区的；null：全市"}
    )
    made_by = ma.fields.String(required=True)
    made_at = ma.fields.DateTime(required=True)
    disabled_at = ma.fields.DateTime(
        required=True, allow_none=True, metadata={"description": "对方答复 410 后停用；换密钥即恢复"}
    )
    live_secrets = ma.fields.Integer(
        required=True, metadata={"example": 1, "description": "现在有几个密钥签名；换过之后一天内是 2"}
    )
    links = ma.fields.Dict(required=True)


class WebhookMade(WebhookSchema):
    secret = ma.fields.String(
        required=True, metadata={"example": "whsec_…", "description": "只显示这一次 Shown this once"}
    )


class WebhookList(ma.Schema):
    webhooks = ma.fields.List(ma.fields.Nested(WebhookSchema), required=True)


class DeliveriesQuery(Strict):
    status = ma.fields.String(
        validate=ma.validate.OneOf(STATUSES),
        metadata={"example": "dead", "description": "pending 待发，delivered 已到，dead 不再发"},
    )
    cursor = cursor_field()
    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 100))


class DeliverySchema(ma.Schema):
    id = ma.fields.UUID(required=True, metadata={"description": "消息的 webhook-id；重发时不变"})
    webhook = ma.fields.UUID(required=True)
    event = ma.fields.String(required=True, metadata={"example": "movements"})
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(STATUSES))
    attempts = ma.fields.Integer(required=True)
    next_at = ma.fields.DateTime(required=True, allow_none=True)
    answer = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "对方的 HTTP 状态"})
    fault = ma.fields.String(required=True, allow_none=True, metadata={"example": "refused"})
    fault_text = both_field(required=True, allow_none=True)
    made_at = ma.fields.DateTime(required=True)
    ended_at = ma.fields.DateTime(required=True, allow_none=True)
    body = ma.fields.Dict(required=True)
    links = ma.fields.Dict(required=True)


class DeliveryPage(ma.Schema):
    deliveries = ma.fields.List(ma.fields.Nested(DeliverySchema), required=True)
    cursor = ma.fields.String(required=True, allow_none=True, metadata={"description": "null 为末页"})
