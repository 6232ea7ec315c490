"""``tidui serve``: run the service, or check whether it could run."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime

import click

from models.registry.database import Database
from models.registry.migrate import upgrade
from models.settings import Settings, read_settings
from service.demo import Demo, load_demo
from service.preflight import preflight
from service.supervisor import only_one, redis_for, serve_web


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址。Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="端口。Port.")
@click.option(
    "--workers",
    default=lambda: min(4, os.cpu_count() or 1),
    type=click.IntRange(1, 64),
    help="进程数，默认为核数。Processes; one a core by default.",
)
@click.option("--demo", is_flag=True, help="装入演示名册，打印一个现成的密钥。Load the demo registry.")
@click.option("--check", is_flag=True, help="只检查设置和各项服务，不启动。Check settings and services only.")
def serve(host: str, port: int, workers: int, demo: bool, check: bool) -> None:
    """启动服务：网页接口、后台工作进程、定时器，和（没有设 TIDUI_REDIS_URL 时）内置的 Redis 兼容服务。

    Run the service; stop it with Ctrl-C. Settings are TIDUI_… variables, see docs/run.md.
    """
    settings = read_settings()
    if check:
        raise SystemExit(0 if preflight(settings, click.echo) else 1)
    with only_one(settings), redis_for(settings) as ready:
        database = Database(ready.database_url)
        try:
            if ready.is_sqlite:
                upgrade(database)
            shown = load_demo(ready, database, datetime.now(UTC)) if demo else None
            code = serve_web(ready, host, port, workers, lambda address: _greet(address, ready, shown))
            if shown:
                shown.withdraw(database, datetime.now(UTC))
        finally:
            database.close()
    raise SystemExit(code)


def _greet(address: str, settings: Settings, demo: Demo | None) -> None:
    click.echo(f"\n梯队 tidui：{address}　接口说明 {address}/docs　数据在 {settings.data}")
    if demo:
        click.echo(demo.examples(address, date.today()))
    click.echo("按 Ctrl-C 停止。Stop with Ctrl-C.\n")
