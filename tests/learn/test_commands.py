"""``tidui train``, ``evaluate``, ``predict`` and ``synth --report`` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from models.cli.commands import cli
from models.errors import LearnRefused, ModelRefused
from models.learn.filing import save
from models.learn.store import load
from models.learn.train import Trained
from models.seeds import seed

DEMO = str(seed("demo", "firms.csv"))
SHIPPED = str(seed("learning", "models"))


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words, catch_exceptions=True)


@pytest.fixture(scope="module")
def model(above_scale: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "above_scale"
    save(above_scale, folder)
    return folder


def test_train_says_how_good_the_model_is_and_files_it(tables: Path, tmp_path: Path) -> None:
    done = run("train", str(tables), "--task", "gazelle", "--until", "2023", "-o", str(tmp_path / "m"))
    assert done.exit_code == 0, done.output
    assert load(tmp_path / "m").card["until"] == 2023
    assert "2023 年检验" in done.output
    assert "对照" in done.output
    assert {path.name for path in (tmp_path / "m").iterdir()} == {"model.skops", "card.json", "card.html"}


def test_evaluate_tests_a_later_year_and_writes_a_report(model: Path, tables: Path) -> None:
    done = run("evaluate", str(model), str(tables), "--year", "2025", "--json")
    test = json.loads(done.stdout)
    assert test["year"] == 2025
    assert test["beats_rival"] == (
        test["model"]["brier"]["value"] < test["rival"]["brier"]["value"]
        and test["model"]["pr_auc"]["value"] > test["rival"]["pr_auc"]["value"]
    )
    page = (model / "evaluation-2025.html").read_text("utf-8")
    assert page.count("<svg") == 2
    assert "2025 年检验" in page


def test_predict_writes_a_row_per_firm_and_task(tmp_path: Path) -> None:
    done = run("predict", SHIPPED, DEMO, "-o", str(tmp_path / "scores.csv"), "--json")
    told = json.loads(done.stdout)
    found = pl.read_csv(tmp_path / "scores.csv")
    assert found.columns == ["uscc", "task", "score", "abstained", "reason", "top_factors"]
    firms = pl.read_csv(DEMO, columns=["uscc"])["uscc"]
    assert found["uscc"].to_list() == [code for code in firms for _ in range(4)]
    assert told["year"] == 2026
    assert told["firms"] == firms.len()
    scored = found.filter(~pl.col("abstained"))
    assert scored["score"].is_between(0, 1).all()
    assert scored["reason"].null_count() == scored.height
    assert scored["top_factors"].str.contains("[↑↓]；.*[↑↓]；.*[↑↓]$").all()
    without = found.filter(pl.col("abstained"))
    assert without["score"].null_count() == without.height
    assert without["reason"].null_count() == 0
    assert dict(scored.group_by("task").len().iter_rows()) == told["scored"]
    assert set(told["drift"]) == set(told["scored"])


def test_predict_says_where_firms_are_not_like_those_that_were_learned_from(
    tables: Path, tmp_path: Path
) -> None:
    firms = pl.read_parquet(tables / "2025.parquet")
    firms.write_csv(tmp_path / "firms.csv")
    firms.with_columns(pl.col("revenue_2025") * 30).write_csv(tmp_path / "larger.csv")
    marks = {}
    for name, source in (
        ("as they are", str(tmp_path / "firms.csv")),
        ("larger", str(tmp_path / "larger.csv")),
    ):
        done = run("predict", SHIPPED, source, "-o", str(tmp_path / "s.csv"), "--json")
        marks[name] = json.loads(done.stdout)["drift"]["gazelle"]["marks"]
    assert marks["as they are"]["size"] == "stable"
    assert marks["larger"]["size"] == "shifted"
    shown = run("predict", SHIPPED, str(tmp_path / "larger.csv"), "-o", str(tmp_path / "s.csv"))
    assert "已偏移" in shown.output


@pytest.mark.parametrize("ending", ["parquet", "xlsx"])
def test_predict_writes_the_same_into_other_files(ending: str, tmp_path: Path) -> None:
    few = tmp_path / "few.csv"
    few.write_text("\n".join(Path(DEMO).read_text("utf-8").splitlines()[:60]) + "\n", "utf-8")
    for name in ("a.csv", f"a.{ending}"):
        assert run("predict", SHIPPED, str(few), "-o", str(tmp_path / name)).exit_code == 0
    text = pl.read_csv(tmp_path / "a.csv")
    other = _parquet(tmp_path) if ending == "parquet" else _sheet(tmp_path)
    assert other.columns == text.columns
    assert other["score"].cast(pl.Float64).equals(text["score"])
    assert other["top_factors"].equals(text["top_factors"])


def _parquet(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "a.parquet")


def _sheet(folder: Path) -> pl.DataFrame:
    header, *rows = load_workbook(folder / "a.xlsx").worksheets[0].iter_rows(values_only=True)
    return pl.DataFrame(rows, schema=[str(name) for name in header], orient="row", infer_schema_length=None)


def test_an_unreadable_row_keeps_its_place(tmp_path: Path) -> None:
    source = tmp_path / "firms.csv"
    source.write_text("uscc,name,industry,revenue_2025\n坏代码,甲,3911,100\n", "utf-8")
    run("predict", SHIPPED, str(source), "-o", str(tmp_path / "scores.csv"))
    found = pl.read_csv(tmp_path / "scores.csv")
    assert found["reason"].to_list() == ["unreadable"] * 4


def test_refusals_say_what_to_do(tables: Path, tmp_path: Path) -> None:
    empty = run("train", str(tables), "--task", "giant", "--until", "2015", "-o", str(tmp_path / "m"))
    assert isinstance(empty.exception, LearnRefused)
    assert empty.exception.code == "L104"
    missing = run("predict", str(tmp_path), DEMO, "-o", str(tmp_path / "x.csv"))
    assert isinstance(missing.exception, ModelRefused)
    assert not (tmp_path / "x.csv").exists()


def test_the_report_compares_with_real_firms() -> None:
    done = run("synth", "--report", "-n", "20000", "--json")
    rows = json.loads(done.stdout)
    assert len(rows) > 90
    assert {"zh", "en", "unit", "target", "got", "fits"} == set(rows[0])


def test_synth_needs_firms_and_a_file() -> None:
    assert run("synth", "-n", "3").exit_code == 2
