"""What the registry knows of a firm, figure by figure: the last word, who said it, and what else was said.

Whose word stands is decided in :mod:`models.registry.words`; a blank says nothing, and a complete list
without the firm says 无. Here the words are gathered from the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import BindParameter, Connection, bindparam, select

from models.registry.firm_rows import firm_rows, firm_version
from models.registry.partitions import FORMER, NAMES
from models.registry.state import State
from models.registry.tables import correction, edition, title_entry, title_list
from models.registry.tables import facts as facts_table
from models.registry.title_columns import MEMBER, NOT_HELD, title_column
from models.registry.words import Fact, Hand, ListWord, Upload, last_upload, out_of_order, told_of
from models.tabular.former import split_former

__all__ = [
    "Fact", "Figures", "FirmFacts", "complete_lists", "figures_of", "firm_facts", "firm_version"
]  # fmt: skip

IDENTITY = ("uscc", *NAMES)
"""Stand in a document and are no figures."""


class Figures(Mapping[str, Fact]):
    """Facts by column. Values stand ready; who said it is looked up when asked for."""

    def __init__(self, uploads: Sequence[Upload], told: Mapping[str, Fact]) -> None:
        """``uploads``: lightest first. ``told``: columns of which hand or list has something to say."""
        self._uploads = uploads
        self._told = told
        self.values_by_column: dict[str, Any] = {}
        for upload in uploads:
            self.values_by_column.update(upload.document)
        for column, fact in told.items():
            self.values_by_column[column] = fact.value
        for column in IDENTITY:
            self.values_by_column.pop(column, None)
        self._voices = [
            (one.document, Fact(None, "upload", one.dated, one.origin, one.edition_id))
            for one in reversed(uploads)
        ]
        self._mixed = out_of_order(uploads)

    def said(self, column: str) -> Fact:
        """Who said what stands here, and when; an upload's value is left out, which spares making a fact."""
        if column in self._told:
            return self._told[column]
        if self._mixed:
            return self[column]
        return next(voice for document, voice in self._voices if column in document)

    def __getitem__(self, column: str) -> Fact:
        if column in self._told:
            return self._told[column]
        fact = last_upload(self._uploads, column) if column in self.values_by_column else None
        if fact is None:
            raise KeyError(column)
        return fact

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.values_by_column))

    def __len__(self) -> int:
        return len(self.values_by_column)

    def former_names(self, name: str | None) -> tuple[str, ...]:
        """Other names that editions give, the latest first."""
        names = dict.fromkeys(one for upload in reversed(self._uploads) for one in _names(upload.document))
        return tuple(other for other in names if other is not None and other != name)


def _names(document: Mapping[str, Any]) -> Iterator[str | None]:
    """The name that a document gives, then the former ones."""
    yield document.get("name")
    yield from split_former(document.get(FORMER))


@dataclass(frozen=True, slots=True)
class FirmFacts:
    """A firm as the registry knows it."""

    uscc: str
    name: str | None
    district: str | None
    industry: int | None
    version: int
    """Counts corrections by hand."""
    former_names: tuple[str, ...] = ()
    """Names of earlier editions and those that files call former ones, the latest first."""
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def external(self) -> dict[str, Any]:
        """Column → value, sorted by column."""
        if isinstance(self.facts, Figures):
            return dict(sorted(self.facts.values_by_column.items()))
        return {column: self.facts[column].value for column in sorted(self.facts)}


def firm_facts(
    connection: Connection, state: State, usccs: Sequence[str], *, district: str | None = None
) -> dict[str, FirmFacts]:
    """Facts of the firms in the order asked for; unknown ones and those of another district are left out."""
    rows = firm_rows(connection, state, usccs, district=district)
    codes = [code for code in dict.fromkeys(usccs) if code in rows]
    return {
        code: FirmFacts(
            code,
            rows[code].name,
            rows[code].district,
            rows[code].industry,
            rows[code].version,
            figures.former_names(rows[code].name),
            figures,
        )
        for code, figures in figures_of(connection, state, codes).items()
    }


@dataclass(frozen=True, slots=True)
class Pins:
    """Where a long work stopped listening: the last correction and the last title list it takes in."""

    corrections: int
    lists: int


