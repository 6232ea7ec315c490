"""The editions there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from models.errors import Text, UsageRefused
from models.registry.editions import Manifest, read_manifest
from models.registry.state import active, read_state
from models.registry.tables import edition


@dataclass(frozen=True, slots=True)
class Edition:
    """One import, as it was stored."""

    id: int
    hash: str
    parent_id: int | None
    ready: bool
    source_name: str
    source_hash: str
    dated: date
    manifest: Manifest
    imported_at: datetime
    imported_by: str
    active: bool
    visible: bool
    """In the lineage of the active edition."""


def list_editions(connection: Connection) -> list[Edition]:
    """All editions that are ready, the oldest first."""
    state = read_state(connection)
    rows = connection.execute(select(edition).where(edition.c.status == "ready").order_by(edition.c.id))
    return [_edition(row, state.lineage) for row in rows]


def editions_of(connection: Connection, lineage: Sequence[int]) -> list[Edition]:
    """The editions of a lineage, building ones too, in its order: the newest first."""
    rows = connection.execute(select(edition).where(edition.c.id.in_(lineage)))
    found = {row.id: _edition(row, lineage) for row in rows}
    return [found[number] for number in lineage]


def find_edition(connection: Connection, which: str) -> Edition:
    """By number, or by the beginning of its hash (six characters and more); UsageRefused (G004) otherwise."""
    found = [
        one
        for one in list_editions(connection)
        if str(one.id) == which or (len(which) >= 6 and one.hash.startswith(which))
    ]
    if len(found) != 1:
        raise _no_edition(which)
    return found[0]


def edition_to_judge(connection: Connection, wanted: int | None) -> int:
    """An edition that is ready, the active one where none is named. NoEdition (G003), UsageRefused (G004)."""
    if wanted is None:
        return active(read_state(connection))
    asked = select(edition.c.id).where(edition.c.id == wanted, edition.c.status == "ready")
    if connection.execute(asked).first() is None:
        raise _no_edition(str(wanted))
    return wanted


def _no_edition(which: str) -> UsageRefused:
    return UsageRefused(
        "G004",
        Text(f"没有版本“{which}”", f"there is no edition “{which}”"),
        Text("看有哪些版本：tidui registry list", "See which there are: tidui registry list"),
        "edition",
    )


def _edition(row: Row[Any], lineage: Sequence[int]) -> Edition:
    return Edition(
        id=row.id,
        hash=row.hash,
        parent_id=row.parent_id,
        ready=row.status == "ready",
        source_name=row.source_name,
        source_hash=row.source_hash,
        dated=row.dated,
        manifest=read_manifest(row.manifest),
        imported_at=row.imported_at,
        imported_by=row.imported_by,
        active=bool(lineage) and row.id == lineage[0],
        visible=row.id in lineage,
    )
