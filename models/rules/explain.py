"""One firm in full: for each standard the tree of conditions with required, actual, verdict and clause.

What does not depend on the firm (sentences, clauses, units) is written once when the explainer is
made; a firm then costs only its own values.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from models.errors import Text
from models.rules.card import Card, Leaf
from models.rules.compile import Branch, Compiled, Standards
from models.rules.condition import Clause, Condition, Group, NotLarge, Score, Threshold
from models.rules.firm import FirmReader, Trace
from models.rules.pack import Pack
from models.rules.quantity import Figures, Period
from models.rules.size import SizeTable
from models.verdict import DISCLAIMER, Verdict

Answer = dict[str, Any]
"""Plain data: strings, numbers, lists and dicts (dates are dates), ready for JSON."""

_KEYS = tuple(verdict.key for verdict in Verdict)
JOINS = {"all": Text("须全部满足", "all of"), "any": Text("满足其一即可", "any of")}


class Explainer:
    """Explains firms under one compiled set of standards."""

    def __init__(self, standards: Standards) -> None:
        self.standards = standards
        self.reader = FirmReader(standards)
        self._templates = {pack_id: _Template(compiled) for pack_id, compiled in standards.compiled.items()}

    def explain(self, figures: Figures, *, words: bool = False) -> tuple[Trace, list[Answer]]:
        """The trace and an answer per chosen standard.

        ``figures``: canonical column → value, None or absent where blank. ``words``: each condition
        also has ``shown``, its actual figure as people write it.
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
        self._card = _CardTemplate(pack.card, compiled) if pack.card else None

    def fill(self, trace: Trace, words: bool) -> Answer:
        compiled, pack = self._compiled, self._compiled.pack
        answer: Answer = dict(self._head)
        if pack.size_table is not None:
            place = trace.values[compiled.verdict]
            answer["verdict"] = "unknown" if place < 0 else SizeTable.KEYS[place]
            answer |= size_rows(pack.size_table, trace.figures, compiled.period)
            return answer
        answer["verdict"] = _KEYS[trace.values[compiled.verdict]]
        if self._card:
            answer["score"] = self._card.fill(trace)
        answer["conditions"] = [branch.fill(trace, words) for branch in self._branches]
        if compiled.labels:
            answer["labels"] = [
                {
                    "id": label.id,
                    "name": _both(label.name),
                    "verdict": _KEYS[trace.values[compiled.labels[label.id]]],
                }
                for label in pack.labels
            ]
        if pack.shown:
            answer["shown"] = shown_rows(pack, trace.figures, compiled.period)
        return answer


class _Branch(ABC):
    """A condition or group with its blanks open: the verdict, and the figure where there is one."""

    def __init__(self, branch: Branch, compiled: Compiled) -> None:
        member, self._period = branch.member, compiled.period
        self._slot = branch.slot
        # The keys that every firm fills stand here already: a copy then need not grow.
        self._head: Answer = {
            "id": member.id,
            "text": _both(member_text(member, self._period)),
            "verdict": None,
            "clause": clause_dict(member.clause),
        }

    @abstractmethod
    def fill(self, trace: Trace, words: bool) -> Answer: ...


class _Joined(_Branch):
    """*All of* or *any of*."""

    def __init__(self, branch: Branch, member: Group, compiled: Compiled) -> None:
        super().__init__(branch, compiled)
        self._head |= {"join": member.mode, "name": _both_or_none(member.name), "members": ()}
        self._children = [_branch_template(child, compiled) for child in branch.children]

    def fill(self, trace: Trace, words: bool) -> Answer:
        answer = self._head.copy()
        answer["verdict"] = _KEYS[trace.values[self._slot]]
        answer["members"] = [child.fill(trace, words) for child in self._children]
        return answer


