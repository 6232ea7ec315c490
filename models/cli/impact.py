"""``tidui impact``: the same firms under two sets of rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from models.cli.database import database_for
from models.cli.impact_shown import print_impact
from models.cli.options import as_of_option, day_or_today, json_option, kind_option
from models.errors import RulesRefused, Text, UsageRefused
from models.fields import load_catalogue
from models.impacts.pairs import compare, nothing_to_compare
from models.impacts.run import impact_of_file, impact_of_registry
from models.registry import rulebooks
from models.registry.listing import find_edition
from models.registry.merged import read_registry
from models.registry.state import active, read_state, state_of
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook, load_rulebook, rulebook
from models.settings import read_settings

_RULES = "一份规则：文件夹（像随附的 seeds），或规则哈希；不写为随附的规则。"


@click.command()
@click.argument("source", metavar="[INPUT]", required=False, type=click.Path(path_type=Path))
@click.option("--rules-a", metavar="规则", help=f"之前：{_RULES} Rules before: a folder or a hash.")
@click.option("--rules-b", metavar="规则", help="之后：写法同上。Rules after.")
@click.option(
    "--pairs",
    metavar="ID:ID,…",
    help="比较哪些标准，如 srdi.n63:srdi.n2；不写则比较两份规则里不同的标准。Pairs of standards.",
)
@click.option(
    "--edition", help="企业库的哪个版本（编号或哈希开头），默认现行版本。An edition of the registry."
)
@as_of_option
@kind_option
@json_option
def impact(
    source: Path | None,
    rules_a: str | None,
    rules_b: str | None,
    pairs: str | None,
    edition: str | None,
    as_of: date | None,
    kind: str,
    as_json: bool,
) -> None:
    """同一批企业，两套规则：谁新增达标、谁不再达标、因为哪一条。The same firms under two sets of rules.

    INPUT 是企业表；不写则看企业库。
    例：tidui impact 企业.xlsx --pairs srdi.n63:srdi.n2 --as-of 2026-06-30
    """
    books = [_book(rules) for rules in (rules_a, rules_b)]
    asked = _pairs(pairs)
    if asked is None and books[0].hash == books[1].hash:
        raise nothing_to_compare()
    comparison = compare(books[0], books[1], asked)
    period = Period(day_or_today(as_of), kind)
    answer = _watched(
        lambda progress: (
            impact_of_file(source, comparison, period, progress)
            if source is not None
            else _of_registry(
                edition, lambda registry: impact_of_registry(registry, comparison, period, progress)
            )
        )
    )
    if as_json:
        click.echo(orjson.dumps(answer).decode())
    else:
        print_impact(Console(), answer)


def _of_registry(wanted: str | None, judge: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    settings = read_settings()
    with database_for(settings) as database:
        with database.read() as connection:
            number = find_edition(connection, wanted).id if wanted else active(read_state(connection))
            registry = read_registry(connection, settings, state_of(connection, number))
        return judge(registry)


def _book(wanted: str | None) -> Rulebook:
    if wanted is None or wanted == rulebook().hash:
        return rulebook()
    root = Path(wanted)
    if root.is_dir():
        return _from_folder(root)
    settings = read_settings()
    with database_for(settings) as database, database.read() as connection:
        return rulebooks.load(connection, wanted)


def _from_folder(root: Path) -> Rulebook:
    try:
        return load_rulebook(root, load_catalogue(root / "fields.csv", root / "fields" / "labels.yaml"))
    except FileNotFoundError as error:
        raise RulesRefused(
            "I004",
            Text(f"规则文件夹里缺“{error.filename}”", f"the folder of rules lacks “{error.filename}”"),
            Text("以随附的 seeds 文件夹为样", "Take the folder seeds that ships as a pattern"),
        ) from error


def _pairs(written: str | None) -> list[tuple[str, str]] | None:
    if written is None:
        return None
    pairs = [one.strip().split(":") for one in written.split(",") if one.strip()]
    if not pairs or any(len(pair) != 2 or not all(pair) for pair in pairs):
        raise UsageRefused(
            "I006",
            Text(f"“{written}”不是标准对", f"“{written}” is no list of pairs"),
            Text("写成 srdi.n63:srdi.n2,giant.n63:giant.n2", "Write srdi.n63:srdi.n2,giant.n63:giant.n2"),
        )
    return [(a, b) for a, b in pairs]


def _watched(work: Callable[[Callable[[int], None]], dict[str, Any]]) -> dict[str, Any]:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("正在比较 comparing …")
        return work(
            lambda firms: progress.update(task, description=f"已比较 {firms:,} 家企业 firms compared")
        )
