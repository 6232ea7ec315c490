"""What a test asks for, as data of its kind, with the words for it beside: 不低于80%, 第1～3名, 是."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from models.errors import Text
from models.rules.condition import (
    WORDS,
    Choice,
    FirstYear,
    Flag,
    NotLarge,
    Place,
    Rank,
    Score,
    Sector,
    Test,
    Threshold,
    Title,
)
from models.rules.quantity import Period
from models.rules.statement import statement
from models.rules.units import show


def required_of(test: Test, period: Period) -> dict[str, Any]:
    """The data of a test's kind, ``shown``, and ``attested`` where a person answers it.

    Threshold and Score: ``comparison`` and ``line`` (shares as fractions); Flag: ``is``; Title: ``held`` and
    ``valid_on``; Rank: ``from`` and ``to``; Choice: ``one_of``; Sector: ``sector`` and ``inside``; Place:
    ``district``; FirstYear: ``years``; NotLarge: ``class``.
    """
    asked, words = _asked(test, period)
    answer = {**asked, "shown": {"zh": words.zh, "en": words.en}}
    return {**answer, "attested": True} if test.attested else answer


@singledispatch
def _asked(test: Test, period: Period) -> tuple[dict[str, Any], Text]:
    raise TypeError(type(test))


@_asked.register
def _(test: Threshold, period: Period) -> tuple[dict[str, Any], Text]:
    word, line = WORDS[test.op], show(test.line, test.unit)
    exact = float(test.line) if test.line.denominator > 1 else int(test.line)
    return {"comparison": test.op, "line": exact}, Text(f"{word.zh}{line.zh}", f"{word.en} {line.en}")


@_asked.register
def _(test: Score, period: Period) -> tuple[dict[str, Any], Text]:
    word = WORDS[test.op]
    words = Text(f"{word.zh}{test.line}分", f"{word.en} {test.line} points")
    return {"comparison": test.op, "line": test.line}, words


@_asked.register
def _(test: Flag, period: Period) -> tuple[dict[str, Any], Text]:
    return {"is": test.wanted}, statement(test.field, test.wanted)


@_asked.register
def _(test: Title, period: Period) -> tuple[dict[str, Any], Text]:
    day = period.as_of
    held = Text(f"有效期不早于{day}", f"valid on {day}")
    absent = Text(f"无，或有效期早于{day}", f"none, or expired before {day}")
    return {"held": test.held, "valid_on": day}, held if test.held else absent


@_asked.register
def _(test: Rank, period: Period) -> tuple[dict[str, Any], Text]:
    words = Text("有名次", "any rank")
    if test.within is not None:
        words = Text(f"第1～{test.within}名", f"rank 1 to {test.within}")
    return {"from": 1, "to": test.within}, words


@_asked.register
def _(test: Choice, period: Period) -> tuple[dict[str, Any], Text]:
    labels = [(test.field.options or {})[key] for key in test.among]
    words = Text("或".join(label.zh for label in labels), " or ".join(label.en for label in labels))
    return {"one_of": list(test.among)}, words


@_asked.register
def _(test: Sector, period: Period) -> tuple[dict[str, Any], Text]:
    name = {"zh": test.name.zh, "en": test.name.en}
    words = Text(f"不属于{test.name.zh}", f"not {test.name.en}") if test.outside else test.name
    return {"sector": name, "inside": not test.outside}, words


@_asked.register
def _(test: Place, period: Period) -> tuple[dict[str, Any], Text]:
    return {"district": f"{test.beginning}…"}, Text("上海市的区", "a district of Shanghai")


@_asked.register
def _(test: FirstYear, period: Period) -> tuple[dict[str, Any], Text]:
    years = test.years(period)
    if not years:
        return {"years": []}, Text("所定年份已过", "its years are over")
    words = Text("或".join(map(str, years)) + "年", " or ".join(map(str, years)))
    return {"years": list(years)}, words


@_asked.register
def _(test: NotLarge, period: Period) -> tuple[dict[str, Any], Text]:
    return {"class": ["medium", "small", "micro"]}, Text("中型、小型或微型", "medium, small or micro")
