"""``/v1/webhooks``: who is told of movements, and what became of each message.

Times are the database's, as the workers' are.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson
from flask import Response

from models.figures import place
from models.forms import both
from models.jobs.leases import database_now
from models.webhooks import deliveries, subscriptions
from models.webhooks.deliveries import Delivery
from models.webhooks.posting import FAULTS
from models.webhooks.subscriptions import Webhook
from service.auditing import actor
from service.extension import reading, tidui
from service.schemas.webhooks import (
    DeliveriesQuery,
    DeliveryPage,
    DeliverySchema,
    WebhookList,
    WebhookMade,
    WebhookOrder,
    WebhookSchema,
)
from service.security import caller, limited, needs
from service.wire import Blueprint, answer
from service.work import give_out

blueprint = Blueprint(
    "webhooks", __name__, url_prefix="/v1/webhooks", description="网络钩子：有变动时通知 Webhooks"
)


@blueprint.post("")
@needs("admin")
@limited("write")
@blueprint.arguments(WebhookOrder, location="json")
@blueprint.response(201, WebhookMade)
def add_webhook(order: dict[str, Any]) -> Response:
    """订阅变动：消息按 Standard Webhooks 签名；密钥只显示这一次，随即发一条 ping Be told of movements

    限区的密钥只订得到本区的变动。内网、本机和云平台自用的地址一律不发。
    """
    with tidui().database.write() as connection:
        made, secret = subscriptions.add(
            connection,
            order["url"],
            order["events"],
            district=caller().district,
            allowed=tidui().settings.webhook_networks,
            actor=actor(),
            now=database_now(connection),
        )
    give_out("sweep")
    shown = {**_shown(made), "secret": secret}
    return answer(shown, 201, headers={"Location": f"/v1/webhooks/{made.id}"})


@blueprint.get("")
@needs("admin")
@blueprint.response(200, WebhookList)
def read_webhooks() -> Response:
    """有哪些订阅，不含密钥 The webhooks there are, without their secrets"""
    found = subscriptions.all_webhooks(reading(), database_now(reading()), caller().district)
    return answer({"webhooks": [_shown(one) for one in found]})


@blueprint.get("/<uuid:webhook_id>")
@needs("admin")
@blueprint.response(200, WebhookSchema)
def read_webhook(webhook_id: Any) -> Response:
    """一个订阅 One webhook"""
    return answer(_shown(_found(webhook_id)))


@blueprint.delete("/<uuid:webhook_id>")
@needs("admin")
@limited("write")
@blueprint.response(204)
def delete_webhook(webhook_id: Any) -> Response:
    """删除订阅；还没发出的不再发 Delete it; what waits is not sent"""
    with tidui().database.write() as connection:
        subscriptions.delete(
            connection,
            str(webhook_id),
            district=caller().district,
            actor=actor(),
            now=database_now(connection),
        )
    return Response(status=204)


@blueprint.post("/<uuid:webhook_id>/rotate")
@needs("admin")
@limited("write")
@blueprint.response(200, WebhookMade)
def rotate_secret(webhook_id: Any) -> Response:
    """换密钥，只显示这一次 A new secret, shown this once

    新旧两个同时签名一天；停用的订阅随之恢复。"""
    with tidui().database.write() as connection:
        turned, secret = subscriptions.rotate(
            connection,
            str(webhook_id),
            district=caller().district,
            actor=actor(),
            now=database_now(connection),
        )
    return answer({**_shown(turned), "secret": secret})


@blueprint.get("/<uuid:webhook_id>/deliveries")
@needs("admin")
@blueprint.arguments(DeliveriesQuery, location="query")
@blueprint.response(200, DeliveryPage, description="新的在前 Newest first")
def read_deliveries(query: dict[str, Any], webhook_id: Any) -> Response:
    """发过和待发的消息，新的在前；status=dead 是放弃了的 Messages sent and waiting, and those given up"""
    known = _found(webhook_id)
    found, cursor = deliveries.page(
        reading(), known.id, status=query.get("status"), cursor=query.get("cursor"), limit=query["limit"]
    )
    return answer({"deliveries": [_delivery(one) for one in found], "cursor": cursor})


@blueprint.post("/deliveries/<uuid:delivery_id>/replay")
@needs("admin")
@limited("write")
@blueprint.response(202, DeliverySchema)
def replay_delivery(delivery_id: Any) -> Response:
    """重发一条消息，编号不变 Send a message again, under the same id"""
    with tidui().database.write() as connection:
        found = deliveries.replay(
            connection,
            str(delivery_id),
            district=caller().district,
            actor=actor(),
            now=database_now(connection),
        )
    give_out("deliver", found.id)
    return answer(_delivery(found), 202)


def _found(webhook_id: Any) -> Webhook:
    connection = reading()
    return subscriptions.find(connection, str(webhook_id), database_now(connection), caller().district)


def _shown(one: Webhook) -> dict[str, Any]:
    own = f"/v1/webhooks/{one.id}"
    links = {"self": own, "deliveries": f"{own}/deliveries", "rotate": f"{own}/rotate"}
    return {**asdict(one), "district": place(one.district), "links": links}


def _delivery(one: Delivery) -> dict[str, Any]:
    shown = asdict(one)
    shown["webhook"] = shown.pop("webhook_id")
    fault = None if one.fault is None else both(FAULTS[one.fault])
    links = {"replay": f"/v1/webhooks/deliveries/{one.id}/replay"}
    return {**shown, "body": orjson.Fragment(one.body), "fault_text": fault, "links": links}
