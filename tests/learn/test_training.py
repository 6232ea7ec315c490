"""Training on histories as they come, and refusing those that teach nothing."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import orjson
import polars as pl
import pytest
import skops.io

from models.errors import FileRefused, LearnRefused, ModelRefused
from models.learn.evaluation import Trial, evaluate
from models.learn.filing import packed, save
from models.learn.history import History, history_of_frame, read_history
from models.learn.store import load
from models.learn.testing import evaluated
from models.learn.train import Trained, needed_fields, train
from models.rules.rulebook import rulebook
from tests.learn.conftest import LEARNED_ON


def learn(history: History, task: str = "gazelle", until: int = 2024) -> Trained:
    return train(history, task, until, rulebook(), LEARNED_ON)


def wide(rows: int = 900, **columns: object) -> pl.DataFrame:
    """Firms with three years of revenue, of which a third grow."""
    rng = np.random.default_rng(8)
    base = rng.uniform(1e6, 9e7, rows)
    frame = pl.DataFrame(
        {
            "uscc": [f"91310115XX{k:06d}Y0" for k in range(rows)],
            "revenue_2022": base.round(),
            "revenue_2023": (base * rng.uniform(0.7, 1.4, rows)).round(),
            "revenue_2024": (base * rng.uniform(0.5, 2.0, rows)).round(),
            "net_profit_2022": (base * 0.1).round(),
            "net_profit_2023": (base * 0.1).round(),
            "employees_2022": rng.integers(5, 90, rows),
            "employees_2023": rng.integers(5, 90, rows),
        }
    )
    return frame.with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def refused(code: str, frame: pl.DataFrame, task: str = "gazelle", until: int = 2024) -> None:
    with pytest.raises(LearnRefused) as caught:
        learn(history_of_frame(frame, "表.csv", ""), task, until)
    assert caught.value.code == code
    assert caught.value.hint is not None


def test_the_same_seed_gives_the_same_file(above_scale: Trained, history: Callable[[str], History]) -> None:
    again = train(history("above_scale"), "above_scale", 2024, rulebook(), LEARNED_ON)
    assert packed(again.bundle) == packed(above_scale.bundle)


def test_the_order_of_files_does_not_matter(tables: Path) -> None:
    fields = needed_fields("gazelle", rulebook())
    files = sorted(tables.iterdir())
    first, second = (read_history(paths, fields) for paths in (files, files[::-1]))
    assert [table.name for table in first.tables] == [table.name for table in second.tables]


def test_a_later_year_is_tested_on_that_was_not_learned(
    above_scale: Trained, history: Callable[[str], History]
) -> None:
    test = evaluated(above_scale.model, history("above_scale"), 2025, rulebook())
    assert not test["seen"]
    assert test["firms"] > 1000
    assert test["model"]["auc"]["low"] < test["model"]["auc"]["value"] < test["model"]["auc"]["high"]
    assert test["model"]["auc"]["value"] > 0.8
    assert sum(one["firms"] for one in test["calibration"]["bins"]) == test["firms"]
    assert sum(row["firms"] for row in test["groups"]["size"]) == test["firms"]
    assert evaluated(above_scale.model, history("above_scale"), 2024, rulebook())["seen"]


def test_a_wide_table_alone_teaches_growth() -> None:
    trained = learn(history_of_frame(wide(), "表.csv", ""))
    assert trained.card["data"]["years"] == [2023, 2024]
    assert trained.card["split"] == "year"


def test_outcomes_after_until_are_not_learned_from() -> None:
    later = wide().with_columns(revenue_2030=pl.lit(10**12))
    one = learn(history_of_frame(later, "表.csv", ""))
    assert one.card["data"]["years"] == [2023, 2024]
    assert packed(one.bundle) == packed(learn(history_of_frame(wide(), "表.csv", "")).bundle)


def test_one_outcome_year_is_split_by_firms() -> None:
    trained = learn(history_of_frame(wide().drop("revenue_2022"), "表.csv", ""))
    assert trained.card["split"] == "firms"


def test_a_single_year_teaches_nothing() -> None:
    refused("L104", wide().drop("revenue_2022", "revenue_2023"))


def test_titles_that_nobody_has_told_teach_nothing() -> None:
    refused("L104", wide(), "giant", 2025)


def test_one_class_teaches_nothing() -> None:
    steady = wide().with_columns(revenue_2023=pl.col("revenue_2022"), revenue_2024=pl.col("revenue_2022"))
    refused("L105", steady)


def test_a_handful_of_outcomes_is_too_few() -> None:
    refused("L106", wide(60))


def test_constant_columns_are_lived_with() -> None:
    trained = learn(
        history_of_frame(wide(employees_2022=7, employees_2023=7, district="310115"), "表.csv", "")
    )
    effects = {feature["key"]: feature["effect"] for feature in trained.card["features"]}
    assert len({effect for _, effect in effects["district"]}) <= 1


def test_a_firm_twice_in_a_table_is_left_out_and_told(tmp_path: Path) -> None:
    frame = pl.concat([wide(600), wide(600).head(5)])
    frame.write_csv(tmp_path / "表.csv")
    read = read_history([tmp_path / "表.csv"], needed_fields("gazelle", rulebook()))
    assert read.dropped == 10
    assert read.firms == 595
    assert any("E106" in notice.zh for notice in read.notices)


def test_no_table_and_no_revenue_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LearnRefused) as none:
        read_history([tmp_path], frozenset())
    assert none.value.code == "L102"
    wide().select("uscc", "employees_2023").write_csv(tmp_path / "表.csv")
    with pytest.raises(LearnRefused) as blank:
        read_history([tmp_path], frozenset({"employees"}))
    assert blank.value.code == "L103"
    with pytest.raises(FileRefused):
        read_history([tmp_path / "没有.csv"], frozenset())


def test_a_model_worse_than_its_rival_is_not_good_enough() -> None:
    rng = np.random.default_rng(5)
    outcome = (rng.random(800) < 0.3).astype(float)
    good = np.clip(0.3 + 0.4 * (outcome - 0.3) + rng.normal(0, 0.1, 800), 0.01, 0.99)
    group = {"size": pl.Series(["small"] * 800)}
    assert evaluate(Trial(outcome, good, np.full(800, 0.3)), group)["beats_rival"]
    assert not evaluate(Trial(outcome, np.full(800, 0.3), good), group)["beats_rival"]
    # Ranks better, but its chances are far off: not enough either.
    assert not evaluate(Trial(outcome, good / 20, np.full(800, 0.3)), group)["beats_rival"]


@pytest.fixture
def filed(above_scale: Trained, tmp_path: Path) -> Path:
    save(above_scale, tmp_path / "模型")
    return tmp_path / "模型"


def test_a_filed_model_is_the_one_that_was_trained(filed: Path, above_scale: Trained) -> None:
    model = load(filed)
    bins = [np.array([1, 2, 0], dtype=np.uint8)] * len(model.task.features)
    assert np.array_equal(model.score(bins), above_scale.model.score(bins))
    assert model.hash == json.loads((filed / "card.json").read_text("utf-8"))["hash"]
    page = (filed / "card.html").read_text("utf-8")
    assert page.count("<svg") == 3
    assert "不得用于" in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )


def code_of(folder: Path, expected: str | None = None) -> str:
    with pytest.raises(ModelRefused) as caught:
        load(folder, expected)
    assert caught.value.hint is not None
    return caught.value.code


def rewrite(folder: Path, content: bytes) -> None:
    """Another file, and a card that vouches for it."""
    import hashlib  # noqa: PLC0415

    (folder / "model.skops").write_bytes(content)
    card = orjson.loads((folder / "card.json").read_bytes())
    card["hash"] = hashlib.sha256(content).hexdigest()
    (folder / "card.json").write_bytes(orjson.dumps(card))


def test_a_cut_file_is_refused(filed: Path) -> None:
    content = (filed / "model.skops").read_bytes()
    (filed / "model.skops").write_bytes(content[: len(content) // 2])
    assert code_of(filed) == "L203"
    rewrite(filed, content[: len(content) // 2])
    assert code_of(filed) == "L204"


def test_an_altered_file_is_refused(filed: Path) -> None:
    content = bytearray((filed / "model.skops").read_bytes())
    content[len(content) // 3] ^= 1
    (filed / "model.skops").write_bytes(bytes(content))
    assert code_of(filed) == "L203"


def test_another_hash_than_expected_is_refused(filed: Path) -> None:
    assert code_of(filed, "0" * 64) == "L203"


def test_a_pickle_is_refused_unread(filed: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "sprung"),))

    rewrite(filed, pickle.dumps(Trap()))
    assert code_of(filed) == "L204"


def test_types_that_are_not_trusted_are_refused(filed: Path) -> None:
    rewrite(filed, skops.io.dumps({"format": 1, "task": "above_scale", "estimator": zipfile.ZipFile}))
    assert code_of(filed) == "L205"


def test_another_version_of_scikit_learn_is_refused(filed: Path) -> None:
    card = orjson.loads((filed / "card.json").read_bytes())
    (filed / "card.json").write_bytes(orjson.dumps({**card, "scikit_learn": "1.2.3"}))
    assert code_of(filed) == "L206"


def test_no_model_and_no_card_are_refused(filed: Path, tmp_path: Path) -> None:
    assert code_of(tmp_path / "没有") == "L201"
    (filed / "card.json").write_text("{", "utf-8")
    assert code_of(filed) == "L202"
    (filed / "card.json").unlink()
    assert code_of(filed) == "L202"


def test_something_else_is_not_written_over(above_scale: Trained, tmp_path: Path) -> None:
    (tmp_path / "账目.txt").write_text("1", "utf-8")
    with pytest.raises(ModelRefused) as caught:
        save(above_scale, tmp_path)
    assert caught.value.code == "L210"
    assert [path.name for path in tmp_path.iterdir()] == ["账目.txt"]


def test_of_two_who_file_at_once_one_stays_whole(above_scale: Trained, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(save, above_scale, tmp_path / "模型") for _ in range(6)]
        hashes = {one.result() for one in done}
    assert {load(tmp_path / "模型").hash} == hashes
    assert [path.name for path in tmp_path.iterdir()] == ["模型"]
    shutil.rmtree(tmp_path / "模型")
