"""``tidui template`` and ``tidui synth``: files to start from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from models.cli.options import as_of_option, day_or_today
from models.learn.synth import write
from models.tabular.template import write_template

YEARS_BACK = 4


@click.command()
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="模板文件，.xlsx")
@as_of_option
def template(output: Path, as_of: date | None) -> None:
    """生成可直接填写的 Excel 模板。Write a workbook to fill in."""
    if output.suffix.lower() != ".xlsx":
        raise click.UsageError("模板是 Excel 工作簿，文件名应以 .xlsx 结尾。 The template must end in .xlsx.")
    year = day_or_today(as_of).year
    write_template(output, range(year, year - YEARS_BACK - 1, -1))
    click.echo(f"模板已写到 {output}。填好后：tidui score {output} -o 结果.xlsx", err=True)


@click.command()
@click.option("-n", "--firms", required=True, type=click.IntRange(min=1), help="企业数 Number of firms")
@click.option(
    "-s",
    "--seed",
    type=click.IntRange(min=0),
    default=2026,
    show_default=True,
    help="随机种子 Same seed, same firms",
)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help=".csv、.xlsx 或 .parquet"
)
@as_of_option
def synth(firms: int, seed: int, output: Path, as_of: date | None) -> None:
    """生成合成企业（虚构，供演示和测试）。Write synthetic firms, clearly marked as such."""
    day = day_or_today(as_of)
    console = Console(stderr=True)
    columns = (
        TextColumn("正在生成 {task.completed:,.0f}/{task.total:,.0f}"),
        BarColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=firms)
        write(firms, seed, output, day, lambda done: progress.update(task, completed=done))
    click.echo(f"{firms:,} 家合成企业（虚构）已写到 {output}。", err=True)
