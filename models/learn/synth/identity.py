"""Codes and names that no real firm can have.

A code is ``91``, the district, a body of nine characters and the check character of GB 32100-2015. The body
is ``XX``, six characters that count the firms in base 31, and ``Y``. The ninth character of a real
organisation code is its GB 11714 check, always a digit or X, so a body that ends in Y is nobody's.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from models.learn.synth.profile import BLOCK, DISTRICTS, IntArray, Profile
from models.learn.synth.sectors import sector_table

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CAPACITY = len(ALPHABET) ** 6
"""How many firms there are codes for."""

_LETTERS = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)])
_FRONT, _MARK, _END = (np.array([ALPHABET.index(c) for c in text]) for text in ("91", "XX", "Y"))


def codes(profile: Profile, first: int) -> pl.Series:
    """统一社会信用代码 of firms ``first`` to ``first + BLOCK - 1``, as String."""
    places = np.array([[int(c) for c in code] for code in DISTRICTS])
    digits = np.empty((BLOCK, 18), dtype=np.int64)
    digits[:, 0:2] = _FRONT
    digits[:, 2:8] = places[profile.district]
    digits[:, 8:10] = _MARK
    digits[:, 10:16] = _base31(np.arange(first, first + BLOCK))
    digits[:, 16:17] = _END
    digits[:, 17] = -(digits[:, :17] @ _WEIGHTS) % 31
    text = _LETTERS[digits].view("S18").ravel().astype("U18")
    return pl.Series("uscc", text, dtype=pl.String)


def names(profile: Profile, first: int) -> pl.Series:
    """``合成示例第0001234号精密机械有限公司（虚构）``; the first firm is number 1."""
    number = pl.int_range(first + 1, first + BLOCK + 1, eager=True).cast(pl.String).str.zfill(7)
    words = pl.Series(sector_table().words).gather(profile.word)
    joined = pl.concat_str(
        pl.lit("合成示例第"), pl.lit(number), pl.lit("号"), pl.lit(words), pl.lit("有限公司（虚构）")
    )
    return pl.select(joined.alias("name")).to_series()


def _base31(index: IntArray) -> IntArray:
    return index[:, None] // 31 ** np.arange(5, -1, -1) % 31
