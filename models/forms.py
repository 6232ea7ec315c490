"""Answers as JSON with their blanks open: what every firm shares is written once, a firm fills in its own.

A *tree* is plain data with holes in it; :func:`form_of` turns it into a :data:`Form`, ready bytes with holes
between them, and a :class:`Sheaf` fills forms. Two hundred kilobytes cost some tens of microseconds, which
is less than deciding, and a hundredth of building the same answer out of dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import orjson

from models.errors import Text
from models.fields import NO_TITLE
from models.rules.firm import Trace
from models.rules.program import Slot
from models.rules.reason import points_text
from models.verdict import Verdict


@dataclass(frozen=True)
class VerdictHole:
    """What a verdict puts here: ready bytes, unmet first (see :func:`verdict_hole`)."""

    slot: Slot
    ready: tuple[bytes, ...]


class InSentence(NamedTuple):
    """What sentences say, as bytes within them."""

    zh: bytes
    en: bytes

    @staticmethod
    def of(text: Text) -> InSentence:
        return InSentence(within(text.zh), within(text.en))


class SaidOf(NamedTuple):
    """A figure's ``shown``, to stand behind its value, and what sentences say of it."""

    shown: bytes
    zh: bytes
    en: bytes


Part = Literal["actual", "zh", "en"]
_PARTS: Sequence[Part] = ("actual", "zh", "en")
FigureParts = Mapping[Part, bytes]
"""Of a figure: its value with ``shown`` beside it, or what a sentence in that language says of it."""


@dataclass(frozen=True)
class NumberHole:
    """A number that the program computed."""

    slot: Slot


@dataclass(frozen=True)
class FigureHole:
    """A figure that is worked out once a firm, wherever it stands; by its place in the list of them."""

    place: int
    part: Part = "actual"


@dataclass(frozen=True)
class RangeHole:
    """Points between two numbers that the program computed."""

    low: Slot
    high: Slot
    part: Part = "actual"


@dataclass(frozen=True)
class InputHole:
    """A list of columns with their values and where those come from; by its place in the list of lists."""

    place: int


@dataclass(frozen=True)
class WorkedHole:
    """Anything else that depends on the firm."""

    work: Callable[[Trace], Any]


@dataclass(frozen=True)
class NamingHole:
    """A reason that names some of several things: those whose verdict is that of the whole."""

    whole: Slot
    slots: tuple[Slot, ...]
    said: tuple[InSentence, ...]
    """By verdict of the whole, unmet first."""
    names: tuple[InSentence, ...]

    def written(self, values: Mapping[Slot, Any]) -> bytes:
        return self._written(values[self.whole], self._pick(values))

    @cached_property
    def _pick(self) -> Callable[[Any], Sequence[Any]]:
        return picker(self.slots)

    @cached_property
    def _written(self) -> Callable[[int, Sequence[int]], bytes]:
        """Verdicts are often the same: most firms fail a standard by the same few conditions."""

        def write(whole: int, verdicts: Sequence[int]) -> bytes:
            said = self.said[whole]
            if whole == Verdict.MET:
                return b'{"zh":"%b","en":"%b"}' % said
            named = [name for name, verdict in zip(self.names, verdicts, strict=True) if verdict == whole]
            zh, en = b"".join([name.zh for name in named]), b"".join([name.en for name in named])
            return b'{"zh":"%b%b","en":"%b%b"}' % (said.zh, zh, said.en, en)

        return lru_cache(128)(write)


Hole = VerdictHole | NumberHole | FigureHole | RangeHole | InputHole | NamingHole | WorkedHole


@dataclass(frozen=True)
class Spliced:
    """JSON that is written already, with holes in the middle of its strings."""

    pieces: tuple[bytes | Hole, ...]


@dataclass(frozen=True)
class FigureBytes:
    """Figures ready to be put into holes, by place: value with ``shown``, and what sentences say of them."""

    actual: Sequence[bytes]
    zh: Sequence[bytes]
    en: Sequence[bytes]


