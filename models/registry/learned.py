"""Learned models of the registry: added as candidates, released one a task, retired; all on the record.

Until a model of a task is released, the one that ships stands for it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import NoResultFound

from models.errors import LearnRefused, ModelRefused, Text, TiduiError
from models.kept import Kept
from models.learn.model import Model
from models.learn.store import CARD, FILE, PAGE, load, load_all
from models.learn.tasks import tasks
from models.registry.audit import Actor, append
from models.registry.model_tables import learned_model
from models.registry.state import changed
from models.seeds import seed

_LOADED: Kept[tuple[str, int], Model] = Kept(8)
_TOLD = (
    learned_model.c.hash, learned_model.c.task, learned_model.c.status, learned_model.c.card,
    learned_model.c.added_at, learned_model.c.added_by, learned_model.c.changed_at,
    learned_model.c.changed_by,
)  # fmt: skip


class ModelUnknown(TiduiError):
    """No model of this hash was added."""

    status = 404


@dataclass(frozen=True)
class Learned:
    """A model as the registry knows it; ``added_at`` is None of one that ships."""

    hash: str
    task: str
    status: str
    card: dict[str, Any]
    added_at: datetime | None = None
    added_by: str | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None


def shipped() -> list[Model]:
    """The models that ship, by task. ModelRefused where their files are not what they say."""
    return _SHIPPED.get("", lambda: load_all(seed("learning", "models")))


_SHIPPED: Kept[str, list[Model]] = Kept(1)


def add(connection: Connection, folder: Path, actor: Actor, now: datetime) -> Learned:
    """Take a model in as a candidate; one that is there stays as it is. ModelRefused as :func:`load`."""
    model = load(folder)
    found = next((one for one in all_models(connection) if one.hash == model.hash), None)
    if found is not None:
        return found
    _insert(connection, model, folder, actor, now)
    append(connection, [actor.event("model.add", f"model:{model.hash}", task=model.task.id)], now)
    return find(connection, model.hash)


def release(connection: Connection, digest: str, actor: Actor, now: datetime) -> Learned:
    """Let a model speak; the one that spoke for its task is retired in the same moment.

    ModelUnknown (L301); LearnRefused (L302) where it does not beat its rival.
    """
    chosen = find(connection, digest)
    if not chosen.card.get("released_ok"):
        raise LearnRefused(
            "L302",
            Text(
                "这个模型没有胜过对照（Brier 要更低、PR-AUC 要更高），不能启用",
                "this model does not beat its rival in Brier score and PR-AUC: it cannot be released",
            ),
            Text("用更多年份的历史重新训练，或仍用对照", "Train on more years, or go by the rival"),
        )
    former = [one for one in all_models(connection, chosen.task) if one.status == "released"]
    others = [one for one in former if one.hash != chosen.hash]
    for one in others:
        _set(connection, one, "retired", actor, now)
    if chosen.status != "released":
        _set(connection, chosen, "released", actor, now)
    if others or chosen.status != "released":
        changed(connection)
        append(connection, [actor.event("model.release", f"model:{chosen.hash}", task=chosen.task)], now)
    return find(connection, chosen.hash)


def retire(connection: Connection, digest: str, actor: Actor, now: datetime) -> Learned:
    """Take a model out of use; its task has none until another is released. ModelUnknown (L301)."""
    chosen = find(connection, digest)
    if chosen.status != "retired":
        _set(connection, chosen, "retired", actor, now)
        changed(connection)
        append(connection, [actor.event("model.retire", f"model:{chosen.hash}", task=chosen.task)], now)
    return find(connection, chosen.hash)


def all_models(connection: Connection, task: str | None = None) -> list[Learned]:
    """Those that were added, the newest first, then those that ship and stand for their task."""
    asked = select(*_TOLD).order_by(learned_model.c.added_at.desc(), learned_model.c.hash)
    found = [_learned(row) for row in connection.execute(asked)]
    mine = {one.task for one in found if one.status != "candidate"}
    ours = [
        Learned(model.hash, model.task.id, "released", dict(model.card))
        for model in shipped()
        if model.task.id not in mine
    ]
    standing = {one.hash for one in ours}
    return [
        one
        for one in [*(one for one in found if one.hash not in standing), *ours]
        if task in (None, one.task)
    ]


def find(connection: Connection, digest: str) -> Learned:
    """A model by its hash, or by the beginning of it if that is one's only. ModelUnknown (L301)."""
    found = [one for one in all_models(connection) if digest and one.hash.startswith(digest)]
    if len(found) != 1:
        raise ModelUnknown(
            "L301",
            Text(f"没有模型“{digest[:64]}”", f"there is no model “{digest[:64]}”"),
            Text("tidui models list 列出全部", "tidui models list shows all of them"),
        )
    return found[0]


