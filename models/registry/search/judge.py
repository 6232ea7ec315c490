"""How well a firm answers a query: the kinds of answer in their order, and the tests for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from models.registry.search.normal import Form, form, normal
from models.registry.search.query import Query
from models.registry.search.readings import syllables


class Kind(Enum):
    """In what way a firm was found."""

    CODE = "code"
    NAME = "name"
    CORE = "core"
    FORMER = "former"
    CODE_START = "code_start"
    CODE_PART = "code_part"
    PREFIX = "prefix"
    PART = "part"
    FORMER_PART = "former_part"
    SOUND = "sound"
    INITIALS = "initials"
    INITIALS_PART = "initials_part"
    SIMILAR_CODE = "similar_code"
    SIMILAR = "similar"


_NAMES = (
    Kind.NAME,
    Kind.CORE,
    Kind.FORMER,
    Kind.PREFIX,
    Kind.PART,
    Kind.FORMER_PART,
    Kind.SOUND,
    Kind.INITIALS,
    Kind.INITIALS_PART,
)
_RANK = {kind: at for at, kind in enumerate(_NAMES)}
_OF_FORMER = {
    Kind.NAME: Kind.FORMER,
    Kind.CORE: Kind.FORMER,
    Kind.PREFIX: Kind.FORMER_PART,
    Kind.PART: Kind.FORMER_PART,
}


@dataclass(frozen=True, slots=True)
class Firm:
    """A firm as the index shows it, with all its names."""

    uscc: str
    name: str
    district: str | None
    industry: int | None
    recognised: int | None
    names: Sequence[tuple[int, str]]
    """Entry ids and names, the current one and the former ones."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The best of a firm's names for a query."""

    kind: Kind
    entry: int
    name: str
    share: float
    """How much of the name the query is, 0..1."""


def judge(query: Query, firm: Firm) -> Finding | None:
    """The best kind any of its names gives; None where the query only resembles them."""
    current = normal(firm.name)
    found: list[Finding] = []
    for entry, name in firm.names:
        shape = name_form(name)
        kind = _literal(query, shape)
        if kind is not None and shape.normal != current:
            kind = _OF_FORMER[kind]
        kind = kind or _spoken(query, shape.core)
        if kind is not None:
            share = min(len(query.core) / max(len(shape.core), 1), 1.0)
            found.append(Finding(kind, entry, name, share))
    return min(found, key=lambda finding: (_RANK[finding.kind], finding.entry)) if found else None


@lru_cache(maxsize=8192)
def name_form(name: str) -> Form:
    return form(name)


def _literal(query: Query, shape: Form) -> Kind | None:
    asked = query.form
    if not asked.normal:
        return None
    if shape.normal == asked.normal:
        return Kind.NAME
    if shape.core == asked.core:
        return Kind.CORE
    if shape.core.startswith(query.core):
        return Kind.PREFIX
    return Kind.PART if _contains(query, shape) else None


def _contains(query: Query, shape: Form) -> bool:
    if query.form.normal in shape.normal or query.core in shape.core or query.core in shape.normal:
        return True
    return bool(query.words) and all(word in shape.normal for word in query.words)


def _spoken(query: Query, core: str) -> Kind | None:
    if any(_sounds(core, way, unfinished) for way, unfinished in query.ways):
        return Kind.SOUND
    found = [at for letters in query.initials if (at := _spells(core, letters)) >= 0]
    if not found:
        return None
    return Kind.INITIALS if min(found) == 0 else Kind.INITIALS_PART


def _sounds(core: str, way: Sequence[str], unfinished: str) -> bool:
    """Whether the syllables follow each other in the core; a lone one stands at its start."""
    size = len(way) + bool(unfinished)
    places = range(len(core) - size + 1) if len(way) > 1 else range(min(1, len(core) - size + 1))
    return any(
        all(said in syllables(core[at + step]) for step, said in enumerate(way))
        and (not unfinished or any(each.startswith(unfinished) for each in syllables(core[at + len(way)])))
        for at in places
    )


def _spells(core: str, letters: str) -> int:
    """Where the letters stand as first letters in the core, or -1; two letters only at its start."""
    last = len(core) - len(letters)
    for at in range(last + 1 if len(letters) > 2 else min(1, last + 1)):
        if all(
            any(said[0] == letter for said in syllables(core[at + step]))
            for step, letter in enumerate(letters)
        ):
            return at
    return -1
