"""``tidui keys``: make, list and revoke API keys."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import click

from models.cli.database import database_for
from models.cli.operator import operator
from models.cli.options import Day, json_option
from models.registry import keys as store
from models.registry.secrets import pepper
from models.settings import read_settings

SHANGHAI = ZoneInfo("Asia/Shanghai")


@click.group()
def keys() -> None:
    """接口密钥。API keys."""


@keys.command()
@click.option(
    "--scopes",
    required=True,
    metavar="SCOPE,SCOPE…",
    help=f"权限，逗号分隔：{' '.join(store.SCOPES)}。Scopes, comma separated.",
)
@click.option("--label", required=True, help="给谁、做什么用。For whom and what.")
@click.option("--district", help="只看这个区：六位代码或区名。Limit to a district: code or name.")
@click.option("--expires", type=Day(), help="最后一天（上海时间）。The last day it holds, Shanghai time.")
@json_option
def create(scopes: str, label: str, district: str | None, expires: date | None, as_json: bool) -> None:
    """发一个密钥；密钥只显示这一次。Make a key; it is shown this once.

    \b
    tidui keys create --scopes lookup,assess --district 310115 --label 浦东服务中心 --expires 2027-12-31
    """
    settings = read_settings()
    with database_for(settings) as database, database.write() as connection:
        issued = store.create(
            connection,
            pepper(settings),
            label=label,
            scopes=[scope.strip() for scope in scopes.split(",") if scope.strip()],
            district=district,
            expires_at=_end_of(expires),
            actor=operator(),
            now=datetime.now(UTC),
        )
    if as_json:
        click.echo(json.dumps({"token": issued.token, **_plain(issued.key)}, ensure_ascii=False))
        return
    click.echo(issued.token)
    click.echo(
        f"编号 {issued.key.id}。密钥只显示这一次，请现在存好。 Shown this once: store it now.", err=True
    )


@keys.command("list")
@json_option
def list_(as_json: bool) -> None:
    """列出所有密钥（不含密钥本身）。List all keys, without the keys themselves."""
    now = datetime.now(UTC)
    with database_for(read_settings()) as database, database.read() as connection:
        found = store.all_keys(connection)
    if as_json:
        click.echo(
            json.dumps([{**_plain(key), "state": key.state(now)} for key in found], ensure_ascii=False)
        )
        return
    for key in found:
        until = f"至 {key.expires_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if key.expires_at else "不限期"
        scopes = ",".join(scope for scope in store.SCOPES if scope in key.scopes)
        click.echo(
            f"{key.id}  {STATES[key.state(now)]}  {scopes}  {key.district or '全市'}  {until}  {key.label}"
        )


@keys.command()
@click.argument("key_id", metavar="编号")
def revoke(key_id: str) -> None:
    """撤销一个密钥，立即生效。Revoke a key, at once."""
    with database_for(read_settings()) as database, database.write() as connection:
        store.revoke(connection, key_id, actor=operator(), now=datetime.now(UTC))
    click.echo(f"已撤销 {key_id}。 Revoked.")


STATES = {"active": "可用 active", "revoked": "已撤销 revoked", "expired": "已过期 expired"}


def _end_of(day: date | None) -> datetime | None:
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), SHANGHAI) if day else None


def _plain(key: store.Key) -> dict[str, object]:
    moments = {
        name: value.isoformat() if value else None
        for name, value in (
            ("made_at", key.made_at),
            ("expires_at", key.expires_at),
            ("revoked_at", key.revoked_at),
        )
    }
    return {**asdict(key), "scopes": sorted(key.scopes), **moments}
