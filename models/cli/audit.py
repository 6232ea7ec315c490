"""``tidui audit``: verify the chain, read it, take it out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson

from models.cli.database import database_for
from models.cli.operator import operator
from models.cli.options import json_option
from models.errors import OutputRefused, Text
from models.registry import audit as store
from models.registry.database import Database
from models.registry.spool import drain_left_over
from models.settings import read_settings


@click.group()
def audit() -> None:
    """审计记录：谁、何时、为何、看了或改了什么。Who did what, when and why."""


@audit.command()
@click.option(
    "--anchor",
    metavar="编号:校验值",
    callback=lambda _ctx, _param, value: _anchor(value),
    help="另存的末条编号和校验值，用来发现整条链被重写。A number and hash noted earlier.",
)
@json_option
def verify(anchor: tuple[int, str] | None, as_json: bool) -> None:
    """核对整条链：改动、删除、调换、插入都能发现。退出码 0 完好，1 有问题。

    Check the whole chain. Keep the last line it prints: as --anchor it later shows a rewritten chain too.
    """
    with _settled() as database, database.read() as connection:
        found = store.verify(connection, anchor)
    if as_json:
        reason = {"zh": found.reason.zh, "en": found.reason.en} if found.reason else None
        plain = {"records": found.records, "head": found.head, "bad": found.bad, "reason": reason}
        click.echo(orjson.dumps(plain).decode())
    elif found.reason is None:
        click.echo(f"完好，共 {found.records} 条。 Sound, {found.records} records.")
        click.echo(f"{found.records}:{found.head}")
    else:
        click.echo(f"第 {found.bad} 条有问题：{found.reason.zh}。\nRecord {found.bad}: {found.reason.en}.")
    sys.exit(0 if found.sound else 1)


@audit.command("list")
@click.option("--object", "object_", help="企业代码、密钥等。A firm's code, a key, …")
@click.option("--actor", help="例如 key:abcdefghijkl。")
@click.option("--action", help="例如 firm.read。")
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="条数。How many."
)
@json_option
def list_(object_: str | None, actor: str | None, action: str | None, limit: int, as_json: bool) -> None:
    """列出记录，新的在前。List records, newest first."""
    with _settled() as database, database.read() as connection:
        found = store.records(connection, object=object_, actor=actor, action=action, limit=limit)
    for one in found:
        if as_json:
            click.echo(_line(one))
        else:
            click.echo(f"{one.seq}  {one.at[:19]}Z  {one.actor}  {one.action}  {one.object}  {one.purpose}")


@audit.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
def export(path: Path) -> None:
    """导出全部记录（JSON Lines）；导出本身也记一条。Export all; the export is itself recorded."""
    now = datetime.now(UTC)
    with _settled() as database:
        with database.write() as connection:
            store.append(connection, [operator().event("audit.export", "audit", file=path.name)], now)
        with database.read() as connection:
            count = _write(path, store.every(connection))
    click.echo(f"已导出 {count} 条。 {count} records.")


@contextmanager
def _settled() -> Iterator[Database]:
    """The database, with what killed processes had still to hand in."""
    settings = read_settings()
    with database_for(settings) as database:
        drain_left_over(settings.spool, database, datetime.now(UTC))
        yield database


def _write(path: Path, records: Iterator[store.Record]) -> int:
    count = 0
    try:
        with path.open("x", encoding="utf-8") as file:
            for count, record in enumerate(records, start=1):  # noqa: B007
                file.write(_line(record) + "\n")
    except OSError as error:
        raise OutputRefused(
            "E401", Text(f"写不出：{error.strerror}", f"cannot be written: {error.strerror}"), place=str(path)
        ) from error
    return count


def _line(record: store.Record) -> str:
    return orjson.dumps({**asdict(record), "details": orjson.Fragment(record.details)}).decode()


def _anchor(value: str | None) -> tuple[int, str] | None:
    if value is None:
        return None
    match = re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", value)
    if match is None:
        raise click.BadParameter(
            "应为 编号:校验值，如 verify 最后一行所示。 Number and hash, as verify prints."
        )
    return int(match[1]), match[2]
