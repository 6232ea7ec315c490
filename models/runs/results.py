"""The results of a run: page by page, or all of them as one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from models.settings import Settings


@dataclass(frozen=True, slots=True)
class ResultPage:
    """Rows as plain data (the columns of ``tidui score``, ``district``, ``industry``), and where to go on."""

    rows: Sequence[Mapping[str, Any]]
    next: str | None


def result_page(
    settings: Settings,
    connection: Connection,
    run_id: int,
    cursor: str | None = None,
    limit: int = 100,
    *,
    standard: str | None = None,
    verdict: str | None = None,
    district: str | None = None,
) -> ResultPage:
    """Firms of a run in a fixed order. With filters a page may hold fewer than ``limit`` and still go on.

    Raises RunUnknown (J404), UsageRefused (R420 cursor, R404 standard), StoreAway.
    """
    raise NotImplementedError


def write_results(
    settings: Settings, connection: Connection, run_id: int, path: Path, *, district: str | None = None
) -> int:
    """Write all of it to ``path`` (.parquet, .csv, .xlsx), whole or not at all; the number of firms.

    ``district``: the firms of that one alone, for keys that may see no other.

    Raises RunUnknown (J404), RunConflict (J412: still open), OutputRefused, StoreAway.
    """
    raise NotImplementedError
