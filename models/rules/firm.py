"""The firm reader: the same program as plain Python over one firm, keeping the trace.

The program is written out as one Python function, so that deciding costs microseconds; what it
does is node by node what :mod:`models.rules.table` does on columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from models.rules.compile import Standards
from models.rules.program import PACKED, Node, Program, Slot, mask_table
from models.rules.quantity import Figures
from models.verdict import Verdict

_SIGNS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "eq": "=="}
_INFIX = {"add": "+", "sub": "-", "mul": "*", **_SIGNS}


@dataclass(frozen=True, slots=True)
class Trace:
    """One firm's values by slot: verdicts, points, classes, masks."""

    figures: Figures
    values: Mapping[Slot, Any]
    memo: dict[int, Any] = field(default_factory=dict)
    """Figures worked out for showing, by what they are of."""

    def verdict(self, slot: Slot) -> Verdict:
        return Verdict(self.values[slot])


class FirmReader:
    """Runs one compiled program over firms, one at a time."""

    def __init__(self, standards: Standards, *, ladder: bool = True) -> None:
        """``ladder``: what the ladder asks for is read too, all standards of all rungs."""
        self.standards = standards
        slots = {slot for compiled in standards.compiled.values() for slot in compiled.all_slots()}
        slots |= {slot for c in standards.compiled.values() for slot in c.shown_slots()}
        if ladder:
            slots |= {standards.recognised, standards.qualifies, standards.could_reach}
            slots |= set(standards.rung_titles.values())
        self._run = write_function(standards.program, sorted(slots))

    def read(self, figures: Figures) -> Trace:
        """``figures``: column name → canonical Python value (models.fields), absent or None where blank."""
        return Trace(figures, self._run(figures))


def write_function(program: Program, wanted: Sequence[Slot]) -> Callable[[Figures], dict[Slot, Any]]:
    """The program as a Python function from figures to the wanted slots' values."""
    writer = _Writer()
    for slot in program.needed(wanted):
        writer.write(slot, program.nodes[slot])
    returned = ", ".join(f"{slot}: {writer.value(slot)}" for slot in wanted)
    source = "def run(figures):\n    get = figures.get\n" + "".join(
        f"    {line}\n" for line in [*writer.lines, f"return {{{returned}}}"]
    )
    scope: dict[str, Any] = dict(writer.constants)
    # Everything in the source was made here from checked nodes: slot numbers, signs and constants by name.
    exec(compile(source, "<tidui program>", "exec"), scope)
    run: Callable[[Figures], dict[Slot, Any]] = scope["run"]
    return run


@dataclass
class _Code:
    """An expression, and the variables that must not be None for it to have a value."""

    text: str
    needs: frozenset[str] = frozenset()

    def whole(self) -> str:
        """With None where something it needs is."""
        return (
            f"(None if {self.missing()} else {self.text})"
            if self.needs and self.text not in self.needs
            else self.text
        )

    def missing(self) -> str:
        return " or ".join(f"{name} is None" for name in sorted(self.needs))


