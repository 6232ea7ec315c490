"""``/v1/models``: which models speak, and their cards. They are released at the command line."""

from __future__ import annotations

from typing import Any

from flask import Response

from models.registry import learned
from models.registry.learned import Learned
from service.extension import reading
from service.schemas.models import ModelQuery, ModelShown, ModelsShown
from service.security import needs
from service.wire import Blueprint, answer

blueprint = Blueprint("models", __name__, url_prefix="/v1/models", description="模型 Learned models")


@blueprint.get("")
@needs("assess")
@blueprint.arguments(ModelQuery, location="query")
@blueprint.response(200, ModelsShown)
def read_models(query: dict[str, Any]) -> Response:
    """模型一览：启用的、待定的、停用的；没有启用过的任务用随附的 Models and their states

    启用和停用用命令 `tidui models release|retire`。
    """
    found = learned.all_models(reading(), query["task"])
    return answer({"models": [_shown(one) for one in found]})


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
