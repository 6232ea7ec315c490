"""Where a firm stands: the ladder's three answers, the growth track, the technology marks (contract.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.errors import Text
from models.rules.compile import Standards
from models.rules.firm import Trace
from models.rules.quantity import Figures, Period
from models.rules.rulebook import Rulebook
from models.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung for one firm: is its title held, what do its standards say."""

    number: int
    name: Text
    title: Verdict | None
    """None where the rung has no title."""
    standards: Mapping[str, Verdict]
    lapsed: tuple[str, ...]
    """Standards that are no longer in force and have no successor."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A firm's three answers, each a rung number; rungs below need not hold."""

    recognised: int
    qualifies: int
    could_reach: int
    rungs: tuple[Rung, ...]
    growth_track: tuple[tuple[Text, Mapping[str, Verdict]], ...]
    technology_marks: tuple[tuple[Text, bool | None, Verdict | None], ...]
    """(mark, is it held, what the standard says)."""

    def name(self, number: int) -> Text:
        return self.rungs[number].name


def rung_names(book: Rulebook) -> dict[int, Text]:
    return {rung["rung"]: Text(*rung["name"]) for rung in book.ladder["rungs"]}


def standing_of(book: Rulebook, standards: Standards, trace: Trace) -> Standing:
    return Standing(
        recognised=trace.values[standards.recognised],
        qualifies=trace.values[standards.qualifies],
        could_reach=trace.values[standards.could_reach],
        rungs=tuple(_rung(book, standards, trace, number, name) for number, name in rung_names(book).items()),
        growth_track=tuple(
            (Text(*step["name"]), _verdicts(standards, trace, step["standards"]))
            for step in book.ladder["growth_track"]
        ),
        technology_marks=tuple(_mark(standards, trace, mark) for mark in book.ladder["technology_marks"]),
    )


def _rung(book: Rulebook, standards: Standards, trace: Trace, number: int, name: Text) -> Rung:
    title = standards.rung_titles.get(number)
    ids = standards.rung_standards.get(number, ())
    lapsed = tuple(i for i in ids if not book[i].in_force_on(standards.period))
    held = None if title is None else trace.verdict(title)
    return Rung(number, name, held, _verdicts(standards, trace, ids), lapsed)


def _verdicts(standards: Standards, trace: Trace, ids: Any) -> dict[str, Verdict]:
    return {i: trace.verdict(standards.compiled[i].verdict) for i in ids if i in standards.compiled}


def _mark(
    standards: Standards, trace: Trace, mark: Mapping[str, Any]
) -> tuple[Text, bool | None, Verdict | None]:
    verdict = _verdicts(standards, trace, [mark["standard"]]).get(mark["standard"])
    return Text(*mark["name"]), mark_held(mark, trace.figures, standards.period), verdict


def mark_held(mark: Mapping[str, Any], figures: Figures, period: Period) -> bool | None:
    """Does the firm hold a technology mark: listed on its board, or by its title. None: not known."""
    if "board" in mark:
        board = figures.get("listed_board")
        return None if board is None else board == mark["board"]
    valid_until = figures.get(mark["title"])
    return None if valid_until is None else valid_until >= period.as_of
