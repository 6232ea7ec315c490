"""Where a firm stood when all firms were last judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from models.registry.state import State
from models.registry.tables import run, standing


@dataclass(frozen=True, slots=True)
class RunStanding:
    """The ladder's three answers of one firm in the current run, and of which run they are."""

    recognised: int
    qualifies: int
    could_reach: int
    as_of: date
    kind: str
    rulebook_hash: str


def run_standing(connection: Connection, state: State, uscc: str) -> RunStanding | None:
    """None where there is no run yet, or the firm came after it."""
    if state.run_id is None:
        return None
    asked = (
        select(
            standing.c.recognised, standing.c.qualifies, standing.c.could_reach,
            run.c.as_of, run.c.kind, run.c.rulebook_hash,
        )
        .join_from(standing, run, run.c.id == standing.c.run_id)
        .where(standing.c.run_id == state.run_id, standing.c.uscc == uscc)
    )  # fmt: skip
    row = connection.execute(asked).one_or_none()
    return None if row is None else RunStanding(*row)
