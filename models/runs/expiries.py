"""Titles that run out soon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from models.registry.state import State


@dataclass(frozen=True, slots=True)
class ExpiryPage:
    rows: Sequence[Mapping[str, Any]]
    next: str | None


def expiry_page(
    connection: Connection,
    state: State,
    *,
    within_days: int,
    as_of: date,
    cursor: str | None = None,
    limit: int = 100,
    district: str | None = None,
    title: str | None = None,
) -> ExpiryPage:
    """Titles whose last day is ``as_of`` or within so many days after it, the soonest first, as the current
    run found them. Raises UsageRefused (R420). Empty where the current run was made by an import.
    """
    raise NotImplementedError
