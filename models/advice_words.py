"""A plan and its changes in words."""

from __future__ import annotations

from models.advice_changes import Change
from models.advice_fields import nature_of
from models.advice_plan import Plan
from models.answer import fact_words
from models.errors import Text
from models.figures import Column, external

_BOUNDS = {"at_least": Text("至少", "at least"), "at_most": Text("至多", "at most")}
_BEYOND = {"at_least": Text("超过", "more than"), "at_most": Text("低于", "less than")}
_EXAMPLE = Text("例如", "for example ")


def plan_text(plan: Plan) -> Text:
    if not plan.is_possible:
        return _blocked_text(plan)
    if not plan.changes:
        return Text("已达标，不用改变", "met already")
    parts = [*_counted(plan), _outcome(plan)]
    if plan.carried:
        parts.append(Text("其余数据假定与上一年相同", "other figures taken to be as in the year before"))
    return Text("；".join(part.zh for part in parts), "; ".join(part.en for part in parts))


def _blocked_text(plan: Plan) -> Text:
    said = [
        Text(f"{item.text.zh}，{item.why.zh}", f"{item.text.en}: {item.why.en}") if item.why else item.text
        for item in plan.blocked
    ]
    zh, en = "；".join(text.zh for text in said), "; ".join(text.en for text in said)
    return Text(f"没有可建议的变化，卡在：{zh}", f"no change can be advised; in the way: {en}")


def _counted(plan: Plan) -> list[Text]:
    kinds = [change.kind for change in plan.changes]
    changed, asked, waits = (kinds.count(kind) for kind in ("change", "answer", "wait"))
    said = []
    if changed:
        said.append(Text(f"改变{changed}项", f"{changed} to change"))
    if waits:
        said.append(Text(f"等待{waits}项", f"{waits} to wait for"))
    if asked:
        said.append(
            Text(
                f"{asked}项空白先问清，答案须与所列相符（问了不等于达标）",
                f"{asked} blank to ask about, and the answers must be as listed (asking alone is not enough)",
            )
        )
    return said


def _outcome(plan: Plan) -> Text:
    day, others = plan.day, sum(change.waits_for_others for change in plan.changes)
    later = day > plan.as_of
    if others:
        zh, en = (f"，且不早于{day}", f" and not before {day}") if later else ("", "")
        return Text(
            f"都做到则按规则达标；其中{others}项由他方决定，日期事先不知道{zh}",
            f"with all of it the rules say met; {others} for others to decide, day not known beforehand{en}",
        )
    zh, en = (f"，最早{day}", f", on {day} at the earliest") if later else ("", "")
    return Text(f"都做到则按规则达标{zh}", f"with all of it the rules say met{en}")


def part_of_it(change: Change, plan: Plan) -> Column | None:
    """The part that this whole has to hold, where that alone sets its amount."""
    whole = change.column
    return next(
        (
            part.column
            for part in plan.changes
            if nature_of(part.column.field).part_of == whole.field.key
            and (part.column.year, part.after) == (whole.year, change.after)
        ),
        None,
    )


def wanted_text(change: Change) -> Text:
    column, after = change.column, external(change.column.name, change.after)
    if change.kind == "wait":
        return Text(f"等到{change.earliest}", f"wait until {change.earliest}")
    if column.field.type == "title":
        return Text("不持有", "not held") if after == "none" else Text("持有有效称号", "the title is held")
    if nature_of(column.field).better == "rank" and after:
        return _place(change)
    words = fact_words(column, after)
    if change.joint and change.before is None:
        return Text(f"{_EXAMPLE.zh}{words.zh}", f"{_EXAMPLE.en}{words.en}")
    return words if change.bound is None else _bounded(change, words)


def _place(change: Change) -> Text:
    """0 is none: “at most 3” would let it in, “at least 1” every later place."""
    if change.bound == "within":
        last = change.after
        return Text("第1名", "rank 1") if last == 1 else Text(f"第1～{last}名", f"rank 1 to {last}")
    return Text("有名次即可（第1名及以后）", "any rank, from 1 on")


def _bounded(change: Change, words: Text) -> Text:
    """``超过100亿元`` rather than ``至少1,000,000.0001万元``, whichever is shorter."""
    bound = change.bound or "at_least"
    if change.column.field.type == "money":
        short = fact_words(change.column, change.after + (-1 if bound == "at_least" else 1))
        if len(short.zh) < len(words.zh):
            return Text(f"{_BEYOND[bound].zh}{short.zh}", f"{_BEYOND[bound].en} {short.en}")
    return Text(f"{_BOUNDS[bound].zh}{words.zh}", f"{_BOUNDS[bound].en} {words.en}")
