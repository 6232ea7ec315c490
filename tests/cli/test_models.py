"""``tidui models`` as a user meets it: add, release, retire, and the refusal of what its rival beats."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from models.cli.commands import cli
from models.errors import LearnRefused
from models.learn.store import CARD, FILE
from models.registry.learned import ModelUnknown
from models.seeds import seed

Run = Callable[..., Result]
SHIPPED = seed("learning", "models", "giant")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TIDUI_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("TIDUI_DATABASE_URL", raising=False)

    def asked(*words: str) -> Result:
        return CliRunner().invoke(cli, ["models", *words])

    return asked


def test_what_ships_speaks_until_another_is_released(run: Run, tmp_path: Path) -> None:
    before = json.loads(run("list", "--json").stdout)
    assert {(one["task"], one["status"], one["shipped"]) for one in before} == {
        (task, "released", True) for task in ("above_scale", "srdi", "giant", "gazelle")
    }
    added = json.loads(run("add", str(SHIPPED), "--json").stdout)
    assert (added["status"], added["shipped"]) == ("released", True)  # it is there already and speaks
    assert json.loads(run("list", "--json").stdout) == before
    released = json.loads(run("release", added["hash"][:12], "--json").stdout)
    assert (released["status"], released["shipped"]) == ("released", True)
    retired = json.loads(run("retire", added["hash"], "--json").stdout)
    assert retired["status"] == "retired"
    assert [one["status"] for one in json.loads(run("list", "--task", "giant", "--json").stdout)] == [
        "retired"
    ]
    assert "小巨人" in run("show", added["hash"][:8]).stdout


def test_a_folder_is_taken_in_and_released_in_one_go(run: Run) -> None:
    assert json.loads(run("release", str(SHIPPED), "--json").stdout)["status"] == "released"


def test_one_that_its_rival_beats_is_refused(run: Run, tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "m")
    with zipfile.ZipFile(tmp_path / "m" / FILE, "a") as file:
        file.comment = b"another"
    digest = hashlib.sha256((tmp_path / "m" / FILE).read_bytes()).hexdigest()
    card = orjson.loads((tmp_path / "m" / CARD).read_bytes())
    (tmp_path / "m" / CARD).write_bytes(orjson.dumps({**card, "hash": digest, "released_ok": False}))
    refused = run("release", str(tmp_path / "m"))
    assert isinstance(refused.exception, LearnRefused)
    assert refused.exception.code == "L302"


def test_a_model_there_is_not(run: Run) -> None:
    assert isinstance(run("show", "0123").exception, ModelUnknown)
