"""What a run found, added up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection


def run_summary(connection: Connection, run_id: int, district: str | None = None) -> dict[str, Any]:
    """Counts over a run that has ended: by standard, rung, district, industry section and size; the
    conditions that decide most often; the blank fields that would settle most firms. ``district``: that one
    alone, for keys that may see no other. RunUnknown (J404), RunConflict (J412: still open).
    """
    raise NotImplementedError
