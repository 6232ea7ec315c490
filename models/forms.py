"""Answers as JSON with their blanks open: what every firm shares is written once, a firm fills in its own.

A *tree* is plain data with holes in it; :func:`form_of` turns it into a :data:`Form`, ready bytes with holes
between them, and a :class:`Sheaf` fills forms. Two hundred kilobytes cost some tens of microseconds, which
is less than deciding, and a hundredth of building the same answer out of dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any

import orjson

from models.errors import Text
from models.fields import NO_TITLE
from models.rules.firm import Trace
from models.rules.program import Slot
from models.verdict import Verdict

KEYS = tuple(verdict.key for verdict in Verdict)


@dataclass(frozen=True)
class VerdictHole:
    """A verdict's key; where it is unmet, ``instead`` follows as a member of its own."""

    slot: Slot
    keys: tuple[str, ...] = KEYS
    instead: Text | None = None


@dataclass(frozen=True)
class NumberHole:
    """A number that the program computed."""

    slot: Slot


@dataclass(frozen=True)
class FigureHole:
    """A figure that is worked out once a firm, wherever it stands; by its place in the list of them."""

    place: int


@dataclass(frozen=True)
class InputHole:
    """A list of columns with their values and where those come from; by its place in the list of lists."""

    place: int


@dataclass(frozen=True)
class WorkedHole:
    """Anything else that depends on the firm."""

    work: Callable[[Trace], Any]


Hole = VerdictHole | NumberHole | FigureHole | InputHole | WorkedHole

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
        ordered = [hole for kind in _KINDS for hole in holes if isinstance(hole, kind)]
        places = {part: place for place, part in enumerate([*still, *ordered])}
        self._still: tuple[Any, ...] = still
        self._verdicts = [(hole.slot, _keys(hole)) for hole in ordered if isinstance(hole, VerdictHole)]
        self._numbers = [hole.slot for hole in ordered if isinstance(hole, NumberHole)]
        self._figures = [hole.place for hole in ordered if isinstance(hole, FigureHole)]
        self._inputs = [hole.place for hole in ordered if isinstance(hole, InputHole)]
        self._worked = [hole.work for hole in ordered if isinstance(hole, WorkedHole)]
        self._pick = {name: picker([places[part] for part in form]) for name, form in forms.items()}

    def table(self, trace: Trace, figures: Sequence[bytes], inputs: Sequence[bytes]) -> list[bytes]:
        """Of one firm; ``figures`` and ``inputs`` are its fragments by place."""
        values = trace.values
        return [
            *self._still,
            *[keys[values[slot]] for slot, keys in self._verdicts],
            *fragments([values[slot] for slot in self._numbers]),
            *[figures[place] for place in self._figures],
            *[inputs[place] for place in self._inputs],
            *[fragment(work(trace)) for work in self._worked],
        ]

    def pieces(self, name: str, table: Sequence[bytes]) -> Sequence[bytes]:
        """The filled form, to be joined."""
        return self._pick[name](table)


_KINDS = (VerdictHole, NumberHole, FigureHole, InputHole, WorkedHole)


def _is_still(part: bytes | Hole) -> bool:
    return isinstance(part, bytes)


def picker(places: Sequence[int]) -> Callable[[Sequence[bytes]], Sequence[bytes]]:
    """What takes these places of a list, in one call of C code."""
    if len(places) < 2:  # itemgetter gives one alone, not a row of it
        return lambda table: [table[place] for place in places]
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


def _keys(hole: VerdictHole) -> tuple[bytes, ...]:
    keys = [orjson.dumps(key) for key in hole.keys]
    if hole.instead is not None:
        keys[Verdict.UNMET] += b',"instead":' + orjson.dumps(both(hole.instead))
    return tuple(keys)
