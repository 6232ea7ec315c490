"""The index as one look-up sees it: which entries have a token, in the visible segments."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text

from models.registry.search.columns import PLACE_BITS
from models.registry.search.dialect import among, listed
from models.registry.search.tables import HAND

Ids = npt.NDArray[np.int64]
"""Entry ids in rising order, each once."""
Entries = npt.NDArray[np.uint32]
Shares = npt.NDArray[np.float32]

NONE: Ids = np.empty(0, dtype=np.int64)
_LEADING = 6
_PLACE = (1 << PLACE_BITS) - 1
_FEW = 120
"""So few candidates are read and looked at; more are first narrowed by another token."""


class Postings:
    """Reads postings lazily, each token once. Lives as long as one question, or one list of them."""

    def __init__(self, connection: Connection, lineage: Sequence[int]) -> None:
        self.connection = connection
        self.editions = [HAND, *lineage]
        seen = text(
            "SELECT id, entries FROM name_segment WHERE "
            + among(connection, "edition_id", "editions", "integer")
        )
        given = {"editions": listed(connection, self.editions)}
        self.segments: Mapping[int, int] = dict(iter(connection.execute(seen, given)))
        """Segment → how many entries it has."""
        self.total = sum(self.segments.values())
        self._sizes: dict[int, int] = {}
        self._lists: dict[int, Mapping[int, Entries]] = {}

    def size(self, token: int) -> int:
        """How many entries have a token, as far as :meth:`weigh` was told of it."""
        return self._sizes.get(token, 0)

    def weigh(self, tokens: Iterable[int]) -> None:
        """Learn the sizes of these tokens in one round trip, without reading them."""
        fresh = list({token for token in tokens if token not in self._sizes})
        if not fresh:
            return
        self._sizes.update(dict.fromkeys(fresh, 0))
        statement = text(
            "SELECT token, segment, length(entries) FROM name_gram WHERE "
            + among(self.connection, "token", "tokens")
        )
        for token, segment, size in self.connection.execute(
            statement, {"tokens": listed(self.connection, fresh)}
        ):
            if segment in self.segments:
                self._sizes[token] += size // 4

    def read(self, tokens: Iterable[int]) -> None:
        """Read these tokens in one round trip."""
        fresh = list({token for token in tokens if token not in self._lists and self._sizes.get(token, 1)})
        if not fresh:
            return
        found: dict[int, dict[int, Entries]] = {token: {} for token in fresh}
        statement = text(
            "SELECT token, segment, entries FROM name_gram WHERE " + among(self.connection, "token", "tokens")
        )
        for token, segment, entries in self.connection.execute(
            statement, {"tokens": listed(self.connection, fresh)}
        ):
            if segment in self.segments:
                found[token][segment] = np.frombuffer(entries, dtype="<u4")
        self._lists.update(found)

    def entries(self, token: int) -> Mapping[int, Entries]:
        """Segment → entries with a token."""
        self.read([token])
        return self._lists.get(token, {})

    def having(self, tokens: Sequence[int], *, enough: int = _FEW) -> Ids:
        """Entries that have all the tokens; once few are left, the commoner tokens are not asked for.

        So what is returned is still to be looked at.
        """
        self.weigh(tokens)
        ordered = sorted(set(tokens), key=self.size)
        if not ordered or not self.size(ordered[0]):
            return NONE
        left = self.entries(ordered[0])
        for token in ordered[1:]:
            if sum(map(len, left.values())) <= enough:
                break
            other = self.entries(token)
            left = {number: _both(left[number], other[number]) for number in left.keys() & other.keys()}
        return merged(left)

    def rarest(self, tokens: Iterable[int], *, read: int) -> Sequence[int]:
        """Of weighed tokens those that have entries, the rarest first, with no more than ``read`` in all."""
        ordered = sorted((token for token in tokens if self.size(token)), key=self.size)
        return ordered[: max(bisect_right(list(accumulate(map(self.size, ordered))), read), 1)]

    def best(self, weights: Mapping[int, float], *, read: int, keep: int) -> tuple[Ids, Shares]:
        """The entries with the heaviest tokens, among those that have one of the rarer ones.

        Commoner tokens only tell these apart, and only until ``read`` entries were read. Returns ids and how
        much of the weight of all the tokens each has, heaviest first, ``keep`` at most.
        """
        self.weigh(weights)
        chosen = self.rarest(weights, read=read)
        leading = self.rarest(chosen, read=read // _LEADING)
        self.read(chosen)
        known = [token for token in weights if self.size(token)]
        rarity = {token: weights[token] * math.log(1 + self.total / self.size(token)) for token in known}
        found = [self._heaviest(segment, chosen, leading, rarity, keep) for segment in self.segments]
        if not found:
            return NONE, np.empty(0, dtype=np.float32)
        ids = np.concatenate([each for each, _ in found])
        held = np.concatenate([share for _, share in found])
        order = np.lexsort((ids, -held))[:keep]
        shares: Shares = (held[order] / max(sum(rarity.values()), 1e-9)).astype(np.float32)
        return ids[order], shares

    def _heaviest(
        self,
        segment: int,
        tokens: Sequence[int],
        leading: Sequence[int],
        rarity: Mapping[int, float],
        keep: int,
    ) -> tuple[Ids, Shares]:
        numbers = [lists[segment] for token in leading if segment in (lists := self.entries(token))]
        if not numbers:
            return NONE, np.empty(0, dtype=np.float32)
        held = np.zeros(self.segments[segment], dtype=np.float32)
        for token in tokens:
            if (entries := self.entries(token).get(segment)) is not None:
                held[entries & _PLACE] += np.float32(rarity[token])  # an entry stands in a list once
        candidates = np.unique(np.concatenate(numbers))
        values = held[candidates & _PLACE]
        if len(values) > keep:
            top = np.argpartition(values, len(values) - keep)[-keep:]
            candidates, values = candidates[top], values[top]
        return _ids(segment, candidates), values


def merged(lists: Mapping[int, Entries]) -> Ids:
    """Entries of several segments as ids."""
    if not lists:
        return NONE
    ids = np.concatenate([_ids(segment, entries) for segment, entries in lists.items()])
    ids.sort()
    return ids


def _ids(segment: int, entries: Entries) -> Ids:
    wide = entries.astype(np.int64)
    return (wide >> PLACE_BITS) << 56 | np.int64(segment << PLACE_BITS) | (wide & _PLACE)


def _both(one: Entries, other: Entries) -> Entries:
    """What stands in both of two rising runs."""
    small, large = (one, other) if len(one) <= len(other) else (other, one)
    at = np.searchsorted(large, small)
    at[at == len(large)] = 0
    return small[large[at] == small] if len(large) else small[:0]
