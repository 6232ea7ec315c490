"""Where the next page begins: opaque, and only good for the question it came from."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

import orjson

from models.errors import Text, UsageRefused

_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Mark:
    """The stage of the search, and what was last shown of it: an entry id, a place in a list, a code."""

    stage: int
    after: int | str


def write_mark(mark: Mark, question: bytes) -> str:
    body = orjson.dumps([mark.stage, mark.after, _digest(question)])
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def read_mark(cursor: str, question: bytes) -> Mark:
    """UsageRefused (R420) where it was not given out for this question."""
    try:
        if len(cursor) > _LONGEST:
            raise ValueError
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        stage, after, digest = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if (
            type(stage) is not int
            or stage < 0
            or type(after) not in (int, str)
            or digest != _digest(question)
        ):
            raise ValueError
    except (ValueError, TypeError, binascii.Error) as error:
        raise broken_cursor() from error
    return Mark(stage, after)


def write_ranked(shown: int, number: float, code: str, question: bytes) -> str:
    """Where a list goes on that is ordered by a number, then by a code; ``shown``: how many there were."""
    return write_mark(Mark(shown, f"{float(number).hex()} {code}"), question)


def read_ranked(cursor: str, question: bytes) -> tuple[int, float, str]:
    """What :func:`write_ranked` was given. UsageRefused (R420)."""
    mark = read_mark(cursor, question)
    try:
        number, code = str(mark.after).split(" ")
        return mark.stage, float.fromhex(number), code
    except ValueError as error:
        raise broken_cursor() from error


def broken_cursor() -> UsageRefused:
    """R420; raise it."""
    return UsageRefused(
        "R420",
        Text("翻页标记无效，或不属于这次查询", "the cursor is broken or belongs to another question"),
        Text("去掉 cursor 从第一页重新查询", "Leave cursor out and begin with the first page"),
        "cursor",
    )


def _digest(question: bytes) -> str:
    return hashlib.sha256(question).hexdigest()[:12]
