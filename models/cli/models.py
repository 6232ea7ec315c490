"""``tidui models``: which models speak, what their cards say, and changing it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from models.cli.database import database_for
from models.cli.learn_shown import show_test
from models.cli.operator import operator
from models.cli.options import echo_json, json_option
from models.learn.tasks import tasks
from models.registry import learned
from models.registry.learned import Learned
from models.settings import read_settings

STATES = {"candidate": "待定 candidate", "released": "启用 released", "retired": "停用 retired"}


@click.group()
def models() -> None:
    """学到的模型：哪些在用，卡上怎么说。Learned models: which speak, and their cards."""


@models.command("list")
@click.option("--task", type=click.Choice(list(tasks())), help="只看一个任务 Of one task")
@json_option
def list_(task: str | None, as_json: bool) -> None:
    """列出模型；没有启用过的任务用随附的。List them; a task without any of its own uses the shipped one."""
    with database_for(read_settings()) as database, database.read() as connection:
        found = learned.all_models(connection, task)
    if as_json:
        echo_json([plain(one) for one in found])
        return
    for one in found:
        test = one.card["test"]
        origin = "随附，合成企业 shipped" if one.added_at is None else f"{one.added_at:%Y-%m-%d}"
        click.echo(
            f"{one.hash[:12]}  {one.task:<12}  {STATES[one.status]}  到 {one.card['until']} 年  "
            f"AUC {test['model']['auc']['value']:.3f}  Brier {test['model']['brier']['value']:.3f}"
            f"（对照 {test['rival']['brier']['value']:.3f}）  {origin}"
        )


@models.command()
@click.argument("model", metavar="指纹")
@json_option
def show(model: str, as_json: bool) -> None:
    """一个模型的卡：数据、检验、局限。The card of a model."""
    with database_for(read_settings()) as database, database.read() as connection:
        found = learned.find(connection, model)
    if as_json:
        echo_json(plain(found))
        return
    console = Console()
    console.print(f"{found.hash}  {STATES[found.status]}", highlight=False, soft_wrap=True)
    show_test(console, found.card, found.card["test"])
    for limit in found.card["limits"]:
        console.print(f"  · {limit['zh']} [dim]{limit['en']}[/dim]", highlight=False, soft_wrap=True)


@models.command()
@click.argument("folder", metavar="文件夹", type=click.Path(path_type=Path))
@json_option
def add(folder: Path, as_json: bool) -> None:
    """收下一个训练好的模型，待定。Take a trained model in, as a candidate."""
    with database_for(read_settings()) as database, database.write() as connection:
        found = learned.add(connection, folder, operator(), datetime.now(UTC))
    _told(found, as_json)


@models.command()
@click.argument("model", metavar="文件夹或指纹")
@json_option
def release(model: str, as_json: bool) -> None:
    """启用一个模型；同一任务原来的那个停用。没有胜过对照的不能启用。

    Let a model speak; the one before it is retired. One that does not beat its rival is refused.
    """
    with database_for(read_settings()) as database, database.write() as connection:
        now = datetime.now(UTC)
        if Path(model).is_dir():
            model = learned.add(connection, Path(model), operator(), now).hash
        found = learned.release(connection, model, operator(), now)
    _told(found, as_json)


@models.command()
@click.argument("model", metavar="指纹")
@json_option
def retire(model: str, as_json: bool) -> None:
    """停用一个模型。Take a model out of use."""
    with database_for(read_settings()) as database, database.write() as connection:
        found = learned.retire(connection, model, operator(), datetime.now(UTC))
    _told(found, as_json)


def _told(found: Learned, as_json: bool) -> None:
    if as_json:
        echo_json(plain(found))
    else:
        click.echo(f"{found.hash[:12]}  {found.task}  {STATES[found.status]}", err=True)


def plain(found: Learned) -> dict[str, Any]:
    """A model with its card, for programs."""
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
    }
