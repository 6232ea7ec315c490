"""One firm in full: for each standard the tree of conditions with required, actual, verdict and clause.

What does not depend on the firm (sentences, clauses, units) is written once when the explainer is
made; a firm then costs only its own values.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models.errors import Text
from models.rules.card import Card, Indicator, Leaf, Part
from models.rules.compile import Branch, Compiled, Standards
from models.rules.condition import Condition, Group, NotLarge, Place, Score, Sector, Test, Threshold
from models.rules.describe import (
    Answer,
    both,
    both_or_none,
    clause_dict,
    pack_dict,
    pack_head,
    shown_rows,
    size_rows,
)
from models.rules.firm import FirmReader, Trace
from models.rules.quantity import Figures, Period
from models.rules.reason import condition_reason, group_reason, points_text, size_reason, standard_reason
from models.rules.required import required_of
from models.rules.sentence import member_text
from models.rules.size import SizeTable
from models.rules.units import machine_unit
from models.verdict import Verdict

__all__ = ["JOINS", "Answer", "Explainer", "clause_dict", "member_text", "pack_dict", "pack_head"]

Slots = tuple[int, int]
"""Of the least and the most that a score may be."""

_KEYS = tuple(verdict.key for verdict in Verdict)
_WORDS = tuple(both(verdict.text) for verdict in Verdict)
JOINS = {"all": Text("须全部满足", "all of"), "any": Text("满足其一即可", "any of")}


class Explainer:
    """Explains firms under one compiled set of standards."""

    def __init__(self, standards: Standards, *, ladder: bool = True) -> None:
        """``ladder``: the trace has what :func:`models.ladder.standing_of` asks for."""
        self.standards = standards
        self.reader = FirmReader(standards, ladder=ladder)
        self._templates = {pack_id: _Template(compiled) for pack_id, compiled in standards.compiled.items()}

    def explain(self, figures: Figures, *, words: bool = False) -> tuple[Trace, list[Answer]]:
        """The trace and an answer per chosen standard.

        ``figures``: canonical column → value, None or absent where blank. ``words``: standards and conditions
        also have ``verdict_text`` and ``reason``, figures ``shown``, as people write them.
        """
        trace = self.reader.read(figures)
        return trace, [self._templates[pack_id].fill(trace, words) for pack_id in self.standards.chosen]


class _Template:
    """A standard's answer with its blanks open."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        pack, period = compiled.pack, compiled.period
        self._head = pack_head(pack, period)
        self._branches = [_branch_template(branch, compiled) for branch in compiled.branches]
        self._fill = _write_filler(self._branches)
        self._card = _CardTemplate(pack.card, compiled) if pack.card else None
        self._sentences = sentences_of(compiled)

    def fill(self, trace: Trace, words: bool) -> Answer:
        compiled, pack = self._compiled, self._compiled.pack
        answer: Answer = dict(self._head)
        if pack.size_table is not None:
            place = trace.values[compiled.verdict]
            key = answer["verdict"] = "unknown" if place < 0 else SizeTable.KEYS[place]
            if words:
                answer["verdict_text"] = both(SizeTable.LABELS[key])
                answer["reason"] = both(size_reason(key))
            answer |= size_rows(pack.size_table, trace.figures, compiled.period)
            return answer
        verdict = trace.values[compiled.verdict]
        answer["verdict"] = _KEYS[verdict]
        if words:
            answer["verdict_text"] = _WORDS[verdict]
            answer["reason"] = both(self._reason(trace))
        if self._card:
            answer["score"] = self._card.fill(trace, words)
        answer["conditions"] = conditions = self._fill(trace)
        if words:
            for branch, condition in zip(self._branches, conditions, strict=True):
                branch.say(condition, trace)
        if compiled.labels:
            answer["labels"] = [
                {"id": label.id, "name": both(label.name)} | _verdict(trace, compiled.labels[label.id], words)
                for label in pack.labels
            ]
        if pack.shown:
            answer["shown"] = shown_rows(pack, trace.figures, compiled.period)
        return answer

    def _reason(self, trace: Trace) -> Text:
        """Why the verdict is what it is: the conditions that hold it there."""
        verdict = trace.verdict(self._compiled.verdict)
        here = zip(self._compiled.branches, self._sentences, strict=True)
        return standard_reason(
            verdict, [text for branch, text in here if trace.verdict(branch.slot) is verdict]
        )


