"""Finding the one firm a command is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from models.tabular.issues import refusal
from models.tabular.reader import FOUND_LIMIT, open_table

LISTED = 5


def find_firm(source: Path, needle: str, as_of: date) -> Mapping[str, Any]:
    """The firm whose code or name fits; E407 if none does, E408 if several do."""
    with open_table(source, as_of=as_of) as table:
        found = table.firms(needle)
    if not found:
        raise refusal("E407", str(source), needle=needle)
    if len(found) > 1:
        shown = "、".join(
            f"{firm['name'] or '（无名称）'} {firm['uscc']}（第{firm['row']}行）" for firm in found[:LISTED]
        )
        count = f"{len(found)} 家以上" if len(found) == FOUND_LIMIT else len(found)
        raise refusal("E408", str(source), needle=needle, count=count, firms=shown)
    return found[0]


def heading(firm: Mapping[str, Any], as_of: date, kind: str) -> str:
    kinds = {"new": "新申报", "review": "复核"}
    error = f"\n[red]{firm['error']}[/red]" if firm.get("error") else ""
    return (
        f"[bold]{firm['name'] or '（无名称）'}[/bold]　{firm['uscc']}　第{firm['row']}行\n"
        f"评估日期 {as_of}　{kinds[kind]}　预评估，不构成认定{error}"
    )