class _Tested(_Branch):
    """One condition."""

    def __init__(self, branch: Branch, member: Condition, compiled: Compiled) -> None:
        super().__init__(branch, compiled)
        self._test = test = member.test
        # Standards may differ in kind, never in date: a quantity is the same figure in all.
        self._about = id(test.quantity if isinstance(test, Threshold) else test)
        self._when_unmet = _both_or_none(member.when_unmet)
        about = type(test).__name__.lower()
        self._head |= {"about": about, "unit": test.unit, "required": required_of(test), "actual": None}
        if member.note:
            self._head["note"] = _both(member.note)

    def fill(self, trace: Trace, words: bool) -> Answer:
        answer = self._head.copy()
        verdict = answer["verdict"] = _KEYS[trace.values[self._slot]]
        answer["actual"] = self._actual(trace)
        if words:
            answer["shown"] = _both_or_none(self._test.shown(trace.figures, self._period))
        if verdict == "unmet" and self._when_unmet is not None:
            answer["instead"] = self._when_unmet
        return answer

    def _actual(self, trace: Trace) -> Any:
        """The figure; many conditions draw lines on one quantity, which is worked out once a firm."""
        memo, about = trace.memo, self._about
        if about not in memo:
            memo[about] = self._test.actual(trace.figures, self._period)
        return memo[about]


class _Scored(_Tested):
    """A condition on a score: its figure is the range that the program computed."""

    def __init__(self, branch: Branch, member: Condition, test: Score, compiled: Compiled) -> None:
        super().__init__(branch, member, compiled)
        slots = compiled.score if test.of is None else compiled.indicators[test.of]
        assert slots is not None
        self._low, self._high = slots

    def _actual(self, trace: Trace) -> Any:
        return {"low": trace.values[self._low], "high": trace.values[self._high]}


def _branch_template(branch: Branch, compiled: Compiled) -> _Branch:
    member = branch.member
    if isinstance(member, Group):
        return _Joined(branch, member, compiled)
    if isinstance(member.test, Score):
        return _Scored(branch, member, member.test, compiled)
    return _Tested(branch, member, compiled)


class _CardTemplate:
    def __init__(self, card: Card, compiled: Compiled) -> None:
        self._card, self._compiled = card, compiled
        self._heads = {
            indicator.id: {"id": indicator.id, "name": _both(indicator.name), "max": indicator.top}
            for indicator in card.indicators()
        }
        self._leaves = {
            indicator.id: [
                (leaf, _both(leaf.label(compiled.period)))
                for leaf in indicator.item.leaves()
                if isinstance(leaf, Leaf)
            ]
            for indicator in card.indicators()
        }

    def fill(self, trace: Trace) -> Answer:
        assert self._compiled.score is not None
        return {
            **self._range(self._compiled.score, trace),
            "max": sum(part.top for part in self._card.parts),
            "parts": [
                {
                    "id": part.id,
                    "name": _both(part.name),
                    "max": part.top,
                    **self._range(self._compiled.indicators[part.id], trace),
                    "indicators": [self._indicator(indicator.id, trace) for indicator in part.indicators],
                }
                for part in self._card.parts
            ],
        }

    def _indicator(self, item: str, trace: Trace) -> Answer:
        figures, period = trace.figures, self._compiled.period
        read = [
            {"label": label, "actual": leaf.actual(figures, period), "unit": leaf.unit}
            for leaf, label in self._leaves[item]
        ]
        return {**self._heads[item], **self._range(self._compiled.indicators[item], trace), "inputs": read}

    @staticmethod
    def _range(slots: tuple[int, int], trace: Trace) -> Answer:
        return {"low": trace.values[slots[0]], "high": trace.values[slots[1]]}


def pack_head(pack: Pack, period: Period) -> Answer:
    """What an answer says of its standard, whatever the firm."""
    head: Answer = {
        "id": pack.id,
        "name": _both(pack.name),
        "as_of": period.as_of,
        "kind": period.kind,
        "in_force": pack.in_force_on(period),
        "document": {"title": pack.document.title, "number": pack.document.number},
        "clause": clause_dict(pack.clause),
        "pack_hash": pack.hash,
        "disclaimer": _both(DISCLAIMER),
    }
    if pack.note:
        head["note"] = _both(pack.note)
    if pack.operational:
        head["operational_definition"] = _both(pack.operational)
    return head


