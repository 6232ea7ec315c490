"""The sheets behind 结果: 汇总 (counts), 列说明 (every column and condition) and 错误 (every issue)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from models.errors import Text
from models.tabular.guide import KIND_WORDS, SIZE_WORDS, VERDICT_WORDS, ResultGuide
from models.tabular.issue_table import ISSUE_COLUMNS, LEVELS, IssueCount, general
from models.tabular.result_columns import LADDER, SheetColumn
from models.tabular.sheet import Row, SheetWriter, Styles
from models.tabular.summary import StandardCount, Summary
from models.verdict import DISCLAIMER


def write_summary(
    sheet: Any, styles: Styles, guide: ResultGuide, summary: Summary, issues: Sequence[IssueCount]
) -> None:
    sheet.hide_gridlines(2)
    page = SheetWriter(sheet, styles, (44, 50, 24, 15, 18, 18, 15, 15))
    page.line([f"{guide.title.zh} · {guide.title.en}"], "title")
    page.line([f"{DISCLAIMER.zh} · {DISCLAIMER.en}"], "warning")
    for notice in guide.notices:
        page.line([f"{notice.zh} · {notice.en}"], "warning")
    page.row += 1
    for label, value in _about(guide, summary):
        page.line([label, value], [None, "left"])
    page.row += 1
    _ladder_table(page, guide, summary)
    _verdict_table(page, summary)
    _size_table(page, summary)
    _condition_table(page, summary)
    _issue_table(page, issues)


def _about(guide: ResultGuide, summary: Summary) -> list[tuple[str, str | int]]:
    kind = KIND_WORDS.get(guide.kind, Text(guide.kind, guide.kind))
    return [
        ("输入文件 Input", guide.source),
        ("评估日期 As of", guide.as_of.isoformat()),
        ("申请类型 Kind", f"{kind.zh} {kind.en}"),
        ("规则库 Rulebook (hash)", guide.rulebook),
        ("企业数 Firms", summary.firms),
        ("其中未能评估 Not judged", summary.unreadable),
        ("各表 Sheets", "结果：每家企业一行；汇总：本表；列说明：各列与各条件的含义；错误：需要核对的数据"),
    ]


def _ladder_table(page: SheetWriter, guide: ResultGuide, summary: Summary) -> None:
    headers = ["梯级 Rung", "English", *(LADDER[column].zh for column in summary.rungs)]
    rows = []
    for rung, text in sorted(guide.rungs.items()):
        rows.append([text.zh, text.en, *(counts.get(rung, 0) for counts in summary.rungs.values())])
        if rung == 0 and any(summary.unsettled.values()):
            # A zero that only says that figures are missing must not read as a finding.
            unsettled = [summary.unsettled.get(column) for column in summary.rungs]
            rows.append(["　其中缺数据、定不了的", "　of these not known: figures are missing", *unsettled])
    page.table("各梯级企业数 · Firms by rung", headers, rows, [None, None, *["number"] * len(summary.rungs)])


def _verdict_table(page: SheetWriter, summary: Summary) -> None:
    counted = [count for count in summary.standards if not count.standard.is_value]
    headers = [
        "标准 Standard",
        "依据 Document",
        "是否现行 In force",
        *_heads(VERDICT_WORDS),
    ]
    rows = [[*_named(count), *(count.verdicts.get(key, 0) for key in VERDICT_WORDS)] for count in counted]
    if rows:
        page.table(
            "各标准结论 · Verdicts by standard", headers, rows, ["wrap", "wrap", "wrap", *["number"] * 4]
        )


def _size_table(page: SheetWriter, summary: Summary) -> None:
    counted = [count for count in summary.standards if count.standard.is_value]
    headers = [
        "标准 Standard",
        "依据 Document",
        "是否现行 In force",
        *_heads(SIZE_WORDS),
    ]
    rows = [[*_named(count), *(count.verdicts.get(key, 0) for key in SIZE_WORDS)] for count in counted]
    if rows:
        page.table("企业规模 · Size classes", headers, rows, ["wrap", "wrap", "wrap", *["number"] * 5])


def _heads(words: Mapping[str, Text]) -> list[str]:
    return [f"{text.zh} {key}" for key, text in words.items()]


def _named(count: StandardCount) -> list[str]:
    standard = count.standard
    return [
        f"{standard.short}（{standard.id}）",
        standard.document,
        "现行 yes" if standard.in_force else "非现行 no",
    ]


def _condition_table(page: SheetWriter, summary: Summary) -> None:
    headers = ["标准 Standard", "条件 Condition", "编号 id", "未达标 unmet", "未定 open", "只差这条 alone"]
    rows = [
        [count.standard.short, count.standard.sentence(c.id), c.id, c.unmet, c.open, c.alone]
        for count in summary.standards
        for c in count.conditions
    ]
    if rows:
        title = "最常卡住企业的条件（每个标准前三；企业数） · Commonest deciding conditions (firms)"
        page.table(title, headers, rows, ["wrap", "wrap", "wrap", *["number"] * 3])


def _issue_table(page: SheetWriter, issues: Sequence[IssueCount]) -> None:
    if not issues:
        page.line(["数据问题：没有发现 · Issues: none found"], "section")
        return
    headers = ["错误代码与级别 Code, level", "说明 Message", "次数 Count"]
    rows = [[f"{c.kind.code} {LEVELS[c.kind.level].zh}", general(c.kind.text).zh, c.count] for c in issues]
    page.table(
        "数据问题（明细见“错误”表） · Issues (listed on sheet 错误)", headers, rows, [None, "wrap", "number"]
    )


def write_legend(sheet: Any, styles: Styles, guide: ResultGuide, columns: Sequence[SheetColumn]) -> None:
    sheet.hide_gridlines(2)
    page = SheetWriter(sheet, styles, (34, 60, 70, 16))
    page.line(["键值列默认收起：点表格上方的 + 或左上角的 2 展开。 Key columns are folded: click + or 2."])
    page.row += 1
    sizes = {key: text for key, text in SIZE_WORDS.items() if key not in VERDICT_WORDS}
    words = [(text.zh, key, text.en) for key, text in (VERDICT_WORDS | sizes).items()]
    page.table("结论用语 · Words", ["结论", "键值 key", "English"], words)
    rows = [(c.header, c.meaning.zh, c.meaning.en, "收起 folded" if c.machine else "") for c in columns]
    page.table(
        "“结果”表的各列 · Columns of sheet 结果",
        ["列 Column", "含义", "Meaning", "显示 Shown"],
        rows,
        ["wrap"] * 4,
    )
    title, headers = "各标准的条件 · Conditions", ["标准　条件编号 id", "条件", "Condition", "核验 Attested"]
    page.table(title, headers, _condition_rows(guide), ["wrap"] * 4)


def _condition_rows(guide: ResultGuide) -> Iterator[Row]:
    for standard in guide.standards:
        for condition, text in standard.conditions.items():
            attested = "人工 by a person" if condition in standard.attested else ""
            yield f"{standard.id}　{condition}", f"{standard.short}：{text.zh}", text.en, attested


def write_issues(sheet: Any, styles: Styles, rows: Iterable[Row], counts: Sequence[IssueCount]) -> None:
    """The issues from the left, the counts by code beside them."""
    widths = (8, 30, 26, 10, 14, 50, 44, 20, 50, 50, 4, 10, 46, 10)
    aside: list[Row] = [
        ["错误代码", "按代码汇总", "次数"],
        *([c.kind.code, general(c.kind.text).zh, c.count] for c in counts),
    ]
    page = SheetWriter(sheet, styles, widths)
    listed = iter(rows)
    left: Row | None = ISSUE_COLUMNS
    if not counts:
        listed = iter([["", "没有发现问题 · No issues found"]])
    while left is not None or page.row < len(aside):
        right = aside[page.row] if page.row < len(aside) else []
        gap = [None] * (len(ISSUE_COLUMNS) + 1 - len(left or ()))
        page.line([*(left or ()), *gap, *right], None if page.row else "head")
        left = next(listed, None)
    sheet.freeze_panes(1, 0)
    if page.row > 1:
        sheet.autofilter(0, 0, page.row - 1, len(ISSUE_COLUMNS) - 1)
