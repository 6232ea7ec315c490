"""The form of an assessment: every standard's conditions, cards and sources with the firm's blanks open."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from models.errors import Text
from models.forms import (
    FigureBytes,
    FigureHole,
    InputHole,
    InSentence,
    NamingHole,
    NumberHole,
    RangeHole,
    SaidOf,
    Sheaf,
    Spliced,
    WorkedHole,
    both,
    figure_bytes,
    form_of,
    key_hole,
    not_said,
    said_of,
    said_plainly,
    verdict_hole,
    within,
)
from models.ladder import mark_held, standing_of
from models.rules.card import Bands, Card, ChoicePoints, Entered, FlagPoints, Indicator, Leaf
from models.rules.compile import Branch, Compiled, Standards
from models.rules.condition import (
    Choice,
    Condition,
    FirstYear,
    Flag,
    Place,
    Rank,
    Score,
    Sector,
    Test,
    Threshold,
    Title,
)
from models.rules.describe import clause_dict, pack_head, shown_rows, size_rows
from models.rules.explain import sentences_of
from models.rules.firm import Trace
from models.rules.program import Slot
from models.rules.quantity import Figures, Period, Quantity, Value
from models.rules.reason import (
    ACTUAL,
    NO_FIGURE,
    REQUIRED,
    VERDICT_WORDS,
    bracketed,
    group_reason,
    size_reason,
    standard_reason,
)
from models.rules.required import required_of
from models.rules.rulebook import Rulebook
from models.rules.sentence import member_text
from models.rules.size import SizeTable
from models.rules.units import machine_unit, spell
from models.verdict import Verdict

Tree = dict[str, Any]
Work = Callable[[Figures], Any]
Told = Callable[[Any, Figures, Period], Text | None]
Say = Callable[[Any], SaidOf]

LADDER = "ladder"
"""Name of the ladder's form among the standards', whose ids all have a point."""
_REPEATED = frozenset({"as_of", "disclaimer", "pack_hash"})
"""Of a standard's head: said once for the whole assessment."""


