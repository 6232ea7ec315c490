"""``/v1/models``: which models speak, their cards, training new ones, releasing and retiring them."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response
from sqlalchemy import Row

from models.registry import learned
from models.registry.days import this_day
from models.registry.learned import Learned
from models.registry.listing import find_edition
from models.trainings.jobs import begin_training, list_trainings, read_training
from service.auditing import actor
from service.districts import refuse_district_key
from service.extension import now, reading, stop_reading, tidui
from service.idempotency import idempotent
from service.schemas.models import (
    ModelQuery,
    ModelShown,
    ModelsShown,
    TrainingOrder,
    TrainingShown,
    TrainingsShown,
)
from service.security import limited, needs
from service.wire import Blueprint, answer
from service.work import give_out

blueprint = Blueprint("models", __name__, url_prefix="/v1/models", description="模型 Learned models")


@blueprint.get("")
@needs("assess")
@blueprint.arguments(ModelQuery, location="query")
@blueprint.response(200, ModelsShown)
def read_models(query: dict[str, Any]) -> Response:
    """模型一览：启用的、待定的、停用的；没有启用过的任务用随附的 Models and their states"""
    found = learned.all_models(reading(), query["task"])
    return answer({"models": [_shown(one) for one in found]})


@blueprint.post("")
@needs("admin")
@limited("check")
@idempotent()
@blueprint.arguments(TrainingOrder, location="json")
@blueprint.response(202, TrainingShown, description="已排队；进度见 Location。同样的正在训练时，就是那一次")
def start_training(order: dict[str, Any]) -> Response:
    """用名册自己的历史训练一个模型；做成后是待定的，看过卡再启用 Train a model on an edition's own history"""
    _for_the_city()
    wanted = order["edition"]
    edition_id = None if wanted is None else find_edition(reading(), wanted).id
    stop_reading()
    begun = begin_training(
        tidui().database,
        order["task"],
        until=order["until"],
        seed=order["seed"],
        edition_id=edition_id,
        trained_on=this_day(now()),
        actor=actor(),
        now=now(),
    )
    if begun.fresh:
        give_out("train", begun.id)
    with tidui().database.read() as connection:
        row = read_training(connection, begun.id)
    return answer(_training(row), 202, headers={"Location": f"/v1/models/trainings/{begun.id}"})


@blueprint.get("/trainings")
@needs("admin")
@blueprint.response(200, TrainingsShown)
def read_trainings() -> Response:
    """最近的训练，新的在前 Trainings, the newest first"""
    return answer({"trainings": [_training(row) for row in list_trainings(reading())]})


@blueprint.get("/trainings/<uuid:training_id>")
@needs("admin")
@blueprint.response(200, TrainingShown)
def show_training(training_id: Any) -> Response:
    """一次训练的状态；完成后有模型的指纹，失败有原因 One training, its model or why it failed"""
    return answer(_training(read_training(reading(), str(training_id))))


@blueprint.post("/<string:model>/release")
@needs("admin")
@limited("write")
@blueprint.response(200, ModelShown)
def release_model(model: str) -> Response:
    """启用一个模型；同一任务原来的停用。没有胜过对照的不能启用 Release a model"""
    _for_the_city()
    stop_reading()
    with tidui().database.write() as connection:
        found = learned.release(connection, model, actor(), now())
    return answer(_shown(found))


@blueprint.post("/<string:model>/retire")
@needs("admin")
@limited("write")
@blueprint.response(200, ModelShown)
def retire_model(model: str) -> Response:
    """停用一个模型；这个任务就没有估计了，直到启用另一个 Take a model out of use"""
    _for_the_city()
    stop_reading()
    with tidui().database.write() as connection:
        found = learned.retire(connection, model, actor(), now())
    return answer(_shown(found))


@blueprint.get("/<string:model>")
@needs("assess")
@blueprint.response(200, ModelShown)
def read_model(model: str) -> Response:
    """一个模型的卡：数据、检验、标定、分组、局限、不得用于 The card of a model"""
    return answer(_shown(learned.find(reading(), model)))


@blueprint.get("/<string:model>/card")
@needs("assess")
@blueprint.response(200, description="模型卡网页 The card as a page", content_type="text/html")
def read_card(model: str) -> Response:
    """模型卡网页，可打印 The card as a page to print"""
    return Response(learned.page_of(reading(), model), mimetype="text/html")


def _shown(found: Learned) -> dict[str, Any]:
    own = f"/v1/models/{found.hash}"
    return {
        "hash": found.hash,
        "task": found.task,
        "status": found.status,
        "shipped": found.added_at is None,
        "added_at": found.added_at,
        "added_by": found.added_by,
        "changed_at": found.changed_at,
        "changed_by": found.changed_by,
        "card": found.card,
        "links": {"self": own, "card": f"{own}/card"},
    }


def _training(row: Row[Any]) -> dict[str, Any]:
    links = {"self": f"/v1/models/trainings/{row.id}"}
    if row.model is not None:
        links |= {"model": f"/v1/models/{row.model}", "card": f"/v1/models/{row.model}/card"}
    return {
        "id": row.id,
        "task": row.task,
        "until": row.until,
        "seed": row.seed,
        "edition": row.edition_id,
        "status": row.status,
        "model": row.model,
        "problem": None if row.problem is None else orjson.loads(row.problem),
        "requested_by": row.requested_by,
        "queued_at": row.queued_at,
        "ended_at": row.ended_at,
        "links": links,
    }


def _for_the_city() -> None:
    refuse_district_key(
        "模型是全市的，限区的密钥不能训练、启用或停用",
        "a model is of the whole city: not for a key of one district",
    )
