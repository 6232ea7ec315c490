"""How each field can change and which way is better: ``seeds/fields/changes.yaml``, which lists every field.

Nothing here is a rule: which value a condition asks for comes from the rules (:mod:`models.advice_moves`).
This only says what may sensibly be advised: never doing worse, and never what cannot change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import yaml

from models.errors import Text
from models.fields import Field, catalogue
from models.figures import NOT_FIGURES
from models.seeds import seed

When = Literal["now", "year", "round", "others", "time", "never"]
Better = Literal["up", "down", "rank", "yes", "no", "held", "order", "none"]

UNKNOWN_DAY: frozenset[str] = frozenset({"round", "others"})
"""Others decide: no date is known beforehand."""
_KEYS = frozenset({"when", "better", "carry", "once", "part_of", "values", "why"})


@dataclass(frozen=True, slots=True)
class Nature:
    """How the figures of one field change."""

    when: When
    better: Better
    carry: Literal["same", "zero"] = "same"
    """What a year to come is taken to be where nothing is said of it."""
    once: bool = False
    """Given once a year: this year's, where it is known, stands."""
    part_of: str | None = None
    values: Mapping[str, When] | None = None
    why: Text | None = None

    def when_to(self, value: Any) -> When:
        """How it comes to be this value."""
        return (self.values or {}).get(value, self.when) if isinstance(value, str) else self.when

    def is_better(self, field: Field, before: Any, after: Any) -> bool:
        """Would a firm be better off with ``after`` than with ``before``?"""
        match self.better:
            case "up" | "held":
                return bool(after > before)
            case "down":
                return bool(after < before)
            case "rank":
                return bool(after > 0 and (before == 0 or after < before))
            case "yes" | "no":
                return after is (self.better == "yes")
            case "order":
                options = list(field.options or ())
                return options.index(after) > options.index(before)
        return False


def is_closed(field: Field, year: int | None, asked: int) -> bool:
    """Can a known figure only be corrected in the year ``asked``: of a year over, or given already?"""
    if year is None:
        return False
    return year < asked or (year == asked and nature_of(field).once)


def nature_of(field: Field) -> Nature:
    return natures()[field.key]


@cache
def natures() -> Mapping[str, Nature]:
    """Field key → nature. ValueError: a field is missing, or something in the file is not known."""
    written = yaml.load(seed("fields", "changes.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    reasons = {key: Text(*words) for key, words in written["reasons"].items()}
    expected = {field.key for field in catalogue()} - NOT_FIGURES
    if set(written["fields"]) != expected:
        raise ValueError(f"changes.yaml: {sorted(set(written['fields']) ^ expected)}")
    return {key: _nature(key, said, reasons) for key, said in written["fields"].items()}


def _nature(key: str, said: Mapping[str, Any], reasons: Mapping[str, Text]) -> Nature:
    whens = {said["when"], *said.get("values", {}).values()}
    strays = (
        (set(said) - _KEYS)
        | (whens - set(get_args(When)))
        | ({said["better"]} - set(get_args(Better)))
        | ({said["part_of"]} - set(catalogue().fields) if "part_of" in said else set())
    )
    if strays:
        raise ValueError(f"changes.yaml: {key}: {sorted(strays)}")
    why = reasons[said["why"]] if "why" in said else None
    return Nature(**{**said, "why": why})
