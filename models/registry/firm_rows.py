"""Identity of firms: code, name, district, industry and version, as the active edition has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from models.registry.state import State
from models.registry.tables import edition, firm
from models.registry.tables import state as state_table


def firm_rows(
    connection: Connection, state: State, usccs: Sequence[str], *, district: str | None = None
) -> dict[str, Row[Any]]:
    """Rows of ``firm`` by code that may be seen: of the lineage, and of the district if one is given."""
    if not state.lineage or not usccs:
        return {}
    found = connection.execute(_FIRMS, {"codes": list(usccs), "lineage": state.lineage})
    return {row.uscc: row for row in found if district in (None, row.district)}


def firm_version(connection: Connection, uscc: str, *, district: str | None = None) -> int | None:
    """How often the firm was corrected by hand; None where it is not known, or of another district."""
    row = connection.execute(_VERSION, {"code": uscc}).one_or_none()
    if row is None or (district is not None and row.district != district):
        return None
    return int(row.version)


_FIRMS = select(firm).where(
    firm.c.uscc.in_(bindparam("codes", expanding=True)),
    firm.c.edition_id.in_(bindparam("lineage", expanding=True)),
)


def _versions() -> Any:
    """With the lineage worked out in the same question: a cheap one, for ETags."""
    line = (
        select(edition.c.id, edition.c.parent_id)
        .join_from(edition, state_table, edition.c.id == state_table.c.edition_id)
        .cte("line", recursive=True)
    )
    line = line.union_all(
        select(edition.c.id, edition.c.parent_id).join_from(edition, line, edition.c.id == line.c.parent_id)
    )
    return select(firm.c.version, firm.c.district).where(
        firm.c.uscc == bindparam("code"), firm.c.edition_id.in_(select(line.c.id))
    )


_VERSION = _versions()