Form = tuple[bytes | Hole, ...]
"""An answer with its blanks open: ready bytes, and holes between them."""


class Sheaf:
    """Forms filled in together. A firm costs each different hole once, however many forms show it.

    A firm's *table* holds the ready bytes and what this firm puts into the holes; a form is a list of places
    in it. Filling changes nothing here: threads may share a sheaf.
    """

    def __init__(self, forms: Mapping[str, Form]) -> None:
        still = tuple(dict.fromkeys(part for form in forms.values() for part in form if _is_still(part)))
        holes = dict.fromkeys(part for form in forms.values() for part in form if not _is_still(part))
        ordered = [hole for kind in _KINDS for hole in _of_kind(kind, holes)]
        places = {part: place for place, part in enumerate([*still, *ordered])}
        self._still: tuple[Any, ...] = still
        self._verdicts = [(hole.slot, hole.ready) for hole in ordered if isinstance(hole, VerdictHole)]
        self._numbers = [hole.slot for hole in ordered if isinstance(hole, NumberHole)]
        self._ranges = [(h.part, h.low, h.high) for h in ordered if isinstance(h, RangeHole)]
        self._inputs = [hole.place for hole in ordered if isinstance(hole, InputHole)]
        self._namings = [hole for hole in ordered if isinstance(hole, NamingHole)]
        self._worked = [hole.work for hole in ordered if isinstance(hole, WorkedHole)]
        self._pick = {name: picker([places[part] for part in form]) for name, form in forms.items()}

    def table(self, trace: Trace, figures: FigureBytes, inputs: Sequence[bytes]) -> list[bytes]:
        """Of one firm; ``figures`` and ``inputs`` are its fragments by place."""
        values = trace.values
        return [
            *self._still,
            *[keys[values[slot]] for slot, keys in self._verdicts],
            *fragments([values[slot] for slot in self._numbers]),
            *figures.actual,
            *figures.zh,
            *figures.en,
            *[_range_bytes(values[low], values[high])[part] for part, low, high in self._ranges],
            *[inputs[place] for place in self._inputs],
            *[hole.written(values) for hole in self._namings],
            *[fragment(work(trace)) for work in self._worked],
        ]

    def pieces(self, name: str, table: Sequence[bytes]) -> Sequence[bytes]:
        """The filled form, to be joined."""
        return self._pick[name](table)


_KINDS: Sequence[type[Hole]] = (
    VerdictHole,
    NumberHole,
    FigureHole,
    RangeHole,
    InputHole,
    NamingHole,
    WorkedHole,
)


def _of_kind(kind: type[Hole], holes: Iterable[bytes | Hole]) -> list[Hole]:
    """Holes of a kind; of figures all parts of all places: a firm's stand in the table as they come."""
    found = [hole for hole in holes if isinstance(hole, kind)]
    if kind is not FigureHole:
        return found
    places = range(1 + max((hole.place for hole in found if isinstance(hole, FigureHole)), default=-1))
    return [FigureHole(place, part) for part in _PARTS for place in places]


def _is_still(part: bytes | Hole) -> bool:
    return isinstance(part, bytes)


