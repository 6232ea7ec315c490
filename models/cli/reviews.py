"""``tidui reviews``: what looks wrong, in a file or in the registry, and deciding about it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import polars as pl

from models.cli.database import database_for
from models.cli.operator import operator
from models.cli.options import echo_json, json_option
from models.registry.database import Database
from models.reviews.deciding import decide as put_down
from models.reviews.finding import Finding, find, inputs
from models.reviews.kinds import kinds
from models.reviews.labels import labels as read_labels
from models.reviews.labels import labels_csv
from models.reviews.queue import review_page, review_shown, told
from models.settings import read_settings
from models.tabular.issue_table import general, issue_counts
from models.tabular.issues import IssueLog
from models.tabular.output import atomic_output, check_output
from models.tabular.reader import open_table

SHOWN = 20
_PATH = click.Path(path_type=Path)


@click.group()
def reviews() -> None:
    """待核事项：哪些数据可疑，由人作结论。What looks wrong, and deciding about it."""


@reviews.command()
@click.argument("file", metavar="企业表", type=_PATH)
@click.option("--year", type=click.IntRange(2001, 2099), help="评估年份，数据看上一年的；默认今年 Year")
@json_option
def check(file: Path, year: int | None, as_json: bool) -> None:
    """查一份企业表里自相矛盾或骤变的数据；什么也不保存。Look through a file; nothing is stored."""
    asked, found = year or date.today().year, list[Finding]()
    names: dict[str, str] = {}
    log, unread = IssueLog(), 0
    with open_table(file) as table:
        wanted = inputs(asked) & table.available
        if not wanted:
            raise click.UsageError(
                f"表里没有 {asked - 1} 年可查的数据；用 --year 写明评估年份（数据年份加一）。 "
                f"Nothing of {asked - 1} to look at: give --year, the year after the figures'."
            )
        for piece in table.batches(sorted((wanted | {"district"}) & table.available), log):
            unread += piece.height - piece["error"].null_count()
            good = piece.filter(pl.col("error").is_null())
            if "district" not in good.columns:
                good = good.with_columns(pl.lit(None, pl.String).alias("district"))
            some = find(good, asked)
            named = {one.uscc for one in some}
            names |= dict(good.filter(pl.col("uscc").is_in(named)).select("uscc", "name").iter_rows())
            found += some
        table.finish(log)
    if unread:
        click.echo(f"{unread:,} 行读不出，没有查 rows were not read", err=True)
    for issue in issue_counts(log, ()):
        click.echo(f"  {issue.kind.code} ×{issue.count:,}　{general(issue.kind.text).zh}", err=True)
    found.sort(key=lambda one: (-one.weight, one.id))
    rows = [{"uscc": one.uscc, "name": names.get(one.uscc), **told(one.kind, one.detail)} for one in found]
    if as_json:
        echo_json(rows)
        return
    counts = Counter(one.kind for one in found)
    for kind in kinds().of("figures"):
        click.echo(f"{counts[kind.id]:>7,}  {kind.name.zh} {kind.name.en}")
    for row in rows[:SHOWN]:
        click.echo(f"{row['uscc']}  {row['name'] or ''}  {row['why']['zh']}")
    if len(rows) > SHOWN:
        click.echo(f"……共 {len(rows):,} 项，--json 给出全部 {len(rows):,} in all; --json gives them")


@reviews.command("list")
@click.option("--kind", type=click.Choice(list(kinds().kinds)), help="只看一类 Of one kind")
@click.option(
    "--status", type=click.Choice(["open", "decided", "gone", "all"]), default="open", show_default=True
)
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=SHOWN, show_default=True)
@json_option
def list_(kind: str | None, status: str, limit: int, as_json: bool) -> None:
    """列出待核事项，重的在前。List them, the weightiest first."""
    with database_for(read_settings()) as database, database.read() as connection:
        rows, _, total = review_page(connection, kind=kind, status=status, limit=limit)
    if as_json:
        echo_json({"reviews": rows, "total": total})
        return
    for row in rows:
        click.echo(f"{row['id'][:12]}  {row['uscc']}  {row['name'] or ''}  {row['why']['zh']}")
    click.echo(f"共 {total:,} 项 in all", err=True)


@reviews.command()
@click.argument("review", metavar="编号")
@json_option
def show(review: str, as_json: bool) -> None:
    """一个待核事项和历次结论。One of them with its decisions."""
    with database_for(read_settings()) as database:
        found = _shown(database, review)
    if as_json:
        echo_json(found)
        return
    click.echo(f"{found['id']}  {found['kind']['zh']}  {found['uscc']}  {found['name'] or ''}")
    click.echo(f"  {found['why']['zh']}")
    for one in found["figures"]:
        click.echo(f"  {one['label']['zh']}：{one['value']:,}{one['unit']}")
    for one in found["decisions"]:
        said = f"{one['text']['zh']}  {one['reason']}（{one['decided_by']}）"
        click.echo(f"  {one['decided_at']:%Y-%m-%d}  {said}")
    choices = "、".join(f"{key}（{text['zh']}）" for key, text in found["choices"].items())
    click.echo(f"  可作的结论 choices：{choices}")


@reviews.command()
@click.argument("review", metavar="编号")
@click.argument("decision", metavar="结论")
@click.option("--reason", required=True, help="理由 Why")
def decide(review: str, decision: str, reason: str) -> None:
    """作一个结论；可选项见 tidui reviews show。Decide; what can be said is shown by show."""
    with database_for(read_settings()) as database:
        found = _shown(database, review)
        with database.write() as connection:
            put_down(
                connection, found["id"], decision, reason=reason, actor=operator(), now=datetime.now(UTC)
            )
    click.echo(f"{found['id'][:12]}  {kinds().decision_text(decision).zh}", err=True)


@reviews.command()
@click.option("-o", "--output", required=True, type=_PATH, help="结果文件：.csv 或 .parquet")
def labels(output: Path) -> None:
    """导出已作的结论，可作训练标签。Write the decisions that stand, as labels."""
    check_output(output)
    with database_for(read_settings()) as database, database.read() as connection:
        found = read_labels(connection)
    with atomic_output(output) as part:
        if output.suffix.lower() == ".parquet":
            found.write_parquet(part)
        else:
            part.write_bytes(labels_csv(found))
    click.echo(f"{found.height:,} 个结论 decisions：{output}", err=True)


def _shown(database: Database, review: str) -> dict[str, Any]:
    with database.read() as connection:
        return review_shown(connection, review)
