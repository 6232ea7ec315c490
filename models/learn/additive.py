"""A fitted model as tables of effects, and every firm's score and exact Shapley values read off them.

The trees may look at one feature each, or at the task's one pair (``together``), so that the log-odds are a
sum

    f(x) = constant + Σ effect_k(bin of x_k) + pair(bin of x_i, bin of x_j)

and each effect is found by asking the fitted model, one bin after the other, with all else held still. The
Shapley value of a feature against the training firms as background is then exact: its effect less the
effect's mean, and for the pair half of what it brings alone and half of what it brings after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.learn.bins import BinArray, Binner
from models.learn.columns import FloatArray

Margin = Callable[[Sequence[BinArray]], FloatArray]
"""Log-odds that the fitted model gives to firms in bins."""


@dataclass(frozen=True)
class Tables:
    """Effects in log-odds, blanks last in every table; ``pair`` has a row per bin of the first feature."""

    constant: float
    """Of a firm all of whose bins are the first."""
    singles: tuple[FloatArray | None, ...]
    """By feature; None for the two of the pair."""
    together: tuple[int, int]
    pair: FloatArray

    def margin(self, bins: Sequence[BinArray]) -> FloatArray:
        """Log-odds, uncalibrated, shape (firms,)."""
        first, second = self.together
        total = self.constant + self.pair[bins[first], bins[second]]
        for effect, found in zip(self.singles, bins, strict=True):
            if effect is not None:
                total += effect[found]
        return total

    def margin_one(self, bins: Sequence[int]) -> float:
        """:meth:`margin` of one firm, to the last bit."""
        singles, pair = self._plain
        first, second = self.together
        total = self.constant + pair[bins[first]][bins[second]]
        for effect, found in zip(singles, bins, strict=True):
            if effect is not None:
                total += effect[found]
        return total

    @cached_property
    def _plain(self) -> tuple[list[list[float] | None], list[list[float]]]:
        """``singles`` and ``pair`` as lists: quicker than arrays to look one number up in."""
        return [None if effect is None else effect.tolist() for effect in self.singles], self.pair.tolist()


def tabulate(margin: Margin, binner: Binner, together: tuple[int, int]) -> Tables:
    """Ask the model for every bin of every feature, all other features in their first bin."""
    scales = binner.scales
    base = float(margin([np.zeros(1, dtype=np.uint8) for _ in scales])[0])
    singles = tuple(
        None if k in together else _asked(margin, len(scales), {k: np.arange(scale.bins)}) - base
        for k, scale in enumerate(scales)
    )
    first, second = (scales[k].bins for k in together)
    grid = np.divmod(np.arange(first * second), second)
    pair = _asked(margin, len(scales), dict(zip(together, grid, strict=True))) - base
    return Tables(base, singles, together, pair.reshape(first, second))


def _asked(margin: Margin, features: int, varied: dict[int, npt.NDArray[np.intp]]) -> FloatArray:
    size = len(next(iter(varied.values())))
    return margin([varied.get(k, np.zeros(size)).astype(np.uint8) for k in range(features)])


class Shapley:
    """Exact Shapley values of :class:`Tables` against training firms.

    ``shares``: of each feature's bins; ``joint``: of the pair's bins together.
    """

    def __init__(self, tables: Tables, shares: Sequence[FloatArray], joint: FloatArray) -> None:
        first, second = tables.together
        self._together = tables.together
        self._single = [
            None if effect is None else effect - share @ effect
            for effect, share in zip(tables.singles, shares, strict=True)
        ]
        mean = float(np.sum(joint * tables.pair))
        alone = (tables.pair @ shares[second])[:, None]
        other = (shares[first] @ tables.pair)[None, :]
        self._first = ((alone - mean) + (tables.pair - other)) / 2
        self._second = ((other - mean) + (tables.pair - alone)) / 2
        self.mean = (
            tables.constant
            + mean
            + sum(
                float(share @ effect)
                for effect, share in zip(tables.singles, shares, strict=True)
                if effect is not None
            )
        )
        """Log-odds of the average training firm: with a firm's values it adds up to its log-odds."""

    def values(self, bins: Sequence[BinArray]) -> FloatArray:
        """Log-odds by which each feature moved the score, shape (firms, features)."""
        first, second = self._together
        found = np.empty((len(bins[0]), len(bins)), order="F")
        for k, effect in enumerate(self._single):
            if effect is not None:
                found[:, k] = effect[bins[k]]
        found[:, first] = self._first[bins[first], bins[second]]
        found[:, second] = self._second[bins[first], bins[second]]
        return found

    def values_one(self, bins: Sequence[int]) -> list[float]:
        """:meth:`values` of one firm, to the last bit."""
        singles, by_first, by_second = self._plain
        found = [0.0 if effect is None else effect[at] for effect, at in zip(singles, bins, strict=True)]
        first, second = self._together
        found[first] = by_first[bins[first]][bins[second]]
        found[second] = by_second[bins[first]][bins[second]]
        return found

    @cached_property
    def _plain(self) -> tuple[list[list[float] | None], list[list[float]], list[list[float]]]:
        singles = [None if effect is None else effect.tolist() for effect in self._single]
        return singles, self._first.tolist(), self._second.tolist()


def sigmoid(margin: FloatArray) -> FloatArray:
    """Log-odds as a chance."""
    chance: FloatArray = 1 / (1 + np.exp(-np.clip(margin, -700, 700)))
    return chance


def sigmoid_one(margin: float) -> float:
    """:func:`sigmoid` of one, to the last bit."""
    return float(1 / (1 + np.exp(-min(max(margin, -700.0), 700.0))))
