"""``tidui score``: a registry file in, a result file out."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from models.cli.options import as_of_option, day_or_today, json_option, kind_option, standards_option
from models.rules.rulebook import rulebook
from models.scoring import LADDER_COLUMNS, Report, Request
from models.scoring import score as run
from models.tabular.issue_table import general, issue_counts
from models.tabular.issues import refusal

_ANSWERS = {"recognised": "已持有称号", "qualifies": "达标", "could_reach": "可达（含待核验）"}


@click.command()
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="结果文件：.xlsx、.csv 或 .parquet"
)
@as_of_option
@kind_option
@standards_option
@json_option
def score(
    source: Path, output: Path, as_of: date | None, kind: str, standards: list[str] | None, as_json: bool
) -> None:
    """评估一份企业表的每家企业、每项标准。Score every firm of a registry file.

    INPUT 为 .csv、.xlsx 或 .parquet；输出按结尾定格式。列名与单位见 docs/files.md。
    """
    request = Request(source, output, day_or_today(as_of), kind, standards)
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("正在评估 scoring …")
        report = run(
            rulebook(),
            request,
            lambda rows: progress.update(task, description=f"已评估 {rows:,} 家企业 firms scored"),
        )
    if as_json:
        click.echo(json.dumps(_as_dict(report), ensure_ascii=False))
    else:
        _print(report, console)
    if report.rows and report.unreadable == report.rows:
        click.echo(str(refusal("E406", str(source))), err=True)
        click.get_current_context().exit(1)


def _as_dict(report: Report) -> dict[str, Any]:
    return {
        "output": str(report.output),
        "issues_at": str(report.issues_at) if report.issues_at else None,
        "rows": report.rows,
        "unreadable": report.unreadable,
        "ladder": report.ladder,
        "unsettled": report.unsettled,
        "notices": [{"zh": notice.zh, "en": notice.en} for notice in report.guide.notices],
        "issues": {count.kind.code: count.count for count in issue_counts(report.issues, report.notes)},
        "as_of": report.guide.as_of.isoformat(),
        "kind": report.guide.kind,
        "rulebook": report.rulebook,
    }


def _print(report: Report, console: Console) -> None:
    guide = report.guide
    say = console.print
    say(
        f"[bold]{report.rows:,}[/bold] 家企业，其中 {report.unreadable:,} 行不能评估。",
        highlight=False,
        soft_wrap=True,
    )
    say(
        f"{report.rows:,} firms, {report.unreadable:,} rows could not be judged.",
        style="dim",
        highlight=False,
    )
    for notice in guide.notices:
        say(f"  {notice.zh}\n  {notice.en}", style="bold yellow", highlight=False, soft_wrap=True)
    for name in LADDER_COLUMNS:
        counts = report.ladder[name]
        shown = "　".join(
            f"{guide.rungs[rung].zh} {count:,}" + (_unsettled(report, name) if rung == 0 else "")
            for rung, count in counts.items()
        )
        say(f"  {_ANSWERS[name]}：{shown}", highlight=False, soft_wrap=True)
    for count in issue_counts(report.issues, report.notes):
        say(
            f"  {count.kind.code} ×{count.count:,}　{general(count.kind.text).zh}",
            style="yellow",
            highlight=False,
        )
    if report.issues_at:
        say(f"逐条问题：{report.issues_at}", highlight=False, soft_wrap=True)
    say(f"结果：[bold]{report.output}[/bold]", highlight=False, soft_wrap=True)
    say(
        f"预评估，不构成认定。评估日期 {guide.as_of}，规则 {report.rulebook[:12]}。",
        style="dim",
        highlight=False,
    )


def _unsettled(report: Report, name: str) -> str:
    """How many of the firms on rung 0 stand there only because figures are missing."""
    count = report.unsettled.get(name)
    return f"（其中 {count:,} 家缺数据，定不了）" if count else ""
