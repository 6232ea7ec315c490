"""Units of quantities: how a line is written in a pack, and how a figure is shown.

A line is an exact fraction in the base unit: ``1500万`` of 元 is 15,000,000; ``3%`` is 3/100.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from models.errors import Text
from models.fields import NO_TITLE

MONEY = {"元": "RMB", "美元": "USD"}
PLAIN = {"年": "years", "天": "days", "分": "points", "件": "", "人": "people", "级": "", "名": ""}
UNITS = frozenset({*MONEY, *PLAIN, "%"})

_LINE = re.compile(r"^(-?\d+(?:\.\d+)?)(万|亿)?(.*)$")
_SCALE = {None: 1, "万": 10**4, "亿": 10**8}


def parse_line(written: str, unit: str) -> Fraction:
    """``("1500万", "元")`` → 15000000. ValueError if the written unit is not the quantity's."""
    match = _LINE.match(str(written).strip())
    if not match:
        raise ValueError(written)
    number, scale, suffix = match.groups()
    if suffix != unit and not (unit == "元" and suffix == "" and scale):
        raise ValueError(written)
    value = Fraction(number) * _SCALE[scale]
    if scale and unit not in MONEY:
        raise ValueError(written)
    return value / 100 if unit == "%" else value


def machine_unit(unit: str) -> str | None:
    """The unit of a figure in data: shares stand there as fractions, ``ratio``, where 0.8 is 80 %."""
    return "ratio" if unit == "%" else unit or None


def show(value: Fraction | Decimal | float, unit: str) -> Text:
    """A figure for people: ``3亿元`` / ``RMB 300,000,000``; ``10.5%``; ``4件``.

    At most four decimals; at most ten where the figure would look like a line it only comes near.
    """
    return Text(*spell(value, unit))


def spell(value: Fraction | Decimal | float, unit: str) -> tuple[str, str]:
    """The same as plain strings, Chinese and English: no quotation mark or backslash is in them."""
    if unit == "%":
        percent = _percent(value)
        return percent, percent
    if unit in MONEY:
        if isinstance(value, int):
            return _whole_money_zh(value) + unit, f"{MONEY[unit]} {value:,}"
        return _money_zh(_number(value)) + unit, f"{MONEY[unit]} {_grouped(_number(value))}"
    shown = str(value) if isinstance(value, int) else plain(_number(value))
    return f"{shown}{unit}", f"{shown} {PLAIN.get(unit, '')}".strip()


def show_value(value: Any, unit: str) -> Text:
    """The same of anything a figure can be: yes or no, a date, a title, words."""
    if isinstance(value, bool):
        return _YES if value else _NO
    if isinstance(value, date):
        return _NONE if value == NO_TITLE else Text(value.isoformat(), value.isoformat())
    if isinstance(value, str):
        return Text(value, value)
    return show(value, unit)


_YES, _NO, _NONE = Text("是", "yes"), Text("否", "no"), Text("无", "none")


def plain(value: Decimal) -> str:
    """Without exponent or trailing zeros, at most four decimals, or ten (see :func:`show`)."""
    rounded = value.quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
    if rounded != value and (abs(value) < Decimal("0.01") or rounded == round(rounded, 1)):
        rounded = value.quantize(Decimal("1e-10"), ROUND_HALF_EVEN)
    return _trimmed(f"{rounded:f}")


def _trimmed(text: str) -> str:
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _percent(value: Fraction | Decimal | float) -> str:
    """Floats by their own printing: an answer shows dozens of shares, and decimals take their time."""
    if not isinstance(value, float):
        return plain(_number(value) * 100) + "%"
    percent = value * 100
    text = f"{percent:.4f}"
    if abs(percent) < 0.01 or text.endswith("000"):
        text = f"{percent:.10f}"
    return _trimmed(text) + "%"


def _number(value: Fraction | Decimal | float) -> Decimal:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    return Decimal(str(value))


def _whole_money_zh(value: int) -> str:
    """Whole amounts: 亿 where four decimals say all of it, else 万, where they always do."""
    size = abs(value)
    if size < 10**4:
        return str(value)
    scale, word = (10**8, "亿") if size >= 10**8 and size % 10**4 == 0 else (10**4, "万")
    whole, rest = divmod(size, scale)
    decimals = f".{rest * 10**4 // scale:04d}".rstrip("0") if rest else ""
    return f"{'-' if value < 0 else ''}{whole:,}{decimals}{word}"


def _money_zh(value: Decimal) -> str:
    for scale, word in ((10**8, "亿"), (10**4, "万")):
        if abs(value) >= scale:
            exact = value / scale
            if word == "亿" and exact != exact.quantize(Decimal("0.0001")):
                continue  # 12,345 万 says more than 1.2345… 亿
            return _grouped(exact) + word
    return plain(value)


def _grouped(value: Decimal) -> str:
    whole, _, rest = plain(value).partition(".")
    return f"{int(whole):,}" + (f".{rest}" if rest else "") if whole not in {"-0", ""} else plain(value)
