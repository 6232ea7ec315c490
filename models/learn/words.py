"""A feature's value in words, with its unit, as the owner of the firm would say it."""

from __future__ import annotations

import math
from collections.abc import Callable

from models.codes import districts, industries
from models.errors import Text
from models.fields import catalogue
from models.learn.tasks import Feature, FeatureKind

BLANK = Text("缺", "blank")


def value_text(feature: Feature, value: float) -> Text:
    """``value`` as :meth:`FeatureReader.matrix` gives it."""
    return BLANK if math.isnan(value) else _WORDS[feature.kind](feature, value)


def _distance(feature: Feature, value: float) -> Text:
    """Growth that would reach the line."""
    needed = math.expm1(value)
    if needed <= 0:
        return Text("已到线", "on the line")
    if needed < 10:
        return Text(f"还要增长{needed:.0%}", f"{needed:.0%} more is needed")
    return Text(f"还要增长到{needed + 1:,.0f}倍", f"{needed + 1:,.0f} times as much is needed")


def _amount(feature: Feature, value: float) -> Text:
    amount = math.exp(value)
    field = catalogue()[feature.of[0]]
    if field.type == "money":
        return Text(f"{amount:,.0f}万元", f"{amount * 10_000:,.0f} yuan")
    return Text(f"{amount:,.0f}{field.unit}", f"{amount:,.0f}")


def _percent(share: float, *, signed: bool = False) -> Text:
    text = f"{share:+.1%}" if signed else f"{share:.1%}"
    return Text(text, text)


def _category(feature: Feature, value: float) -> Text:
    number = int(value)
    if feature.of[0] == "industry":
        code = f"{number:02d}"
        table = industries()
        text = f"{table.sections.get(code, '')}{code} {table.names.get(code, '')}".strip()
    else:
        text = districts().label(str(number))
    return Text(text, text)


_WORDS: dict[FeatureKind, Callable[[Feature, float], Text]] = {
    "line": _distance,
    "log": _amount,
    "growth": lambda _, value: _percent(math.expm1(value), signed=True),
    "ratio": lambda _, value: _percent(value),
    "years_since": lambda _, value: Text(f"{value:.1f}年", f"{value:.1f} years"),
    "blanks": lambda _, value: Text(f"{value:.0f}项", f"{value:.0f}"),
    "category": _category,
}
