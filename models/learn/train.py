"""Training: choose by an inner time-split, fit on all years, calibrate on firms held back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from models.errors import LearnRefused, Text
from models.fields import catalogue
from models.learn.bins import Binner, fit_binner
from models.learn.card import card_of
from models.learn.columns import FloatArray
from models.learn.evaluation import Trial, evaluate
from models.learn.fit import Fitted, Kind, Rows, fit, settle
from models.learn.groups import groups_of, size_inputs
from models.learn.history import DATED_BY, History
from models.learn.lines import lines_for
from models.learn.metrics import MEASURES
from models.learn.model import CUTS, Bundle, Model
from models.learn.outcomes import FirmYears, firm_years, wide_titles
from models.learn.rivals import Rival, fit_curve, fit_laplace
from models.learn.sample import (
    MOST_ROWS,
    POOLED_WEIGHT,
    Sample,
    Sampler,
    capped,
    joined,
)
from models.learn.signals import Signals
from models.learn.tasks import Curriculum, Task, curriculum, task
from models.rules.rulebook import Rulebook

_ANY_YEAR = 2024
"""Which fields a standard reads does not hang on the year."""
LEAST_OF_EACH = 50
"""Firm-years with yes, and with no, that a model needs."""
INNER_ROWS, LATER_ROWS = 200_000, 100_000
KINDS: tuple[Kind, ...] = ("trees", "logistic")


@dataclass(frozen=True)
class Trained:
    """A model before it is filed: the numbers and the card; :func:`models.learn.store.save` files it."""

    bundle: Bundle
    card: Mapping[str, Any]
    model: Model
    notices: tuple[Text, ...]


@dataclass(frozen=True)
class _Set:
    """One task's firm-years, and what reads them."""

    task: Task
    plan: Curriculum
    book: Rulebook
    years: tuple[FirmYears, ...]
    sampler: Sampler
    signals: Signals

    def signal(self, years: FirmYears) -> FloatArray:
        matrix = self.sampler.reader.matrix(years.columns)
        return self.signals.of_frame(years.frame, matrix, years.year)

    def plain(self, years: Sequence[FirmYears]) -> Sample:
        return joined([self.sampler.plain(one, self.signal(one)) for one in years])

    def fitting(self, years: Sequence[FirmYears]) -> tuple[Sample, FloatArray]:
        """Rows to fit to, own lines and drawn ones, and their weights."""
        own = joined([self.sampler.thinned(one, np.full(one.columns.size, np.nan)) for one in years])
        drawn = [found for one in years if (found := self.sampler.pooled(one)) is not None]
        rows = joined([own, *drawn])
        weight = np.where(np.arange(len(rows)) < len(own), 1.0, POOLED_WEIGHT)
        return rows, weight


def needed_fields(name: str, book: Rulebook) -> frozenset[str]:
    """Fields of a history that training or testing a task reads: features, outcome, rival, groups."""
    chosen = task(name)
    lines = lines_for(chosen, book)
    found = {key for one in chosen.features for key in one.of if one.kind != "line"} | {DATED_BY}
    if lines is not None:
        found |= lines.fields
    if chosen.outcome.kind == "holds":
        found.add(chosen.outcome.of)
    columns = Signals(chosen, book).inputs(_ANY_YEAR) | size_inputs(_ANY_YEAR, book)
    return frozenset(found | {parsed[0].key for one in columns if (parsed := catalogue().parse_column(one))})


def train(
    history: History, name: str, until: int, book: Rulebook, trained_on: date, seed: int = 0
) -> Trained:
    """Train one task on outcomes up to and including ``until``.

    The test in the card is of the last year, by a model of the years before it; where there is one year
    only, of firms held back. The model itself then learns from all years. LearnRefused: L101 no such task,
    L104 no outcome up to ``until``, L105 one class only, L106 too few.
    """
    with threadpool_limits(1):  # summed in one order: the same seed gives the same bytes
        return _train(history, task(name), until, book, trained_on, seed)


def _train(
    history: History, chosen: Task, until: int, book: Rulebook, trained_on: date, seed: int
) -> Trained:
    found = _gather(history, chosen, until, book, seed)
    _enough(found, until)
    tried = _try(found, seed)
    bundle, sample = _final(found, tried, seed)
    notices = [*history.notices]
    if (word := wide_titles(history, chosen, until)) is not None:
        notices.append(word)
    years = [one.year for one in found.years]
    model = Model(chosen, "", {}, bundle)
    card = card_of(model, history, years, until, seed, trained_on, tried.as_dict(), _counts(sample), notices)
    return Trained(bundle, card, Model(chosen, "", card, bundle), tuple(notices))


