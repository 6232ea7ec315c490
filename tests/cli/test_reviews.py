"""``tidui reviews`` as a user meets it: a file looked through, the queue, a decision, labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from models.cli.commands import cli
from models.registry.database import Database
from models.registry.migrate import upgrade
from models.settings import Settings
from tests.registry.conftest import JUNE, A, B, Shelf
from tests.runs.conftest import Yard

Run = Callable[..., Result]
ROWS = [
    {"uscc": A, "name": "甲", "revenue_2025": 20_000_000, "revenue_2024": 2_000},
    {"uscc": B, "name": "乙", "revenue_2025": 20_000_000, "rd_expense_2025": 30_000_000},
]


@pytest.fixture
def run() -> Run:
    return lambda *words: CliRunner().invoke(cli, ["reviews", *words])


@pytest.fixture
def queued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    """A registry of the two on SQLite, a run over it done."""
    monkeypatch.setenv("TIDUI_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("TIDUI_DATABASE_URL", raising=False)
    settings = Settings(tmp_path / "data", f"sqlite:///{tmp_path / 'data' / 'tidui.sqlite'}", redis_url=None)
    database = Database(settings.database_url)
    upgrade(database)
    yard = Yard(Shelf(database, settings, tmp_path))
    yard.shelf.bring(ROWS)
    yard.done(JUNE)
    database.close()
    return yard


def test_a_file_is_looked_through_and_nothing_is_stored(run: Run, tmp_path: Path) -> None:
    pl.DataFrame(ROWS).write_csv(tmp_path / "firms.csv")
    found = json.loads(run("check", str(tmp_path / "firms.csv"), "--year", "2026", "--json").stdout)
    assert [(row["uscc"], row["kind"]["id"]) for row in found] == [(A, "unit_slip"), (B, "rd_over_revenue")]
    shown = run("check", str(tmp_path / "firms.csv"), "--year", "2026").stdout
    assert "1  疑似单位填错" in shown
    assert "乙  2025年研发费用是2025年营业收入的 1.5 倍" in shown
    assert not (tmp_path / "data").exists()


def test_rows_that_cannot_be_read_are_told_and_so_is_a_year_without_figures(run: Run, tmp_path: Path) -> None:
    broken = [*ROWS, {"uscc": "不是代码", "name": "丙", "revenue_2025": 1}]
    pl.DataFrame(broken).write_csv(tmp_path / "firms.csv")
    looked = run("check", str(tmp_path / "firms.csv"), "--year", "2026")
    assert looked.exit_code == 0
    assert "1 行读不出，没有查" in looked.stderr
    other = run("check", str(tmp_path / "firms.csv"), "--year", "2020")
    assert other.exit_code == 2
    assert "没有 2019 年可查的数据" in other.stderr


def test_a_finding_is_shown_decided_and_exported(run: Run, queued: Yard, tmp_path: Path) -> None:
    first, second = json.loads(run("list", "--json").stdout)["reviews"]
    assert (first["uscc"], second["uscc"]) == (A, B)
    short = first["id"][:8]
    assert "right（数据无误）" in run("show", short).stdout
    done = run("decide", short, "right", "--reason", "上年刚成立")
    assert done.exit_code == 0
    assert "上年刚成立" in run("show", short).stdout
    assert json.loads(run("list", "--json").stdout)["total"] == 1
    out = tmp_path / "labels.csv"
    assert run("labels", "-o", str(out)).exit_code == 0
    assert pl.read_csv(out).select("uscc", "decision").rows() == [(A, "right")]
