"""One standard's rules on one day, asked about figures over and over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from models.rules.compile import Branch, Compiled, compile_pack
from models.rules.condition import Condition
from models.rules.firm import write_function
from models.rules.pack import Pack
from models.rules.program import Builder, Slot
from models.rules.quantity import Figures, Period
from models.verdict import Verdict


class Judge:
    """One standard's rules on one day. Safe between threads."""

    def __init__(self, pack: Pack, period: Period) -> None:
        builder = Builder()
        self.compiled: Compiled = compile_pack(builder, pack, period)
        self._program = builder.program()
        self._functions: dict[tuple[Slot, ...], Callable[[Figures], dict[Slot, Any]]] = {}
        self._columns: dict[Slot, list[str]] = {}
        self.slots = tuple(sorted(set(self.compiled.all_slots())))

    def values(self, slots: Sequence[Slot], figures: Figures) -> dict[Slot, Any]:
        """These slots' values for these figures."""
        key = tuple(slots)
        if key not in self._functions:
            self._functions[key] = write_function(self._program, key)
        return self._functions[key](figures)

    def is_met(self, slot: Slot, figures: Figures) -> bool:
        return bool(self.values((slot,), figures)[slot] == Verdict.MET)

    def columns(self, slot: Slot) -> list[str]:
        """What the slot's value depends on."""
        if slot not in self._columns:
            self._columns[slot] = sorted(self._program.inputs([slot]))
        return self._columns[slot]

    def leaves(self) -> Iterator[Branch]:
        """All conditions."""
        for branch in self.compiled.branches:
            yield from (b for b in branch.walk() if isinstance(b.member, Condition))
