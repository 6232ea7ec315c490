"""What somebody has said a header means: it stands before what the header is taken for by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Choice(NamedTuple):
    """``column`` is canonical (``revenue_2025``), None to ignore the column; ``unit`` as in a header."""

    column: str | None
    unit: str | None = None


Choices = Mapping[str, Choice]
"""Normalised header (:func:`models.tabular.headers.normal_header`) → what it means."""

NO_CHOICES: Choices = {}


def plain_choices(choices: Choices) -> dict[str, list[str | None]]:
    """As JSON."""
    return {header: [choice.column, choice.unit] for header, choice in choices.items()}


def read_choices(plain: Mapping[str, list[str | None]]) -> dict[str, Choice]:
    """From :func:`plain_choices`."""
    return {header: Choice(*given) for header, given in plain.items()}
