"""Conditions as sentences. However groups are nested, a sentence can be taken apart again in one way only.

The members of a group are numbered by where they stand: ``同时满足：(1) …；(2) 以下任一：(2.1) …；(2.2) …``.
"""

from __future__ import annotations

from models.errors import Text
from models.rules.condition import Condition, Group
from models.rules.quantity import Period

JOINED = {"all": Text("同时满足", "all of"), "any": Text("以下任一", "any one of")}
"""How a group's sentence begins."""


def member_text(member: Condition | Group, period: Period) -> Text:
    """The sentence of a condition, or of a group: its name, or how its members join and their sentences."""
    return _text(member, period, "")


def _text(member: Condition | Group, period: Period, place: str) -> Text:
    if isinstance(member, Condition):
        return member.test.text(period)
    if member.name is not None:
        return member.name
    children = member.live(period)
    if len(children) == 1:
        return _text(children[0], period, place)
    places = [f"{place}.{number}" if place else str(number) for number in range(1, len(children) + 1)]
    texts = [_text(child, period, at) for child, at in zip(children, places, strict=True)]
    zh = "；".join(f"({at}) {text.zh}" for at, text in zip(places, texts, strict=True))
    en = "; ".join(f"({at}) {text.en}" for at, text in zip(places, texts, strict=True))
    join = JOINED[member.mode]
    return Text(f"{join.zh}：{zh}", f"{join.en}: {en}")
