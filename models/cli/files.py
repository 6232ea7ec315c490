"""``tidui template`` and ``tidui synth``: files to start from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from models.cli.options import as_of_option, day_or_today, echo_json, json_option
from models.learn.synth import write, write_history
from models.learn.synth.figures import YEARS
from models.learn.synth.frame import MOST_YEARS
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
@click.option("-n", "--firms", type=click.IntRange(min=1), help="企业数 Number of firms")
@click.option(
    "-s",
    "--seed",
    type=click.IntRange(min=0),
    default=2026,
    show_default=True,
    help="随机种子 Same seed, same firms",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help=".csv、.xlsx 或 .parquet；--per-year 时为文件夹"
)
@click.option(
    "--years",
    type=click.IntRange(1, MOST_YEARS),
    default=YEARS,
    show_default=True,
    help="几年的指标 Years of figures",
)
@click.option("--per-year", is_flag=True, help="每年一张表，写进文件夹 One table a year, into a folder")
@click.option(
    "--format", "ending", type=click.Choice(["parquet", "csv"]), default="parquet", help="--per-year 的格式"
)
@click.option(
    "--slips",
    type=click.FloatRange(0, 0.5),
    default=0.0,
    help="填错的金额占比 Share of money cells that are wrong",
)
@click.option("--truth", type=click.Path(path_type=Path), help="另存真值（.parquet） Keep the truth aside")
@click.option(
    "--report", "reported", is_flag=True, help="对照真实企业的分布 Compare with what real firms look like"
)
@as_of_option
@json_option
def synth(
    firms: int | None,
    seed: int,
    output: Path | None,
    years: int,
    per_year: bool,
    ending: str,
    slips: float,
    truth: Path | None,
    reported: bool,
    as_of: date | None,
    as_json: bool,
) -> None:
    """生成合成企业（虚构，供演示、测试和试用学习）。Write synthetic firms, clearly marked as such.

    --report 不写企业，只列出每项分布的目标值和所得值。
    """
    if reported:
        _report(seed, firms, as_json)
        return
    if firms is None or output is None:
        raise click.UsageError("要给 -n 企业数和 -o 文件，或用 --report。 Give -n and -o, or --report.")
    if per_year and truth:
        raise click.UsageError("--truth 只用于单张表。 --truth goes with a single table.")
    if truth and truth.suffix.lower() != ".parquet":
        raise click.UsageError("--truth 的文件名要以 .parquet 结尾。 --truth is a .parquet file.")
    day = day_or_today(as_of)
    console = Console(stderr=True)
    columns = (
        TextColumn("正在生成 {task.completed:,.0f}/{task.total:,.0f}"),
        BarColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=firms)

        def told(done: int) -> None:
            progress.update(task, completed=done)

        if per_year:
            write_history(
                firms, seed, output, day, years=years, ending=f".{ending}", slips=slips, progress=told
            )
        else:
            write(firms, seed, output, day, told, years=years, slips=slips, truth=truth)
    click.echo(f"{firms:,} 家合成企业（虚构）已写到 {output}。", err=True)


def _report(seed: int, firms: int | None, as_json: bool) -> None:
    from models.learn.synth.report import FIRMS, as_dicts, report  # noqa: PLC0415  (loads SciPy)

    rows = report(seed, firms or FIRMS)
    if as_json:
        echo_json(list(as_dicts(rows)))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("项目 quantity", "目标 target", "所得 got", "20% 以内"):
        table.add_column(name, justify="left" if name.startswith("项目") else "right")
    for row in rows:
        mark = "✓" if row.fits else "[bold red]✗[/bold red]"
        unit = f"（{row.unit}）" if row.unit else ""
        table.add_row(f"{row.name.zh}{unit}  [dim]{row.name.en}[/dim]", row.target, f"{row.got:.4g}", mark)
    Console().print(table)
    fit = sum(row.fits for row in rows)
    click.echo(f"{len(rows)} 项中 {fit} 项在 20% 以内。 {fit} of {len(rows)} within 20 %.")
