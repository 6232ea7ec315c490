"""``tidui runs``: begin, watch, cancel and retry judging the whole registry; look at what there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

import click
import orjson

from models.cli.database import database_for
from models.cli.operator import operator
from models.cli.options import Day, day_or_today, json_option, kind_option, standards_option
from models.cli.watch import watching
from models.registry.database import Database
from models.runs.begin import begin_run
from models.runs.cancel import cancel_run
from models.runs.progress import run_report
from models.runs.record import OPEN, list_runs
from models.runs.retry import retry_run
from models.settings import Settings, read_settings
from workers.queue import TaskName, make_celery, send

WORDS = {
    "queued": "排队中 queued",
    "running": "评估中 running",
    "succeeded": "完成 succeeded",
    "partly_succeeded": "部分完成 partly succeeded",
    "failed": "失败 failed",
    "cancelled": "已取消 cancelled",
    "replaced": "完成（已有更新的） succeeded, since replaced",
}
POLL_SECONDS = 0.5


def _now() -> datetime:
    return datetime.now(UTC)


@click.group()
def runs() -> None:
    """整库评估：由工作进程分成几部分做。Judge the whole registry, in parts done by workers."""


@runs.command("start")
@click.option("--edition", type=int, help="版本编号，默认当前版本。The active one by default.")
@click.option("--as-of", type=Day(), help="评估日期，默认今天。Evaluation date; today by default.")
@kind_option
@standards_option
@click.option("--rulebook", "rulebook_hash", help="规则的完整哈希，默认随附的规则。By another rulebook.")
@click.option("--watch", "watched", is_flag=True, help="看着它做完。Watch until it ends.")
@json_option
def start(
    edition: int | None,
    as_of: date | None,
    kind: str,
    standards: Sequence[str] | None,
    rulebook_hash: str | None,
    watched: bool,
    as_json: bool,
) -> None:
    """开始一次整库评估；同样的正在做时，就是那一次。Begin a run, or join the one that does the same."""
    settings = read_settings()
    with database_for(settings) as database:
        begun = begin_run(
            database, settings, edition_id=edition, as_of=day_or_today(as_of), kind=kind,
            standards=standards, rulebook_hash=rulebook_hash, actor=operator(), now=_now(),
        )  # fmt: skip
        _tell(settings, "sweep")
        if watched:
            _watch(database, begun.run_id, as_json)
        elif as_json:
            click.echo(orjson.dumps({"run": begun.run_id, "fresh": begun.fresh, "parts": begun.parts}))
        else:
            word = "已开始 began" if begun.fresh else "正在做 already under way"
            click.echo(f"第 {begun.run_id} 次评估{word}。看进度：tidui runs watch {begun.run_id}", err=True)


@runs.command("watch")
@click.argument("run_id", type=int)
@json_option
def watch(run_id: int, as_json: bool) -> None:
    """看着一次评估做完；没有全部完成时退出码为 1。Watch a run until it ends; exit 1 if not all is done."""
    with database_for(read_settings()) as database:
        _watch(database, run_id, as_json)


@runs.command("cancel")
@click.argument("run_id", type=int)
def cancel(run_id: int) -> None:
    """取消一次评估，已存的部分删去。Cancel a run; what it had stored goes."""
    settings = read_settings()
    with database_for(settings) as database:
        cancel_run(database, run_id, actor=operator(), now=_now())
        _tell(settings, "run_finish", run_id)
    click.echo(f"第 {run_id} 次评估已取消。 Run {run_id} is cancelled.", err=True)


@runs.command("retry")
@click.argument("run_id", type=int)
def retry(run_id: int) -> None:
    """重做一次评估里失败的部分。Do the failed parts of a run once more."""
    settings = read_settings()
    with database_for(settings) as database:
        parts = retry_run(database, run_id, actor=operator(), now=_now())
        _tell(settings, "sweep")
    click.echo(f"重做 {parts} 个部分。 {parts} parts again.", err=True)


@runs.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@json_option
def list_command(limit: int, as_json: bool) -> None:
    """列出最近的评估。List the last runs."""
    with database_for(read_settings()) as database, database.read() as connection:
        reports = [run_report(connection, one.id, _now()) for one in list_runs(connection, limit=limit)]
    if as_json:
        click.echo(orjson.dumps(reports))
        return
    for report in reports:
        stood = "　现行 standing" if report["stood_at"] else ""
        click.echo(f"{report['id']:>6}  {report['as_of']}  {report['kind']:6}  {_line(report)}{stood}")
    if not reports:
        click.echo("还没有评估过。 No run yet.", err=True)


def _watch(database: Database, run_id: int, as_json: bool) -> None:
    with watching() as progress:
        report = _until_ended(database, run_id, progress)
    if as_json:
        click.echo(orjson.dumps(report))
    else:
        click.echo(f"第 {run_id} 次评估：{_line(report)}", err=True)
        if report["problem"]:
            click.echo(report["problem"], err=True)
    if report["status"] not in ("succeeded", "replaced"):
        raise SystemExit(1)


def _until_ended(database: Database, run_id: int, progress: Callable[[str], None]) -> dict[str, Any]:
    while True:
        with database.read() as connection:
            report = run_report(connection, run_id, _now())
        if report["status"] not in OPEN:
            return report
        progress(_line(report))
        time.sleep(POLL_SECONDS)


def _line(report: dict[str, Any]) -> str:
    said = f"{WORDS[report['status']]}　{report['done']:,} / {report['firms']:,} 家"
    if report["seconds_left"] is not None:
        said += f"　每秒 {report['rate']:,.0f} 家　还要 {report['seconds_left']:.0f} 秒"
    return said


def _tell(settings: Settings, task: TaskName, *arguments: int) -> None:
    """The workers, where there is a Redis; without one they find it at their next sweep."""
    if settings.redis_url:
        with closing(make_celery(settings)) as celery:
            send(celery, task, *arguments)
