"""Findings in a frame of firms: which figures contradict each other, where rules and models differ.

A finding names the firm, the figures and what about them is odd. Its id is of just that, so that the next run
finds the same thing under the same id, and a changed figure is a new finding.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import polars as pl

from models.fields import catalogue
from models.figures import external
from models.learn.outlook import Scores
from models.reviews.kinds import Kind, kinds
from models.verdict import Verdict

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """``detail``: figures (column, external value), ratio, or standard, verdict, task, score."""

    id: str
    kind: str
    uscc: str
    district: str | None
    year: int
    weight: float
    detail: dict[str, Any]


@dataclass(frozen=True)
class Opinions:
    """What rules and models say of a frame's firms: task → (standard, verdicts, scores)."""

    by_task: Mapping[str, tuple[str, pl.Series, Scores]]


def inputs(year: int) -> frozenset[str]:
    """Canonical columns that are read for an evaluation date of ``year``."""
    return frozenset(column for kind in kinds().of("figures") for column in _columns(kind, year))


def find(firms: pl.DataFrame, year: int, opinions: Opinions | None = None) -> list[Finding]:
    """All findings of the firms (``uscc``, ``district``, canonical columns), firm by firm as they stand.

    ``year``: of the evaluation date; figures are looked at of the year before.
    """
    found: list[tuple[int, Finding]] = []
    for kind in kinds().of("figures"):
        found += _of_figures(kind, firms, year)
    if opinions is not None:
        for kind in kinds().of("disagreements"):
            found += _of_opinions(kind, firms, year, opinions)
    order = {kind: place for place, kind in enumerate(kinds().kinds)}
    found.sort(key=lambda pair: (pair[0], order[pair[1].kind]))
    return [finding for _, finding in found]


def _columns(kind: Kind, year: int) -> list[str]:
    if kind.compares:
        return [catalogue()[kind.given[side]].column(year - 1) for side in ("figure", "over")]
    return [catalogue()[key].column(year - back) for key in kind.fields for back in (1, 2)]


def _of_figures(kind: Kind, firms: pl.DataFrame, year: int) -> Iterator[tuple[int, Finding]]:
    if kind.compares:
        figure, over = _columns(kind, year)
        yield from _pairs(kind, firms, year, figure, over, _exceeds(kind, figure, over))
    elif kind.id == "copied":
        yield from _copied(kind, firms, year)
    else:
        test = {"unit_slip": _slipped, "jump": _jumped}[kind.id]
        for key in kind.fields:
            now, before = (catalogue()[key].column(year - back) for back in (1, 2))
            yield from _pairs(kind, firms, year, now, before, test(kind, now, before))


def _exceeds(kind: Kind, figure: str, over: str) -> pl.Expr:
    times = float(kind.given["times"])
    return (pl.col(over) > 0) & (pl.col(figure) > pl.col(over) * times)


def _power(now: str, before: str) -> pl.Expr:
    """log₁₀ of how many times one is the other; both of one sign and neither zero."""
    ratio = pl.col(now).cast(pl.Float64) / pl.col(before).cast(pl.Float64)
    return pl.when((ratio > 0) & ratio.is_finite()).then(ratio).log(10)


def _near_power(now: str, before: str) -> pl.Expr:
    slip = kinds().kinds["unit_slip"].given
    power, within = float(slip["power"]), math.log10(slip["within"])
    return (_power(now, before).abs() - power).abs() <= within


def _slipped(_kind: Kind, now: str, before: str) -> pl.Expr:
    return _near_power(now, before)


def _jumped(kind: Kind, now: str, before: str) -> pl.Expr:
    large = pl.max_horizontal(pl.col(now).abs(), pl.col(before).abs()) >= float(kind.given["above"])
    far = _power(now, before).abs() >= math.log10(kind.given["times"])
    return far & large & ~_near_power(now, before)


