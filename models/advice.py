"""What is missing to the next rung: shortfalls in figures, blank fields, things to attest.

The advice never judges: every verdict in it is the rules'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from models.advice_fields import is_closed, nature_of
from models.errors import Text
from models.fields import MONEY_LIMIT, NO_TITLE, Field, catalogue
from models.ladder import Standing, standing_of
from models.rules.card import Card
from models.rules.compile import Branch, Compiled, Standards
from models.rules.condition import Condition, Group, Score, Sector, Test
from models.rules.explain import clause_dict, member_text
from models.rules.firm import FirmReader, Trace
from models.rules.quantity import Figures, Period
from models.rules.rulebook import Rulebook
from models.rules.units import show
from models.verdict import Verdict

GapKind = Literal["unmet", "missing", "attest"]


@dataclass(frozen=True, slots=True)
class Gap:
    """One condition that is not met: what it asks, what is there, what would settle it."""

    kind: GapKind
    id: str
    text: Text
    clause: Mapping[str, Any]
    actual: Text | None
    shortfall: Text | None
    """How far the figure is from the line, everything else unchanged."""
    blanks: tuple[str, ...]
    """Columns that are blank and would be asked for."""
    closed: bool
    """The figure is of a year that is over, or given for this one: it can be corrected, not changed."""
    alternatives: tuple[tuple[Gap, ...], ...] = ()
    """For *any of*: each way with its own gaps, the nearest first."""


@dataclass(frozen=True, slots=True)
class StandardGap:
    """A standard and what stands between the firm and it."""

    id: str
    name: Text
    verdict: Verdict
    in_force: bool
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A blank field worth asking for: how many standards and conditions an answer settles on average."""

    column: str
    field: Field
    standards: float
    conditions: float


@dataclass(frozen=True, slots=True)
class Advice:
    """Where the firm stands, what it could apply for now, and what the next rung still asks."""

    standing: Standing
    ready: tuple[int, ...]
    """Rungs above the recognised one whose standard is met already."""
    next_rung: int | None
    standards: tuple[StandardGap, ...]
    """The next rung's standards, nearest first."""
    questions: tuple[Question, ...]


def advise(book: Rulebook, standards: Standards, reader: FirmReader, figures: Figures) -> Advice:
    """Advice for one firm (canonical column → value) under the compiled standards."""
    trace = reader.read(figures)
    standing = standing_of(book, standards, trace)
    top = max(standing.recognised, standing.qualifies)
    next_rung = next((rung for rung in standards.rung_standards if rung > top), None)
    ids = standards.rung_standards[next_rung] if next_rung is not None else ()
    gaps = sorted(
        (gap_to(standards.compiled[i], standards, trace) for i in ids), key=lambda gap: len(gap.gaps)
    )
    ready = tuple(
        rung.number
        for rung in standing.rungs
        if rung.number > standing.recognised and Verdict.MET in rung.standards.values()
    )
    return Advice(standing, ready, next_rung, tuple(gaps), questions(standards, reader, figures))


def gap_to(compiled: Compiled, standards: Standards, trace: Trace) -> StandardGap:
    """What stands between a firm and one standard."""
    find = _Finder(compiled, standards, trace)
    gaps = tuple(gap for branch in compiled.branches for gap in find.gaps(branch))
    pack = compiled.pack
    return StandardGap(
        pack.id, pack.name, trace.verdict(compiled.verdict), pack.in_force_on(compiled.period), gaps
    )


