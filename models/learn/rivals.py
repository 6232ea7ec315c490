"""The plain estimate that stands beside every model, and that a model must beat to be released.

==========  ============================================================================
laplace     chance that growth covers the distance to the line, growth being Laplace with
            the median and mean deviation of the training firms
gates       conditions of a standard that are met, by a logistic curve over their number
last        last year's growth, by a logistic curve
==========  ============================================================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from models.learn.columns import FloatArray
from models.learn.tasks import RivalKind

_NO_PENALTY = np.inf


@dataclass(frozen=True)
class Rival:
    """A fitted rival; ``signal``: distance to the line, conditions met, or last growth in logs."""

    kind: RivalKind
    first: float
    """Laplace: median; otherwise the curve's constant."""
    second: float
    """Laplace: mean deviation; otherwise the curve's slope."""
    base: float
    """Share of yes among training firms, said where there is no signal."""

    def chance(self, signal: FloatArray) -> FloatArray:
        """Shape (firms,), never NaN."""
        if self.kind == "laplace":
            far = (signal - self.first) / self.second
            found = np.where(far > 0, 0.5 * np.exp(-np.maximum(far, 0)), 1 - 0.5 * np.exp(np.minimum(far, 0)))
        else:
            found = 1 / (1 + np.exp(-(self.first + self.second * signal)))
        return np.where(np.isnan(signal), self.base, found)

    def chance_one(self, signal: float) -> float:
        """:meth:`chance` of one firm, to the last bit."""
        if math.isnan(signal):
            return self.base
        if self.kind != "laplace":
            return float(1 / (1 + np.exp(-(self.first + self.second * signal))))
        far = (signal - self.first) / self.second
        return float(0.5 * np.exp(-far) if far > 0 else 1 - 0.5 * np.exp(far))

    def as_dict(self) -> dict[str, float | str]:
        return {"kind": self.kind, "first": self.first, "second": self.second, "base": self.base}


def rival_of(stored: Mapping[str, float | str]) -> Rival:
    """What :meth:`Rival.as_dict` gave."""
    kind: RivalKind = stored["kind"]  # type: ignore[assignment]
    return Rival(kind, float(stored["first"]), float(stored["second"]), float(stored["base"]))


def fit_laplace(growth: FloatArray, outcome: FloatArray) -> Rival:
    """``growth``: log growth of the training firms under their line, NaN where unknown."""
    known = growth[np.isfinite(growth)]
    median = float(np.median(known)) if len(known) else 0.0
    spread = float(np.mean(np.abs(known - median))) if len(known) else 1.0
    return Rival("laplace", median, max(spread, 1e-6), float(outcome.mean()))


def fit_curve(kind: RivalKind, signal: FloatArray, outcome: FloatArray) -> Rival:
    """A logistic curve over one number."""
    base, known = float(outcome.mean()), ~np.isnan(signal)
    if len(np.unique(outcome[known])) < 2:
        return Rival(kind, float(np.log(base / (1 - base))) if 0 < base < 1 else 0.0, 0.0, base)
    curve = LogisticRegression(C=_NO_PENALTY).fit(signal[known, None], outcome[known])
    return Rival(kind, float(curve.intercept_[0]), float(curve.coef_[0, 0]), base)
