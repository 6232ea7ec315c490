"""What is said of one figure, and whose word stands: uploads, a correction by hand, published lists.

Uploads are weighed by the day their figures speak of, those of one day by which was imported later. (Along
a lineage an edition's number is above its parents'.) A correction by hand was made over what the registry
held then: it stands until an edition imported after it, and of no earlier day, says something. For titles
a published list is one more word, weighed by its date: it wins over an own figure of the same day or before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any, Literal

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure as somebody gave it, in its external form."""

    value: Any
    source: Literal["upload", "hand", "list"]
    dated: date
    origin: str
    """Name of the file or list, or who corrected it."""
    edition_id: int | None = None
    """The edition that holds it, or that was active when it was corrected."""
    list_id: int | None = None
    also: tuple[Fact, ...] = ()
    """What others say of it: under a correction the import's value, over it the corrected one; and what a
    file said that came later but speaks of an earlier day.
    """
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """What one edition says of one firm."""

    edition_id: int
    dated: date
    origin: str
    document: Document

    @property
    def weight(self) -> tuple[date, int]:
        """The heavier one's figures stand."""
        return self.dated, self.edition_id

    def fact(self, column: str) -> Fact:
        return Fact(self.document[column], "upload", self.dated, self.origin, self.edition_id)


@dataclass(frozen=True, slots=True)
class Hand:
    """A correction by hand over an edition, whose figures were of the day ``over``."""

    fact: Fact
    edition_id: int
    over: date


@dataclass(frozen=True, slots=True)
class ListWord:
    """What a published list says: the value, and of which list."""

    column: str
    value: Any
    list_id: int
    dated: date
    origin: str
    newest: tuple[date, int]
    """Date and number of the newest list that may mean the firm: a complete list before it is overtaken."""

    def fact(self) -> Fact:
        return Fact(self.value, "list", self.dated, self.origin, list_id=self.list_id)


def told_of(
    uploads: Sequence[Upload],
    hands: Mapping[str, Hand],
    entries: Mapping[str, ListWord],
    complete: Mapping[str, ListWord],
) -> dict[str, Fact]:
    """Column → the word that stands where a hand or a list has something to say. Uploads: lightest first."""
    told = {column: _with_hand(uploads, column, hand) for column, hand in hands.items()}
    for column in {*entries, *complete}:
        own = told.get(column) or last_upload(uploads, column)
        fact = _with_list(own, entries.get(column), complete.get(column))
        if fact is not None:
            told[column] = fact
    return told


def last_upload(uploads: Sequence[Upload], column: str) -> Fact | None:
    """The heaviest of ``uploads`` that gives the column, with what came after it without overriding it."""
    speaking = [upload for upload in uploads if column in upload.document]
    if not speaking:
        return None
    *lighter, last = speaking
    fact, since = last.fact(column), _since(lighter, column, last.edition_id)
    return replace(fact, also=since) if since else fact


def out_of_order(uploads: Sequence[Upload]) -> bool:
    """Whether any of them, lightest first, was imported after one that outweighs it."""
    return any(one.edition_id > next_.edition_id for one, next_ in pairwise(uploads))


def _with_hand(uploads: Sequence[Upload], column: str, hand: Hand) -> Fact:
    """The hand's word stands over all that the registry held then, and over older figures that came later."""
    below = [upload for upload in uploads if upload.edition_id <= hand.edition_id]
    seen = max(hand.over, *(upload.dated for upload in below)) if below else hand.over
    after = [u for u in uploads if u.edition_id > hand.edition_id and column in u.document]
    newer = [upload for upload in after if upload.dated >= seen]
    if newer:
        *_, last = newer
        return replace(last.fact(column), also=(hand.fact, *_since(after, column, last.edition_id)))
    older = [upload.fact(column) for upload in below if column in upload.document][-1:]
    return replace(hand.fact, also=(*older, *_since(after, column, hand.edition_id)))


def _since(uploads: Sequence[Upload], column: str, edition_id: int) -> tuple[Fact, ...]:
    """What those of them say that were imported after the edition, the heaviest first."""
    return tuple(upload.fact(column) for upload in reversed(uploads) if upload.edition_id > edition_id)


def _with_list(own: Fact | None, entry: ListWord | None, complete: ListWord | None) -> Fact | None:
    """The newest word of the lists against the own figure; None where the own figure stands as it is."""
    word = entry
    if complete is not None and (entry is None or complete.newest > entry.newest):
        word = complete
    if word is None or word.value is None:
        return None
    if own is None:
        return word.fact()
    if word.dated >= own.dated:
        return replace(word.fact(), also=(replace(own, also=()), *own.also))
    return None if word is complete else replace(own, also=(*own.also, word.fact()))