def _pairs(
    kind: Kind, firms: pl.DataFrame, year: int, first: str, second: str, test: pl.Expr
) -> Iterator[tuple[int, Finding]]:
    if first not in firms.columns or second not in firms.columns:
        return
    hit = firms.select("uscc", "district", first, second, test.fill_null(False).alias("hit"))
    for row, (code, district, value, other) in _hits(hit):
        ratio = float(value) / float(other)
        weight = kind.weight + _off(ratio) + _size(value, other)
        detail = {"figures": _told({first: value, second: other}), "ratio": float(f"{ratio:.{_DIGITS}g}")}
        yield row, _finding(kind, code, district, year, weight, detail)


def _off(ratio: float) -> float:
    """The farther off the heavier, up to 0.9."""
    return min(abs(math.log10(abs(ratio))), 9.0) / 10


def _size(*figures: float) -> float:
    """Of two that are as far off, the larger figures come first."""
    return math.log10(max(map(abs, figures))) / 10_000


def _copied(kind: Kind, firms: pl.DataFrame, year: int) -> Iterator[tuple[int, Finding]]:
    pairs = [tuple(catalogue()[key].column(year - back) for back in (1, 2)) for key in kind.fields]
    held = [pair for pair in pairs if set(pair) <= set(firms.columns)]
    if len(held) < kind.given["least"]:
        return
    same = [((pl.col(now) == pl.col(before)) & (pl.col(now) != 0)).fill_null(False) for now, before in held]
    flags = [test.alias(f"{now}.same") for test, (now, _) in zip(same, held, strict=True)]
    counts = firms.select("uscc", "district", *flags, pl.sum_horizontal(same).alias("count"))
    hit = counts.with_columns((pl.col("count") >= kind.given["least"]).alias("hit"))
    places = {now: firms[now] for now, _ in held}
    for row, (code, district, *is_same, count) in _hits(hit):
        copied = [now for (now, _), one in zip(held, is_same, strict=True) if one]
        figures = {now: places[now][row] for now in copied}
        detail = {"figures": _told(figures), "count": int(count)}
        yield row, _finding(kind, code, district, year, kind.weight + count / 10, detail)


def _hits(frame: pl.DataFrame) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Row number and values of the rows whose last column, ``hit``, is true."""
    hits = frame.with_row_index("place@").filter("hit").drop("hit")
    for place, *values in hits.iter_rows():
        yield place, tuple(values)


def _of_opinions(
    kind: Kind, firms: pl.DataFrame, year: int, opinions: Opinions
) -> Iterator[tuple[int, Finding]]:
    wanted = int(Verdict[kind.given["verdict"].upper()])
    for task in kind.given["tasks"]:
        if task not in opinions.by_task:
            continue
        standard, verdicts, scores = opinions.by_task[task]
        chance = scores.spread(scores.score)
        with np.errstate(invalid="ignore"):
            sure = (chance >= kind.given.get("at_least", 0)) & (chance <= kind.given.get("at_most", 1))
        for row in np.flatnonzero(sure & (verdicts.to_numpy() == wanted)).tolist():
            score = float(chance[row])
            detail = {
                "task": task, "standard": standard, "verdict": kind.given["verdict"],
                "score": round(score, 6),
            }  # fmt: skip
            weight = kind.weight + abs(score - 0.5)
            code, district = firms["uscc"][row], firms["district"][row]
            yield row, _finding(kind, code, district, year, weight, detail)


def _told(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"column": name, "value": external(name, value)} for name, value in figures.items()]


def _finding(
    kind: Kind, uscc: str, district: str | None, year: int, weight: float, detail: dict[str, Any]
) -> Finding:
    """Scores and ratios are not of the id: another model, or a rounding, is no new finding."""
    named = {name: value for name, value in detail.items() if name not in ("score", "ratio")}
    digest = hashlib.sha256(orjson.dumps([kind.id, uscc, year, named], option=orjson.OPT_SORT_KEYS))
    return Finding(digest.hexdigest()[:32], kind.id, uscc, district, year, weight, detail)
