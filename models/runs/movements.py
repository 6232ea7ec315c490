"""Who stands elsewhere than before, and what decided it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class MovementPage:
    """Movements as plain data, and where to go on; ``next`` is given at the end of a feed too."""

    rows: Sequence[Mapping[str, Any]]
    next: str | None


def movement_page(
    connection: Connection,
    *,
    run_id: int | None = None,
    since: int | None = None,
    cursor: str | None = None,
    limit: int = 100,
    district: str | None = None,
) -> MovementPage:
    """Movements of one run, by code; or of every run that became the standing after run ``since`` (0: all),
    oldest first: the change feed. Raises RunUnknown (J404), UsageRefused (R420).
    """
    raise NotImplementedError
