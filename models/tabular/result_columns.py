"""The columns of the sheet 结果: the result's own, and beside each verdict a word and a reason in Chinese."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import polars as pl

from models.errors import Text
from models.tabular.guide import ResultGuide, StandardGuide
from models.verdict import DISCLAIMER

Cell = str | int | float | None

JUDGED = "已评估"
LADDER = {
    "recognised": Text("现有梯级", "rung held"),
    "qualifies": Text("达标梯级（预评估）", "rung met (assessment)"),
    "could_reach": Text("可望梯级（预评估）", "rung within reach (assessment)"),
}
_LADDER_MEANINGS = {
    "recognised": Text("评估日持有有效称号的最高梯级", "Highest rung whose title the firm holds on the date"),
    "qualifies": Text("标准已达标的最高梯级", "Highest rung whose standard is met"),
    "could_reach": Text(
        "达标或只差人工核验的最高梯级", "Highest rung whose standard is met or waits for review only"
    ),
}
_PLAIN = {
    "uscc": Text("统一社会信用代码", "unified social credit code"),
    "name": Text("企业名称", "registered name"),
    "error": Text("该行未能评估的原因；空白表示已评估", "Why the row could not be judged; blank if it was"),
}
_PARTS = {
    "low": Text("得分下限：缺的数据都按最不利计", "Lowest score that the missing figures leave open"),
    "high": Text("得分上限：缺的数据都按最有利计", "Highest score that the missing figures leave open"),
    "unmet": Text(
        "未达标条件的编号，分号隔开", "Ids of the conditions that are unmet, separated by semicolons"
    ),
    "open": Text(
        "缺数据或待核验条件的编号，分号隔开", "Ids of the conditions that lack a figure or wait for review"
    ),
}
_WIDTHS = {"uscc": 22.0, "name": 34.0, "error": 40.0}


@dataclass(frozen=True)
class SheetColumn:
    """One column: what stands over it, what it means, and its cells for a batch of firms."""

    header: str
    meaning: Text
    width: float
    cells: Callable[[pl.DataFrame], list[Cell]]
    styles: Mapping[Cell, str] = field(default_factory=dict)
    """Style of a cell by its value."""
    style: str = ""
    """Style of the other cells."""
    machine: bool = False
    """Folded away at first: the same is said in words beside it."""
    dated: bool = False
    """Of a standard that is not the one in force."""


def result_columns(guide: ResultGuide, names: Sequence[str]) -> list[SheetColumn]:
    """Columns for a result with columns ``names``, in that order, words following each group they explain."""
    standards = {standard.id: standard for standard in guide.standards}
    columns: list[SheetColumn] = []
    for place, name in enumerate(names):
        standard = _standard_of(name, standards)
        columns.append(_own_column(name, standard))
        if name == "name":
            columns.append(_status())
        elif name in LADDER:
            columns.append(_rung(name, guide.rungs))
        elif standard and _standard_of(next(iter(names[place + 1 :]), ""), standards) is not standard:
            columns.extend(_words(standard, set(names)))
    return columns


def _standard_of(name: str, standards: Mapping[str, StandardGuide]) -> StandardGuide | None:
    if name in standards:
        return standards[name]
    identity, _, part = name.rpartition(".")
    return standards.get(identity) if part in _PARTS else None


def _own_column(name: str, standard: StandardGuide | None) -> SheetColumn:
    """A column of the result as it is."""
    machine = standard is not None or name in LADDER
    return SheetColumn(
        header=name,
        meaning=_meaning(name, standard),
        width=_WIDTHS.get(name, 16),
        cells=lambda rows: rows[name].to_list(),
        style="text" if name in _PLAIN else "",
        machine=machine,
        dated=standard is not None and not standard.in_force,
    )


def _meaning(name: str, standard: StandardGuide | None) -> Text:
    if standard is None:
        return _PLAIN.get(name) or _LADDER_MEANINGS.get(name) or Text(name, name)
    part = _PARTS.get(name.removeprefix(standard.id).removeprefix("."))
    if part is None:
        keys = " / ".join(standard.words)
        part = Text(f"结论的键值：{keys}", f"the verdict's key: {keys}")
    return Text(f"{standard.name.zh}：{part.zh}", f"{standard.name.en}: {part.en}")


def _status() -> SheetColumn:
    meaning = Text(
        "已评估，或未评估的原因（同最后一列 error）", "Judged, or why not (as in the last column, error)"
    )
    return SheetColumn("评估状态", meaning, 12, _status_cells, {JUDGED: ""}, "error")


def _status_cells(rows: pl.DataFrame) -> list[Cell]:
    if "error" not in rows.columns:
        return [JUDGED] * rows.height
    return [f"未评估：{error}" if error else JUDGED for error in rows["error"]]


def _rung(name: str, rungs: Mapping[int, Text]) -> SheetColumn:
    words: dict[object, str] = {number: text.zh for number, text in rungs.items()}
    meaning = _LADDER_MEANINGS[name]

    def cells(rows: pl.DataFrame) -> list[Cell]:
        return [words.get(number) for number in rows[name]]

    return SheetColumn(LADDER[name].zh, meaning, 15, cells)


def _words(standard: StandardGuide, names: set[str]) -> Iterator[SheetColumn]:
    """The verdict as a word, and the reason."""
    words: dict[object, str] = {key: text.zh for key, text in standard.words.items()}
    styles: dict[Cell, str] = {words[key]: key for key in words if isinstance(key, str)}
    dated = not standard.in_force
    aside = Text("（非现行标准，供对照）", " (not in force; for comparison)") if dated else Text("", "")
    yield SheetColumn(
        f"{standard.short} 结论" + ("（非现行）" if dated else ""),
        Text(
            f"{standard.name.zh}{aside.zh}。{DISCLAIMER.zh}",
            f"{standard.name.en}{aside.en}. {DISCLAIMER.en}",
        ),
        13,
        lambda rows: [words.get(key) for key in rows[standard.id]],
        styles,
        dated=dated,
    )
    yield SheetColumn(
        f"{standard.short} 原因",
        Text(
            "得分，以及未达标、缺数据、待核验的条件，每条一行",
            "Score, and the conditions unmet, missing or to be reviewed, one on each line",
        ),
        44,
        _reasons(standard, names),
        style="reason",
        dated=dated,
    )


def _reasons(standard: StandardGuide, names: set[str]) -> Callable[[pl.DataFrame], list[Cell]]:
    """Cells of the reason column. Few combinations stand in many rows, so each is worded once."""
    parts = [standard.id, *(f"{standard.id}.{part}" for part in ("unmet", "open", "low", "high"))]
    worded = cache(
        lambda verdict, unmet, still_open, *score: reason(standard, verdict, unmet, still_open, score)
    )

    def cells(rows: pl.DataFrame) -> list[Cell]:
        given = [rows[part].to_list() if part in names else [None] * rows.height for part in parts]
        return [worded(*values) for values in zip(*given, strict=True)]

    return cells


def reason(
    standard: StandardGuide,
    verdict: str | None,
    unmet: str | None,
    still_open: str | None,
    score: tuple[float | None, float | None] = (None, None),
) -> str | None:
    """``得分 55～72``, then a numbered line per condition: ``1. 未达标，要求：…``. None: nothing to be said.

    An open condition waits for a person if the whole standard does or the condition is attested,
    else for a figure.
    """
    low, high = score
    said = [] if low is None or high is None else [_score(low, high)]
    missed, waiting = deciding(verdict, unmet, still_open)
    attested = [c for c in waiting if verdict == "review" or c in standard.attested]
    missing = [c for c in waiting if c not in attested]
    named = [
        f"{word}，要求：{standard.sentence(condition)}"
        for word, ids in (("未达标", missed), ("缺数据", missing), ("待核验", attested))
        for condition in ids
    ]
    return "\n".join([*said, *(f"{number}. {line}" for number, line in enumerate(named, 1))]) or None


def deciding(verdict: str | None, unmet: str | None, still_open: str | None) -> tuple[list[str], list[str]]:
    """Ids of the conditions that hold the verdict down: those unmet, those open.

    A condition that is unmet decides only where the standard is: elsewhere another route stands in for it.
    """
    if verdict is None or verdict == "met":
        return [], []
    return (_ids(unmet) if verdict == "unmet" else []), _ids(still_open)


def _ids(joined: str | None) -> list[str]:
    return joined.split(";") if joined else []


def _score(low: float, high: float) -> str:
    return f"得分 {low:g}" if low == high else f"得分 {low:g}～{high:g}"
