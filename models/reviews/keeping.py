"""Findings put into the queue: a new row, or the row that is there, seen again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from models.registry.learning_tables import review
from models.reviews.finding import Finding

_AT_ONCE = 500


def keep(connection: Connection, run_id: int, findings: Sequence[Finding]) -> None:
    """Within the caller's transaction. A decision stands; district, weight and scores are those of now."""
    rows = [_row(run_id, one) for one in sorted(findings, key=lambda one: one.id)]
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(review)
    new = statement.excluded
    again = statement.on_conflict_do_update(
        index_elements=[review.c.id],
        set_={
            "last_run_id": new.last_run_id,
            "district": new.district,
            "weight": new.weight,
            "detail": new.detail,
        },
        # A part of an older run that was delivered late does not take a finding back.
        where=review.c.last_run_id <= new.last_run_id,
    )
    for first in range(0, len(rows), _AT_ONCE):
        connection.execute(again, rows[first : first + _AT_ONCE])


def _row(run_id: int, one: Finding) -> dict[str, Any]:
    return {
        "id": one.id,
        "uscc": one.uscc,
        "district": one.district,
        "kind": one.kind,
        "year": one.year,
        "weight": one.weight,
        "detail": orjson.dumps(one.detail).decode(),
        "first_run_id": run_id,
        "last_run_id": run_id,
    }
