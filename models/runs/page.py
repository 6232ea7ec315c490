"""A page of what a run found, and where the next one begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as plain data; ``next``: the cursor to go on with, None at the end."""

    rows: Sequence[Mapping[str, Any]]
    next: str | None
