"""Tokens of many names at once, in NumPy: a million names in seconds, where Python alone takes minutes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from models.registry.search.normal import Form
from models.registry.search.readings import syllables
from models.registry.search.tokens import BITS, EDGE, EVERYWHERE, Family, letter, pair, sound

Numbers = npt.NDArray[np.int64]

PLACE_BITS = 24
"""Bits of an entry's place in its segment."""
LONGEST_CORE = 63
"""Longer cores count as this long, so that an entry's number fits 32 bits."""


def postings(forms: Sequence[Form], codes: Sequence[str]) -> Iterator[tuple[int, bytes]]:
    """Each token with the entries that have it, tokens rising: see :mod:`.tables` for the bytes.

    ``forms`` and ``codes`` stand side by side, shortest core first; a place in them is an entry's place.
    """
    lengths = core_lengths(forms)
    for runs in _families(
        forms, codes
    ):  # one after the other: all at once would take several times the memory
        yield from _sorted_out([token << PLACE_BITS | place for token, place in runs], lengths)


def _sorted_out(runs: list[Numbers], lengths: Numbers) -> Iterator[tuple[int, bytes]]:
    """``postings`` of one family; ``runs``: token and place in one number."""
    keys = np.concatenate(runs)
    runs.clear()
    keys.sort()
    keys = keys[_firsts(keys)]
    places = keys & ((1 << PLACE_BITS) - 1)
    entries = (lengths[places] << PLACE_BITS | places).astype("<u4").tobytes()
    keys >>= PLACE_BITS
    at = np.flatnonzero(_firsts(keys))
    bounds = [*(at * 4).tolist(), len(entries)]
    for number, token in enumerate(keys[at].tolist()):
        yield token, entries[bounds[number] : bounds[number + 1]]


def _firsts(rising: Numbers) -> npt.NDArray[np.bool_]:
    """Which of rising numbers are no repetitions."""
    return np.concatenate([np.ones(min(len(rising), 1), dtype=bool), rising[1:] != rising[:-1]])


def core_lengths(forms: Sequence[Form]) -> Numbers:
    lengths = np.fromiter((len(form.core) for form in forms), dtype=np.int64, count=len(forms))
    return np.minimum(lengths, LONGEST_CORE)


def _families(forms: Sequence[Form], codes: Sequence[str]) -> Iterator[Iterator[tuple[Numbers, Numbers]]]:
    """Runs of (tokens, places) of one family after the other, in the order of :class:`Family`."""
    core = _Text([form.core for form in forms])
    yield _pairs(forms)
    yield iter([core.runs(Family.SKIP, core.points, 2)])
    yield core.starts()
    yield _sounds(core)
    yield _initials(core)
    yield iter([_codes(codes)])


def _pairs(forms: Sequence[Form]) -> Iterator[tuple[Numbers, Numbers]]:
    everywhere = [pair(*each) for each in EVERYWHERE]
    # A core is mostly a piece of the normal form; where words were cut out of its middle its pairs are new.
    for strings in (
        [form.normal for form in forms],
        [form.core if form.core not in form.normal else "" for form in forms],
    ):
        text = _Text(strings)
        tokens, places = text.runs(Family.PAIR, text.points, 1)
        wanted = np.all([tokens != each for each in everywhere], axis=0)
        yield tokens[wanted], places[wanted]


class _Text:
    """Strings laid end to end as code points, each with the number of its string."""

    def __init__(self, strings: Sequence[str]) -> None:
        self.points = _points("".join(strings))
        lengths = np.fromiter(map(len, strings), dtype=np.int64, count=len(strings))
        self.places = np.repeat(np.arange(len(strings)), lengths)
        ends = np.cumsum(lengths)
        self.firsts = (ends - lengths)[lengths > 0]
        self.long = lengths[lengths > 0] > 1

    def runs(self, family: Family, values: Numbers, gap: int) -> tuple[Numbers, Numbers]:
        """Tokens of each value with the one ``gap`` further on in the same string."""
        same = self.places[:-gap] == self.places[gap:]
        return _tokens(family, values[:-gap][same], values[gap:][same]), self.places[:-gap][same]

    def starts(self) -> Iterator[tuple[Numbers, Numbers]]:
        first, places = self.points[self.firsts], self.places[self.firsts]
        yield _tokens(Family.START, first, np.zeros_like(first)), places
        second = self.points[self.firsts[self.long] + 1]
        yield _tokens(Family.START, first[self.long], second), places[self.long]


