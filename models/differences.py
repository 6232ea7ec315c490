"""Where two JSON documents differ, by JSON pointer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """One place; ``then`` or ``now`` is :data:`ABSENT` where a document has no such place."""

    pointer: str
    then: Any
    now: Any


ABSENT = "（无 absent）"


def differences(then: Any, now: Any, pointer: str = "") -> Iterator[Difference]:
    """Every place where the documents differ, in the order of the first. Lists go by position."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in [*then, *(key for key in now if key not in then)]:
            place = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            yield from differences(then.get(key, ABSENT), now.get(key, ABSENT), place)
    elif isinstance(then, list) and isinstance(now, list):
        for index in range(max(len(then), len(now))):
            yield from differences(_at(then, index), _at(now, index), f"{pointer}/{index}")
    elif type(then) is not type(now) or then != now:
        yield Difference(pointer, then, now)


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else ABSENT