def picker(places: Sequence[int]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes these places of a list, in one call of C code."""
    if len(places) < 2:  # itemgetter gives one alone, not a row of it
        return lambda table: tuple(table[place] for place in places)
    return itemgetter(*places)


def fragment(value: Any) -> bytes:
    """A value as JSON; a title that is not held is ``"none"``."""
    if isinstance(value, date) and value == NO_TITLE:
        return b'"none"'
    return orjson.dumps(value)


def fragments(values: Sequence[Any]) -> list[bytes]:
    """The same of many values that are no lists or dicts.

    In one go, and then cut where lines end, which no value holds: of each answer it gives orjson takes a
    kilobyte first, and a hundred of those that are kept cost more than the firm's verdicts.
    """
    if not values:
        return []
    plain = ["none" if isinstance(value, date) and value == NO_TITLE else value for value in values]
    return orjson.dumps(plain, option=orjson.OPT_INDENT_2)[4:-2].split(b",\n  ")


def both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def form_of(tree: Any) -> Form:
    """The form of a tree of dicts, lists, plain values and holes."""
    writer = _Writer()
    writer.write(tree)
    writer.flush()
    return tuple(writer.parts)


class _Writer:
    def __init__(self) -> None:
        self.parts: list[bytes | Hole] = []
        self._still: list[bytes] = []

    def write(self, node: Any) -> None:
        if isinstance(node, Mapping):
            self._members(node)
        elif isinstance(node, list | tuple):
            self._items(node)
        elif isinstance(node, Spliced):
            for piece in node.pieces:
                if isinstance(piece, bytes):
                    self._still.append(piece)
                else:
                    self.write(piece)
        elif isinstance(node, Hole):
            self.flush()
            self.parts.append(node)
        else:
            self._still.append(fragment(node))

    def flush(self) -> None:
        if self._still:
            self.parts.append(b"".join(self._still))
            self._still.clear()

    def _members(self, node: Mapping[str, Any]) -> None:
        for number, (key, value) in enumerate(node.items()):
            self._still.append((b"," if number else b"{") + orjson.dumps(key) + b":")
            self.write(value)
        self._still.append(b"}" if node else b"{}")

    def _items(self, node: Sequence[Any]) -> None:
        self._still.append(b"[")
        for number, value in enumerate(node):
            if number:
                self._still.append(b",")
            self.write(value)
        self._still.append(b"]")


def verdict_hole(
    slot: Slot,
    words: Sequence[tuple[str, Text]],
    reasons: Sequence[Text] | None = None,
    instead: Text | None = None,
) -> VerdictHole:
    """A verdict's key; its words, where it is unmet ``instead``, and the reason follow as members too.

    ``words``: key and text by verdict, unmet first; ``reasons`` too.
    """
    ready = [b'%b,"verdict_text":%b' % (orjson.dumps(key), orjson.dumps(both(text))) for key, text in words]
    if instead is not None:
        ready[Verdict.UNMET] += b',"instead":' + orjson.dumps(both(instead))
    if reasons is not None:
        ready = [
            b'%b,"reason":%b' % (begun, orjson.dumps(both(reason)))
            for begun, reason in zip(ready, reasons, strict=True)
        ]
    return VerdictHole(slot, tuple(ready))


def key_hole(slot: Slot) -> VerdictHole:
    """A verdict's key alone."""
    return VerdictHole(slot, tuple(orjson.dumps(verdict.key) for verdict in Verdict))


def within(text: str) -> bytes:
    """Text as it stands within a JSON string."""
    return orjson.dumps(text)[1:-1]


def not_said(blank: Text) -> SaidOf:
    """A figure that is missing, or of which there is nothing to say but ``blank``."""
    return SaidOf(b',"shown":null', within(blank.zh), within(blank.en))


def said_of(told: Text) -> SaidOf:
    """A figure that is there, told to people."""
    return _said(within(told.zh), within(told.en))


def said_plainly(zh: str, en: str) -> SaidOf:
    """The same of words in which nothing needs an escape."""
    return _said(zh.encode(), en.encode())


def _said(zh: bytes, en: bytes) -> SaidOf:
    return SaidOf(b',"shown":{"zh":"%b","en":"%b"}' % (zh, en), zh, en)


def figure_bytes(values: Sequence[Any], said: Sequence[SaidOf]) -> FigureBytes:
    """Of figures by place, and what is said of each."""
    if not said:
        return FigureBytes((), (), ())
    shown, zh, en = zip(*said, strict=True)
    return FigureBytes(list(map(bytes.__add__, fragments(values), shown)), zh, en)


@lru_cache(8192)
def _range_bytes(low: float, high: float) -> FigureParts:
    """A range of points by part; few different ones come up."""
    said = said_of(points_text(low, high))
    return {
        "actual": orjson.dumps({"low": low, "high": high}) + said.shown,
        "zh": said.zh,
        "en": said.en,
    }
