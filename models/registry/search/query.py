"""What was typed, read in every way it can be meant: a name or a piece of one, a code, pinyin, initials."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from models.registry.search import tokens
from models.registry.search.normal import SHORTEST_CORE, Form, form, terms, typed_core
from models.registry.search.readings import Way, readings, split

CODE_LENGTH = 18
_CODE = re.compile(r"[0-9A-Z]{4,20}")
_LETTERS = re.compile(r"[a-z]{2,60}")
_BETWEEN = re.compile(r"[\s'’·\-_.]+")
_CONFUSED = str.maketrans("OIZSV", "0125U")
"""GB 32100-2015 leaves these letters out because they are taken for the others."""
_SPOKEN_PLACE = ("shanghaishi", "shanghai")
_SPOKEN_FORM = ("gufenyouxiangongsi", "youxianzerengongsi", "youxiangongsi", "gongsi")
_INITIAL_FORM = ("gfyxgs", "yxzrgs", "yxgs", "gs")
_MOST_INITIALS = 24


@dataclass(frozen=True, slots=True)
class Query:
    """All readings of one query; those that do not apply are empty."""

    form: Form
    """As if it were a whole name."""
    core: str
    """The core, the last word perhaps unfinished."""
    words: Sequence[str]
    """Two words and more, to be found apart."""
    code: str
    """Capitals and digits that may be a code or a part of one, as typed."""
    ways: Sequence[Way]
    """Readings as syllables: of letters, or of the characters themselves (a homophone was typed)."""
    initials: Sequence[str]

    @property
    def mended_code(self) -> str:
        """The code without the letters that no code has."""
        return self.code.translate(_CONFUSED)

    @property
    def spelt(self) -> bool:
        """Typed in Latin letters: pinyin or initials before all else."""
        return bool(self.initials) or self.form.normal.isascii()

    @property
    def everywhere(self) -> bool:
        """Nothing in it tells firms apart (上海, 有限公司)."""
        return len(self.core) > 1 and not tokens.pairs(self.core)


def read_query(text: str) -> Query:
    """Any text at all, also an empty one."""
    plain = unicodedata.normalize("NFKC", text[:400])
    whole = form(text)
    core = typed_core(whole.normal)
    words = terms(text)
    latin = _BETWEEN.sub("", plain).lower().replace("ü", "v")
    letters = latin if _LETTERS.fullmatch(latin) else ""
    code = _BETWEEN.sub("", plain).upper()
    return Query(
        whole,
        core,
        words if len(words) > 1 and any(tokens.pairs(word) for word in words) else (),
        code if _CODE.fullmatch(code) else "",
        _ways(letters) if letters else _homophones(core),
        _initials(latin) if re.fullmatch(r"[a-z0-9]+", latin) and letters else (),
    )


def _ways(letters: str) -> Sequence[Way]:
    for place in _SPOKEN_PLACE:
        letters = _shortened(letters, letters.removeprefix(place))
    for ending in _SPOKEN_FORM:
        letters = _shortened(letters, letters.removesuffix(ending))
    return [way for way in split(letters) if way[0]]


def _shortened(letters: str, shorter: str) -> str:
    return shorter if len(shorter) > 1 else letters


def _homophones(core: str) -> Sequence[Way]:
    if len(core) < SHORTEST_CORE or core.isascii():
        return ()
    return [(read, "") for read in readings(core)]


def _initials(letters: str) -> Sequence[str]:
    """As typed, without 有限公司, without 上海, without both."""
    found = [letters]
    for ending in _INITIAL_FORM:
        if letters.endswith(ending):
            found.append(letters.removesuffix(ending))
            break
    found += [each.removeprefix("sh") for each in found if each.startswith("sh")]
    return [each for each in dict.fromkeys(found) if 1 < len(each) <= _MOST_INITIALS]
