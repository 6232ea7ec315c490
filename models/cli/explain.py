"""``tidui explain``: one firm in full."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
from rich.console import Console

from models.answer import assessment_dict
from models.cli.firm import find_firm, firm_arguments, heading
from models.cli.options import (
    as_of_option,
    day_or_today,
    echo_json,
    json_option,
    kind_option,
    standards_option,
)
from models.cli.tree import answer_tree
from models.ladder import Standing, standing_of
from models.rules.compile import compile_standards
from models.rules.explain import Explainer
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from models.verdict import Verdict


@click.command()
@firm_arguments
@as_of_option
@kind_option
@standards_option
@click.option("--full", is_flag=True, help="已满足的条件和评分明细也列出。Show met conditions and cards too.")
@json_option
def explain(
    source: Path,
    firm: str,
    row: int | None,
    as_of: date | None,
    kind: str,
    standards: list[str] | None,
    full: bool,
    as_json: bool,
) -> None:
    """逐条说明一家企业：要求、实际、结论、出处。One firm in full, clause by clause.

    CODE_OR_NAME 为统一社会信用代码或名称，给一部分也可以。
    """
    day = day_or_today(as_of)
    found = find_firm(source, firm, day, row)
    book = rulebook()
    compiled = compile_standards(book, Period(day, kind), standards)
    trace, answers = Explainer(compiled).explain(found, words=True)
    standing = standing_of(book, compiled, trace)
    if as_json:
        echo_json(assessment_dict(found, standing, answers, book.hash))
        return
    console = Console()
    console.print(heading(found, day, kind), highlight=False)
    print_standing(console, standing)
    for answer in answers:
        console.print(answer_tree(answer, full=full or standards is not None), highlight=False)
    console.print(
        f"[dim]规则 {book.hash[:12]}　✓达标 ✗未达标 ·缺数据 ?待核验　--full 看全部条件[/dim]", highlight=False
    )


def print_standing(console: Console, standing: Standing) -> None:
    for title, number in (
        ("已持有称号", standing.recognised),
        ("现已达标", standing.qualifies),
        ("可望达到", standing.could_reach),
    ):
        console.print(f"  {title}：[bold]{number} {standing.name(number).zh}[/bold]", highlight=False)
    track = [
        f"{name.zh}（{max(verdicts.values()).text.zh}）"
        for name, verdicts in standing.growth_track
        if verdicts and max(verdicts.values()) > Verdict.UNMET
    ]
    marks = [name.zh for name, held, _ in standing.technology_marks if held]
    console.print(
        f"  成长赛道：{'、'.join(track) or '无'}　科技标志：{'、'.join(marks) or '无'}", highlight=False
    )
    lapsed = [i for rung in standing.rungs for i in rung.lapsed]
    if lapsed:
        console.print(
            f"  [yellow]{'、'.join(lapsed)} 已过有效期且无后续版本，仍作为参照[/yellow]", highlight=False
        )
