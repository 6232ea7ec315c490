"""What the models say of a firm, as part of an answer: beside the rules' verdicts, never mixed with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import orjson

from models.forms import both
from models.learn.outlook import NOTE, Factor, Outlooks, TaskOutlook


def outlook_bytes(outlooks: Outlooks, figures: Mapping[str, Any], as_of: date) -> bytes:
    """A JSON list, a task each; ``figures`` as :mod:`models.fields` holds them."""
    found = outlooks.of_firm(figures, as_of)
    return orjson.dumps([_task(outlooks, one, as_of) for one in found])


def factor_rows(factors: Sequence[Factor]) -> list[dict[str, Any]]:
    """What moved a score, the strongest first: in words, figures and log-odds."""
    return [
        {
            "feature": factor.feature,
            "name": both(factor.name),
            "value": both(factor.value),
            "effect": round(factor.effect, 4),
        }
        for factor in factors
    ]


def _task(outlooks: Outlooks, found: TaskOutlook, as_of: date) -> dict[str, Any]:
    task, card = found.task, outlooks.models[found.task.id].card
    return {
        "task": task.id,
        "name": both(task.name),
        "question": both(task.question),
        "year": as_of.year,
        "score": found.score,
        "band": None if found.band is None else {"key": found.band.key, **both(found.band.name)},
        "abstained": found.reason is not None,
        "reason": None if found.reason is None else {"code": found.reason.code, **both(found.reason.text)},
        "rival": {"name": both(task.rival.name), "score": found.rival},
        "factors": factor_rows(found.factors),
        "model": {
            "hash": found.model,
            "trained_on": card["trained_on"],
            "until": card["until"],
            "synthetic": card["synthetic"],
        },
        "note": both(NOTE),
    }