class _Finder:
    """Finds the gaps of one standard in one firm's trace."""

    def __init__(self, compiled: Compiled, standards: Standards, trace: Trace) -> None:
        self.compiled, self.program, self.trace = compiled, standards.program, trace
        self.period: Period = compiled.period

    def gaps(self, branch: Branch) -> Iterator[Gap]:
        if self.trace.verdict(branch.slot) is Verdict.MET:
            return
        member = branch.member
        if isinstance(member, Condition):
            yield self._leaf(branch, member)
        elif member.mode == "all":
            for child in branch.children:
                yield from self.gaps(child)
        else:
            yield self._alternatives(branch, member)

    def _kind(self, branch: Branch) -> GapKind:
        verdict = self.trace.verdict(branch.slot)
        return "unmet" if verdict is Verdict.UNMET else "attest" if verdict is Verdict.REVIEW else "missing"

    def _blanks(self, branch: Branch) -> tuple[str, ...]:
        read = self.program.inputs([branch.slot])
        return tuple(sorted(column for column in read if self.trace.figures.get(column) is None))

    def _alternatives(self, branch: Branch, group: Group) -> Gap:
        mine = [child for child in branch.children if not self._of_another_sector(child)]
        ways = sorted((tuple(self.gaps(child)) for child in mine or branch.children), key=_effort)
        return Gap(
            self._kind(branch),
            group.id or "",
            member_text(group, self.period),
            clause_dict(group.clause),
            None,
            None,
            self._blanks(branch),
            False,
            tuple(ways),
        )

    def _of_another_sector(self, branch: Branch) -> bool:
        """A way that is for other sectors than the firm's."""
        while branch.children:
            branch = branch.children[0]
        member = branch.member
        is_sector = isinstance(member, Condition) and isinstance(member.test, Sector)
        return is_sector and self.trace.verdict(branch.slot) is Verdict.UNMET

    def _leaf(self, branch: Branch, condition: Condition) -> Gap:
        test, unmet = condition.test, self.trace.verdict(branch.slot) is Verdict.UNMET
        shortfall: Text | None = None
        actual: Text | None
        closed = False
        if isinstance(test, Score):
            shortfall = self._points(test.card, test) if unmet else None
            actual = self._range(test)
        else:
            actual = test.shown(self.trace.figures, self.period)
            if unmet:
                shortfall, closed = self._shortfall(test)
        return Gap(
            self._kind(branch),
            condition.id,
            condition.when_unmet if unmet and condition.when_unmet else member_text(condition, self.period),
            clause_dict(condition.clause),
            actual,
            shortfall,
            self._blanks(branch),
            closed,
        )

    def _range(self, test: Score) -> Text:
        slots = self.compiled.score if test.of is None else self.compiled.indicators[test.of]
        assert slots is not None
        low, high = (show(self.trace.values[slot], "分") for slot in slots)
        return low if low == high else Text(f"{low.zh}～{high.zh}", f"{low.en} to {high.en}")

    def _points(self, card: Card, test: Score) -> Text:
        """Points short at best, and the indicators with most room."""
        slots = self.compiled.score if test.of is None else self.compiled.indicators[test.of]
        assert slots is not None
        short = test.line - self.trace.values[slots[1]]
        room = sorted(
            (
                (i.top - self.trace.values[self.compiled.indicators[i.id][1]], i)
                for i in card.indicators(test.of)
            ),
            key=lambda pair: -pair[0],
        )
        most = [(points, indicator) for points, indicator in room if points > 0][:3]
        zh = "、".join(f"{indicator.name.zh}（还可加{show(points, '分').zh}）" for points, indicator in most)
        en = ", ".join(f"{indicator.name.en} (up to {points} more)" for points, indicator in most)
        lacking = show(short, "分")
        return Text(f"至少还差{lacking.zh}；可提高：{zh}", f"at least {lacking.en} short; room in: {en}")

    def _shortfall(self, test: Test) -> tuple[Text | None, bool]:
        found = test.shortfall(self.trace.figures, self.period)
        if found is None:
            return None, False
        parsed = catalogue().parse_column(found.column)
        year = parsed[1] if parsed else None
        amount = show(abs(found.change), "%" if found.field.type == "ratio" else found.unit)
        zh_year, en_year = (f"{year}年", f" {year}") if year else ("", "")
        said = _said_of(found.field, found.change > 0)
        zh = f"{zh_year}{found.field.header_zh}{said.zh.format(amount.zh)}"
        en = f"{found.field.header_en}{en_year}: {said.en.format(amount.en)}"
        return Text(zh, en), is_closed(found.field, year, self.period.as_of.year)


def _said_of(field: Field, is_more: bool) -> Text:
    """What to do about a shortfall; where less would mean doing worse, only that it is over the line."""
    if is_more:
        return Text("至少再加{}", "at least {} more")
    if nature_of(field).better == "down":
        return Text("至少要减{}", "at least {} less")
    return Text("超出{}，不建议为此做小", "{} over the line; doing less is not advised")


def _effort(gaps: tuple[Gap, ...]) -> tuple[int, int]:
    """Nearest first: fewest things unmet, then fewest open."""
    return sum(gap.kind == "unmet" for gap in gaps), len(gaps)


def questions(standards: Standards, reader: FirmReader, figures: Figures) -> tuple[Question, ...]:
    """Blank fields by how much an answer would settle, most first.

    Each blank is tried with answers at both ends of what is possible; counted is how many verdicts
    stop being open, and how many conditions, on average over the tries.
    """
    before = _open(standards, reader.read(figures))
    found = []
    for column in sorted(standards.inputs()):
        if figures.get(column) is not None:
            continue
        parsed = catalogue().parse_column(column)
        assert parsed is not None
        tries = [
            _open(standards, reader.read({**figures, column: v})) for v in _answers(parsed[0], standards)
        ]
        settled = [sum(before[part] - after[part] for after in tries) / len(tries) for part in (0, 1)]
        if settled[0] > 0 or settled[1] > 0:
            found.append(Question(column, parsed[0], *settled))
    return tuple(
        sorted(found, key=lambda question: (-question.standards, -question.conditions, question.column))
    )


def _open(standards: Standards, trace: Trace) -> tuple[int, int]:
    """How many chosen standards are open, and how many of their conditions."""
    open_standards = open_conditions = 0
    for pack_id in standards.chosen:
        compiled = standards.compiled[pack_id]
        if compiled.pack.size_table is None:
            open_standards += trace.values[compiled.verdict] in (Verdict.UNKNOWN, Verdict.REVIEW)
            open_conditions += trace.values[compiled.open].bit_count()
    return open_standards, open_conditions


def _answers(field: Field, standards: Standards) -> list[Any]:
    """Answers at both ends of what the field can hold."""
    as_of: date = standards.period.as_of
    if field.key == "industry":
        return [39114, 65104, 51904]
    if field.key == "district":
        return ["310115", "320000"]
    if field.options:
        return list(field.options)
    if field.range:
        return list(field.range)
    ends: dict[str, list[Any]] = {
        "bool": [True, False],
        "date": [as_of - timedelta(days=400), as_of - timedelta(days=20 * 366)],
        "title": [NO_TITLE, as_of + timedelta(days=366)],
        "money": [0, MONEY_LIMIT // 100],
        "ratio": [0.0, 1.0],
        "decimal": [0.0, 50.0],
        "year": [0, as_of.year, as_of.year - 1],
        "count": [0, 1, 10**6],
    }
    return ends[field.type]
