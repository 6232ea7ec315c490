"""All that the registry knows of one firm in one round trip, for the look-ups that are asked most.

The same answer as :func:`models.registry.facts.firm_facts` gives; a test holds the two together. One
statement also means one moment: no correction can come in between firm and figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from models.registry.facts import (
    Figures,
    FirmFacts,
    entries_of,
    hands_of,
    silence_of,
    uploads_of,
)
from models.registry.pulse import Pulse, Words
from models.registry.state import State
from models.registry.words import told_of


class _Upload(NamedTuple):
    uscc: str
    edition_id: int
    document: str
    dated: date
    source_name: str


class _Hand(NamedTuple):
    uscc: str
    edition_id: int
    id: int
    column: str
    value: str | None
    actor: str
    reason: str
    made_at: datetime
    over: date


class _Listed(NamedTuple):
    """An entry with its list, or a list alone."""

    uscc: str
    id: int
    title: str
    dated: date
    source_name: str
    valid_until: date | None
    certain: bool


def one_firm(pulse: Pulse, state: State, uscc: str, *, district: str | None = None) -> FirmFacts | None:
    """What is known of a firm; None where it is unknown or of another district. Raises DatabaseAway."""
    parts: defaultdict[str, list[Words]] = defaultdict(list)
    for words in pulse.firm(uscc):
        parts[words[0] or ""].append(words)
    uploads = uploads_of(_uploads(uscc, state, parts["upload"])).get(uscc)
    if not uploads or not parts["firm"]:
        return None
    ((_, edition_id, name, own_district, industry, version, *_),) = parts["firm"]
    if int(edition_id or 0) not in state.lineage or district not in (None, own_district):
        return None
    hands = hands_of(_hands(uscc, state, parts["hand"])).get(uscc, {})
    entries = entries_of(_listed(uscc, parts["entry"])).get(uscc, {})
    figures = Figures(uploads, told_of(uploads, hands, entries, silence_of(_listed(uscc, parts["silence"]))))
    return FirmFacts(
        uscc, name, own_district, None if industry is None else int(industry), int(version or 0),
        figures.former_names(name), figures,
    )  # fmt: skip


def _uploads(uscc: str, state: State, parts: Sequence[Words]) -> Iterator[_Upload]:
    for _, edition_id, document, dated, source_name, *_ in parts:
        if int(edition_id or 0) in state.lineage:
            yield _Upload(uscc, int(edition_id or 0), document or "", _day(dated), source_name or "")


def _hands(uscc: str, state: State, parts: Sequence[Words]) -> Iterator[_Hand]:
    for _, edition_id, number, column, value, actor, reason, made_at, over in parts:
        if int(edition_id or 0) in state.lineage:
            moment = datetime.fromisoformat(made_at or "")
            yield _Hand(
                uscc, int(edition_id or 0), int(number or 0), column or "", value, actor or "", reason or "",
                moment, _day(over),
            )  # fmt: skip


def _listed(uscc: str, parts: Sequence[Words]) -> list[_Listed]:
    """Oldest first."""
    rows = [
        _Listed(
            uscc, int(number or 0), title or "", _day(dated), source_name or "",
            _day(valid_until) if valid_until else None, certain in ("1", "true"),
        )
        for _, number, title, dated, source_name, valid_until, certain, *_ in parts
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.dated, row.id))


def _day(written: str | None) -> date:
    return date.fromisoformat(written or "")
