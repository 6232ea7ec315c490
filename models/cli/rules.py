"""``tidui rules``: look at the rule packs, check them, compare two."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from models.cli.options import as_of_option, day_or_today, echo_json, json_option, kind_option
from models.cli.tree import print_pack
from models.rules.diff import CHANGES, Difference, diff_packs
from models.rules.explain import pack_dict, pack_head
from models.rules.quantity import Period
from models.rules.rulebook import rulebook


@click.group()
def rules() -> None:
    """查看、检查、比较规则包。Look at, check and compare rule packs."""


@rules.command()
def check() -> None:
    """检查全部规则包。Check all packs; every error with file and line."""
    book = rulebook()
    click.echo(
        f"{len(book.packs)} 个规则包没有错误。 {len(book.packs)} packs hold together. 规则 {book.hash[:12]}"
    )


@rules.command("list")
@as_of_option
@kind_option
@json_option
def list_packs(as_of: date | None, kind: str, as_json: bool) -> None:
    """列出全部标准与项目，以及是否现行。List standards and programmes, and which are in force."""
    period = Period(day_or_today(as_of), kind)
    heads = [pack_head(pack, pack.effective(period)) for pack in rulebook()]
    if as_json:
        echo_json(heads)
        return
    table = Table()
    for header in ("编号 id", "名称", "文件", "现行", "可信度"):
        table.add_column(header, no_wrap=header.endswith("id"))
    for head in heads:
        in_force = "是" if head["in_force"] else "否"
        table.add_row(
            head["id"], head["name"]["zh"], head["document"]["number"], in_force, head["clause"]["confidence"]
        )
    for item in rulebook().information:
        table.add_row(item.id, item.name.zh, item.clause.document, "仅供参考", item.clause.confidence)
    Console().print(table)


@rules.command()
@click.argument("pack_id", metavar="ID")
@as_of_option
@kind_option
@json_option
def show(pack_id: str, as_of: date | None, kind: str, as_json: bool) -> None:
    """逐条显示一个标准。Show one standard condition by condition."""
    period = Period(day_or_today(as_of), kind)
    pack = rulebook()[pack_id]
    if as_json:
        echo_json(pack_dict(pack, period))
    else:
        print_pack(Console(), pack, period)


@rules.command()
@click.argument("before")
@click.argument("after")
@as_of_option
@kind_option
@json_option
def diff(before: str, after: str, as_of: date | None, kind: str, as_json: bool) -> None:
    """逐条比较两个版本：新增、取消、收紧、放宽。Compare two versions condition by condition."""
    period = Period(day_or_today(as_of), kind)
    book = rulebook()
    found = diff_packs(book[before], book[after], period)
    if as_json:
        echo_json([_difference_dict(d) for d in found])
        return
    table = Table("变化", f"{before}", f"{after}", show_lines=True)
    colours = {
        "tightened": "red",
        "added": "red",
        "relaxed": "green",
        "dropped": "green",
        "changed": "yellow",
    }
    for difference in found:
        colour = colours.get(difference.change, "dim")
        table.add_row(
            f"[{colour}]{CHANGES[difference.change].zh}[/{colour}]",
            difference.before.zh if difference.before else "—",
            difference.after.zh if difference.after else "—",
        )
    Console().print(table)


def _difference_dict(difference: Difference) -> dict[str, Any]:
    return dataclasses.asdict(difference)
