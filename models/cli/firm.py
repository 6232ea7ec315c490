"""Finding the one firm a command is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click

from models.cli.options import Command
from models.tabular.guide import KIND_WORDS
from models.tabular.issues import refusal
from models.tabular.reader import FOUND_LIMIT, open_table

LISTED = 5


def firm_arguments(command: Command) -> Command:
    """INPUT, CODE_OR_NAME and ``--row``."""
    source = click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
    firm = click.argument("firm", metavar="CODE_OR_NAME")
    row = click.option("--row", type=int, help="行号；代码重复时用。Row number, where a code stands twice.")
    return source(firm(row(command)))


def find_firm(source: Path, needle: str, as_of: date, row: int | None = None) -> Mapping[str, Any]:
    """The firm whose code or name fits (and stands in ``row``).

    E407 if none does, E408 if several do; E409 if its row cannot be judged.
    """
    with open_table(source, as_of=as_of) as table:
        found = [firm for firm in table.firms(needle) if row in (None, firm["row"])]
    if not found:
        raise refusal("E407", str(source), needle=needle)
    if len(found) > 1:
        shown = "、".join(
            f"{firm['name'] or '（无名称）'} {firm['uscc']}（第{firm['row']}行）" for firm in found[:LISTED]
        )
        count = f"{len(found)} 家以上" if len(found) == FOUND_LIMIT else len(found)
        raise refusal("E408", str(source), needle=needle, count=count, firms=shown)
    if found[0]["error"]:
        raise refusal("E409", str(source), row=found[0]["row"], error=found[0]["error"])
    return found[0]


def heading(firm: Mapping[str, Any], as_of: date, kind: str) -> str:
    return (
        f"[bold]{firm['name'] or '（无名称）'}[/bold]　{firm['uscc']}　第{firm['row']}行\n"
        f"评估日期 {as_of}　{KIND_WORDS[kind].zh}　预评估，不构成认定"
    )