class Forms:
    """The forms of all standards under one compiled program, and what their blanks ask of a firm."""

    def __init__(self, book: Rulebook, standards: Standards) -> None:
        self._standards, self._period = standards, standards.period
        self._places: dict[Hashable, int] = {}
        self._read: dict[tuple[str, ...], int] = {}
        self._columns: list[str] = []
        self._works: list[tuple[int, Work]] = []
        self._says: list[Say] = []
        self._tells: list[tuple[int, Told]] = []
        self._blanks: list[SaidOf] = []
        forms = {i: form_of(self._standard(compiled)) for i, compiled in standards.compiled.items()}
        self.sheaf = Sheaf({**forms, LADDER: form_of(self._ladder(book))})
        """Every standard's form by its id, and the ladder's."""

    @property
    def reads(self) -> list[tuple[str, ...]]:
        """Columns whose values and sources are asked for together, by place."""
        return list(self._read)

    def figures(self, figures: Figures) -> FigureBytes:
        """What there is to work out of a firm's figures, worked out and put into words."""
        values = list(map(figures.get, self._columns))
        for place, work in self._works:
            values[place] = work(figures)
        said = [
            blank if value is None else say(value)
            for value, say, blank in zip(values, self._says, self._blanks, strict=True)
        ]
        for place, tell in self._tells:
            if values[place] is not None and (told := tell(values[place], figures, self._period)):
                said[place] = said_of(told)
        return figure_bytes(values, said)

    def _standard(self, compiled: Compiled) -> Tree:
        pack, period = compiled.pack, compiled.period
        tree = {key: value for key, value in pack_head(pack, period).items() if key not in _REPEATED}
        if pack.size_table is not None:
            return tree | self._size(compiled, pack.size_table)
        tree["verdict"] = verdict_hole(compiled.verdict, VERDICT_WORDS)
        tree["reason"] = _why(compiled)
        if pack.card is not None:
            tree["score"] = self._card(pack.card, compiled)
        tree["conditions"] = [self._branch(branch, compiled) for branch in compiled.branches]
        if compiled.labels:
            tree["labels"] = [
                {
                    "id": label.id,
                    "name": both(label.name),
                    "verdict": verdict_hole(compiled.labels[label.id], VERDICT_WORDS),
                }
                for label in pack.labels
            ]
        if pack.shown:
            tree["shown"] = WorkedHole(lambda trace: shown_rows(pack, trace.figures, period))
        return tree

    def _size(self, compiled: Compiled, table: SizeTable) -> Tree:
        rows = partial(_size_part, table, compiled.period)
        # The class counts from −1, unknown, which Python takes for the last.
        words = [(key, SizeTable.LABELS[key]) for key in (*SizeTable.KEYS, "unknown")]
        return {
            "verdict": verdict_hole(compiled.verdict, words, [size_reason(key) for key, _ in words]),
            "sector": WorkedHole(partial(rows, "sector")),
            "bounds": WorkedHole(partial(rows, "bounds")),
            "inputs": self._inputs([compiled.verdict]),
        }

    def _branch(self, branch: Branch, compiled: Compiled) -> Tree:
        member, period = branch.member, compiled.period
        head: Tree = {"id": member.id, "text": both(member_text(member, period))}
        if isinstance(member, Condition):
            return head | self._condition(branch, member, compiled)
        reasons = [group_reason(member.mode, verdict) for verdict in Verdict]
        return head | {
            "verdict": verdict_hole(branch.slot, VERDICT_WORDS, reasons),
            "clause": clause_dict(member.clause),
            "join": member.mode,
            "name": both(member.name) if member.name else None,
            "members": [self._branch(child, compiled) for child in branch.children],
        }

    def _condition(self, branch: Branch, condition: Condition, compiled: Compiled) -> Tree:
        test, required = condition.test, required_of(condition.test, compiled.period)
        actual = self._actual(test, compiled)
        tree: Tree = {
            "verdict": verdict_hole(branch.slot, VERDICT_WORDS, instead=condition.when_unmet),
            "reason": _reason(actual, required["shown"]),
            "clause": clause_dict(condition.clause),
            "about": type(test).__name__.lower(),
            "unit": machine_unit(test.unit),
            "required": required,
            "actual": actual,
            # A score reads the whole card, which says so indicator by indicator.
            "inputs": [] if isinstance(test, Score) else self._inputs([branch.slot]),
        }
        return tree | ({"note": both(condition.note)} if condition.note else {})

    def _actual(self, test: Test, compiled: Compiled) -> FigureHole | RangeHole:
        if isinstance(test, Score):
            slots = compiled.score if test.of is None else compiled.indicators[test.of]
            assert slots is not None
            return RangeHole(*slots)
        work = _work(test, compiled.period)
        return self._figure(_subject(test, compiled.period), work, test.told, test.blank)

    def _figure(self, subject: Hashable, work: Work | str, told: Told, blank: Text) -> FigureHole:
        """Many conditions draw lines on one quantity: it is worked out once a firm, or is a column."""
        if subject not in self._places:
            place = self._places[subject] = len(self._columns)
            if isinstance(work, str):
                self._columns.append(work)
            else:
                self._columns.append("")
                self._works.append((place, work))
            unsaid = not_said(blank)
            say = _say(told, self._period, subject, unsaid)
            if say is None:
                self._tells.append((place, told))
            self._says.append(say or (lambda value: unsaid))
            self._blanks.append(unsaid)
        return FigureHole(self._places[subject])

    def _inputs(self, slots: list[Slot]) -> InputHole:
        names = tuple(sorted(self._standards.program.inputs(slots)))
        return InputHole(self._read.setdefault(names, len(self._read)))

    def _card(self, card: Card, compiled: Compiled) -> Tree:
        assert compiled.score is not None
        return {
            **_range(compiled.score),
            "max": sum(part.top for part in card.parts),
            "parts": [
                {
                    "id": part.id,
                    "name": both(part.name),
                    "max": part.top,
                    **_range(compiled.indicators[part.id]),
                    "indicators": [self._indicator(indicator, compiled) for indicator in part.indicators],
                }
                for part in card.parts
            ],
        }

    def _indicator(self, indicator: Indicator, compiled: Compiled) -> Tree:
        slots = compiled.indicators[indicator.id]
        return {
            "id": indicator.id,
            "name": both(indicator.name),
            "max": indicator.top,
            **_range(slots),
            "readings": [
                self._reading(leaf, compiled.period)
                for leaf in indicator.item.leaves()
                if isinstance(leaf, Leaf)
            ],
            "inputs": self._inputs(list(slots)),
        }

    def _reading(self, leaf: Leaf, period: Period) -> Tree:
        figure = self._figure(_read_by(leaf, period), _leaf_work(leaf, period), leaf.told, NO_FIGURE)
        return {"label": both(leaf.label(period)), "actual": figure, "unit": machine_unit(leaf.unit)}

    def _ladder(self, book: Rulebook) -> Tree:
        """:func:`models.answer.standing_dict` with its blanks open."""
        standards = self._standards
        # Of a firm of which nothing is known, to see what the ladder is made of.
        blank = Trace({}, dict.fromkeys(range(len(standards.program.nodes)), 0))
        standing = standing_of(book, standards, blank)
        return {
            "recognised": NumberHole(standards.recognised),
            "qualifies": NumberHole(standards.qualifies),
            "could_reach": NumberHole(standards.could_reach),
            "rungs": [
                {
                    "rung": rung.number,
                    "name": both(rung.name),
                    "title": None if rung.title is None else key_hole(standards.rung_titles[rung.number]),
                    "standards": self._verdicts(rung.standards),
                    "lapsed": rung.lapsed,
                }
                for rung in standing.rungs
            ],
            "growth_track": [
                {"name": both(name), "standards": self._verdicts(verdicts)}
                for name, verdicts in standing.growth_track
            ],
            "technology_marks": [
                {
                    "name": both(Text(*mark["name"])),
                    "held": WorkedHole(partial(_held, mark, standards.period)),
                    "standard": key_hole(standards.compiled[mark["standard"]].verdict),
                }
                for mark in book.ladder["technology_marks"]
            ],
        }

    def _verdicts(self, ids: Any) -> Tree:
        return {i: key_hole(self._standards.compiled[i].verdict) for i in ids}


