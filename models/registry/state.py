"""What look-ups see now: the active edition with its parents, the current run, and what counts changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, literal, select, update

from models.errors import Text, TiduiError
from models.registry.database import outdates
from models.registry.tables import edition
from models.registry.tables import state as state_table


class NoEdition(TiduiError):
    """The registry is empty: nothing was imported yet."""

    status = 409


@dataclass(frozen=True, slots=True)
class State:
    """A moment of the registry. Rows of editions outside the ``lineage`` are not to be seen."""

    edition_id: int | None
    edition_hash: str | None
    lineage: tuple[int, ...]
    """The active edition, then its parents."""
    run_id: int | None
    registry_version: int
    """Counts imports, activations, title lists and runs."""
    keys_version: int


def read_state(connection: Connection) -> State:
    """The state as this connection sees it, in one round trip."""
    rows = connection.execute(_STATE).all()
    first = rows[0]
    lineage = tuple(row.id for row in rows if row.id is not None)
    return State(
        first.edition_id,
        first.hash,
        lineage,
        first.run_id,
        first.registry_version,
        first.keys_version,
    )


def lineage_of(connection: Connection, edition_id: int) -> tuple[int, ...]:
    """An edition and its parents, newest first."""
    found: list[int] = []
    parent: int | None = edition_id
    while parent is not None:
        found.append(parent)
        parent = connection.execute(select(edition.c.parent_id).where(edition.c.id == parent)).scalar_one()
    return tuple(found)


def state_of(connection: Connection, edition_id: int) -> State:
    """The registry as an edition and its parents have it, whichever is active; without a run."""
    edition_hash = connection.execute(select(edition.c.hash).where(edition.c.id == edition_id)).scalar_one()
    return State(edition_id, edition_hash, lineage_of(connection, edition_id), None, 0, 0)


def active(state: State) -> int:
    """The id of the active edition; NoEdition (G003) where nothing was imported."""
    if state.edition_id is None:
        raise NoEdition(
            "G003",
            Text("企业库还是空的", "the registry is empty"),
            Text("先导入一份企业表：tidui registry import 文件", "Import a file: tidui registry import FILE"),
        )
    return state.edition_id


def changed(connection: Connection, *, edition_id: int | None = None, run_id: int | None = None) -> None:
    """Within the change's own transaction: point at what is active now and count the change."""
    values: dict[str, object] = {"registry_version": state_table.c.registry_version + 1}
    if edition_id is not None:
        values["edition_id"] = edition_id
    if run_id is not None:
        values["run_id"] = run_id
    connection.execute(update(state_table).values(values))
    outdates(connection)


def firms_corrected(connection: Connection) -> None:
    """Within the transaction that changes a firm's version: count it."""
    _count(connection, "corrections_version")


def keys_changed(connection: Connection) -> None:
    """Within the transaction that revokes a key: every process forgets the keys it has read."""
    _count(connection, "keys_version")


def _count(connection: Connection, counter: str) -> None:
    connection.execute(update(state_table).values({counter: state_table.c[counter] + 1}))
    outdates(connection)


def _statement() -> Select[Any]:
    start = select(edition.c.id, edition.c.parent_id, edition.c.hash, literal(0).label("depth")).join_from(
        edition, state_table, edition.c.id == state_table.c.edition_id
    )
    line = start.cte("line", recursive=True)
    parents = select(edition.c.id, edition.c.parent_id, edition.c.hash, line.c.depth + 1).join_from(
        edition, line, edition.c.id == line.c.parent_id
    )
    line = line.union_all(parents)
    columns = state_table.c
    return (
        select(
            columns.edition_id,
            columns.run_id,
            columns.registry_version,
            columns.keys_version,
            line.c.id,
            line.c.hash,
        )
        .select_from(state_table.outerjoin(line, literal(True)))
        .order_by(line.c.depth)
    )


_STATE = _statement()
