"""Answers as JSON with their blanks open: what every firm shares is written once, a firm fills in its own.

A *tree* is plain data with holes in it; :func:`form_of` turns it into a :class:`Form`, a list of ready bytes
with places to fill. Filling a form of two hundred kilobytes costs some tens of microseconds, which is less
than deciding, and a hundredth of building the same answer out of dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
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


@dataclass
class Form:
    """Bytes with places to fill. Filling changes nothing here: threads may share a form."""

    pieces: list[bytes] = field(default_factory=list)
    verdicts: list[tuple[int, Slot, tuple[bytes, ...]]] = field(default_factory=list)
    numbers: list[tuple[int, Slot]] = field(default_factory=list)
    figures: list[tuple[int, int]] = field(default_factory=list)
    inputs: list[tuple[int, int]] = field(default_factory=list)
    worked: list[tuple[int, Callable[[Trace], Any]]] = field(default_factory=list)

    def fill(self, trace: Trace, figures: Sequence[bytes], inputs: Sequence[bytes]) -> bytes:
        """The answer of one firm; ``figures`` and ``inputs`` are its fragments by place."""
        pieces, values = self.pieces.copy(), trace.values
        for at, slot, keys in self.verdicts:
            pieces[at] = keys[values[slot]]
        for at, slot in self.numbers:
            pieces[at] = fragment(values[slot])
        for at, place in self.figures:
            pieces[at] = figures[place]
        for at, place in self.inputs:
            pieces[at] = inputs[place]
        for at, work in self.worked:
            pieces[at] = fragment(work(trace))
        return b"".join(pieces)


def fragment(value: Any) -> bytes:
    """A value as JSON; a title that is not held is ``"none"``."""
    if isinstance(value, date) and value == NO_TITLE:
        return b'"none"'
    return orjson.dumps(value)


def both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def form_of(tree: Any) -> Form:
    """The form of a tree of dicts, lists, plain values and holes."""
    writer = _Writer()
    writer.write(tree)
    writer.flush()
    return writer.form


class _Writer:
    def __init__(self) -> None:
        self.form = Form()
        self._still: list[bytes] = []

    def write(self, node: Any) -> None:
        if isinstance(node, Mapping):
            self._members(node)
        elif isinstance(node, list | tuple):
            self._items(node)
        elif isinstance(node, VerdictHole | NumberHole | FigureHole | InputHole | WorkedHole):
            self._hole(node)
        else:
            self._still.append(fragment(node))

    def flush(self) -> None:
        if self._still:
            self.form.pieces.append(b"".join(self._still))
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

    def _hole(self, hole: VerdictHole | NumberHole | FigureHole | InputHole | WorkedHole) -> None:
        self.flush()
        at, form = len(self.form.pieces), self.form
        form.pieces.append(b"")
        if isinstance(hole, VerdictHole):
            form.verdicts.append((at, hole.slot, _keys(hole)))
        elif isinstance(hole, NumberHole):
            form.numbers.append((at, hole.slot))
        elif isinstance(hole, FigureHole):
            form.figures.append((at, hole.place))
        elif isinstance(hole, InputHole):
            form.inputs.append((at, hole.place))
        else:
            form.worked.append((at, hole.work))


def _keys(hole: VerdictHole) -> tuple[bytes, ...]:
    keys = [orjson.dumps(key) for key in hole.keys]
    if hole.instead is not None:
        keys[Verdict.UNMET] += b',"instead":' + orjson.dumps(both(hole.instead))
    return tuple(keys)
