"""Lists of names against the registry: which firm each of them is, or which it might be. Never a guess.

*found*: the code is the firm's, and no other name was given with it; or one firm alone bears or bore the
name, written in full or with parts left out, in the district that was named. All else that is near is
*ambiguous*, for a person to choose. A list is asked in a few large questions, not name by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from models.errors import Text, UsageRefused
from models.registry.search import tokens
from models.registry.search.find import Hit, hit
from models.registry.search.firms import Reader, read_filters
from models.registry.search.judge import Firm, Kind, judge
from models.registry.search.normal import form, normal
from models.registry.search.postings import Postings
from models.registry.search.query import Query as Typed
from models.registry.search.query import read_query
from models.registry.search.similar import best_likeness, name_weights
from models.registry.search.stages import Found, found_alike, found_by_name, whole_names
from models.registry.state import State

MOST_QUERIES = 500
MOST_CANDIDATES = 5
_LEAST_SCORE = 65.0
_CODE = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{18}")
_EXACT = (Kind.NAME, Kind.CORE, Kind.FORMER)
_NEAR, _READ = 30, 40_000
_RARE = 20_000

Status = Literal["found", "ambiguous", "not_found", "invalid"]


@dataclass(frozen=True, slots=True)
class Query:
    """One line of somebody's list. ``district``: six digits, to tell firms of one name apart."""

    name: str
    uscc: str | None = None
    district: str | None = None

    @property
    def code(self) -> str:
        """The code in its normal form, also where it stands in place of the name; "" for none."""
        given = normal(self.uscc or "")
        return given or (whole if _CODE.fullmatch(whole := normal(self.name)) else "")


@dataclass(frozen=True, slots=True)
class Match:
    """The answer to one query; the firm that was found stands first."""

    status: Status
    candidates: tuple[Hit, ...]
    why: Text


def match(
    connection: Connection, state: State, queries: Sequence[Query], *, only_district: str | None = None
) -> list[Match]:
    """An answer for each query, in their order. UsageRefused (R422) for more than :data:`MOST_QUERIES`."""
    if len(queries) > MOST_QUERIES:
        raise UsageRefused(
            "R422",
            Text(f"一次最多核对 {MOST_QUERIES} 个名称", f"at most {MOST_QUERIES} names in one call"),
            Text("分几次提交", "Send them in several calls"),
            "queries",
        )
    return _List(connection, state, queries, only_district).matches()


class _List:
    """All the queries of one call."""

    def __init__(
        self,
        connection: Connection,
        state: State,
        queries: Sequence[Query],
        only_district: str | None,
    ) -> None:
        self._queries = queries
        self._typed = [read_query(query.name) for query in queries]
        self._reader = Reader(connection, state, read_filters(None, None, None, only_district))
        self._index = Postings(connection, state.lineage)

    def matches(self) -> list[Match]:
        coded = self._reader.by_codes(sorted({query.code for query in self._queries if query.code}))
        exact = self._exact()
        unsure = [at for at in range(len(self._queries)) if not exact[at]]
        near = self._near([at for at in unsure if self._queries[at].code not in coded])
        return [
            _answer(query, typed, coded.get(query.code), exact[at] or near.get(at, []))
            for at, (query, typed) in enumerate(zip(self._queries, self._typed, strict=True))
        ]

    def _exact(self) -> list[list[Found]]:
        """Firms that bear or bore the name itself, for each query."""
        self._look_ahead()
        ids = [whole_names(typed, self._index).tolist() if _named(typed) else [] for typed in self._typed]
        firms = self._firms(ids)
        return [
            [found for found in _judged(typed, firms, entries) if found.kind in _EXACT]
            for typed, entries in zip(self._typed, ids, strict=True)
        ]

    def _look_ahead(self) -> None:
        """Sizes of all tokens, and the two rarest of each name, in one round trip each."""
        asked = [
            [tokens.start(typed.form.core), *tokens.pairs(typed.form.core)]
            for typed in self._typed
            if _named(typed)
        ]
        self._index.weigh(token for each in asked for token in each)
        rarest = [token for each in asked for token in sorted(each, key=self._index.size)[:2]]
        self._index.read(token for token in rarest if self._index.size(token) <= _RARE)

    def _near(self, places: Sequence[int]) -> Mapping[int, list[Found]]:
        """What holds the name or is like it, the best first."""
        weights = {at: name_weights(self._typed[at]) for at in places if _named(self._typed[at])}
        self._index.weigh(token for each in weights.values() for token in each)
        self._index.read(token for each in weights.values() for token in self._index.rarest(each, read=_READ))
        ids = {at: self._index.best(each, read=_READ, keep=_NEAR)[0].tolist() for at, each in weights.items()}
        firms = self._firms(list(ids.values()))
        return {at: _likest(self._typed[at], firms, entries) for at, entries in ids.items()}

    def _firms(self, ids: Sequence[Sequence[int]]) -> Mapping[int, Firm]:
        return self._reader.by_entries(sorted({entry for each in ids for entry in each}))


