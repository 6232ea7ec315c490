"""How far the firms of a run lie from those its models learned from, for the run's summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from models.errors import Text
from models.forms import both
from models.learn.abstain import REASONS
from models.learn.drift import SHIFTED, WATCH, drift, mark_of, tally_of
from models.learn.model import Model
from models.learn.tasks import tasks
from models.registry.learned import pinned
from models.runs.record import Run

MARKS = {
    "stable": Text("稳定", "stable"),
    "watch": Text("需留意", "worth watching"),
    "shifted": Text("已偏移，分数要打折扣", "shifted: take the scores with care"),
}
NOTE = Text(
    f"群体稳定性指数（PSI）：{WATCH} 以下稳定，{SHIFTED} 以上已偏移；与模型的训练企业相比",
    f"Population stability index against the training firms: stable below {WATCH}, shifted from {SHIFTED}",
)
UNREAD = Text("工作进程读不出这个模型", "a worker could not read the model")
_WORDS = {reason.code: reason.text for reason in REASONS.values()}
Plain = dict[str, Any]


def outlook_summary(connection: Connection, of: Run, counts: Mapping[str, Any]) -> Plain | None:
    """Per task: firms estimated and not, and PSI of the score and every feature; None: nothing estimated.

    ``counts``: ``outlook`` of :mod:`models.runs.counting`.
    """
    if of.models is None:
        return None
    models, refused = pinned(connection, of.models)
    by_task = {model.task.id: model for model in models}
    return {
        "note": both(NOTE),
        "tasks": [
            _task(task, digest, by_task.get(task), refused.get(task), counts.get(task, {}))
            for task, digest in of.models.items()
        ],
    }


def _task(
    task: str, digest: str, model: Model | None, refused: Text | None, counts: Mapping[str, Any]
) -> Plain:
    declared = tasks().get(task)
    if refused is None and counts.get("refused"):
        refused = UNREAD
    told = {
        "task": task,
        "name": None if declared is None else both(declared.name),
        "model": digest,
        "refused": None if refused is None else {**both(refused), "firms": counts.get("refused", 0)},
        "abstained": [
            {"code": code, **both(_WORDS[code]), "firms": firms}
            for code, firms in sorted(counts.get("abstained", {}).items(), key=lambda pair: -pair[1])
        ],
        "estimated": 0,
        "drift": None,
    }
    if model is None or "tally" not in counts:
        return told
    tally = tally_of(counts["tally"])
    found = drift(model, tally)
    names = {feature.key: feature.name for feature in model.task.features}
    features = sorted(found.features.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        **told,
        "estimated": tally.firms,
        "drift": {
            "score": _psi(found.score),
            "features": [
                {"feature": key, "name": both(names[key]), **_psi(value)} for key, value in features
            ],
        },
    }


def _psi(value: float) -> Plain:
    mark = mark_of(value)
    return {"psi": round(value, 4), "mark": mark, **both(MARKS[mark])}
