"""Units of quantities: how a line is written in a pack, and how a figure is shown.

A line is an exact fraction in the base unit: ``1500万`` of 元 is 15,000,000; ``3%`` is 3/100.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from models.errors import Text

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


def show(value: Fraction | Decimal | float, unit: str, *, fine: bool = False) -> Text:
    """A figure for people: ``3亿元`` / ``RMB 300,000,000``; ``10.5%``; ``4件``.

    At most four decimals; ``fine``: at most ten, where a figure would look like the line it misses.
    """
    if unit == "%":
        percent = plain(_number(value) * 100, fine=fine)
        return Text(f"{percent}%", f"{percent}%")
    if unit in MONEY:
        return Text(_money_zh(_number(value)) + unit, f"{MONEY[unit]} {_grouped(_number(value))}")
    shown = plain(_number(value), fine=fine)
    return Text(f"{shown}{unit}", f"{shown} {PLAIN.get(unit, '')}".strip())


def plain(value: Decimal, *, fine: bool = False) -> str:
    """Without exponent or trailing zeros, at most four decimals (ten below 0.01, or where asked)."""
    places = (
        Decimal("0.0001") if not fine and (abs(value) >= Decimal("0.01") or value == 0) else Decimal("1e-10")
    )
    text = f"{value.quantize(places, ROUND_HALF_EVEN):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _number(value: Fraction | Decimal | float) -> Decimal:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    return Decimal(str(value))


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
