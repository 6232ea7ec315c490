"""What ships, and what every model must hold to: directions, exact factors, one answer for one and many."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from models.figures import read_figures
from models.learn.abstain import REASONS, Why
from models.learn.additive import Shapley, Tables
from models.learn.card import is_synthetic
from models.learn.drift import drift, tally
from models.learn.fit import Kind, Rows, fit, margin_of
from models.learn.history import History, read_history
from models.learn.model import Model
from models.learn.outcomes import firm_years
from models.learn.outlook import Outlooks, TaskOutlook
from models.learn.store import load_all
from models.learn.synth import write_history
from models.learn.tasks import tasks
from models.learn.train import Trained
from models.rules.rulebook import rulebook
from models.seeds import seed
from models.tabular.issues import IssueLog
from models.tabular.reader import open_table

AS_OF = date(2026, 6, 30)
DEMO = seed("demo", "firms.csv")
SHIPPED = {model.task.id: model for model in load_all(seed("learning", "models"))}


@pytest.fixture(scope="module")
def outlooks() -> Outlooks:
    return Outlooks(list(SHIPPED.values()), rulebook())


@pytest.fixture(scope="module")
def demo(outlooks: Outlooks) -> pl.DataFrame:
    with open_table(DEMO) as table:
        wanted = sorted(outlooks.inputs(AS_OF) & table.available)
        return pl.concat(list(table.batches(wanted, IssueLog())))


def test_a_model_of_every_task_ships() -> None:
    assert list(SHIPPED) == list(tasks())


@pytest.mark.parametrize("name", list(SHIPPED))
def test_what_ships_beats_its_rival_is_calibrated_and_says_that_it_learned_from_synthetic_firms(
    name: str,
) -> None:
    card = SHIPPED[name].card
    test = card["test"]
    assert test["model"]["brier"]["value"] < test["rival"]["brier"]["value"]
    assert test["model"]["pr_auc"]["value"] > test["rival"]["pr_auc"]["value"]
    assert test["calibration"]["error"] <= 0.03
    assert card["released_ok"]
    assert card["synthetic"]
    assert "合成" in card["limits"][0]["zh"]
    assert card["until"] == test["year"]


def test_crossing_the_line_is_about_as_hard_as_in_life() -> None:
    assert 0.75 <= SHIPPED["above_scale"].card["test"]["model"]["auc"]["value"] <= 0.90


@pytest.mark.parametrize("name", list(SHIPPED))
def test_directions_hold_on_ten_thousand_pairs(name: str) -> None:
    model = SHIPPED[name]
    rng = np.random.default_rng(1)
    for feature in model.task.features:
        direction = model.task.direction(feature.key)
        if not direction:
            continue
        place = model.task.place(feature.key)
        rows = [rng.integers(0, scale.bins, 10_000).astype(np.uint8) for scale in model.binner.scales]
        low, high = np.sort(rng.integers(0, model.binner.scales[place].blank, (2, 10_000)), axis=0)
        one, other = list(rows), list(rows)
        one[place], other[place] = low.astype(np.uint8), high.astype(np.uint8)
        assert np.all((model.score(other) - model.score(one)) * direction >= -1e-12), feature.key


@pytest.mark.parametrize("kind", ["trees", "logistic"])
def test_the_tables_say_what_the_estimator_says(kind: Kind, above_scale: Trained) -> None:
    model = above_scale.model
    rng = np.random.default_rng(2)
    bins = [rng.integers(0, scale.bins, 3000).astype(np.uint8) for scale in model.binner.scales]
    outcome = (bins[0] + bins[1] < rng.integers(0, 120, 3000)).astype(np.float64)
    settings = {"rounds": 20.0, "strength": 0.03}
    fitted = fit(kind, model.task, model.binner, Rows(bins, outcome, np.ones(3000)), settings, 0)
    asked = margin_of(kind, fitted.estimator, model.binner)(bins)
    assert np.allclose(fitted.tables.margin(bins), asked, atol=1e-9)


def test_factors_are_exact_shapley_values() -> None:
    """By the definition: the mean over all orders of what a feature brings when it comes in."""
    rng = np.random.default_rng(3)
    singles = (None, rng.normal(size=3), None, rng.normal(size=4))
    tables = Tables(0.4, singles, (0, 2), rng.normal(size=(5, 2)))
    background = np.stack([rng.integers(0, n, 40) for n in (5, 3, 2, 4)], axis=1)
    shares = [np.bincount(background[:, k], minlength=n) / 40 for k, n in enumerate((5, 3, 2, 4))]
    joint = np.zeros((5, 2))
    np.add.at(joint, (background[:, 0], background[:, 2]), 1 / 40)
    firm = np.array([4, 0, 1, 2])

    def value(known: frozenset[int]) -> float:
        rows = background.copy()
        for k in known:
            rows[:, k] = firm[k]
        return float(tables.margin([rows[:, k].astype(np.uint8) for k in range(4)]).mean())

    wanted = np.zeros(4)
    for order in permutations(range(4)):
        for place, k in enumerate(order):
            before = frozenset(order[:place])
            wanted[k] += (value(before | {k}) - value(before)) / 24
    found = Shapley(tables, shares, joint).values([firm[k : k + 1].astype(np.uint8) for k in range(4)])[0]
    assert np.allclose(found, wanted)


def test_factors_add_up_to_the_score(outlooks: Outlooks, demo: pl.DataFrame) -> None:
    for task, scores in outlooks.scores(demo, AS_OF).items():
        model = SHIPPED[task]
        total = model.shapley.mean + model.shapley.values(scores.bins).sum(axis=1)
        assert np.allclose(model.chance(total), scores.score)


def test_one_firm_and_many_get_one_answer(outlooks: Outlooks, demo: pl.DataFrame) -> None:
    together = outlooks.of_frame(demo, AS_OF)
    with DEMO.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    for place in range(0, len(written), 13):
        figures = read_figures({k: v for k, v in written[place].items() if v}).figures
        for found in outlooks.of_firm(figures, AS_OF):
            _alike(found, together.row(place, named=True))


def test_one_firm_and_many_get_one_answer_whatever_is_missing_zero_or_below_it(
    outlooks: Outlooks, demo: pl.DataFrame
) -> None:
    random, seen = np.random.default_rng(5), set()
    names = [name for name in demo.columns if name != "error"]
    for share in (0.1, 0.4, 0.8):
        spoilt = demo.with_columns(
            pl.when(pl.Series(random.random(demo.height) >= share)).then(pl.col(name)) for name in names
        ).with_columns(
            pl.col(name) * pl.Series(random.choice([1, 1, 1, 0, -1], demo.height))
            for name in names
            if demo[name].dtype.is_numeric() and name != "industry"
        )
        together = outlooks.of_frame(spoilt, AS_OF)
        for figures, row in zip(spoilt.iter_rows(named=True), together.iter_rows(named=True), strict=True):
            for found in outlooks.of_firm(figures, AS_OF):
                _alike(found, row)
                seen.add(row[f"{found.task.id}.reason"])
    assert seen == {None, *(reason.code for why, reason in REASONS.items() if why != Why.UNREADABLE)}


def _alike(found: TaskOutlook, row: dict[str, Any]) -> None:
    name = found.task.id
    assert row[f"{name}.reason"] == (found.reason.code if found.reason else None)
    assert row[f"{name}.band"] == (found.band.key if found.band else None)
    if found.score is None:
        assert row[f"{name}.score"] is None
        assert found.factors == ()
    else:
        assert (row[f"{name}.score"], row[f"{name}.rival"]) == (found.score, found.rival)
        assert 3 <= len(found.factors) <= 5
        sizes = [abs(factor.effect) for factor in found.factors]
        assert sizes == sorted(sizes, reverse=True)


def test_a_blank_firm_gets_no_score_but_a_reason(outlooks: Outlooks) -> None:
    for found in outlooks.of_firm({}, AS_OF):
        assert found.score is None
        assert found.reason is not None
        assert found.reason.code == "no_revenue" if found.task.id != "above_scale" else found.reason.code


def test_few_figures_and_no_research_are_lived_with(outlooks: Outlooks) -> None:
    """What the panels of real firms hold: revenue, profit, debt, sector."""
    figures = {
        "industry": 39114,
        "revenue_2025": 15_000_000,
        "revenue_2024": 12_000_000,
        "net_profit_2025": 900_000,
        "total_assets_2025": 10_000_000,
        "total_liabilities_2025": 4_000_000,
    }
    by_task = {found.task.id: found for found in outlooks.of_firm(figures, AS_OF)}
    assert all(found.score is not None for found in by_task.values())
    far = outlooks.of_firm({**figures, "revenue_2025": 3_000_000}, AS_OF)[0]
    near = by_task["above_scale"]
    assert far.score is not None
    assert near.score is not None
    assert near.score > 3 * far.score


def test_models_carry_over_to_panels_of_a_few_figures(tmp_path: Path) -> None:
    """Firms traded over the counter of which only revenue, profit, debt and sector are told."""
    write_history(30_000, 99, tmp_path, AS_OF, years=3)
    fields = {
        "revenue", "net_profit", "total_assets", "total_liabilities", "industry", "listed_board",
        "title_giant_until",
    }  # fmt: skip
    told = firm_years(read_history([tmp_path], fields), tasks()["giant"], 2025, None, 3)
    traded = (told.frame["listed_board"] == "neeq").fill_null(False)
    frame = told.frame.filter(traded)
    scores = (
        Outlooks([SHIPPED["giant"]], rulebook()).of_frame(frame, date(2025, 6, 30))["giant.score"].to_numpy()
    )
    outcome = told.outcome[traded.to_numpy()]
    known = np.isfinite(outcome) & np.isfinite(scores)
    assert known.sum() > 800
    assert roc_auc_score(outcome[known], scores[known]) > 0.72


def test_who_is_on_the_line_is_not_estimated(outlooks: Outlooks) -> None:
    figures = {"industry": 39114, "revenue_2025": 20_000_000, "net_profit_2025": 1, "revenue_2024": 1_000}
    found = outlooks.of_firm(figures, AS_OF)[0]
    assert found.score is None
    assert found.reason is not None
    assert found.reason.code == "at_line"
    below = outlooks.of_firm({**figures, "revenue_2025": 19_999_999}, AS_OF)[0]
    assert below.score is not None


def test_the_outcomes_year_is_not_looked_at(outlooks: Outlooks) -> None:
    figures = {
        "industry": 39114, "revenue_2025": 9_000_000, "revenue_2024": 8_000_000, "net_profit_2025": 100_000,
    }  # fmt: skip
    later = {"revenue_2026": 99_000_000, "net_profit_2026": 5, "title_giant_until": date(2028, 1, 1)}
    before, after = outlooks.of_firm(figures, AS_OF), outlooks.of_firm({**figures, **later}, AS_OF)
    assert [found.score for found in before] == [found.score for found in after]


def test_the_same_firms_have_not_drifted_and_ten_times_larger_ones_have(
    outlooks: Outlooks, history: Callable[[str], History]
) -> None:
    firms = history("gazelle").before(2026)
    larger = firms.with_columns(pl.col("^revenue_.*$") * 10)
    model: Model = SHIPPED["gazelle"]
    same = drift(model, tally(model, outlooks.scores(firms, AS_OF)["gazelle"]))
    grown = drift(model, tally(model, outlooks.scores(larger, AS_OF)["gazelle"]))
    assert same.marks["size"] == "stable"
    assert grown.marks["size"] == "shifted"
    assert grown.marks["sector"] == "stable"


def test_a_registry_in_parts_drifts_as_it_does_whole(outlooks: Outlooks, demo: pl.DataFrame) -> None:
    model = SHIPPED["srdi"]
    whole = tally(model, outlooks.scores(demo, AS_OF)["srdi"])
    parts = [tally(model, outlooks.scores(part, AS_OF)["srdi"]) for part in (demo[:700], demo[700:])]
    assert drift(model, parts[0] + parts[1]) == drift(model, whole)


def test_only_codes_of_nobody_make_a_history_synthetic(history: Callable[[str], History]) -> None:
    found = history("gazelle")
    assert is_synthetic(found)
    real = found.tables[0].frame.head(3).with_columns(uscc=pl.lit("91310115MA1K4LLM7Q"))
    other = type(found.tables[0])("a", real, 2020, "")
    assert not is_synthetic(History((*found.tables, other)))
