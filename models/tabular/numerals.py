"""Text of a cell → exact number or date. The slow, exact reading that the vectorised one falls back on."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

BLANKS = frozenset(["", "—", "–", "——", "--", "-", "/", "n/a", "na", "不详", "未知", "null"])
"""What counts as a blank, after NFKC, strip and lower case (contract.md, *Firms as tables*)."""

EXCEL_ERRORS = frozenset(["#n/a", "#div/0!", "#ref!", "#value!", "#name?", "#num!", "#null!"])

_INVISIBLE = "\u200b\u200c\u200d\ufeff"
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?", re.ASCII)
_LONGEST = 60
_EXACT = Context(prec=400)

_YMD = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ T]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?)?",
    re.ASCII,
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:\.0)?", re.ASCII)
_SERIAL = re.compile(r"(\d{5,7})(?:\.\d+)?", re.ASCII)
_UNCERTAIN = re.compile(
    r"(?:19|20)\d\d(?:年|\.0)?"
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:\.0)?"
    r"|\d{4}\s*[-/.年]\s*\d{1,2}\s*月?"
    r"|\d{2}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?",
    re.ASCII,
)
_SERIAL_ZERO = date(1899, 12, 30)
_SERIALS = (10_000, 2_958_465)
_FIRST_YEAR = 1800


def plain(text: str) -> str:
    """NFKC (full-width forms become half-width), without surrounding or invisible blanks, dashes as ``-``."""
    text = unicodedata.normalize("NFKC", text).strip().strip(_INVISIBLE).strip()
    return text.replace("\u2212", "-")


def is_blank(text: str) -> bool:
    """``text`` is already plain."""
    return text.lower() in BLANKS


def parse_number(text: str) -> Decimal | None:
    """``1,234.5``, ``1.8e+10`` → exact Decimal; None if it is no number. ``text`` is already plain."""
    if len(text) > _LONGEST:
        return None
    lowered = text.lower()
    if _PLAIN.fullmatch(lowered):
        return Decimal(lowered)
    if _GROUPED.fullmatch(lowered):
        return Decimal(lowered.replace(",", ""))
    return None


def scaled(number: Decimal, tens: int) -> Decimal:
    """``number`` × 10^tens, exactly."""
    return number.scaleb(tens, _EXACT)


def half_away(number: Decimal) -> int:
    """The nearest whole number; a half goes away from zero."""
    return int(number.quantize(Decimal(1), ROUND_HALF_UP, _EXACT))


def parse_date(text: str) -> date | None:
    """The calendar date that ``text`` (plain) surely means, else None. Serials are of the 1900 system."""
    match = _YMD.fullmatch(text) or _COMPACT.fullmatch(text)
    if match:
        return _calendar(*(int(part) for part in match.groups()[:3]))
    serial = _SERIAL.fullmatch(text)
    if serial and not date_is_uncertain(text) and _SERIALS[0] <= int(serial[1]) <= _SERIALS[1]:
        return _SERIAL_ZERO + timedelta(days=int(serial[1]))
    return None


def date_is_uncertain(text: str) -> bool:
    """A two-digit year, or a year or month alone."""
    return _UNCERTAIN.fullmatch(text) is not None


def _calendar(year: int, month: int, day: int) -> date | None:
    if year < _FIRST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