def _say(told: Told, period: Period, subject: Hashable, blank: SaidOf) -> Say | None:
    """How a figure is put into words by its value alone, once where it takes few; None where others count."""
    if not isinstance(subject, Quantity):

        def say(value: Any) -> SaidOf:
            text = told(value, {}, period)
            return blank if text is None else said_of(text)

        return lru_cache(1024)(say)
    if type(subject).shown is not Quantity.shown:
        return None
    unit = subject.unit
    return lambda value: said_plainly(*spell(value, unit))


def _why(compiled: Compiled) -> NamingHole:
    """:func:`models.rules.reason.standard_reason` with its blanks open."""
    return NamingHole(
        compiled.verdict,
        tuple(branch.slot for branch in compiled.branches),
        tuple(InSentence.of(standard_reason(verdict, ())) for verdict in Verdict),
        tuple(InSentence.of(bracketed(text)) for text in sentences_of(compiled)),
    )


def _reason(actual: FigureHole | RangeHole, required: Mapping[str, str]) -> Spliced:
    """:func:`models.rules.reason.condition_reason` with its blanks open."""
    zh, en = within(REQUIRED.zh + required["zh"]), within(REQUIRED.en + required["en"])
    figure = replace(actual, part="zh"), replace(actual, part="en")
    begin = b'{"zh":"' + within(ACTUAL.zh), zh + b'","en":"' + within(ACTUAL.en)
    return Spliced((begin[0], figure[0], begin[1], figure[1], en + b'"}'))


def _held(mark: Mapping[str, Any], period: Period, trace: Trace) -> bool | None:
    return mark_held(mark, trace.figures, period)


def _size_part(table: SizeTable, period: Period, part: str, trace: Trace) -> Any:
    return size_rows(table, trace.figures, period)[part]


def _range(slots: tuple[Slot, Slot]) -> Tree:
    return {"low": NumberHole(slots[0]), "high": NumberHole(slots[1])}


def _work(test: Test, period: Period) -> Work | str:
    """How the figure of a test is worked out: most are a column, which is named."""
    if isinstance(test, Threshold):
        return _quantity_work(test.quantity, period)
    if isinstance(test, Flag | Title | Choice | Rank | FirstYear):
        return test.column(period)
    return partial(_called, test.actual, period)


def _leaf_work(leaf: Leaf, period: Period) -> Work | str:
    if isinstance(leaf, Bands):
        return _quantity_work(leaf.quantity, period)
    if isinstance(leaf, FlagPoints | Entered | ChoicePoints):
        return leaf.field.column()
    return partial(_called, leaf.actual, period)


def _quantity_work(quantity: Quantity, period: Period) -> Work | str:
    if isinstance(quantity, Value):
        return period.column(quantity.field, quantity.back)
    return partial(_called, quantity.actual, period)


def _called(actual: Callable[[Figures, Period], Any], period: Period, figures: Figures) -> Any:
    return actual(figures, period)


def _subject(test: Test, period: Period) -> Hashable:
    """What the figure of a test is of: the same figure in many tests is one."""
    if isinstance(test, Threshold):
        return test.quantity
    if isinstance(test, Sector | Place):
        return type(test)
    if isinstance(test, Flag | Title | Choice | Rank | FirstYear):
        return test.column(period)
    return type(test)


def _read_by(leaf: Leaf, period: Period) -> Hashable:
    if isinstance(leaf, Bands):
        return leaf.quantity
    assert isinstance(leaf, FlagPoints | ChoicePoints | Entered)
    return "card", period.column(leaf.field, None)
