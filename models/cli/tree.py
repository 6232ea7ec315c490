"""Trees for the terminal: a standard's conditions, with or without a firm's figures."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text as Line
from rich.tree import Tree

from models.rules.condition import Condition, Group
from models.rules.explain import JOINS, Answer, member_text, pack_head
from models.rules.pack import Pack
from models.rules.quantity import Period
from models.rules.size import SizeTable
from models.rules.units import show
from models.verdict import Verdict

MARKS = {
    "met": ("✓", "green"),
    "review": ("?", "yellow"),
    "unknown": ("·", "cyan"),
    "unmet": ("✗", "red"),
}
WORDS = {verdict.key: verdict.text.zh for verdict in Verdict}


def print_pack(console: Console, pack: Pack, period: Period) -> None:
    """A standard on its own: what it asks, clause by clause."""
    period = pack.effective(period)
    head = pack_head(pack, period)
    tree = Tree(_title(head))
    if pack.size_table is not None:
        _add_size_table(tree, pack.size_table)
    for member in pack.root.live(period):
        _add_member(tree, member, period)
    if pack.card is not None:
        _add_card_table(tree, pack, period)
    for option in pack.options:
        _add_member(tree.add("[dim]默认不启用 off by default[/dim]"), option, period)
    if pack.amount is not None:
        tree.add(f"金额：不超过{show(pack.amount.at_most, '元').zh}")
    console.print(tree)


def _title(head: Answer) -> str:
    state = "现行" if head["in_force"] else "[yellow]此日期不现行[/yellow]"
    document = head["document"]
    lines = [
        f"[bold]{head['name']['zh']}[/bold]  {head['id']}",
        f"[dim]{document['title']}（{document['number']}）{head['clause']['annex']}　"
        f"可信度 {head['clause']['confidence']}　{state}[/dim]",
    ]
    if head["clause"]["page"]:
        lines.append(f"[dim]{head['clause']['page']}[/dim]")
    for key in ("operational_definition", "note"):
        if key in head:
            lines.append(f"[yellow]{head[key]['zh']}[/yellow]")
    return "\n".join(lines)


def _add_member(tree: Tree, member: Condition | Group, period: Period) -> None:
    if isinstance(member, Condition):
        clause = _clause(member.clause.item, member.clause.confidence)
        tree.add(f"{member_text(member, period).zh}  [dim]{clause}[/dim]")
        return
    name = f"{member.name.zh}：" if member.name else ""
    branch = tree.add(f"{name}[italic]{JOINS[member.mode].zh}[/italic]  [dim]{member.clause.item}[/dim]")
    for child in member.live(period):
        _add_member(branch, child, period)


def _clause(item: str, confidence: str) -> str:
    return f"{item} {'' if confidence == 'A' else f'可信度{confidence}'}".strip()


def _add_card_table(tree: Tree, pack: Pack, period: Period) -> None:
    assert pack.card is not None
    card = tree.add("评分表 scorecard")
    for part in pack.card.parts:
        branch = card.add(f"[bold]{part.name.zh}[/bold] {part.top}分")
        for indicator in part.indicators:
            rows = "；".join(f"{text.zh} {points}分" for text, points in indicator.item.rows(period))
            branch.add(f"{indicator.name.zh}（{indicator.top}分）：[dim]{rows}[/dim]")


def _add_size_table(tree: Tree, table: SizeTable) -> None:
    for row in table.rows:
        bounds = "；".join(
            f"{field.header_zh} " + "/".join(show(value, field.unit).zh for value in bound)
            for field, bound in zip(table.figures, row.bounds, strict=True)
            if bound is not None
        )
        tree.add(f"{row.number}. {row.name.zh}：大/中/小 [dim]{bounds}[/dim]")


def answer_tree(answer: Answer, *, full: bool) -> Tree:
    """One standard for one firm. ``full`` shows met conditions and the card's indicators too."""
    tree = Tree(_verdict_line(answer))
    if "bounds" in answer:
        _add_bounds(tree, answer)
        return tree
    for condition in answer["conditions"]:
        _add_condition(tree, condition, full=full)
    if "score" in answer and full:
        _add_score(tree, answer["score"])
    for label in answer.get("labels", ()):
        tree.add(f"{label['name']['zh']}：{WORDS[label['verdict']]}")
    for item in answer.get("shown", ()) if full else ():
        value = "缺数据" if item["actual"] is None else f"{show(item['actual'], '%').zh}，{item['points']}分"
        tree.add(f"[dim]{item['name']['zh']}（仅供参考，不作条件）：{value}[/dim]")
    return tree