def clause_dict(clause: Clause) -> Answer:
    return {
        "document": clause.document,
        "annex": clause.annex,
        "item": clause.item,
        "page": clause.page or None,
        "confidence": clause.confidence,
    }


def member_text(member: Condition | Group, period: Period) -> Text:
    """The sentence of a condition, or of a group: its name, or its members joined."""
    if isinstance(member, Condition):
        return member.test.text(period)
    if member.name is not None:
        return member.name
    texts = [member_text(child, period) for child in member.live(period)]
    joins = {"any": ("；或 ", "; or "), "all": ("，且 ", ", and ")}[member.mode]
    return Text(joins[0].join(text.zh for text in texts), joins[1].join(text.en for text in texts))


def required_of(test: Any) -> Answer | None:
    """The line a figure is held against, as data; None where the test is no comparison."""
    if isinstance(test, Threshold):
        return {
            "comparison": test.op,
            "line": float(test.line) if test.line.denominator > 1 else int(test.line),
        }
    if isinstance(test, Score):
        return {"comparison": test.op, "line": test.line}
    return {"class": ["medium", "small", "micro"]} if isinstance(test, NotLarge) else None


def shown_rows(pack: Pack, figures: Figures, period: Period) -> list[Answer]:
    """Figures that are shown with a standard and never a condition of it."""
    rows = []
    for item in pack.shown:
        value = item.growth.actual(figures, period)
        points = None if value is None else item.points_for(value)
        rows.append(
            {
                "id": item.id,
                "name": _both(item.name),
                "actual": None if value is None else float(value),
                "points": points,
                "unit": "%",
            }
        )
    return rows


def size_rows(table: SizeTable, figures: Figures, period: Period) -> Answer:
    """The sector of the size table and its bounds beside the firm's figures."""
    row = table.row_of(figures.get(table.industry.key))
    if row is None:
        return {"sector": None, "bounds": []}
    bounds = [
        {
            "label": _both(field.label),
            "column": period.column(field, 1),
            "actual": figures.get(period.column(field, 1)),
            "unit": field.unit,
            "large": bound[0],
            "medium": bound[1],
            "small": bound[2],
        }
        for field, bound in zip(table.figures, row.bounds, strict=True)
        if bound is not None
    ]
    return {
        "sector": {"row": row.number, "name": _both(row.name), "confidence": row.confidence},
        "bounds": bounds,
    }


def _both_or_none(text: Text | None) -> Mapping[str, str] | None:
    return None if text is None else _both(text)


def _both(text: Text) -> Mapping[str, str]:
    return {"zh": text.zh, "en": text.en}


def pack_dict(pack: Pack, period: Period) -> Answer:
    """A standard on its own, as plain data: its head, conditions, card, options and amount."""
    period = pack.effective(period)
    answer = pack_head(pack, period)
    answer["conditions"] = [_member_dict(member, period) for member in pack.root.live(period)]
    if pack.card is not None:
        answer["card"] = [
            {
                "id": part.id,
                "name": _both(part.name),
                "max": part.top,
                "indicators": [
                    {
                        "id": indicator.id,
                        "name": _both(indicator.name),
                        "max": indicator.top,
                        "rows": [
                            {"text": _both(text), "points": points}
                            for text, points in indicator.item.rows(period)
                        ],
                    }
                    for indicator in part.indicators
                ],
            }
            for part in pack.card.parts
        ]
    if pack.options:
        answer["options"] = [_member_dict(member, period) for member in pack.options]
    if pack.programme:
        answer["amount"] = pack.amount and {"at_most": pack.amount.at_most}
    return answer


def _member_dict(member: Condition | Group, period: Period) -> Answer:
    answer: Answer = {
        "id": member.id,
        "text": _both(member_text(member, period)),
        "clause": clause_dict(member.clause),
    }
    if isinstance(member, Condition):
        answer["required"] = required_of(member.test)
    else:
        answer[member.mode] = [_member_dict(child, period) for child in member.live(period)]
    return answer