def _counts(sample: Sample) -> dict[str, int]:
    return {"rows": len(sample), "yes": int(sample.outcome.sum())}


def _gather(history: History, chosen: Task, until: int, book: Rulebook, seed: int) -> _Set:
    plan, lines = curriculum(), lines_for(chosen, book)
    sampler = Sampler(chosen, plan, lines, seed)
    asked = [year for year in range(history.years.start + 1, history.years.stop + 1) if year <= until]
    found = [firm_years(history, chosen, year, lines, plan.title_years) for year in asked]
    told = tuple(one for one in found if np.isfinite(one.outcome).any())
    return _Set(chosen, plan, book, told, sampler, Signals(chosen, book))


def _enough(found: _Set, until: int) -> None:
    answers = [one.outcome[np.isfinite(one.outcome)] for one in found.years]
    yes = int(sum(one.sum() for one in answers))
    no = int(sum(len(one) for one in answers)) - yes
    name = found.task.name
    if not answers:
        raise LearnRefused(
            "L104",
            Text(
                f"到 {until} 年为止，没有一家企业看得出“{name.zh}”的结果",
                f"up to {until} the outcome of “{name.en}” is known of no firm",
            ),
            Text(
                "要有前后相连两年的数据：前一年的指标和后一年的营收或称号；或把 --until 改晚",
                "Two years in a row are needed: figures, then what came of them; or a later --until",
            ),
        )
    if not yes or not no:
        only = Text("是", "yes") if yes else Text("否", "no")
        raise LearnRefused(
            "L105",
            Text(
                f"“{name.zh}”的结果全是“{only.zh}”，学不到区别", f"every outcome of “{name.en}” is {only.en}"
            ),
            Text("给更多企业或更多年份的历史", "Give a history of more firms or more years"),
        )
    if min(yes, no) < LEAST_OF_EACH:
        raise LearnRefused(
            "L106",
            Text(
                f"“{name.zh}”的结果太少：是 {yes} 个、否 {no} 个，各至少要 {LEAST_OF_EACH} 个",
                f"too few outcomes of “{name.en}”: {yes} yes, {no} no; {LEAST_OF_EACH} of each are needed",
            ),
            Text("给更多企业或更多年份的历史", "Give a history of more firms or more years"),
        )


@dataclass(frozen=True)
class _Tried:
    """What the inner split found: the kind to use, its settings, and the test of the last year."""

    kind: Kind
    settings: dict[str, float]
    test: dict[str, Any]
    losses: Mapping[Kind, float]
    split: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "settings": self.settings,
            "test": self.test,
            "brier_of_kinds": dict(self.losses),
            "split": self.split,
        }


def _try(found: _Set, seed: int) -> _Tried:
    """Fit both kinds on the earlier years, take the better on the last, and test it beside the rival."""
    by_year = len(found.years) > 1
    earlier = found.years[:-1] if by_year else found.years
    rows, weight = found.fitting(earlier)
    plain, later = found.plain(earlier), found.plain(found.years[-1:])
    if not by_year:  # one year: firms held back stand for the later year
        inside = rows.fold > 1
        rows, weight = rows.take(inside), weight[inside]
        plain, later = plain.take(plain.fold > 0), later.take(later.fold == 0)
    _both(later, found.task)
    options = {kind: _fit_one(found.task, kind, rows, weight, plain, later, seed) for kind in KINDS}
    losses = {kind: MEASURES["brier"](later.outcome, one.score(later)) for kind, one in options.items()}
    kind: Kind = min(KINDS, key=lambda one: losses[one])
    rival = _fit_rival(found.task, plain)
    groups = groups_of(_frame_of(found, later), found.years[-1].year, found.book)
    tested = Trial(later.outcome, options[kind].score(later), rival.chance(later.signal))
    test = {"year": found.years[-1].year, **evaluate(tested, groups, seed)}
    return _Tried(kind, options[kind].fitted.settings, test, losses, "year" if by_year else "firms")


def _both(later: Sample, chosen: Task) -> None:
    """LearnRefused (L107) where the year to test on has no firm of one answer."""
    if 0 < later.outcome.sum() < len(later):
        return
    year = int(later.year[0]) if len(later) else 0
    raise LearnRefused(
        "L107",
        Text(
            f"最后一年 {year} 的“{chosen.name.zh}”结果不足两类，没法检验",
            f"the last year, {year}, has outcomes of one kind only: nothing to test on",
        ),
        Text("把 --until 改早或改晚一年", "Try --until a year earlier or later"),
    )


