"""A model's card: what it learned from, how well it does, for whom, and what it must not be used for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import sklearn

from models.errors import Text
from models.learn.columns import FloatArray
from models.learn.history import History
from models.learn.model import Model
from models.learn.tasks import Feature

SYNTHETIC = r"^91\d{6}XX[0-9A-Z]{6}Y"
"""Codes that no real firm can have (:mod:`models.learn.synth.identity`)."""

NOT_FOR = (
    Text("代替规则：够不够条件只看规则", "in place of the rules: they alone say who qualifies"),
    Text("拒绝一家企业的申请或补贴", "to refuse a firm an application or a subsidy"),
    Text("给个人或个体工商户打分", "to score persons or sole traders"),
    Text("公开排名", "public rankings"),
)
LIMITS = (
    Text("分数是估计，不是评定结论", "a score is an estimate, not a verdict"),
    Text(
        "只看得见表里的数：技术、团队、订单一概不知",
        "it sees the figures of the table only, nothing of technology, people or orders",
    ),
    Text(
        "整年景气的好坏事先不知道：某一年普遍增长或下滑，分数会整体偏低或偏高",
        "it does not know how a year will go: scores are too low in a good one, too high in a bad one",
    ),
    Text(
        "没有下一年数据的企业（退出、未报）不在检验之内",
        "firms without a next year (gone, or silent) are not part of the test",
    ),
)
LEARNED_FROM_SYNTHETIC = Text(
    "本模型学自合成（虚构）企业，只供试用；请用本中心自己的历史重新训练",
    "this model learned from synthetic firms, to try things out; train it again on your centre's own history",
)


def card_of(
    model: Model,
    history: History,
    years: Sequence[int],
    until: int,
    seed: int,
    trained_on: date,
    tried: Mapping[str, Any],
    counts: Mapping[str, int],
    notices: Sequence[Text],
) -> dict[str, Any]:
    """The card as a JSON document; its hash is added when the model is filed."""
    chosen = model.task
    synthetic = is_synthetic(history)
    limits = [LEARNED_FROM_SYNTHETIC, *LIMITS] if synthetic else list(LIMITS)
    return {
        "task": chosen.id,
        "name": both(chosen.name),
        "question": both(chosen.question),
        "trained_on": trained_on.isoformat(),
        "synthetic": synthetic,
        "data": {
            "tables": [table.name for table in history.tables],
            "sha256": history.sha256,
            "firms": history.firms,
            "firm_years": counts["rows"],
            "yes": counts["yes"],
            "years": list(years),
            "rows_left_out": history.dropped,
            "notices": [both(notice) for notice in notices],
        },
        "until": until,
        "seed": seed,
        "scikit_learn": sklearn.__version__,
        "kind": tried["kind"],
        "settings": tried["settings"],
        "brier_of_kinds": tried["brier_of_kinds"],
        "split": tried["split"],
        "calibration_method": "sigmoid",
        "rival": {"kind": chosen.rival.kind, "of": chosen.rival.of, "name": both(chosen.rival.name)},
        "features": features_of(model),
        "test": tried["test"],
        "released_ok": bool(tried["test"]["beats_rival"]),
        "limits": [both(limit) for limit in limits],
        "not_for": [both(use) for use in NOT_FOR],
    }


def both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def is_synthetic(history: History) -> bool:
    """Whether every firm of the history is one that cannot exist."""
    return all(bool(table.frame["uscc"].str.contains(SYNTHETIC).all()) for table in history.tables)


def features_of(model: Model) -> list[dict[str, Any]]:
    """Name, direction, weight (mean absolute Shapley value, log-odds) and effect by bin of every feature."""
    effects = _effects(model)
    found = [
        {
            "key": feature.key,
            "name": both(feature.name),
            "kind": feature.kind,
            "of": list(feature.of),
            "direction": model.task.direction(feature.key),
            "weight": float(share @ np.abs(effect)),
            "effect": _points(model, k, feature, effect),
            "blank_share": float(share[-1]),
        }
        for k, (feature, effect, share) in enumerate(
            zip(model.task.features, effects, model.bundle["shares"], strict=True)
        )
    ]
    return sorted(found, key=lambda one: -float(one["weight"]))


def _effects(model: Model) -> list[FloatArray]:
    """By feature and bin: how far the log-odds lie from those of the average firm."""
    tables, shares = model.tables, model.bundle["shares"]
    first, second = tables.together
    mean = float(np.sum(model.bundle["joint"] * tables.pair))
    found = [
        np.zeros(0) if effect is None else effect - share @ effect
        for effect, share in zip(tables.singles, shares, strict=True)
    ]
    found[first] = tables.pair @ shares[second] - mean
    found[second] = shares[first] @ tables.pair - mean
    return found


def _points(model: Model, k: int, feature: Feature, effect: FloatArray) -> list[list[float]]:
    scale = model.binner.scales[k]
    places = scale.points if feature.categorical else scale.middles
    return [[float(place), float(one)] for place, one in zip(places, effect[:-1], strict=True)]
