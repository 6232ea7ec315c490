"""``tidui runs`` and ``tidui worker`` as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.cli.commands import cli
from models.errors import TiduiError
from models.registry.database import Database
from models.runs.finish import finish_run
from models.runs.part import do_part
from models.runs.sweep import sweep
from models.settings import Settings
from tests.registry.conftest import NOW, code, write_rows


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TIDUI_DATABASE_URL", "TIDUI_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIDUI_DATA", str(tmp_path / "data"))
    firms = write_rows(tmp_path / "firms.csv", [{"uscc": code(at), "name": f"丙{at}"} for at in range(20)])
    assert run("registry", "import", str(firms), "--dated", "2026-06-30").exit_code == 0
    return tmp_path / "data"


def run(*words: str) -> Result:
    result = CliRunner().invoke(cli, words)
    if isinstance(result.exception, TiduiError):
        raise result.exception
    return result


def work(data: Path) -> None:
    """What workers do with what waits."""
    url = f"sqlite:///{data / 'tidui.sqlite'}"
    database, settings = Database(url), Settings(data=data, database_url=url, redis_url=None)
    while works := sweep(database, settings):
        for name, arguments in works:
            if name == "run_part":
                do_part(database, settings, arguments[0], arguments[1])
            else:
                finish_run(database, settings, arguments[0], NOW)
    database.close()


def test_a_run_is_started_joined_listed_and_watched(data: Path) -> None:
    started = json.loads(run("runs", "start", "--as-of", "2026-09-30", "--json").stdout)
    again = json.loads(run("runs", "start", "--as-of", "2026-09-30", "--json").stdout)
    assert (started["fresh"], again) == (True, {**started, "fresh": False})
    (listed,) = json.loads(run("runs", "list", "--json").stdout)
    assert (listed["status"], listed["done"], listed["firms"]) == ("queued", 0, 20)
    work(data)
    watched = run("runs", "watch", str(started["run"]), "--json")
    assert watched.exit_code == 0
    assert json.loads(watched.stdout)["status"] == "succeeded"
    assert "standing" in run("runs", "list").stdout


def test_a_cancelled_run_ends_a_watch_with_1(data: Path) -> None:
    started = json.loads(run("runs", "start", "--as-of", "2026-09-30", "--json").stdout)
    assert run("runs", "cancel", str(started["run"])).exit_code == 0
    work(data)
    watched = run("runs", "watch", str(started["run"]))
    assert (watched.exit_code, "已取消" in watched.stderr) == (1, True)
    with pytest.raises(TiduiError, match="J410"):
        run("runs", "retry", str(started["run"]))


def test_a_worker_without_a_queue_says_what_is_missing(data: Path) -> None:
    with pytest.raises(TiduiError, match="TIDUI_REDIS_URL"):
        run("worker")
