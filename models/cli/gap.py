"""``tidui gap``: what is missing to the next rung."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.tree import Tree

from models.advice import Advice, Gap, StandardGap, advise
from models.answer import IDENTITY, advice_dict
from models.cli.explain import print_standing
from models.cli.firm import find_firm, firm_arguments, heading
from models.cli.options import as_of_option, day_or_today, echo_json, json_option, kind_option
from models.fields import catalogue
from models.rules.compile import compile_standards
from models.rules.firm import FirmReader
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from models.verdict import DISCLAIMER

_KINDS = {"unmet": ("✗", "red"), "missing": ("·", "cyan"), "attest": ("?", "yellow")}
ASKED = 5


@click.command()
@firm_arguments
@as_of_option
@kind_option
@json_option
def gap(source: Path, firm: str, row: int | None, as_of: date | None, kind: str, as_json: bool) -> None:
    """离上一级还差什么：差多少、缺什么数据、要核验什么。What is missing to the next rung."""
    day = day_or_today(as_of)
    found = find_firm(source, firm, day, row)
    book = rulebook()
    standards = compile_standards(book, Period(day, kind))
    advice = advise(book, standards, FirmReader(standards), found)
    if as_json:
        told = {
            "as_of": day,
            "kind": kind,
            "rulebook": book.hash,
            "disclaimer": DISCLAIMER.zh,
            **{key: found[key] for key in IDENTITY},
            **advice_dict(advice),
        }
        echo_json(told)
        return
    console = Console()
    console.print(heading(found, day, kind), highlight=False)
    print_standing(console, advice.standing)
    _print(console, advice)


def _print(console: Console, advice: Advice) -> None:
    names = advice.standing.rungs
    for rung in advice.ready:
        console.print(f"[green]✓ 现在就可以申请：{names[rung].name.zh}[/green]", highlight=False)
    if advice.next_rung is None:
        console.print("已在最高一级。", highlight=False)
    else:
        console.print(
            f"\n上一级：[bold]{advice.next_rung} {names[advice.next_rung].name.zh}[/bold]", highlight=False
        )
    for standard in advice.standards:
        console.print(_tree(standard), highlight=False)
    if advice.questions:
        console.print("\n最值得先问清的空白：", highlight=False)
    for question in advice.questions[:ASKED]:
        year = "" if not question.field.yearly else f"{question.column[-4:]}年"
        console.print(
            f"  {year}{question.field.header_zh}　[dim]平均可定下 {question.standards:.1f} 项标准、"
            f"{question.conditions:.1f} 个条件[/dim]",
            highlight=False,
        )


def _tree(standard: StandardGap) -> Tree:
    state = "" if standard.in_force else "　[yellow]已过有效期，仅作参照[/yellow]"
    tree = Tree(
        f"[bold]{standard.name.zh}[/bold]　{standard.verdict.text.zh}　还有 {len(standard.gaps)} 处{state}"
    )
    for item in standard.gaps:
        _add(tree, item)
    return tree


def _add(tree: Tree, item: Gap) -> None:
    mark, colour = _KINDS[item.kind]
    actual = f"　实际 {item.actual.zh}" if item.actual else ""
    short = f"　[bold]{item.shortfall.zh}[/bold]" if item.shortfall else ""
    closed = "（这一数据已定，只能更正，不会再变）" if item.closed else ""
    blanks = (
        "" if item.alternatives or not item.blanks else f"　待填：{'、'.join(_label(c) for c in item.blanks)}"
    )
    clause = f"　[dim]{item.clause['item']}[/dim]" if item.clause["item"] else ""
    branch = tree.add(f"[{colour}]{mark}[/{colour}] {item.text.zh}{actual}{short}{closed}{blanks}{clause}")
    for number, way in enumerate(item.alternatives, 1):
        several = branch.add(f"[dim]途径{number}[/dim]") if len(way) > 1 else branch
        for part in way:
            _add(several, part)


def _label(column: str) -> str:
    parsed = catalogue().parse_column(column)
    if parsed is None:
        return column
    field, year = parsed
    return f"{year}年{field.header_zh}" if year else field.header_zh
