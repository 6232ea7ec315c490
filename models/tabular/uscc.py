"""Codes of a whole column at once: the check character in NumPy, and codes that stand twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from models.tabular.cells import CODE_ALPHABET, CODE_LENGTH

_MODULUS = 31
_WEIGHTS = np.array([pow(3, place, _MODULUS) for place in range(CODE_LENGTH - 1)], dtype=np.int32)
_DIGITS = np.full(256, 255, dtype=np.uint8)
_DIGITS[np.frombuffer(CODE_ALPHABET.encode(), dtype=np.uint8)] = np.arange(_MODULUS)

Flags = npt.NDArray[np.bool_]


def faultless(codes: pl.Series) -> Flags:
    """Which of the codes (String, null allowed) are right as they are written, check character and all."""
    right = (codes.str.len_bytes() == CODE_LENGTH).fill_null(False).to_numpy().copy()
    if right.any():
        text = "".join(codes.filter(pl.Series(right)).to_list()).encode()
        digits = _DIGITS[np.frombuffer(text, dtype=np.uint8)].reshape(-1, CODE_LENGTH)
        total = digits[:, :-1].astype(np.int32) @ _WEIGHTS
        right[right] = (digits != 255).all(axis=1) & (
            (_MODULUS - total % _MODULUS) % _MODULUS == digits[:, -1]
        )
    return right


class CodeLedger:
    """Remembers every code as a 64-bit hash with its row, 12 bytes a firm, to find codes that stand twice.

    Rows come from worker threads, in any order.
    """

    def __init__(self) -> None:
        self._hashes: list[npt.NDArray[np.uint64]] = []
        self._rows: list[npt.NDArray[np.uint32]] = []
        self._lock = threading.Lock()

    def add(self, codes: pl.Series, rows: pl.Series) -> None:
        hashes, numbers = codes.hash(seed=0).to_numpy().copy(), rows.to_numpy().copy()
        with self._lock:
            self._hashes.append(hashes)
            self._rows.append(numbers)

    def suspects(self) -> npt.NDArray[np.uint32]:
        """Rows, sorted, whose hash stands in another row too; the codes are still to be compared."""
        if not self._hashes:
            return np.empty(0, dtype=np.uint32)
        every = np.concatenate(self._hashes)
        every.sort()
        twice = np.unique(every[1:][every[1:] == every[:-1]])
        del every
        if not len(twice):
            return np.empty(0, dtype=np.uint32)
        found = [rows[np.isin(hashes, twice)] for hashes, rows in zip(self._hashes, self._rows, strict=True)]
        return np.unique(np.concatenate(found))


_NAMED = 5
"""How many other rows a message names."""


def other_rows(rows: Sequence[int]) -> Iterator[tuple[int, str]]:
    """For each of ``rows``, which hold one code, the others in words: ``3、8``."""
    for row in rows:
        others = [str(other) for other in rows[: _NAMED + 1] if other != row][:_NAMED]
        yield row, "、".join(others) + (" 等" if len(rows) - 1 > len(others) else "")
