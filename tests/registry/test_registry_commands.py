"""``tidui registry import`` and ``show`` as an operator uses them."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.cli.commands import cli
from models.errors import UsageRefused
from models.registry.corrections import correct
from models.registry.database import Database
from models.registry.days import check_dated, this_day
from models.registry.state import read_state
from tests.registry.conftest import NOW, A, write_rows


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TIDUI_DATABASE_URL", "TIDUI_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIDUI_DATA", str(tmp_path))
    return tmp_path


def run(*words: object) -> Result:
    result = CliRunner().invoke(cli, ["registry", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def bring(data: Path, value: int, dated: str, **more: str) -> Result:
    file = write_rows(data / f"{dated}.csv", [{"uscc": A, "name": "上海甲", "revenue_2024": value, **more}])
    return run("import", file, "--dated", dated)


def correct_by_hand(data: Path, value: int, reason: str) -> None:
    database = Database(f"sqlite:///{data / 'tidui.sqlite'}")
    with database.write() as connection:
        correct(
            connection, read_state(connection), A, {"revenue_2024": value},
            reason=reason, actor="key:officer", now=NOW, expected_version=1,
        )  # fmt: skip
    database.close()


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)


def test_a_corrected_figure_is_shown_with_source_and_reason_and_what_the_file_said(data: Path) -> None:
    bring(data, 150_000_000, "2025-06-30")
    correct_by_hand(data, 210_000_000, "审计报告")
    lines = run("show", A).stdout.splitlines()
    at = lines.index("2024年营业收入：2.1亿元")
    assert lines[at + 1] == "    人工更正 by hand 2026-11-23 key:officer，理由 reason：审计报告"
    assert lines[at + 2] == "    另有 also：1.5亿元　导入 import 2025-06-30 2025-06-30.csv"
    assert max(map(width, lines)) <= 80


def test_a_correction_that_lost_is_shown_with_its_reason_in_people_s_units(data: Path) -> None:
    bring(data, 150_000_000, "2025-06-30")
    correct_by_hand(data, 210_000_000, "审计报告")
    bring(data, 300_000_000, "2025-07-31")
    shown = run("show", A).stdout
    assert "2024年营业收入：3亿元\n    导入 import 2025-07-31 2025-07-31.csv\n" in shown
    assert "另有 also：2.1亿元　人工更正 by hand 2026-11-23 key:officer，理由 reason：审计报告\n" in shown


def test_a_file_older_than_what_is_there_is_told_of(data: Path) -> None:
    bring(data, 200, "2025-07-31")
    older = bring(data, 100, "2025-06-30")
    assert "这份数据（2025-06-30）早于库里已有的（2025-07-31）" in older.stderr
    assert "Note: older (2025-06-30)" in older.stderr
    assert "早于" not in bring(data, 300, "2025-08-31").stderr
    again = write_rows(data / "x.csv", [{"uscc": A, "name": "上海甲"}])
    told = json.loads(run("import", again, "--dated", "2025-01-31", "--json").stdout)
    assert told["outweighed_by"] == "2025-08-31"


@pytest.mark.parametrize(
    "words",
    [
        ("import", "FILE", "--dated", "2099-01-01"),
        ("import", "FILE", "--dated", "2025-06-30", "--as-of", "2099-01-01"),
        ("restand", "--as-of", "2099-01-01"),
    ],
)
def test_a_day_to_come_is_refused(data: Path, words: tuple[str, ...]) -> None:
    bring(data, 1, "2025-06-30")
    file = write_rows(data / "y.csv", [{"uscc": A, "name": "上海甲"}])
    with pytest.raises(UsageRefused) as refused:
        run(*(file if word == "FILE" else word for word in words))
    assert refused.value.code == "G005"


def test_the_day_is_that_of_shanghai() -> None:
    night = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    assert this_day(night).isoformat() == "2026-11-23"
    check_dated(this_day(night), night)
