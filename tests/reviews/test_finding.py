"""What is found in figures: on the line and beside it, and among firms whose slips are known."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from models.learn.synth import write
from models.reviews.finding import Finding, find, inputs
from models.reviews.kinds import kinds
from models.reviews.queue import told
from models.tabular.issues import IssueLog
from models.tabular.reader import open_table

FIRM = "91310115MA00000017"
MONEY = ("revenue", "main_revenue", "net_profit", "total_assets", "total_liabilities", "rd_expense")


def found(**figures: int | None) -> dict[str, Finding]:
    """Findings in one firm, by kind; figures of the evaluation year 2026."""
    schema = {"uscc": pl.String, "district": pl.String, **dict.fromkeys(sorted(inputs(2026)), pl.Int64)}
    row: dict[str, Any] = {"uscc": FIRM, "district": "310115", **figures}
    return {one.kind: one for one in find(pl.DataFrame([row], schema=schema), 2026)}


@pytest.mark.parametrize(
    ("figures", "kind"),
    [
        ({"revenue_2025": 10_000_000_000, "revenue_2024": 1_000_000}, "unit_slip"),
        ({"revenue_2025": 20_000_000_000, "revenue_2024": 1_000_000}, "unit_slip"),
        ({"revenue_2025": 100, "revenue_2024": 1_000_000}, "unit_slip"),
        ({"net_profit_2025": -20_000_000_000, "net_profit_2024": -2_000_000}, "unit_slip"),
        ({"revenue_2025": 30_000_000, "revenue_2024": 1_000_000}, "jump"),
        ({"total_assets_2025": 1_000_000, "total_assets_2024": 30_000_000}, "jump"),
        ({"total_liabilities_2025": 101, "total_assets_2025": 10}, "liabilities_over_assets"),
        ({"rd_expense_2025": 101, "revenue_2025": 100}, "rd_over_revenue"),
        ({"rd_staff_2025": 11, "employees_2025": 10}, "rd_staff_over_staff"),
        ({"main_revenue_2025": 101, "revenue_2025": 100}, "main_over_revenue"),
        ({"revenue_2025": 7, "revenue_2024": 7, "net_profit_2025": 3, "net_profit_2024": 3}, "copied"),
    ],
)  # fmt: skip
def test_each_kind_is_found(figures: dict[str, int], kind: str) -> None:
    assert list(found(**figures)) == [kind]


@pytest.mark.parametrize(
    "figures",
    [
        {},
        {"revenue_2025": 25_000_000, "revenue_2024": 1_000_000},
        {"revenue_2025": 900_000, "revenue_2024": 10_000},
        {"revenue_2025": 10_000_000_000},
        {"revenue_2025": 10_000, "revenue_2024": 0},
        {"net_profit_2025": 50_000_000, "net_profit_2024": -5_000},
        {"net_profit_2025": 90_000_000, "net_profit_2024": 1_000_000},
        {"total_liabilities_2025": 100, "total_assets_2025": 10},
        {"total_liabilities_2025": 100, "total_assets_2025": 0},
        {"rd_expense_2025": 100, "revenue_2025": 100},
        {"rd_expense_2025": 100, "revenue_2025": None},
        {"rd_staff_2025": 10, "employees_2025": 10},
        {"revenue_2025": 7, "revenue_2024": 7},
        {"rd_expense_2025": 0, "rd_expense_2024": 0, "net_profit_2025": 0, "net_profit_2024": 0},
    ],
)  # fmt: skip
def test_what_is_in_order_or_unknown_is_not_found(figures: dict[str, int | None]) -> None:
    assert found(**figures) == {}


def test_a_finding_says_which_figures_and_why_in_both_languages() -> None:
    slip = found(revenue_2025=10_000_000_000, revenue_2024=1_000_000)["unit_slip"]
    assert slip.detail["figures"] == [
        {"column": "revenue_2025", "value": 10_000_000_000},
        {"column": "revenue_2024", "value": 1_000_000},
    ]
    shown = told("unit_slip", slip.detail)
    assert shown["why"]["zh"] == "2025年营业收入是上一年的约 10,000 倍：像把万元和元写混了"
    assert "operating revenue 2025" in shown["why"]["en"]
    down = found(revenue_2025=100, revenue_2024=1_000_000)["unit_slip"]
    assert "约 1/10,000 倍" in told("unit_slip", down.detail)["why"]["zh"]


def test_every_kind_has_a_sentence_without_gaps() -> None:
    given: dict[str, Any] = {
        "figures": [{"column": "revenue_2025", "value": 1}, {"column": "revenue_2024", "value": 2}],
        "ratio": 0.5, "count": 2, "task": "giant", "standard": "giant.n2", "verdict": "met", "score": 0.01,
    }  # fmt: skip
    for kind in kinds().kinds:
        said = told(kind, given)["why"]
        assert "None" not in said["zh"] + said["en"], kind
        assert "{" not in said["zh"] + said["en"], kind


def test_the_same_figures_have_the_same_id_and_others_another() -> None:
    first = found(revenue_2025=10_000_000_000, revenue_2024=1_000_000)["unit_slip"]
    again = found(revenue_2025=10_000_000_000, revenue_2024=1_000_000, employees_2025=3)["unit_slip"]
    other = found(revenue_2025=10_000_000_001, revenue_2024=1_000_000)["unit_slip"]
    assert first.id == again.id != other.id


def test_the_farther_off_the_weightier() -> None:
    slight = found(rd_expense_2025=101, revenue_2025=100)["rd_over_revenue"]
    gross = found(rd_expense_2025=100_000, revenue_2025=100)["rd_over_revenue"]
    slip = found(revenue_2025=10_000_000_000, revenue_2024=1_000_000)["unit_slip"]
    assert slight.weight < gross.weight < slip.weight
    larger = found(rd_expense_2025=101_000, revenue_2025=100_000)["rd_over_revenue"]
    assert slight.weight < larger.weight < gross.weight, "of two as far off the larger figures come first"


def test_of_firms_whose_slips_are_known_unit_slips_are_found_and_little_else_is_called_one(
    tmp_path: Path,
) -> None:
    path, aside = tmp_path / "firms.parquet", tmp_path / "truth.parquet"
    write(8_000, 5, path, date(2026, 6, 30), years=3, slips=0.02, truth=aside)
    with open_table(path) as table:
        wanted = sorted((inputs(2026) | {"district"}) & table.available)
        firms = pl.concat(list(table.batches(wanted, IssueLog())))
    truth = {
        (uscc, column): kind
        for uscc, column, kind in pl.read_parquet(aside).select("uscc", "column", "kind").iter_rows()
        if kind is not None
    }
    slips = [one for one in find(firms, 2026) if one.kind == "unit_slip"]
    columns = {(one.uscc, figure["column"]) for one in slips for figure in one.detail["figures"]}
    true = [one for one in slips if any((one.uscc, f["column"]) in truth for f in one.detail["figures"])]
    assert len(true) >= 0.95 * len(slips) > 100
    known = {(row["uscc"], name) for row in firms.iter_rows(named=True) for name in row if row[name]}
    asked = [
        (uscc, column)
        for (uscc, column), kind in truth.items()
        if kind in ("unit_up", "unit_down")
        and column in {f"{key}_2025" for key in ("revenue", "total_assets", "total_liabilities")}
        and (uscc, column.replace("2025", "2024")) in known
        and (uscc, column.replace("2025", "2024")) not in truth
    ]
    assert len(asked) > 100
    assert sum(place in columns for place in asked) >= 0.6 * len(asked)
