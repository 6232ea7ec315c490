"""Forms of a name: what is compared instead of what was written.

The *normal form* is without width, tradition, case, brackets, spaces and marks. The *core* is that without
the place it begins with and the legal form it ends in: ``上海警松建设工程有限公司`` → ``警松建设工程``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from opencc import OpenCC

from models.codes import districts

LONGEST = 120
"""Characters of a normal form that are looked at."""
SHORTEST_CORE = 2

_ORGANISED = "有限责任公司|股份有限公司|有限公司"
_FORM = re.compile(rf"(?:{_ORGANISED})")
_ENDING = re.compile(r"(?:集团|控股)?(?:股份)?(?:公司|总公司)$|集团$")
_UNFINISHED = re.compile(r"(?:股份有限公|股份有限|股份有|有限责任公|有限责任|有限责|有限公|有限|股份)$")


class _Characters(dict[int, str]):
    """For ``str.translate``: one character to its simplified upper-case form, or to nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._simplified = OpenCC("t2s")

    def __missing__(self, point: int) -> str:
        char = chr(point)
        kept = unicodedata.category(char)[0] in "LN"
        simple = str(self._simplified.convert(char)).upper() if kept else ""
        self[point] = simple
        return simple


@dataclass(frozen=True, slots=True)
class Form:
    """A name's normal form and core."""

    normal: str
    core: str


def normal(text: str) -> str:
    """Letters and digits only; half width, simplified, upper case. At most :data:`LONGEST` characters."""
    return unicodedata.normalize("NFKC", text[: LONGEST * 4]).translate(_characters())[:LONGEST]


def form(name: str) -> Form:
    """Of a registered name."""
    whole = normal(name)
    return Form(whole, core(whole))


def core(whole: str) -> str:
    """The core of a normal form; the whole where less than two characters would be left."""
    for attempt in (_without_ending(_without_place(whole)), _without_place(whole), whole):
        if len(attempt) >= SHORTEST_CORE:
            return attempt
    return whole


def typed_core(whole: str) -> str:
    """The core of a scrap somebody typed, whose last word may be unfinished (``…工程有限``)."""
    shorter = core(_UNFINISHED.sub("", whole))
    return shorter if len(shorter) >= SHORTEST_CORE else core(whole)


def terms(text: str) -> Sequence[str]:
    """The words of a query, each in its normal form, empty ones left out."""
    return [word for word in map(normal, text.split()) if word]


def _without_ending(text: str) -> str:
    cut = _FORM.sub("", text)
    return _ENDING.sub("", cut)


def _without_place(text: str) -> str:
    return _place().sub("", text, count=1)


@cache
def _place() -> re.Pattern[str]:
    """Shanghai, then a district where its kind is said; another province; and Shanghai within the name.

    A bare district stays (上海南汇汇集…): it is as often the name itself.
    """
    known = districts()
    local = "|".join(
        sorted(
            {name for name in known.readings if name.endswith(("区", "县")) and len(name) > 2},
            key=lambda name: (-len(name), name),
        )
    )
    others = "|".join(sorted(name for name in known.provinces.values() if name != "上海市"))
    return re.compile(rf"^(?:中国)?(?:上海市?(?:{local})?|{others}|{local})|上海(?=(?:{_ORGANISED}))")


@cache
def _characters() -> _Characters:
    return _Characters()
