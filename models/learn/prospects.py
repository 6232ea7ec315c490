"""Whom to call: which estimates a run lists, and which standard of the rules stands beside each.

Read from ``seeds/learning/prospects.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from models.learn.model import BANDS
from models.learn.tasks import tasks
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.seeds import seed


@dataclass(frozen=True, slots=True)
class Listing:
    """Of one task. ``standard``: a family or a pack; ``holders``: column of the last day of their title."""

    standard: str
    holders: str | None

    def pack_of(self, book: Rulebook, period: Period) -> str | None:
        """The standard as it reads on the date; None where none of the family is known yet."""
        if self.standard not in book.families:
            return self.standard if self.standard in book.packs else None
        version = book.version(self.standard, period)
        return None if version is None else version.id


@dataclass(frozen=True)
class Listings:
    """``last_band``: the lowest place of :data:`models.learn.model.BANDS` that is listed."""

    last_band: int
    tasks: Mapping[str, Listing]


@cache
def listings() -> Listings:
    """What ships. ValueError where the file does not hold together."""
    return read_listings(yaml.safe_load(seed("learning", "prospects.yaml").read_text("utf-8")))


def read_listings(written: Mapping[str, Any]) -> Listings:
    keys = [band.key for band in BANDS]
    strangers = set(written["tasks"]) ^ set(tasks())
    if strangers:
        raise ValueError(f"prospects.yaml and tasks.yaml differ: {sorted(strangers)}")
    return Listings(
        keys.index(written["to_band"]),
        {name: Listing(entry["standard"], entry.get("holders")) for name, entry in written["tasks"].items()},
    )
