"""``tidui audit``: verify the chain, read it, take it out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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

    链尾连同链头一起被截掉、或整条链被重写，只有用 --anchor 才能发现：请把第二行另存到别处。

    Check the whole chain. An end cut off together with its head, or a chain written anew, only shows with
    --anchor: keep the second line somewhere else.
    """
    with database_for(read_settings()) as database:
        with database.read() as connection:
            torn = store.torn_out(connection)
        if torn is None:  # without its tables the audit takes nothing in
            drain_left_over(read_settings().spool, database, datetime.now(UTC))
        with database.read() as connection:
            found = store.verify(connection, anchor)
    click.echo(orjson.dumps(_plain(found)).decode() if as_json else "\n".join(_told(found)))
    sys.exit(0 if found.sound else 1)


def _plain(found: store.Verification) -> dict[str, Any]:
    reason = {"zh": found.reason.zh, "en": found.reason.en} if found.reason else None
    return {
        "records": found.records,
        "head": found.head,
        "bad": found.bad,
        "reason": reason,
        "anchor": found.anchor,
    }


def _told(found: store.Verification) -> Iterator[str]:
    if found.reason is not None:
        where_zh, where = ("", "") if found.bad is None else (f"第 {found.bad} 条", f"Record {found.bad}: ")
        yield f"{where_zh}有问题：{found.reason.zh}。"
        yield f"{where}{found.reason.en}."
        return
    yield f"完好，共 {found.records} 条。 Sound, {found.records} records."
    yield f"{found.records}:{found.head}"
    yield "请把上面这行（编号:校验值）另存到别处，下次作 --anchor。 Keep the line above, as an --anchor."
    if found.anchor is None:
        yield "“完好”指链内各条相符。没用 --anchor：末尾几条连同链头一起被删、或整条链被重写，这里看不出来。"
        yield "Sound means that the records fit together. Without --anchor an end cut off together with"
        yield "the chain's head, or a chain written anew, does not show."
    else:
        yield f"第 {found.anchor} 条与另存的相符，到它为止未被改动；其后有没有被截尾，要用更新的一行来核对。"
        yield f"Record {found.anchor} is as it was noted; whether an end after it was cut off,"
        yield "only a later note can show."


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
            "应为 编号:校验值，如 verify 第二行所示。 Number and hash, as verify prints."
        )
    return int(match[1]), match[2]
