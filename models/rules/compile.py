"""From packs to one program for a date and a kind: every standard's slots, shared where they are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.fields import catalogue
from models.rules.condition import Condition, Group
from models.rules.pack import Pack
from models.rules.program import Builder, Program, Slot
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.verdict import Verdict

DIRECTORY_YEARS = 30
"""How many years back "in the latest year given" looks for ``in_directory``: the directory is younger."""


@dataclass(frozen=True)
class Branch:
    """A condition or a group with its verdict's slot, as it stands in this period."""

    member: Condition | Group
    slot: Slot
    children: tuple[Branch, ...] = ()

    def walk(self) -> Iterator[Branch]:
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Compiled:
    """One standard compiled. Its terms must all hold; their ids stand in ``.unmet`` and ``.open``."""

    pack: Pack
    period: Period
    """With the kind the pack is judged by."""
    branches: tuple[Branch, ...]
    term_ids: tuple[str, ...]
    verdict: Slot
    """A verdict, or the class where the pack's answer is a size class."""
    unmet: Slot
    open: Slot
    score: tuple[Slot, Slot] | None
    indicators: Mapping[str, tuple[Slot, Slot]]
    labels: Mapping[str, Slot]

    def shown_slots(self) -> Iterator[Slot]:
        """Slots that ``tidui score`` writes."""
        yield from (self.verdict, self.unmet, self.open, *(self.score or ()))

    def all_slots(self) -> Iterator[Slot]:
        """Slots that a full explanation shows."""
        yield self.verdict
        for branch in self.branches:
            yield from (b.slot for b in branch.walk())
        yield from self.score or ()
        for pair in self.indicators.values():
            yield from pair
        yield from self.labels.values()


@dataclass(frozen=True)
class Standards:
    """Several standards and the ladder, compiled to one program."""

    program: Program
    period: Period
    compiled: Mapping[str, Compiled]
    """The standards asked for, in order, and any the ladder needs besides."""
    chosen: tuple[str, ...]
    recognised: Slot
    qualifies: Slot
    could_reach: Slot
    rung_titles: Mapping[int, Slot]
    rung_standards: Mapping[int, tuple[str, ...]]

    def inputs(self) -> frozenset[str]:
        """Columns that ``tidui score`` must read for the chosen standards and the ladder."""
        slots = [slot for pack_id in self.chosen for slot in self.compiled[pack_id].shown_slots()]
        return self.program.inputs([*slots, self.recognised, self.qualifies, self.could_reach])


def compile_standards(book: Rulebook, period: Period, chosen: Sequence[str] | None = None) -> Standards:
    """Compile the chosen standards (default: all) and what the ladder needs. UsageRefused: unknown id."""
    b = Builder()
    ids = tuple(chosen) if chosen is not None else tuple(book.packs)
    families = {r["rung"]: r["standards"] for r in book.ladder["rungs"] if "standards" in r}
    rungs = {
        rung: tuple(pack.id for name in names if (pack := book.version(name, period)) is not None)
        for rung, names in families.items()
    }
    needed = dict.fromkeys([*ids, *(pack_id for pack_ids in rungs.values() for pack_id in pack_ids)])
    compiled = {pack_id: compile_pack(b, book[pack_id], period) for pack_id in needed}
    titles = _titles(b, book, period)
    verdicts = {rung: b.any([compiled[i].verdict for i in found]) for rung, found in rungs.items() if found}
    return Standards(
        period=period,
        compiled=compiled,
        chosen=ids,
        recognised=b.highest([*titles.values()], [*titles], Verdict.MET),
        qualifies=b.highest([*verdicts.values()], [*verdicts], Verdict.MET),
        could_reach=b.highest([*verdicts.values()], [*verdicts], Verdict.REVIEW),
        rung_titles=titles,
        rung_standards=rungs,
        program=b.program(),
    )


def _titles(b: Builder, book: Rulebook, period: Period) -> dict[int, Slot]:
    """Rung → is its title held; rung 1 is the directory in the latest year given."""
    held: dict[int, Slot] = {}
    for rung in book.ladder["rungs"]:
        if "directory" in rung:
            held[rung["rung"]] = _in_directory(b, rung["directory"], period)
        elif "titles" in rung:
            dates = [b.input(title) for title in rung["titles"]]
            as_of = b.const(period.as_of)
            held[rung["rung"]] = b.any([b.judge(b.compare("ge", day, as_of)) for day in dates])
    return held


def _in_directory(b: Builder, field: str, period: Period) -> Slot:
    years = [b.input(catalogue()[field].column(period.year(back))) for back in range(DIRECTORY_YEARS)]
    latest = years[-1]
    for year in reversed(years[:-1]):
        latest = b.first(year, latest)
    return b.judge(b.among(latest, (True,)))


def compile_pack(b: Builder, pack: Pack, period: Period) -> Compiled:
    period = pack.effective(period)
    if pack.size_table is not None:
        return _compile_size(b, pack, period)
    branches = tuple(_branch(b, member, period) for member in pack.terms(period))
    verdicts = [branch.slot for branch in branches]
    verdict = b.all(verdicts)
    card = pack.card
    return Compiled(
        pack=pack,
        period=period,
        branches=branches,
        term_ids=tuple(branch.member.id or "" for branch in branches),
        verdict=verdict,
        unmet=b.mask(verdicts, (Verdict.UNMET,)),
        open=b.mask(verdicts, (Verdict.UNKNOWN, Verdict.REVIEW)),
        score=card.range(b, period) if card else None,
        indicators={item: card.range(b, period, item) for item in sorted(card.ids())} if card else {},
        labels={
            label.id: b.all([verdict, *(_branch(b, m, period).slot for m in label.also.live(period))])
            for label in pack.labels
        },
    )


def _branch(b: Builder, member: Condition | Group, period: Period) -> Branch:
    if isinstance(member, Condition):
        return Branch(member, member.test.build(b, period))
    children = tuple(_branch(b, child, period) for child in member.live(period))
    join = b.all if member.mode == "all" else b.any
    return Branch(member, join([child.slot for child in children]), children)


def _compile_size(b: Builder, pack: Pack, period: Period) -> Compiled:
    """The size class; ``open`` names the industry or the figures that leave it unknown."""
    table = pack.size_table
    assert table is not None
    row = table.row_slot(b)
    size = b.size(*table.classes(b, period))
    covered = b.judge(b.compare("gt", b.instead(row, 0), b.const(0)))
    settled = [b.judge(b.compare("ge", size, b.const(0))), b.negate(covered)]
    open_terms = [covered]
    for place, figure in enumerate(table.figures):
        numbers = [r.number for r in table.rows if r.bounds[place] is not None]
        used = b.judge(b.among(b.instead(row, 0), numbers))
        present = b.judge(b.known(b.input(period.column(figure, 1))))
        open_terms.append(b.any([*settled, b.negate(used), present]))
    ids = (table.industry.key, *(figure.key for figure in table.figures))
    none = b.mask([], (Verdict.UNMET,))
    return Compiled(pack, period, (), ids, size, none, b.mask(open_terms, (Verdict.UNMET,)), None, {}, {})
