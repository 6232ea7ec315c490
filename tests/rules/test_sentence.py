"""A group's sentence says what the rule says: taken apart again, it has the rule's own structure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from models.rules.condition import Condition, Group
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from models.rules.sentence import member_text

PERIODS = [Period(day, kind) for day in (date(2024, 6, 30), date(2026, 6, 30)) for kind in ("new", "review")]
JOINS = {"zh": {"同时满足：": "all", "以下任一：": "any"}, "en": {"all of: ": "all", "any one of: ": "any"}}
SEPARATOR = {"zh": "；", "en": "; "}


def members(period: Period) -> Iterator[Condition | Group]:
    """Every condition and group of every standard, programme and option, at any depth."""
    waiting: list[Condition | Group] = []
    for pack in rulebook():
        waiting += [*pack.root.live(period), *pack.options]
    while waiting:
        member = waiting.pop()
        yield member
        if isinstance(member, Group):
            waiting += member.live(period)


def structure(member: Condition | Group, period: Period, language: str) -> Any:
    """The rule: a sentence, or how its members join and their structures."""
    if isinstance(member, Condition) or member.name is not None:
        return getattr(member_text(member, period), language)
    inner = [structure(child, period, language) for child in member.live(period)]
    return inner[0] if len(inner) == 1 else (member.mode, inner)


def parsed(sentence: str, language: str, place: str = "") -> Any:
    """A reader who knows only the two ways to join, and that (2.1) is the first within (2)."""
    join = next((begin for begin in JOINS[language] if sentence.startswith(begin)), None)
    if join is None:
        return sentence
    rest, parts, number = sentence.removeprefix(join), [], 1
    while rest:
        mark = f"({_place(place, number)}) "
        assert rest.startswith(mark), rest
        end = rest.find(f"{SEPARATOR[language]}({_place(place, number + 1)}) ")
        part = rest[len(mark) :] if end < 0 else rest[len(mark) : end]
        parts.append(parsed(part, language, _place(place, number)))
        rest = "" if end < 0 else rest[end + len(SEPARATOR[language]) :]
        number += 1
    return JOINS[language][join], parts


def _place(place: str, number: int) -> str:
    return f"{place}.{number}" if place else str(number)


@pytest.mark.parametrize("period", PERIODS, ids=str)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_sentence_can_be_taken_apart_into_the_rule_again(period: Period, language: str) -> None:
    def depth(node: Any) -> int:
        return 1 + max(map(depth, node[1])) if isinstance(node, tuple) else 0

    deepest = 0
    for member in members(period):
        rule = structure(member, period, language)
        assert parsed(getattr(member_text(member, period), language), language) == rule, member.id
        deepest = max(deepest, depth(rule))
    assert deepest >= 4


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_no_condition_looks_like_a_part_of_a_group(period: Period) -> None:
    for member in members(period):
        if isinstance(member, Condition) or member.name is not None:
            text = member_text(member, period)
            assert not re.search(r"\(\d+(\.\d+)*\) ", text.zh + text.en), text
            assert not any(text.zh.startswith(begin) for begin in JOINS["zh"]), text
            assert not re.search("[【】]", text.zh), text


def test_the_institution_and_the_rights_bind_every_way_of_innovation() -> None:
    period = Period(date(2026, 6, 30), "review")
    group = next(member for member in members(period) if member.id == "innovation_all")
    assert isinstance(group, Group)
    text = member_text(group, period)
    assert text.zh.startswith("同时满足：(1) 以下任一：(1.1) 同时满足：(1.1.1) 2025年营业收入不低于1亿元；")
    institution, rights = group.live(period)[1:]
    assert text.zh.endswith(f"；(2) {_zh(institution, period)}；(3) {_zh(rights, period)}")


def _zh(member: Condition | Group, period: Period) -> str:
    return member_text(member, period).zh