class _Writer:
    """Writes each node as a Python expression or an assignment."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self._codes: dict[Slot, _Code] = {}

    def value(self, slot: Slot) -> str:
        return self._codes[slot].whole()

    def write(self, slot: Slot, node: Node) -> None:
        args = [self._codes[arg] for arg in node.args]
        if node.op == "const":
            self._codes[slot] = _Code(self._constant(slot, node.data))
        elif node.op in _INFIX:
            needs = args[0].needs | args[1].needs
            self._codes[slot] = _Code(f"({args[0].text} {_INFIX[node.op]} {args[1].text})", needs)
        else:
            nullable, text = _WRITERS[node.op](self, slot, node.data, args)
            self.lines.append(f"v{slot} = {text}")
            self._codes[slot] = _Code(f"v{slot}", frozenset({f"v{slot}"}) if nullable else frozenset())

    def _constant(self, slot: Slot, value: Any) -> str:
        if isinstance(value, date):
            self.constants[f"c{slot}"] = value
            return f"c{slot}"
        return repr(value)

    def held(self, slot: Slot, value: Any, place: int = 0) -> str:
        """A constant too large to write in line, by name; ``place`` tells several of one slot apart."""
        name = f"c{slot}_{place}"
        self.constants[name] = value
        return name


_Written = tuple[bool, str]
"""May it be None; the expression."""


def _named(code: _Code) -> str:
    return code.whole()


def _judge(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    test = f"(3 if {a[0].text} else 0)"
    return False, f"{int(data)} if {a[0].missing()} else {test}" if a[0].needs else test


def _chain(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    points, otherwise, missing = data
    steps = "".join(f"{given} if {truth.text} else " for truth, given in zip(a, points, strict=True))
    return False, f"{missing} if {a[0].missing()} else {steps}{otherwise}"


def _above_zero(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    value = _named(a[0])
    return True, f"t if (t := {value}) is not None and t > 0 else None"


def _lower(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    missing = _Code("", a[0].needs | a[1].needs).missing()
    return True, f"None if {missing} else min({a[0].text}, {a[1].text})"


def _first(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    return bool(a[1].needs), f"t if (t := {_named(a[0])}) is not None else {_named(a[1])}"


def _pick(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    chosen = f"{_named(a[1])} if {a[0].text} else {_named(a[2])}"
    return True, f"None if {a[0].missing()} else {chosen}" if a[0].needs else chosen


def _where(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    return True, f"{_named(a[1])} if {_named(a[0])} else None"


def _code_reader(find: Callable[..., Any]) -> Callable[[_Writer, Slot, Any, list[_Code]], _Written]:
    def write(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
        runs, unclear = data
        read = lru_cache(maxsize=4096)(
            lambda code: None if code is None or code in unclear else find(code, runs)
        )
        return True, f"{w.held(slot, read)}({_named(a[0])})"

    return write


def _lookup(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    return True, f"{w.held(slot, dict(data).get)}({_named(a[0])})"


def _among(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    held = w.held(slot, frozenset(data))
    return True, f"None if {a[0].missing()} else {a[0].text} in {held}" if a[
        0
    ].needs else f"{a[0].text} in {held}"


def _starts(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    return True, f"None if {a[0].missing()} else {a[0].text}.startswith({data!r})"


def _within(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    op, line = data
    return False, f"3 if {a[0].text} {_SIGNS[op]} {line} else 1 if {a[1].text} {_SIGNS[op]} {line} else 0"


def _reach(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    return False, f"3 if {a[0].text} else 0 if {a[1].text} else 1"


def _pack(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    return False, " | ".join(f"{verdict.text} << {2 * place}" for place, verdict in enumerate(a))


def _mask(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    sizes, shown = data
    parts = [
        f"{w.held(slot, mask_table(size, shown, place * PACKED), place)}[{pack.text}]"
        for place, (size, pack) in enumerate(zip(sizes, a, strict=True))
    ]
    return False, " | ".join(parts) or "0"


def _size(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    steps = "".join(
        f"{place} if {v.text} == 3 else -1 if {v.text} else " for place, v in zip((3, 2, 1), a, strict=True)
    )
    return False, f"{steps}0"


def _highest(w: _Writer, slot: Slot, data: Any, a: list[_Code]) -> _Written:
    numbers, least = data
    falling = sorted(zip(numbers, a, strict=True), key=lambda pair: -pair[0])
    return False, "".join(f"{n} if {v.text} >= {int(least)} else " for n, v in falling) + "0"


def _joined(function: str) -> Callable[[_Writer, Slot, Any, list[_Code]], _Written]:
    return lambda w, slot, data, a: (False, f"{function}({', '.join(code.text for code in a)})")


_WRITERS: dict[str, Callable[[_Writer, Slot, Any, list[_Code]], _Written]] = {
    "input": lambda w, slot, data, a: (True, f"get({data!r})"),
    "lower": _lower,
    "first": _first,
    "instead": lambda w, slot, data, a: (False, f"{data} if (t := {_named(a[0])}) is None else t"),
    "above_zero": _above_zero,
    "where": _where,
    "pick": _pick,
    "classify": _code_reader(
        lambda code, runs: next((number for low, high, number in runs if low <= code <= high), 0)
    ),
    "lookup": _lookup,
    "among": _among,
    "starts": _starts,
    "spans": _code_reader(lambda code, runs: any(low <= code <= high for low, high in runs)),
    "known": lambda w, slot, data, a: (False, f"not ({a[0].missing()})" if a[0].needs else "True"),
    "judge": _judge,
    "reach": _reach,
    "all": _joined("min"),
    "any": _joined("max"),
    "not": lambda w, slot, data, a: (False, f"(3, 1, 2, 0)[{a[0].text}]"),
    "chain": _chain,
    "total": lambda w, slot, data, a: (False, " + ".join(code.text for code in a)),
    "best": _joined("max"),
    "cap": lambda w, slot, data, a: (False, f"min({a[0].text}, {data})"),
    "within": _within,
    "pack": _pack,
    "mask": _mask,
    "size": _size,
    "highest": _highest,
}
