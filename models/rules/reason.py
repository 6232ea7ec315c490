"""Why a verdict is what it is, as one sentence for a condition, a group, a whole standard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.errors import Text
from models.rules.units import show
from models.verdict import Verdict

ACTUAL = Text("实际 ", "actual ")
"""Before a figure in a sentence."""
REQUIRED = Text("，要求 ", "; required: ")

NO_FIGURE = Text("没有可用的数", "no usable figure")
"""In place of a figure that is missing: blank itself, or of inputs that are or that allow none."""

VERDICT_WORDS: Sequence[tuple[str, Text]] = tuple((verdict.key, verdict.text) for verdict in Verdict)
"""Key and words by verdict, unmet first."""

_GROUPS: Mapping[tuple[str, Verdict], Text] = {
    ("all", Verdict.MET): Text("各项都满足", "every one of them is met"),
    ("all", Verdict.REVIEW): Text("没有不满足的，有待人核验的", "none is unmet, some wait for a person"),
    ("all", Verdict.UNKNOWN): Text("没有不满足的，有缺数据的", "none is unmet, some lack a figure"),
    ("all", Verdict.UNMET): Text("至少一项不满足", "at least one of them is unmet"),
    ("any", Verdict.MET): Text("有一项满足", "one of them is met"),
    ("any", Verdict.REVIEW): Text("没有已满足的，有待人核验的", "none is met yet, some wait for a person"),
    ("any", Verdict.UNKNOWN): Text("没有已满足的，有缺数据的", "none is met yet, some lack a figure"),
    ("any", Verdict.UNMET): Text("没有一项满足", "none of them is met"),
}
_STANDARDS: Mapping[Verdict, Text] = {
    Verdict.MET: Text("每个条件都满足", "every condition is met"),
    Verdict.REVIEW: Text("没有不满足的条件，待人核验的有：", "none is unmet; to be reviewed by a person:"),
    Verdict.UNKNOWN: Text("没有不满足的条件，缺数据的有：", "none is unmet; a figure is missing for:"),
    Verdict.UNMET: Text("不满足的条件有：", "unmet conditions:"),
}
_SIZES = (
    Text("按行业和从业人员、营业收入等划型，数字见 bounds", "by sector and figures; see bounds"),
    Text("行业或数字不足以划型", "sector or figures do not suffice to tell the size"),
)


def condition_reason(shown: Text | None, blank: Text, required: Text) -> Text:
    """``实际 2.9%，要求 不低于3%``; ``blank`` speaks where there is nothing to show."""
    found = shown or blank
    return Text(
        f"{ACTUAL.zh}{found.zh}{REQUIRED.zh}{required.zh}", f"{ACTUAL.en}{found.en}{REQUIRED.en}{required.en}"
    )


def group_reason(mode: str, verdict: Verdict) -> Text:
    """``没有一项满足``."""
    return _GROUPS[mode, verdict]


def standard_reason(verdict: Verdict, deciding: Sequence[Text]) -> Text:
    """Names the conditions that hold the standard down: those whose verdict is the standard's."""
    said = _STANDARDS[verdict]
    if verdict is Verdict.MET:
        return said
    named = [bracketed(text) for text in deciding]
    return Text(said.zh + "".join(text.zh for text in named), said.en + "".join(text.en for text in named))


def bracketed(sentence: Text) -> Text:
    """A condition's sentence among others: 【…】, which stands in none of them."""
    return Text(f"【{sentence.zh}】", f" [{sentence.en}]")


def size_reason(key: str) -> Text:
    """Of a size class."""
    return _SIZES[key == "unknown"]


def points_text(low: float, high: float) -> Text:
    """``72分``, or ``60～72分`` where missing figures leave a range."""
    least, most = show(low, "分"), show(high, "分")
    if low == high:
        return most
    return Text(f"{least.zh.removesuffix('分')}～{most.zh}", f"{least.en.split()[0]} to {most.en}")
