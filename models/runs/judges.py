"""What the firms of a run are judged, worded and counted with, made once in a process."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from models.kept import Kept
from models.registry import rulebooks
from models.registry.judging import Judging
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook, rulebook
from models.rules.table import Words
from models.runs.counting import Counting
from models.runs.record import Run


@dataclass(frozen=True)
class Judges:
    """Of runs by one rulebook, date and kind, for the same standards."""

    book: Rulebook
    judging: Judging
    words: Words
    counting: Counting


_KEPT: Kept[tuple[object, ...], Judges] = Kept(4)


def judges_of(connection: Connection, of: Run) -> Judges:
    """By the rulebook the run is pinned to, be it the one that ships or another that is kept."""

    def make() -> Judges:
        shipped = rulebook()
        book = shipped if shipped.hash == of.rulebook_hash else rulebooks.load(connection, of.rulebook_hash)
        judging = Judging(book, Period(of.as_of, of.kind), of.standards)
        return Judges(book, judging, Words(judging.standards), Counting(judging))

    return _KEPT.get((of.rulebook_hash, of.as_of, of.kind, of.standards), make)
