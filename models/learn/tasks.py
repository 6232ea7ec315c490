"""What is learned and from what: ``seeds/learning/tasks.yaml`` as objects.

Every task is a yes-or-no question about the year of an evaluation date, answered from figures that were known
before it (Y-1 and earlier), so that nothing of the outcome's year is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, Literal

import yaml

from models.errors import Text, UsageRefused
from models.seeds import seed

FeatureKind = Literal["line", "log", "growth", "ratio", "years_since", "blanks", "category"]
OutcomeKind = Literal["crosses", "holds", "grows"]
RivalKind = Literal["laplace", "gates", "last"]

_FEATURE_KINDS: tuple[FeatureKind, ...] = (
    "line", "log", "growth", "ratio", "years_since", "blanks", "category"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feature:
    """A number made of figures. ``of``: the fields it reads, or the rule pack of ``line``."""

    key: str
    name: Text
    kind: FeatureKind
    of: tuple[str, ...]
    back: int = 1
    """Year of the figure: 1 is Y-1."""
    base: int = 2
    """Of ``growth``: the year it starts from."""
    clip: tuple[float, float] | None = None

    @property
    def categorical(self) -> bool:
        return self.kind == "category"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is asked: a line of a pack crossed, a title held, a figure grown by a share."""

    kind: OutcomeKind
    of: str
    by: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class RivalSpec:
    """The plain estimate that a model must beat: what of, and its name."""

    kind: RivalKind
    of: str
    name: Text


@dataclass(frozen=True)
class Task:
    """One question with its features; those in ``rising`` and ``falling`` may act in one direction only."""

    id: str
    name: Text
    question: Text
    outcome: Outcome
    features: tuple[Feature, ...]
    together: tuple[str, str]
    """The two features whose effects may depend on each other; all others add up."""
    rising: frozenset[str]
    falling: frozenset[str]
    rival: RivalSpec

    def direction(self, feature: str) -> int:
        """1: the chance never falls as the feature rises, -1: never rises, 0: free."""
        return (feature in self.rising) - (feature in self.falling)

    def place(self, feature: str) -> int:
        return [one.key for one in self.features].index(feature)


@dataclass(frozen=True)
class Curriculum:
    """The whole of ``tasks.yaml``."""

    tasks: Mapping[str, Task]
    lived_without: tuple[tuple[str, ...], ...]
    blanked: float
    title_years: int


@cache
def curriculum() -> Curriculum:
    """What ships. ValueError where the file does not hold together."""
    written = yaml.load(seed("learning", "tasks.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    return read_curriculum(written)


def tasks() -> Mapping[str, Task]:
    """The tasks by id, in the file's order."""
    return curriculum().tasks


def task(name: str) -> Task:
    """UsageRefused (L101): no such task."""
    found = tasks().get(name)
    if found is None:
        known = ", ".join(tasks())
        raise UsageRefused(
            "L101",
            Text(f"没有“{name}”这个任务", f"there is no task “{name}”"),
            Text(f"可用：{known}", f"There are: {known}"),
        )
    return found


def read_curriculum(written: Mapping[str, Any]) -> Curriculum:
    features = {key: _feature(key, entry) for key, entry in written["features"].items()}
    return Curriculum(
        {key: _task(key, entry, features) for key, entry in written["tasks"].items()},
        tuple(tuple(group) for group in written["lived_without"]),
        float(written["blanked"]),
        int(written["title_years"]),
    )


def _feature(key: str, entry: Mapping[str, Any]) -> Feature:
    kind = next(kind for kind in _FEATURE_KINDS if kind in entry)
    of = entry[kind]
    clip = entry.get("clip")
    return Feature(
        key,
        Text(*entry["name"]),
        kind,
        tuple(of) if isinstance(of, list) else (of,),
        back=entry.get("to", 1),
        base=entry.get("from", 2),
        clip=None if clip is None else (float(clip[0]), float(clip[1])),
    )


def _task(key: str, entry: Mapping[str, Any], features: Mapping[str, Feature]) -> Task:
    named = [*entry["together"], *entry["rising"], *entry["falling"]]
    strangers = sorted(set(named) - set(entry["features"]))
    if strangers:
        raise ValueError(f"task {key}: not among its features: {strangers}")
    outcome = entry["outcome"]
    kind = next(iter(outcome))
    return Task(
        key,
        Text(*entry["name"]),
        Text(*entry["question"]),
        Outcome(kind, outcome[kind], _share(outcome.get("by", "0%"))),
        tuple(features[name] for name in entry["features"]),
        _pair(entry["together"]),
        frozenset(entry["rising"]),
        frozenset(entry["falling"]),
        _rival(entry["rival"]),
    )


def _share(written: str) -> Fraction:
    return Fraction(written.removesuffix("%")) / 100


def _pair(names: Sequence[str]) -> tuple[str, str]:
    first, second = names
    return first, second


def _rival(entry: Mapping[str, Any]) -> RivalSpec:
    kind: RivalKind = next(kind for kind in ("laplace", "gates", "last") if kind in entry)
    return RivalSpec(kind, entry[kind], Text(*entry["name"]))