def _sounds(core: _Text) -> Iterator[tuple[Numbers, Numbers]]:
    """Of the first reading, and with the second reading of one or both characters; first sounds alone."""
    sound_0, sound_1 = _read(core).sounds[:, core.points]
    for ahead in ((0, 0), (0, 1), (1, 0), (1, 1)):
        yield _chain(Family.SOUND, core, [sound_1 if which else sound_0 for which in ahead])
    for which in (sound_0, sound_1):
        first = which[core.firsts]
        said = first != 0
        yield _tokens(Family.SOUND, np.zeros_like(first), first)[said], core.places[core.firsts][said]


def _initials(core: _Text) -> Iterator[tuple[Numbers, Numbers]]:
    """Of the first reading, and with the second reading of one or more characters."""
    letter_0, letter_1 = _read(core).letters[:, core.points]
    for a in (0, 1):
        for b in (0, 1):
            heads = [letter_1 if a else letter_0, letter_1 if b else letter_0]
            yield _edge(core, heads)
            for c in (0, 1):
                yield _chain(Family.INITIALS, core, [*heads, letter_1 if c else letter_0])


def _read(core: _Text) -> _Book:
    book = _book()
    book.learn(core.points)
    return book


def _chain(family: Family, text: _Text, values: Sequence[Numbers]) -> tuple[Numbers, Numbers]:
    """Values that follow each other in one string; a zero among them stands for "no such reading"."""
    last = len(values) - 1
    runs = [value[at : len(value) - last + at] for at, value in enumerate(values)]
    same = text.places[: len(text.places) - last] == text.places[last:]
    for run in runs:
        same &= run != 0
    first, *others = (run[same] for run in runs)
    places = text.places[: len(text.places) - last][same]
    if last == 1:
        return _tokens(family, first, others[0]), places
    letters = first << 12 | others[0] << 6 | others[1]  # as tokens.three
    return _tokens(family, np.zeros_like(letters), letters), places


def _edge(text: _Text, heads: Sequence[Numbers]) -> tuple[Numbers, Numbers]:
    at = text.firsts[text.long]
    first, second = heads[0][at], heads[1][at + 1]
    said = (first != 0) & (second != 0)
    letters = EDGE << 12 | first[said] << 6 | second[said]
    return _tokens(Family.INITIALS, np.zeros_like(letters), letters), text.places[at][said]


def _codes(codes: Sequence[str]) -> tuple[Numbers, Numbers]:
    text = _Text(codes)
    table = np.full(1 << BITS, 37, dtype=np.int64)
    for char in "abcdefghijklmnopqrstuvwxyz0123456789":
        table[[ord(char), ord(char.upper())]] = letter(char)
    letters = table[text.points]
    return _chain(Family.CODE, text, [letters, letters, letters])


def _tokens(family: Family, first: Numbers, second: Numbers) -> Numbers:
    return np.int64(family) << (2 * BITS) | first << BITS | second


def _points(text: str) -> Numbers:
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.int64)


class _Book:
    """Sounds and first letters by code point, two readings of each, filled as characters are met; 0: none."""

    def __init__(self) -> None:
        self.sounds = np.zeros((2, 1 << BITS), dtype=np.int64)
        self.letters = np.zeros((2, 1 << BITS), dtype=np.int64)
        self._known = np.zeros(1 << BITS, dtype=bool)
        self._lock = threading.Lock()

    def learn(self, points: Numbers) -> None:
        met = np.zeros(1 << BITS, dtype=bool)
        met[points] = True
        with self._lock:
            for point in np.flatnonzero(met & ~self._known).tolist():
                for which, syllable in enumerate(syllables(chr(point))[:2]):
                    self.sounds[which, point] = sound(syllable)
                    self.letters[which, point] = letter(syllable[0])
                self._known[point] = True


@cache
def _book() -> _Book:
    return _Book()