def page_of(connection: Connection, digest: str) -> str:
    """The card as a page. ModelUnknown (L301)."""
    chosen = find(connection, digest)
    asked = select(learned_model.c.page).where(learned_model.c.hash == chosen.hash)
    stored = connection.execute(asked).scalar()
    return stored if stored is not None else seed("learning", "models", chosen.task, PAGE).read_text("utf-8")


def released(connection: Connection) -> list[Model]:
    """The models that speak, at most one a task, in the order of the tasks. ModelRefused as :func:`load`."""
    speaking = [one for one in all_models(connection) if one.status == "released"]
    ours = {model.hash: model for model in shipped()}
    found = [ours.get(one.hash) or _stored(connection, one.hash) for one in speaking]
    order = list(tasks())
    return sorted(found, key=lambda model: order.index(model.task.id))


def released_hashes(connection: Connection) -> dict[str, str]:
    """Task → hash of the model that speaks for it, without reading any."""
    return {one.task: one.hash for one in all_models(connection) if one.status == "released"}


def pinned(connection: Connection, hashes: Mapping[str, str]) -> tuple[list[Model], dict[str, Text]]:
    """Models by task → hash, whatever their state is by now; and task → why one cannot be read."""
    ours = {model.hash: model for model in shipped()}
    found: list[Model] = []
    refused: dict[str, Text] = {}
    for task_id in sorted(hashes, key=list(tasks()).index):
        try:
            found.append(ours.get(hashes[task_id]) or _stored(connection, hashes[task_id]))
        except NoResultFound:
            refused[task_id] = Text("库里没有这个模型", "this host does not have the model")
        except ModelRefused as error:
            refused[task_id] = error.message
    return found, refused


def _stored(connection: Connection, digest: str) -> Model:
    asked = select(learned_model.c.content, learned_model.c.card).where(learned_model.c.hash == digest)
    row = connection.execute(asked).one()
    # The bytes too, not the hash alone: what lies under it may have been changed.
    key = (digest, hash((bytes(row.content), row.card)))
    return _LOADED.get(key, lambda: _unfolded(row, digest))


def _unfolded(row: Any, digest: str) -> Model:
    with tempfile.TemporaryDirectory(prefix="tidui-model-") as folder:
        (Path(folder) / FILE).write_bytes(row.content)
        (Path(folder) / CARD).write_text(row.card, encoding="utf-8")
        return load(Path(folder), digest)


def _set(connection: Connection, one: Learned, status: str, actor: Actor, now: datetime) -> None:
    mine = learned_model.c.hash == one.hash
    if connection.execute(select(learned_model.c.hash).where(mine)).one_or_none() is None:  # one that ships
        folder = seed("learning", "models", one.task)
        _insert(connection, load(folder), folder, actor, now)
    values = {"status": status, "changed_at": now, "changed_by": actor.name}
    connection.execute(update(learned_model).where(mine).values(values))


def _insert(connection: Connection, model: Model, folder: Path, actor: Actor, now: datetime) -> None:
    page = (folder / PAGE).read_text("utf-8") if (folder / PAGE).is_file() else ""
    connection.execute(
        insert(learned_model).values(
            hash=model.hash, task=model.task.id, status="candidate", content=(folder / FILE).read_bytes(),
            card=(folder / CARD).read_text("utf-8"), page=page, added_at=now, added_by=actor.name,
        )
    )  # fmt: skip


def _learned(row: Any) -> Learned:
    return Learned(
        row.hash, row.task, row.status, orjson.loads(row.card), row.added_at, row.added_by, row.changed_at,
        row.changed_by,
    )  # fmt: skip