def _verdict(trace: Trace, slot: int, words: bool) -> Answer:
    verdict = trace.values[slot]
    return {"verdict": _KEYS[verdict]} | ({"verdict_text": _WORDS[verdict]} if words else {})


class _Scope:
    """Constants of a function that is written out, by name."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"keys": _KEYS}

    def named(self, value: Any) -> str:
        if value is None or isinstance(value, str | bool | int):
            return repr(value)
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name


def _write_filler(branches: Sequence[_Branch]) -> Callable[[Trace], list[Answer]]:
    """Conditions as one Python function: a dictionary written out costs a third of one filled key by key."""
    scope = _Scope()
    listed = ", ".join(branch.source(scope) for branch in branches)
    source = f"def fill(trace):\n    v, get = trace.values, trace.figures.get\n    return [{listed}]\n"
    # Everything in the source was made here: slot numbers, names of columns and constants by name.
    exec(compile(source, "<tidui conditions>", "exec"), scope.names)
    fill: Callable[[Trace], list[Answer]] = scope.names["fill"]
    return fill


class _Branch(ABC):
    """A condition or group: its constants, and where its verdict and figure come from."""

    def __init__(self, branch: Branch, compiled: Compiled) -> None:
        member, self._period = branch.member, compiled.period
        self._slot = branch.slot
        self._head: Answer = {
            "id": member.id,
            "text": both(member_text(member, self._period)),
            "verdict": None,
            "clause": clause_dict(member.clause),
        }

    def source(self, scope: _Scope) -> str:
        """The expression of the answer, from ``trace``, its values ``v`` and ``get`` of its figures."""
        filled = {"verdict": f"keys[v[{self._slot}]]", **self._filled(scope)}
        known = {key: scope.named(value) for key, value in self._head.items()}
        return "{" + ", ".join(f"{key!r}: {said}" for key, said in {**known, **filled}.items()) + "}"

    @abstractmethod
    def _filled(self, scope: _Scope) -> dict[str, str]:
        """Expressions by the key they fill."""

    @abstractmethod
    def say(self, answer: Answer, trace: Trace) -> None:
        """Add the words to the answer."""


class _Joined(_Branch):
    """*All of* or *any of*."""

    def __init__(self, branch: Branch, member: Group, compiled: Compiled) -> None:
        super().__init__(branch, compiled)
        self._head |= {"join": member.mode, "name": both_or_none(member.name), "members": None}
        self._children = [_branch_template(child, compiled) for child in branch.children]
        self._reasons = [both(group_reason(member.mode, verdict)) for verdict in Verdict]

    def _filled(self, scope: _Scope) -> dict[str, str]:
        return {"members": f"[{', '.join(child.source(scope) for child in self._children)}]"}

    def say(self, answer: Answer, trace: Trace) -> None:
        verdict = trace.values[self._slot]
        answer["verdict_text"], answer["reason"] = _WORDS[verdict], self._reasons[verdict]
        for child, below in zip(self._children, answer["members"], strict=True):
            child.say(below, trace)


class _Tested(_Branch):
    """One condition."""

    def __init__(self, branch: Branch, member: Condition, compiled: Compiled) -> None:
        super().__init__(branch, compiled)
        self._test = test = member.test
        self._column = test.read_from(self._period)
        # Standards may differ in kind, never in date: a quantity is the same figure in all.
        self._about = id(_subject(test))
        self._when_unmet = both_or_none(member.when_unmet)
        about = type(test).__name__.lower()
        required = required_of(test, self._period)
        self._required = Text(**required["shown"])
        self._head |= {"about": about, "unit": machine_unit(test.unit), "required": required, "actual": None}
        if member.note:
            self._head["note"] = both(member.note)

    def source(self, scope: _Scope) -> str:
        answer = super().source(scope)
        if self._when_unmet is None:
            return answer
        unmet = scope.named({"instead": self._when_unmet})
        return f"({answer} | {unmet} if v[{self._slot}] == {int(Verdict.UNMET)} else {answer})"

    def _filled(self, scope: _Scope) -> dict[str, str]:
        if self._column is not None:
            return {"actual": f"get({self._column!r})"}
        return {"actual": f"{scope.named(self._worked_out)}(trace)"}

    def say(self, answer: Answer, trace: Trace) -> None:
        found, shown = trace.values[self._slot], self._shown(answer["actual"], trace)
        answer["shown"], answer["verdict_text"] = both_or_none(shown), _WORDS[found]
        answer["reason"] = both(condition_reason(shown, self._test.blank, self._required))

    def _worked_out(self, trace: Trace) -> Any:
        """The figure; many conditions draw lines on one quantity, which is worked out once a firm."""
        memo, about = trace.memo, self._about
        if about not in memo:
            memo[about] = self._test.actual(trace.figures, self._period)
        return memo[about]

    def _shown(self, value: Any, trace: Trace) -> Text | None:
        return None if value is None else self._test.told(value, trace.figures, self._period)


def _subject(test: Test) -> object:
    """What the figure of a test is of: standards test the same quantity, size, industry and place."""
    if isinstance(test, Threshold):
        return test.quantity
    if isinstance(test, Sector | Place):
        return type(test)
    return test.table if isinstance(test, NotLarge) else test


class _Scored(_Tested):
    """A condition on a score: its figure is the range that the program computed."""

    def __init__(self, branch: Branch, member: Condition, test: Score, compiled: Compiled) -> None:
        super().__init__(branch, member, compiled)
        slots = compiled.score if test.of is None else compiled.indicators[test.of]
        assert slots is not None
        self._low, self._high = slots

    def _filled(self, scope: _Scope) -> dict[str, str]:
        return {"actual": f"{{'low': v[{self._low}], 'high': v[{self._high}]}}"}

    def _shown(self, value: Any, trace: Trace) -> Text | None:
        return points_text(value["low"], value["high"])


def _branch_template(branch: Branch, compiled: Compiled) -> _Branch:
    member = branch.member
    if isinstance(member, Group):
        return _Joined(branch, member, compiled)
    if isinstance(member.test, Score):
        return _Scored(branch, member, member.test, compiled)
    return _Tested(branch, member, compiled)


class _CardTemplate:
    """A score card with its blanks open: the range of each part and indicator, and what it was read from."""

    def __init__(self, card: Card, compiled: Compiled) -> None:
        self._period = compiled.period
        assert compiled.score is not None
        self._slots = compiled.score
        self._top = sum(part.top for part in card.parts)
        self._parts = [
            (
                _scored_head(part, compiled),
                compiled.indicators[part.id],
                [self._indicator_template(one, compiled) for one in part.indicators],
            )
            for part in card.parts
        ]

    @staticmethod
    def _indicator_template(indicator: Indicator, compiled: Compiled) -> tuple[Answer, Slots, list[_Input]]:
        inputs = [_Input(leaf, compiled.period) for leaf in indicator.item.leaves() if isinstance(leaf, Leaf)]
        return _scored_head(indicator, compiled), compiled.indicators[indicator.id], inputs

    def fill(self, trace: Trace, words: bool) -> Answer:
        values = trace.values
        parts = []
        for head, slots, indicators in self._parts:
            part = _with_range(head, slots, values)
            shown = part["indicators"] = []
            for indicator, slots_within, inputs in indicators:
                answer = _with_range(indicator, slots_within, values)
                answer["inputs"] = [one.fill(trace, words) for one in inputs]
                shown.append(answer)
            parts.append(part)
        low, high = self._slots
        return {"low": values[low], "high": values[high], "max": self._top, "parts": parts}


class _Input:
    """A figure that points are read from."""

    def __init__(self, leaf: Leaf, period: Period) -> None:
        self._leaf, self._period, self._column = leaf, period, leaf.read_from(period)
        unit = machine_unit(leaf.unit)
        self._head: Answer = {"label": both(leaf.label(period)), "actual": None, "unit": unit}

    def fill(self, trace: Trace, words: bool) -> Answer:
        answer, figures = self._head.copy(), trace.figures
        found = self._column
        value = figures.get(found) if found is not None else self._leaf.actual(figures, self._period)
        answer["actual"] = value
        if words:
            answer["shown"] = None if value is None else both(self._leaf.told(value, figures, self._period))
        return answer


def _scored_head(scored: Part | Indicator, compiled: Compiled) -> Answer:
    head: Answer = {"id": scored.id, "name": both(scored.name), "max": scored.top, "low": None, "high": None}
    return head | ({"indicators": None} if isinstance(scored, Part) else {"inputs": None})


def _with_range(head: Answer, slots: Slots, values: Mapping[int, Any]) -> Answer:
    answer = head.copy()
    answer["low"], answer["high"] = values[slots[0]], values[slots[1]]
    return answer


def sentences_of(compiled: Compiled) -> list[Text]:
    """The sentences of a standard's conditions, in their order."""
    return [member_text(branch.member, compiled.period) for branch in compiled.branches]