def _frame_of(found: _Set, later: Sample) -> pl.DataFrame:
    """The firms of ``later`` as canonical columns, in its order."""
    return found.years[-1].frame[later.row.astype(np.uint32)]


@dataclass(frozen=True)
class _Option:
    fitted: Fitted
    binner: Binner
    slope: float
    intercept: float

    def score(self, sample: Sample) -> FloatArray:
        margin = self.fitted.tables.margin(self.binner.place(sample.matrix))
        return 1 / (1 + np.exp(-(self.slope * margin + self.intercept)))


def _fit_one(
    chosen: Task, kind: Kind, rows: Sample, weight: FloatArray, plain: Sample, later: Sample, seed: int
) -> _Option:
    """One kind with its best settings, calibrated on firms held back from fitting."""
    kept = rows.fold != 0
    rows, weight = rows.take(kept), weight[kept]
    few = np.random.default_rng((seed, 3)).permutation(len(rows))[:INNER_ROWS]
    binner = fit_binner(chosen.features, rows.matrix, rows.outcome)
    inner = _rows(binner, rows.take(few), weight[few])
    calibrating = plain.take(plain.fold == 0) if (plain.fold == 0).any() else plain
    settings = settle(kind, chosen, binner, inner, _rows(binner, capped(later, LATER_ROWS, seed)), seed)
    fitted = fit(kind, chosen, binner, inner, settings, seed)
    slope, intercept = _sigmoid(fitted, binner, calibrating)
    return _Option(fitted, binner, slope, intercept)


def _rows(binner: Binner, sample: Sample, weight: FloatArray | None = None) -> Rows:
    weight = np.ones(len(sample)) if weight is None else weight
    return Rows(binner.place(sample.matrix), sample.outcome, weight)


def _sigmoid(fitted: Fitted, binner: Binner, sample: Sample) -> tuple[float, float]:
    """Platt's sigmoid over the log-odds; never one that turns the order round."""
    margin = fitted.tables.margin(binner.place(sample.matrix))
    if not 0 < sample.outcome.sum() < len(sample):
        return 1.0, 0.0
    curve = LogisticRegression(C=np.inf).fit(margin[:, None], sample.outcome)
    slope = float(curve.coef_[0, 0])
    return (slope, float(curve.intercept_[0])) if slope > 0 else (1.0, 0.0)


def _fit_rival(chosen: Task, plain: Sample) -> Rival:
    if chosen.rival.kind == "laplace":
        return fit_laplace(plain.growth, plain.outcome)
    return fit_curve(chosen.rival.kind, plain.signal, plain.outcome)


def _final(found: _Set, tried: _Tried, seed: int) -> tuple[Bundle, Sample]:
    """The model of all years, as the numbers that its file holds."""
    chosen = found.task
    rows, weight = found.fitting(found.years)
    kept = np.flatnonzero(rows.fold != 0)
    most = MOST_ROWS if tried.kind == "trees" else INNER_ROWS
    if len(kept) > most:
        kept = np.sort(np.random.default_rng((seed, 4)).choice(kept, most, replace=False))
    rows, weight = rows.take(kept), weight[kept]
    plain = found.plain(found.years)
    binner = fit_binner(chosen.features, rows.matrix, rows.outcome)
    fitted = fit(tried.kind, chosen, binner, _rows(binner, rows, weight), tried.settings, seed)
    calibrating = plain.take(plain.fold == 0) if (plain.fold == 0).any() else plain
    slope, intercept = _sigmoid(fitted, binner, calibrating)
    last = plain.take(plain.year == plain.year.max())
    bins = binner.place(last.matrix)
    score = 1 / (1 + np.exp(-(slope * fitted.tables.margin(bins) + intercept)))
    edges = np.unique(np.quantile(score, np.linspace(0.1, 0.9, 9)))
    first, second = (bins[k] for k in fitted.tables.together)
    joint = np.zeros(fitted.tables.pair.shape)
    np.add.at(joint, (first, second), 1 / len(last))
    bundle = {
        "format": 1,
        "task": chosen.id,
        "features": [one.key for one in chosen.features],
        "kind": tried.kind,
        "estimator": fitted.estimator,
        "binner": binner.as_dict(),
        "shares": binner.shares(bins),
        "joint": joint,
        "slope": slope,
        "intercept": intercept,
        "rival": _fit_rival(chosen, plain).as_dict(),
        "cuts": np.quantile(score, CUTS),
        "score_edges": edges,
        "score_shares": np.bincount(np.searchsorted(edges, score, side="right"), minlength=len(edges) + 1)
        / len(score),
    }
    return bundle, plain
