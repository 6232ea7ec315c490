"""What a look at one thing found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import redis

from models.errors import Text, TiduiError

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    """Stable: ``database``, ``schema``, ``broker``, ``store``, ``clock``, ``versions``, ``beat``, …"""
    level: Level
    text: Text
    hint: Text | None = None


Look = Callable[[], Iterable[Finding]]


def ok(subject: str, zh: str, en: str) -> Finding:
    return Finding(subject, "ok", Text(zh, en))


def look(subject: str, at: Look) -> list[Finding]:
    """What a look finds; trouble on the way is itself a finding."""
    try:
        return list(at())
    except TiduiError as error:
        message = Text(f"{error.code} {error.message.zh}", f"{error.code} {error.message.en}")
        return [Finding(subject, "error", message, error.hint)]
    except (redis.RedisError, OSError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        return [Finding(subject, "error", Text(f"连不上：{said}", f"does not answer: {said}"))]
