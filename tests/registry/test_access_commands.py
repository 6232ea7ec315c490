"""``tidui keys``, ``users`` and ``audit`` as an administrator uses them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.cli.commands import cli
from models.errors import TiduiError
from models.registry.keys import TOKEN


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TIDUI_DATABASE_URL", "TIDUI_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIDUI_DATA", str(tmp_path))
    return tmp_path


def run(*words: str, given: str | None = None) -> Result:
    result = CliRunner().invoke(cli, words, input=given)
    if isinstance(result.exception, TiduiError):
        raise result.exception
    return result


def test_a_key_is_made_shown_once_listed_and_revoked(data: Path) -> None:
    made = run(
        "keys", "create", "--scopes", "lookup,assess", "--district", "310115", "--label", "浦东服务中心",
        "--expires", "2099-12-31",
    )  # fmt: skip
    token = made.stdout.strip()
    assert TOKEN.fullmatch(token)
    (listed,) = json.loads(run("keys", "list", "--json").stdout)
    assert (listed["district"], listed["state"], listed["scopes"]) == (
        "310115",
        "active",
        ["assess", "lookup"],
    )
    assert listed["expires_at"] == "2099-12-31T16:00:00+00:00"  # the end of the day in Shanghai
    assert token not in run("keys", "list").stdout
    run("keys", "revoke", listed["id"])
    assert "revoked" in run("keys", "list").stdout


def test_a_wrong_scope_says_which_there_are(data: Path) -> None:
    with pytest.raises(TiduiError, match="lookup"):
        run("keys", "create", "--scopes", "all", "--label", "x")


def test_users_are_made_listed_and_disabled(data: Path) -> None:
    assert (
        run("users", "create", "wang.li", "--role", "clerk", given="long enough 1\nlong enough 1\n").exit_code
        == 0
    )
    assert "active" in run("users", "list").stdout
    run("users", "disable", "wang.li")
    (listed,) = json.loads(run("users", "list", "--json").stdout)
    assert listed == {"login": "wang.li", "role": "clerk", "district": None, "state": "disabled"}
    assert run("users", "password", "wang.li", "--password", "another one 22").exit_code == 0


def test_the_audit_is_verified_listed_and_taken_out(data: Path) -> None:
    for label in ("a", "b"):
        run("keys", "create", "--scopes", "lookup", "--label", label)
    sound = run("audit", "verify")
    assert (sound.exit_code, sound.stdout.splitlines()[0]) == (0, "完好，共 2 条。 Sound, 2 records.")
    anchor = sound.stdout.splitlines()[1]
    assert "没用 --anchor：末尾几条连同链头一起被删" in sound.stdout
    run("audit", "export", str(data / "audit.jsonl"))
    lines = (data / "audit.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["action"] for line in lines] == ["key.create", "key.create", "audit.export"]
    noted = run("audit", "verify", "--anchor", anchor)
    assert (noted.exit_code, "第 2 条与另存的相符" in noted.stdout) == (0, True)
    assert run("audit", "list", "--action", "audit.export").stdout.count("\n") == 1
    with pytest.raises(TiduiError):
        run("audit", "export", str(data / "audit.jsonl"))  # never over a file that is there


def test_a_tampered_audit_is_told_by_record_and_exit_code(data: Path) -> None:
    for label in ("a", "b", "c"):
        run("keys", "create", "--scopes", "lookup", "--label", label)
    with sqlite3.connect(data / "tidui.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET actor = 'somebody' WHERE seq = 2")
    connection.close()
    found = run("audit", "verify")
    assert found.exit_code == 1
    assert "第 2 条" in found.stdout
    assert "Record 2" in found.stdout


def test_an_audit_without_its_head_was_tampered_with(data: Path) -> None:
    run("keys", "create", "--scopes", "lookup", "--label", "a")
    with sqlite3.connect(data / "tidui.sqlite") as connection:
        connection.execute("DROP TABLE audit_head")
    connection.close()
    found = run("audit", "verify")
    assert found.exit_code == 1
    assert "audit_head 不见了，有人动过数据库" in found.stdout
    assert "tampered with" in found.stdout
    assert json.loads(run("audit", "verify", "--json").stdout)["reason"]