def _verdict_line(answer: Answer) -> Line:
    line = Line()
    if "bounds" in answer:
        line.append(f"{SizeTable.LABELS[answer['verdict']].zh}  ", style="bold")
    else:
        mark, colour = MARKS[answer["verdict"]]
        line.append(f"{mark} {WORDS[answer['verdict']]}  ", style=f"bold {colour}")
    line.append(answer["name"]["zh"], style="bold")
    if "score" in answer:
        low, high = answer["score"]["low"], answer["score"]["high"]
        line.append(f"  得分 {_points(low, high)}")
    line.append(f"  {answer['id']}", style="dim")
    if not answer["in_force"]:
        line.append("  此日期不现行", style="yellow")
    if "operational_definition" in answer:
        line.append("  操作性定义", style="yellow")
    return line


def _points(low: float, high: float) -> str:
    return (
        show(low, "分").zh
        if low == high
        else f"{show(low, '分').zh.removesuffix('分')}～{show(high, '分').zh}"
    )


def _add_condition(tree: Tree, condition: Answer, *, full: bool) -> None:
    if condition["verdict"] == "met" and not full:
        return
    mark, colour = MARKS[condition["verdict"]]
    line = Line()
    line.append(f"{mark} ", style=colour)
    instead = condition.get("instead")
    line.append(instead["zh"] if instead else _sentence(condition))
    if "members" not in condition:
        shown = actual_text(condition)
        line.append(f"　{shown}", style=colour if condition["verdict"] != "met" else "green")
    clause = _clause(condition["clause"]["item"], condition["clause"]["confidence"])
    line.append(f"　{clause}" if clause else "", style="dim")
    branch = tree.add(line)
    for member in _worth_showing(condition.get("members", []), full=full):
        _add_condition(branch, member, full=True)


def _sentence(condition: Answer) -> str:
    """A condition's sentence; a group's name, or how its members join, since they follow."""
    if "members" not in condition:
        return str(condition["text"]["zh"])
    return condition["name"]["zh"] if condition["name"] else JOINS[condition["join"]].zh


def _worth_showing(members: list[Answer], *, full: bool) -> list[Answer]:
    """Without the ways that are for other sectors, unless all are."""
    mine = [member for member in members if not _of_another_sector(member)]
    return members if full or not mine else mine


def _of_another_sector(member: Answer) -> bool:
    first = member
    while "members" in first:
        first = first["members"][0]
    return bool(first["about"] == "sector" and first["verdict"] == "unmet")


def actual_text(condition: Answer) -> str:
    """``实际 2.9%`` or what is missing."""
    actual = condition["actual"]
    if isinstance(actual, dict):
        return f"实际 {_points(actual['low'], actual['high'])}"
    if condition["shown"] is None:
        return "待核验" if condition["verdict"] == "review" else "缺数据"
    return f"实际 {condition['shown']['zh']}"


def _add_bounds(tree: Tree, answer: Answer) -> None:
    if answer["sector"] is None:
        tree.add("行业未填、太短或不在划型标准内")
        return
    tree.add(f"[dim]行业：{answer['sector']['name']['zh']}[/dim]")
    for bound in answer["bounds"]:
        lines = "/".join(show(bound[key], bound["unit"]).zh for key in ("large", "medium", "small"))
        value = "缺数据" if bound["actual"] is None else show(bound["actual"], bound["unit"]).zh
        tree.add(f"{bound['label']['zh']} {value}　[dim]大/中/小下限 {lines}[/dim]")


def _add_score(tree: Tree, score: dict[str, Any]) -> None:
    card = tree.add(f"评分 {_points(score['low'], score['high'])}（满分{score['max']}分）")
    for part in score["parts"]:
        branch = card.add(f"{part['name']['zh']} {_points(part['low'], part['high'])}/{part['max']}")
        for indicator in part["indicators"]:
            inputs = "，".join(_input_text(item) for item in indicator["inputs"])
            points = _points(indicator["low"], indicator["high"])
            branch.add(f"{indicator['name']['zh']} {points}/{indicator['max']}　[dim]{inputs}[/dim]")


def _input_text(item: Answer) -> str:
    value = item["shown"]["zh"] if item["shown"] else "缺数据"
    return f"{item['label']['zh']} {value}"
