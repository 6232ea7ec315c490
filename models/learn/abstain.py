"""When no estimate is given, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from models.errors import Text
from models.learn.columns import Columns, FloatArray
from models.learn.lines import Lines
from models.learn.tasks import Task

LEAST_KNOWN = 2
"""Figures, beside revenue, that must be known for an estimate."""


class Why(IntEnum):
    """Reasons for no score, the first that holds."""

    NONE = 0
    UNREADABLE = 1
    NO_REVENUE = 2
    NO_LINE = 3
    AT_LINE = 4
    FEW_INPUTS = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no score: a stable code and its words."""

    code: str
    text: Text


REASONS = {
    Why.UNREADABLE: Reason("unreadable", Text("这一行读不出", "the row cannot be read")),
    Why.NO_REVENUE: Reason(
        "no_revenue", Text("缺上年营业收入，或为零", "last year's revenue is missing or zero")
    ),
    Why.NO_LINE: Reason(
        "no_line", Text("行业不明，或该行业没有营收线", "the sector is unknown or has no line of revenue")
    ),
    Why.AT_LINE: Reason("at_line", Text("已在线上，不用估计", "already on or over the line")),
    Why.FEW_INPUTS: Reason("few_inputs", Text("已知指标太少", "too few figures are known")),
}


def counted(task: Task) -> list[int]:
    """Places of the features that :data:`LEAST_KNOWN` counts."""
    return [
        place
        for place, feature in enumerate(task.features)
        if feature.kind not in ("line", "blanks", "category") and feature.key != "size"
    ]


def whys(task: Task, columns: Columns, matrix: FloatArray, lines: Lines | None) -> npt.NDArray[np.int8]:
    """For every firm :class:`Why`; ``matrix`` as :meth:`FeatureReader.matrix` gives it."""
    found = np.zeros(columns.size, dtype=np.int8)
    known = np.sum(~np.isnan(matrix[:, counted(task)]), axis=1)
    found[known < LEAST_KNOWN] = Why.FEW_INPUTS
    if lines is not None:
        line, reached = lines.amount(columns), lines.reached(columns)
        found[reached >= line] = Why.AT_LINE
        found[np.isnan(line)] = Why.NO_LINE
    found[~(columns.field("revenue") > 0)] = Why.NO_REVENUE
    return found
