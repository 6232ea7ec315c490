"""The kinds of findings and of decisions: ``seeds/reviews.yaml`` as objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import yaml

from models.errors import Text
from models.seeds import seed

Group = Literal["figures", "disagreements"]


@dataclass(frozen=True)
class Kind:
    """One kind of finding. ``why``: a template; ``given``: its parameters."""

    id: str
    group: Group
    name: Text
    why: Text
    weight: float
    given: Mapping[str, Any]

    @property
    def compares(self) -> bool:
        """Whether it holds one figure against another of the same year."""
        return "over" in self.given

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields that are held against the year before."""
        return tuple(self.given["of"])


@dataclass(frozen=True)
class Kinds:
    """All of them, and what can be decided about each group."""

    kinds: Mapping[str, Kind]
    decisions: Mapping[Group, Mapping[str, Text]]

    def of(self, group: Group) -> list[Kind]:
        return [kind for kind in self.kinds.values() if kind.group == group]

    def decision_text(self, decision: str) -> Text:
        return next(names[decision] for names in self.decisions.values() if decision in names)


@cache
def kinds() -> Kinds:
    """What ships."""
    return read_kinds(yaml.safe_load(seed("reviews.yaml").read_text("utf-8")))


def read_kinds(written: Mapping[str, Any]) -> Kinds:
    groups: tuple[Group, ...] = ("figures", "disagreements")
    found = {key: _kind(key, group, entry) for group in groups for key, entry in written[group].items()}
    decisions = {
        group: {key: Text(*names) for key, names in written["decisions"][group].items()} for group in groups
    }
    return Kinds(found, decisions)


def _kind(key: str, group: Group, entry: Mapping[str, Any]) -> Kind:
    given = {name: value for name, value in entry.items() if name not in ("name", "why", "weight")}
    return Kind(key, group, Text(*entry["name"]), Text(*entry["why"]), float(entry["weight"]), given)
