"""The strongest factors of the firms that a run lists, as data: kept with the score they explain."""

from __future__ import annotations

from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from models.errors import Text
from models.learn.columns import Columns
from models.learn.model import Model
from models.learn.outlook import LEAST_FACTORS, MOST_FACTORS, SLIGHT, Factor, Scores
from models.learn.tasks import Feature, curriculum
from models.learn.words import value_text

_VALUE_DIGITS, _EFFECT_DIGITS = 9, 4


def factors_of(model: Model, scores: Scores, columns: Columns, chosen: npt.NDArray[np.intp]) -> list[str]:
    """JSON ``[[feature, value, log-odds], …]`` of some of the estimated firms, strongest first.

    ``columns``: those the scores were made of; ``chosen``: places among the estimated. A blank's value is
    null.
    """
    if not len(chosen):
        return []
    effects = model.shapley.values([bins[chosen] for bins in scores.bins])
    order = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :MOST_FACTORS]
    rows = np.flatnonzero(scores.estimated)[chosen]
    keys = [feature.key for feature in model.task.features]
    values = np.column_stack([columns.memo[key][rows] for key in keys])
    told = []
    for row, (places, line) in enumerate(zip(order.tolist(), values.tolist(), strict=True)):
        strongest = []
        for rank, k in enumerate(places):
            effect = round(float(effects[row, k]), _EFFECT_DIGITS)
            if rank < LEAST_FACTORS or abs(effect) >= SLIGHT:
                value = line[k]
                strongest.append([keys[k], None if isnan(value) else round(value, _VALUE_DIGITS), effect])
        told.append(orjson.dumps(strongest).decode())
    return told


def read_factors(stored: str) -> list[Factor]:
    """What :func:`factors_of` wrote; a feature that is no longer declared is named by its key."""
    known = {one.key: one for task in curriculum().tasks.values() for one in task.features}
    return [_factor(known.get(key), key, value, effect) for key, value, effect in orjson.loads(stored)]


def _factor(feature: Feature | None, key: str, value: Any, effect: float) -> Factor:
    if feature is None:
        return Factor(key, Text(key, key), Text(str(value), str(value)), effect)
    return Factor(key, feature.name, value_text(feature, float("nan") if value is None else value), effect)
