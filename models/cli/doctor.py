"""``tidui doctor``: look everything over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click
import orjson

from models.cli.options import json_option
from models.doctor.examine import examine, sound
from models.doctor.findings import Finding
from models.registry.database import Database
from models.settings import read_settings

_MARKS = {"ok": "✓", "warning": "!", "error": "✗"}
_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}
NAMES = {
    "versions": "版本 versions",
    "rules": "规则包 rules",
    "database": "数据库 database",
    "schema": "表结构 schema",
    "broker": "队列 broker",
    "store": "存储 store",
    "clock": "时钟 clock",
    "beat": "定时器 beat",
    "work": "任务 work",
    "files": "文件 files",
}


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """检查数据库、队列、存储、时钟、版本，以及无人处理的任务。Look everything over.

    退出码：0 没有错误（可能有提醒）；1 有错误。Exit code 1 where something is wrong, 0 otherwise.
    """
    settings = read_settings()
    database = Database(settings.database_url, pool_size=1)
    try:
        found = examine(settings, database, lambda: datetime.now(UTC))
    finally:
        database.close()
    click.echo(orjson.dumps(_as_dict(found)).decode()) if as_json else _print(found)
    click.get_current_context().exit(0 if sound(found) else 1)


def _as_dict(found: Sequence[Finding]) -> dict[str, object]:
    return {
        "sound": sound(list(found)),
        "findings": [
            {
                "subject": one.subject,
                "level": one.level,
                "text": {"zh": one.text.zh, "en": one.text.en},
                "hint": {"zh": one.hint.zh, "en": one.hint.en} if one.hint else None,
            }
            for one in found
        ],
    }


def _print(found: Sequence[Finding]) -> None:
    for one in found:
        both = one.text.zh if one.text.zh == one.text.en else f"{one.text.zh}  {one.text.en}"
        mark = click.style(_MARKS[one.level], fg=_COLOURS[one.level])
        click.echo(f"{mark} {NAMES[one.subject]}　{both}")
        if one.hint:
            click.echo(f"    → {one.hint.zh}  {one.hint.en}")
