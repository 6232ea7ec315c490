"""What a result workbook has to know about the standards it shows: their names, texts and dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from models.errors import Text
from models.verdict import Verdict

SIZE_WORDS = {
    "large": Text("大型", "large"),
    "medium": Text("中型", "medium"),
    "small": Text("小型", "small"),
    "micro": Text("微型", "micro"),
    "unknown": Text("缺数据", "a figure is missing"),
}
VERDICT_WORDS = {verdict.key: verdict.text for verdict in sorted(Verdict, reverse=True)}
KIND_WORDS = {"new": Text("新申报", "new application"), "review": Text("复核", "re-review")}


@dataclass(frozen=True, slots=True)
class StandardGuide:
    """One standard as the workbook speaks of it."""

    id: str
    name: Text
    short: str
    """Chinese, short enough for a column header, different for every standard: ``专精特新（2026）``."""
    document: str
    in_force: bool
    """At ``as_of``, for the kind of application."""
    conditions: Mapping[str, Text]
    """Short sentence for every id that can stand in ``<id>.unmet`` and ``<id>.open``."""
    attested: frozenset[str] = frozenset()
    """Conditions that, while open, wait for a person and not for a figure."""
    has_score: bool = False
    is_value: bool = False
    """The column holds a size class, not a verdict."""

    @property
    def words(self) -> Mapping[str, Text]:
        """What the values of the column are called, best first."""
        return SIZE_WORDS if self.is_value else VERDICT_WORDS

    def sentence(self, condition: str) -> str:
        text = self.conditions.get(condition)
        return text.zh if text else condition


@dataclass(frozen=True, slots=True)
class ResultGuide:
    """What was asked, and of which rulebook."""

    title: Text
    as_of: date
    kind: str
    rulebook: str
    """Hash of the rulebook."""
    source: str
    """Name of the file that was judged."""
    rungs: Mapping[int, Text]
    standards: Sequence[StandardGuide]
    """In the order of the result's columns."""
    scale: str | None = None
    """The standard of rung 1: where it lacks a figure, rung 0 says nothing of the firm."""
    titles_given: bool = True
    """Does the file hold any title or the directory? Where not, rung 0 held is not known either."""
    notices: Sequence[Text] = ()
    """What the reader has to know of the whole file before the counts."""
