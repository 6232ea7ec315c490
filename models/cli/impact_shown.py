"""An impact as people read it on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from models.impacts.report import CHANGE_NAMES

_SHOWN = 5
"""So many conditions behind each change are shown; ``--json`` has all."""
_COLOURS = {"gained": "green", "lost": "red", "newly_unknown": "yellow"}


def print_impact(console: Console, answer: Mapping[str, Any]) -> None:
    where = answer.get("source") or f"企业库版本 {answer['edition']['id']}"
    say = console.print
    say(f"{where}：[bold]{answer['firms']:,}[/bold] 家企业 firms", highlight=False, soft_wrap=True)
    if answer.get("unreadable"):
        say(f"另有 {answer['unreadable']:,} 行读不出 rows could not be read", style="yellow", highlight=False)
    for pair in answer["pairs"]:
        _print_pair(console, pair)
    for name, zh in (("same", "两份规则中相同"), ("only_a", "只在之前"), ("only_b", "只在之后")):
        if answer[name]:
            say(f"{zh}：{'、'.join(answer[name])}", style="dim", highlight=False, soft_wrap=True)
    hashes = f"{answer['rulebook_a'][:12]} → {answer['rulebook_b'][:12]}"
    say(
        f"{answer['disclaimer']['zh']} 评估日期 {answer['as_of']}，规则 {hashes}。",
        style="dim",
        highlight=False,
        soft_wrap=True,
    )


def _print_pair(console: Console, pair: Mapping[str, Any]) -> None:
    console.print(
        f"\n[bold]{pair['a']['id']} → {pair['b']['id']}[/bold]　{pair['a']['name']['zh']} → "
        f"{pair['b']['name']['zh']}",
        highlight=False,
        soft_wrap=True,
    )
    for change, firms in pair["counts"].items():
        name, colour = CHANGE_NAMES[change], _COLOURS.get(change, "default")
        console.print(f"  [{colour}]{name.zh} {name.en} {firms:,}[/{colour}]", highlight=False)
        conditions = pair["conditions"].get(change, [])
        for one in conditions[:_SHOWN]:
            console.print(
                f"    {one['standard']}/{one['condition']}　{one['text']['zh']}　{one['firms']:,} 家，"
                f"其中只因此条 {one['alone']:,}",
                style="dim",
                highlight=False,
                soft_wrap=True,
            )
        if len(conditions) > _SHOWN:
            console.print(f"    另有 {len(conditions) - _SHOWN} 条（--json）", style="dim", highlight=False)
    _print_places(console, "区", pair["districts"])
    _print_places(console, "行业门类", pair["sections"])


def _print_places(console: Console, title: str, places: list[Mapping[str, Any]]) -> None:
    """Where anything changed; places where nothing did are left out."""
    changed = [
        place for place in places if any(place[change] for change in CHANGE_NAMES if change != "unchanged")
    ]
    if not changed:
        return
    table = Table(title, *(name.zh for change, name in CHANGE_NAMES.items()))
    for place in changed:
        table.add_row(place["name"], *(f"{place[change]:,}" for change in CHANGE_NAMES))
    console.print(table)
