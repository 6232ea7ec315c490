"""Tokens of names and codes, as asked for by one query; :mod:`.columns` makes the same of whole columns.

A token is a number below 2**39: three bits say its family, 36 what it stands for. The numbers are kept in the
database, so what is written here must not change without indexing anew.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise

BITS = 18
"""Of each half of a token; every letter of Unicode fits."""
LOW = (1 << BITS) - 1
EDGE = 63
"""Stands before the first letter where a run of initials begins."""


class Family(IntEnum):
    PAIR = 1
    """Two characters that follow each other, in the normal form or in the core."""
    SKIP = 2
    """Two characters of the core with one between them: what one wrong character leaves."""
    START = 3
    """The first two characters of the core, and the first alone."""
    SOUND = 4
    """Two syllables of the core; the first alone after a zero."""
    INITIALS = 5
    """Three first letters of the core's syllables; the first two after :data:`EDGE`."""
    CODE = 6
    """Three characters of the 18-character code."""


EVERYWHERE = ("上海", "有限", "限公", "公司")
"""Pairs that stand in nearly every name: never indexed, so never asked for."""


def token(family: Family, first: int, second: int) -> int:
    return family << (2 * BITS) | (first & LOW) << BITS | (second & LOW)


def pairs(text: str) -> list[int]:
    return [pair(a, b) for a, b in pairwise(text) if a + b not in EVERYWHERE]


def pair(first: str, second: str) -> int:
    return token(Family.PAIR, ord(first), ord(second))


def skips(text: str) -> list[int]:
    return [skip(a, b) for a, b in zip(text, text[2:], strict=False)]


def skip(first: str, second: str) -> int:
    return token(Family.SKIP, ord(first), ord(second))


def start(text: str) -> int:
    """Of the core's first two characters, or of one."""
    return token(Family.START, ord(text[0]), ord(text[1]) if len(text) > 1 else 0)


def sounds(read: Sequence[str]) -> list[int]:
    """Of syllables that follow each other; a lone one is asked for at the start."""
    numbers = [sound(each) for each in read]
    if len(numbers) == 1:
        numbers = [0, *numbers]
    return [token(Family.SOUND, a, b) for a, b in pairwise(numbers)]


def sound(syllable: str) -> int:
    return zlib.crc32(syllable.encode()) & LOW


def initials(letters: str, *, at_start: bool) -> list[int]:
    """Of first letters; two letters alone can only be asked for at the start."""
    run = [EDGE] * at_start + [letter(each) for each in letters]
    return [token(Family.INITIALS, 0, three(*run[at : at + 3])) for at in range(len(run) - 2)]


def code_parts(code: str) -> list[int]:
    run = [letter(each) for each in code.lower()]
    return [token(Family.CODE, 0, three(*run[at : at + 3])) for at in range(len(run) - 2)]


def three(first: int, second: int, third: int) -> int:
    return first << 12 | second << 6 | third


def letter(char: str) -> int:
    """a–z → 1–26, 0–9 → 27–36, anything else 37."""
    if "a" <= char <= "z":
        return ord(char) - 96
    return ord(char) - 21 if "0" <= char <= "9" else 37
