"""Firms to test with: the plainest firm that meets a standard, from its policy cases."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.rules.case_files import load_cases

AS_OF = date(2026, 6, 30)


def meeting(*standards: str, **changes: Any) -> dict[str, Any]:
    """Canonical figures of a firm that meets the standards (their case files' firms joined), with changes."""
    figures: dict[str, Any] = {}
    for standard in standards:
        figures |= load_cases(standard).firm
    return figures | changes
