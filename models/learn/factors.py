"""The strongest factors of many firms as short texts, from a few thousand ready-made ones.

A registry is told in bins: a firm's revenue is said as the middle of its bin, with 约 (about). One firm is
told exactly (:class:`models.learn.outlook.Factor`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from models.learn.model import Model
from models.learn.outlook import Scores
from models.learn.tasks import Feature
from models.learn.words import BLANK, value_text

TOLD = 3
UP, DOWN = "↑", "↓"
BETWEEN = "；"


class FactorTexts:
    """Of one model: a text for every feature, bin and direction."""

    def __init__(self, model: Model) -> None:
        self._shapley = model.shapley
        texts: list[str] = []
        starts: list[int] = []
        for feature, scale in zip(model.task.features, model.binner.scales, strict=True):
            starts.append(len(texts) // 2)
            places = scale.points if scale.categorical else scale.middles
            for value in places:
                said = _said(feature, float(value))
                texts += [said + DOWN, said + UP]
            texts += [f"{feature.name.zh}{BLANK.zh}{arrow}" for arrow in (DOWN, UP)]
        self._texts = pl.Series("text", texts)
        self._starts = np.array(starts)

    def of(self, scores: Scores) -> pl.Series:
        """``离规上线的距离：还要增长120%↓；营业收入约900万元↓``, strongest first, of the estimated firms."""
        effects = self._shapley.values(scores.bins).astype(np.float32)
        sizes = np.abs(effects)
        rows = np.arange(len(effects))
        parts = []
        for _ in range(min(TOLD, effects.shape[1])):
            strongest = sizes.argmax(axis=1)
            sizes[rows, strongest] = -1.0
            parts.append(self._text(scores, rows, strongest, effects))
        return pl.select(pl.concat_str(parts, separator=BETWEEN)).to_series()

    def _text(
        self,
        scores: Scores,
        rows: npt.NDArray[np.intp],
        chosen: npt.NDArray[np.intp],
        effects: npt.NDArray[np.float32],
    ) -> pl.Series:
        bins = np.empty(len(rows), dtype=np.int64)
        for k in range(effects.shape[1]):
            here = chosen == k
            bins[here] = scores.bins[k][here]
        place = 2 * (self._starts[chosen] + bins) + (effects[rows, chosen] > 0)
        return self._texts.gather(pl.Series(place))


def _said(feature: Feature, value: float) -> str:
    about = {"line": "：", "blanks": "", "category": ""}.get(feature.kind, "约")
    return f"{feature.name.zh}{about}{value_text(feature, value).zh}"