def _named(typed: Typed) -> bool:
    return len(typed.form.core) > 1


def _judged(typed: Typed, firms: Mapping[int, Firm], entries: Sequence[int]) -> list[Found]:
    """Each firm once, by the best of its names."""
    seen: dict[str, Found] = {}
    for entry in entries:
        if (firm := firms.get(entry)) and firm.uscc not in seen and (finding := judge(typed, firm)):
            seen[firm.uscc] = found_by_name(typed, firm, finding)
    return sorted(seen.values(), key=_order)


def _likest(typed: Typed, firms: Mapping[int, Firm], entries: Sequence[int]) -> list[Found]:
    best = {found.firm.uscc: found for found in _judged(typed, firms, entries) if found.firm}
    for place, entry in enumerate(entries):
        if firm := firms.get(entry):
            alike = found_alike(best_likeness(typed, firm), place)
            if firm.uscc not in best or alike.score > best[firm.uscc].score:
                best[firm.uscc] = alike
    return sorted((found for found in best.values() if found.score >= _LEAST_SCORE), key=_order)


def _order(found: Found) -> tuple[float, str]:
    return -found.score, found.firm.uscc if found.firm else ""


def _answer(query: Query, typed: Typed, coded: Firm | None, found: list[Found]) -> Match:
    if query.code and not _CODE.fullmatch(query.code):
        why = Text(
            f"“{query.code}”不是 18 位统一社会信用代码", f"“{query.code}” is not a code of 18 characters"
        )
        return Match("invalid", (), why)
    named = bool(typed.form.normal) and typed.form.normal != query.code
    if coded is not None:
        return _by_code(query, typed, coded, found if named else [])
    if query.code:
        why = Text(f"代码 {query.code} 不在企业库中", f"the code {query.code} is not in the registry")
        return _listed("ambiguous" if named and found else "not_found", found if named else [], why)
    if not named:
        return Match("invalid", (), Text("没有名称，也没有代码", "neither a name nor a code"))
    return _by_name(query, typed, found)


def _by_code(query: Query, typed: Typed, firm: Firm, found: list[Found]) -> Match:
    why = Text("统一社会信用代码一致", "the code is the same")
    other = typed.form.normal not in ("", query.code) and all(
        form(name).core != typed.form.core for _, name in firm.names
    )
    if other:
        why = Text(
            f"代码是“{firm.name}”的，与所给名称不同", f"the code is that of “{firm.name}”, another name"
        )
    own = Found(firm.uscc, firm, Kind.CODE, 100.0, why, firm.name)
    others = [each for each in found if each.firm and each.firm.uscc != firm.uscc] if other else []
    return _listed("ambiguous" if other else "found", [own, *others], why)


def _by_name(query: Query, typed: Typed, found: list[Found]) -> Match:
    if not found:
        return Match("not_found", (), Text("没有名称相近的企业", "no firm has a name like it"))
    bearers = [each for each in found if _is_meant(typed, each)]
    whole = [each for each in bearers if normal(each.name) == typed.form.normal]
    meant = whole or bearers
    if query.district and len(meant) > 1:
        meant = [each for each in meant if _district(each) == query.district] or meant
    if len(meant) > 1:
        why = Text(
            f"{len(meant)} 家企业用过或正用这个名称，请按代码或所在区区分",
            f"{len(meant)} firms bear or bore this name: tell them apart by code or district",
        )
        return _listed("ambiguous", meant, why)
    if not meant:
        why = Text("没有名称完全一致的企业，最接近的见候选", "no firm bears just this name; see the nearest")
        return _listed("ambiguous", found, why)
    if query.district and _district(meant[0]) not in (None, query.district):
        why = Text("名称一致，但登记在另一个区", "the name is the same, but in another district")
        return _listed("ambiguous", found, why)
    return _listed("found", [meant[0], *(each for each in found if each is not meant[0])], meant[0].why)


def _is_meant(typed: Typed, found: Found) -> bool:
    """The name itself, or the name with characters left out: nothing that was typed speaks against it."""
    if found.kind not in _EXACT:
        return False
    rest = iter(normal(found.name))
    return all(char in rest for char in typed.form.normal)


def _district(found: Found) -> str | None:
    return found.firm.district if found.firm else None


def _listed(status: Status, found: Sequence[Found], why: Text) -> Match:
    return Match(status, tuple(hit(each) for each in found[:MOST_CANDIDATES]), why)