def figures_of(
    connection: Connection, state: State, codes: Sequence[str], pins: Pins | None = None
) -> dict[str, Figures]:
    """Merged figures of the codes that an edition of the lineage holds, in the order asked for."""
    if not codes:
        return {}
    asked = {"codes": codes, "lineage": state.lineage}
    said, listed = _HANDS, _ENTRIES
    if pins is not None:
        said = said.where(correction.c.id <= pins.corrections)
        listed = listed.where(title_list.c.id <= pins.lists)
    uploads = uploads_of(connection.execute(_UPLOADS, asked))
    hands = hands_of(connection.execute(said, asked))
    complete = complete_lists(connection, pins)
    entries = entries_of(connection.execute(listed, {"codes": codes}))
    return {
        code: Figures(own, told_of(own, hands.get(code, {}), entries.get(code, {}), complete))
        for code in codes
        if (own := uploads.get(code))
    }


def complete_lists(connection: Connection, pins: Pins | None = None) -> dict[str, ListWord]:
    """Column → what the newest complete list says of a firm that is not on it."""
    asked = _COMPLETE if pins is None else _COMPLETE.where(title_list.c.id <= pins.lists)
    return silence_of(connection.execute(asked))


def silence_of(lists: Iterable[Any]) -> dict[str, ListWord]:
    """:func:`complete_lists` of rows of ``title_list``, oldest first."""
    found = {}
    for row in lists:
        column = title_column(row.title)
        order = (row.dated, row.id)
        found[column] = ListWord(column, NOT_HELD[column], row.id, row.dated, row.source_name, order)
    return found


def entries_of(rows: Iterable[Any]) -> dict[str, dict[str, ListWord]]:
    """Firm → column → what the newest list says that has the firm; an uncertain entry says nothing (None).

    ``rows``: entries with their lists, oldest first.
    """
    found: dict[str, dict[str, ListWord]] = {}
    for row in rows:
        column, order = title_column(row.title), (row.dated, row.id)
        own = found.setdefault(row.uscc, {})
        if not row.certain and column in own:
            own[column] = replace(own[column], newest=order)
            continue
        value = None if not row.certain else True if column in MEMBER else row.valid_until.isoformat()
        own[column] = ListWord(column, value, row.id, row.dated, row.source_name, order)
    return found


def uploads_of(rows: Iterable[Any]) -> dict[str, list[Upload]]:
    """Firm → what editions of a lineage say, lightest first; ``rows``: documents with their editions."""
    found: dict[str, list[Upload]] = {}
    for row in rows:
        upload = Upload(row.edition_id, row.dated, row.source_name, orjson.loads(row.document))
        found.setdefault(row.uscc, []).append(upload)
    for own in found.values():
        own.sort(key=lambda upload: upload.weight)
    return found


def hands_of(rows: Iterable[Any]) -> dict[str, dict[str, Hand]]:
    """Firm → column → the last correction that was not withdrawn; ``rows``: corrections over a lineage."""
    found: dict[str, dict[str, Hand]] = {}
    for row in sorted(rows, key=lambda row: (row.edition_id, row.id)):
        own = found.setdefault(row.uscc, {})
        own.pop(row.column, None)
        if row.value is not None:
            fact = Fact(
                orjson.loads(row.value), "hand", row.made_at.date(), row.actor, row.edition_id,
                reason=row.reason,
            )  # fmt: skip
            own[row.column] = Hand(fact, row.edition_id, row.over)
    return found


_CODES: BindParameter[Any] = bindparam("codes", expanding=True)
_LINEAGE: BindParameter[Any] = bindparam("lineage", expanding=True)

_UPLOADS = (
    select(
        facts_table.c.uscc, facts_table.c.edition_id, facts_table.c.document,
        edition.c.dated, edition.c.source_name,
    )
    .join_from(facts_table, edition)
    .where(facts_table.c.uscc.in_(_CODES), facts_table.c.edition_id.in_(_LINEAGE))
)  # fmt: skip

_HANDS = (
    select(correction, edition.c.dated.label("over"))
    .join_from(correction, edition)
    .where(correction.c.uscc.in_(_CODES), correction.c.edition_id.in_(_LINEAGE))
)

_COMPLETE = select(title_list).where(title_list.c.complete).order_by(title_list.c.dated, title_list.c.id)

_ENTRIES = (
    select(
        title_entry.c.uscc, title_entry.c.valid_until, title_entry.c.certain,
        title_list.c.id, title_list.c.title, title_list.c.dated, title_list.c.source_name,
    )
    .join_from(title_entry, title_list)
    .where(title_entry.c.uscc.in_(_CODES))
    .order_by(title_list.c.dated, title_list.c.id)
)  # fmt: skip
