"""What ``train``, ``evaluate`` and ``predict`` print for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from models.errors import Text
from models.learn.abstain import REASONS
from models.learn.drift import Drift
from models.learn.outlook import NOTE
from models.learn.predict import Report
from models.learn.tasks import task

_MEASURES = (
    ("auc", "AUC", "越高越好 higher"),
    ("pr_auc", "PR-AUC", "越高越好 higher"),
    ("brier", "Brier", "越低越好 lower"),
)
_WORDS = {reason.code: reason.text for reason in REASONS.values()}


def show_test(console: Console, card: Mapping[str, Any], test: Mapping[str, Any]) -> None:
    """The model beside its rival, and the verdict."""
    console.print(
        f"[bold]{card['name']['zh']}[/bold]　{test['year']} 年检验：{test['firms']:,} 家企业，"
        f"实现 {test['yes']:,} 家（{test['base_rate']:.1%}） firms, of which got there",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("")
    table.add_column("模型 model")
    table.add_column("对照 rival")
    table.add_column("")
    for key, name, better in _MEASURES:
        table.add_row(name, _figure(test["model"][key]), _figure(test["rival"][key]), better)
    table.add_row("标定误差 calibration error", f"{test['calibration']['error']:.3f}", "", "越低越好 lower")
    for mine, theirs in zip(test["tops"], test["rival_tops"], strict=True):
        table.add_row(f"前 {mine['share']:.0%} 中实现 precision", _top(mine), _top(theirs), "越高越好 higher")
    console.print(
        f"  对照：{card['rival']['name']['zh']} {card['rival']['name']['en']}", style="dim", highlight=False
    )
    console.print(table)
    if test["beats_rival"]:
        console.print(
            "胜过对照，可以启用。 Beats its rival: may be released.", style="green", highlight=False
        )
    else:
        console.print(
            "没有胜过对照（Brier 要更低、PR-AUC 要更高），不予启用。\n"
            "Does not beat its rival in Brier score and PR-AUC: not released.",
            style="bold red", highlight=False,
        )  # fmt: skip
    if test.get("seen"):
        console.print(
            f"注意：模型学过 {test['year']} 年，这些数字偏好。 It has seen this year.",
            style="yellow", highlight=False,
        )  # fmt: skip


def _figure(figure: Mapping[str, float]) -> str:
    return f"{figure['value']:.3f}  ({figure['low']:.3f}–{figure['high']:.3f})"


def _top(row: Mapping[str, float]) -> str:
    return f"{row['precision']:.1%}  ({row['lift']:.1f}×)"


def show_notices(console: Console, notices: Iterable[Text]) -> None:
    for notice in notices:
        console.print(f"  {notice.zh}\n  {notice.en}", style="yellow", highlight=False, soft_wrap=True)


def show_scored(console: Console, report: Report, drifts: Mapping[str, Drift]) -> None:
    """Firms with a score by task, why others have none, and where they differ from the model's own."""
    console.print(
        f"[bold]{report.firms:,}[/bold] 家企业，估计 {report.year} 年。 firms; estimates of {report.year}.",
        highlight=False,
    )
    for name, count in report.scored.items():
        reasons = "；".join(
            f"{_WORDS[code].zh} {times:,}" for code, times in report.reasons[name].most_common()
        )
        without = f"，不估计：{reasons}" if reasons else ""
        console.print(f"  {task(name).name.zh}：{count:,} 家有分{without}", highlight=False, soft_wrap=True)
        _show_drift(console, name, drifts[name])
    console.print(f"结果：[bold]{report.output}[/bold]", highlight=False, soft_wrap=True)
    console.print(
        "分数是估计，不是评定结论。 Scores are estimates, not verdicts.", style="dim", highlight=False
    )


def _show_drift(console: Console, name: str, found: Drift) -> None:
    """Nothing where all is stable."""
    names = {"score": Text("分数", "score"), **{one.key: one.name for one in task(name).features}}
    values = {"score": found.score, **found.features}
    for mark, words in (("shifted", "已偏移 shifted"), ("watch", "需留意 watch")):
        moved = [key for key, said in found.marks.items() if said == mark]
        if moved:
            told = "、".join(f"{names[key].zh} {values[key]:.2f}" for key in moved)
            console.print(
                f"    与训练数据比{words}（PSI）：{told}", style="yellow", highlight=False, soft_wrap=True
            )


def scored_dict(report: Report, drifts: Mapping[str, Drift]) -> dict[str, Any]:
    return {
        "output": str(report.output),
        "year": report.year,
        "firms": report.firms,
        "scored": dict(report.scored),
        "abstained": {name: dict(counts) for name, counts in report.reasons.items()},
        "drift": {
            name: {"score": one.score, "features": dict(one.features), "marks": dict(one.marks)}
            for name, one in drifts.items()
        },
        "issues": {f"{code}": times for code, times in _by_code(report).items()},
        "note": {"zh": NOTE.zh, "en": NOTE.en},
    }


def _by_code(report: Report) -> dict[str, int]:
    found: dict[str, int] = {}
    for (code, _), times in report.issues.counts.items():
        found[code] = found.get(code, 0) + times
    return found
