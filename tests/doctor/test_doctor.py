"""What the doctor sees when something is wrong, and that it is content when nothing is."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from models.doctor.examine import examine, sound
from models.doctor.findings import Finding
from models.jobs.leases import database_now
from models.jobs.scheduled import record
from models.registry.database import Database
from models.registry.editions import edition_key
from models.registry.job_tables import run_part
from models.registry.tables import run
from models.settings import Settings
from models.store import store_of
from tests.registry.conftest import A, Shelf, shelf

__all__ = ["shelf"]
TIDUI = Path(sys.executable).with_name("tidui")


def look(shelf: Shelf, hours_off: float = 0, **settings: object) -> list[Finding]:
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(hours=hours_off)

    return examine(replace(shelf.settings, **settings), shelf.database, clock)  # type: ignore[arg-type]


def said(found: list[Finding], subject: str) -> list[tuple[str, str]]:
    return [(one.level, one.text.zh) for one in found if one.subject == subject and one.level != "ok"]


def test_all_is_well(shelf: Shelf, redis_url: str) -> None:
    shelf.bring([{"uscc": A, "name": "甲"}])
    found = look(shelf, redis_url=redis_url)
    assert sound(found)
    assert {one.subject for one in found} == {
        "versions", "rules", "database", "schema", "broker", "store", "clock", "beat", "work", "files",
    }  # fmt: skip
    assert {one.subject for one in found if one.level != "ok"} <= {"broker", "store"}  # of this machine


def test_a_redis_that_is_away(shelf: Shelf) -> None:
    found = look(shelf, redis_url="redis://127.0.0.1:1/0")
    assert [level for level, _ in said(found, "broker")] == ["error"]
    assert not sound(found)


def test_a_database_that_is_away_and_the_rest_is_told_all_the_same(tmp_path: Path) -> None:
    away = Database("postgresql+psycopg://127.0.0.1:1/none")
    settings = Settings(data=tmp_path / "data", database_url=away.url, redis_url=None)
    found = examine(settings, away, lambda: datetime.now(UTC))
    assert [one.subject for one in found if one.level == "error"] == ["database"]
    assert "store" in {one.subject for one in found}


def test_a_schema_that_was_not_made(tmp_path: Path) -> None:
    empty = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    settings = Settings(data=tmp_path / "data", database_url=empty.url, redis_url=None)
    found = examine(settings, empty, lambda: datetime.now(UTC))
    assert [one.subject for one in found if one.level == "error"] == ["schema"]
    empty.close()


def test_a_store_that_cannot_be_written(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert [level for level, _ in said(look(shelf, store=str(tmp_path / "file")), "store")] == ["error"]


def test_a_clock_an_hour_off(shelf: Shelf, redis_url: str) -> None:
    found = look(shelf, hours_off=1, redis_url=redis_url)
    assert len(said(found, "clock")) == 2
    assert all("+3" in text for _, text in said(found, "clock"))
    assert sound(found)  # leases go by the database's clock


def test_a_beat_that_is_late(shelf: Shelf) -> None:
    with shelf.database.write() as connection:
        record(connection, "sweep", datetime.now(UTC) - timedelta(minutes=10), {"sent": True})
    assert [level for level, _ in said(look(shelf), "beat")] == ["warning"]


def test_work_whose_worker_died_and_work_that_was_parked(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲"}])
    with shelf.database.write() as connection:
        past = database_now(connection) - timedelta(minutes=5)
        number = connection.execute(select(run.c.id)).scalar_one()
        row = {"run_id": number, "bucket": 0, "slice": 0, "slices": 1, "deliveries": 1}
        connection.execute(insert(run_part).values(part=0, status="running", lease_until=past, **row))
        connection.execute(insert(run_part).values(part=1, status="failed", **row))
    assert said(look(shelf), "work") == [
        ("warning", "1 个评估分片的租约已过期"),
        ("warning", "1 个评估分片失败"),
    ]
    with shelf.database.write() as connection:
        connection.execute(update(run_part).values(status="done", lease_until=None))
    assert said(look(shelf), "work") == []


def test_files_without_rows_and_editions_without_files(shelf: Shelf, tmp_path: Path) -> None:
    done = shelf.bring([{"uscc": A, "name": "甲"}])
    path = tmp_path / "x"
    path.write_text("1")
    kept = store_of(shelf.settings)
    kept.put(path, "runs/99/part-0001.parquet")
    assert said(look(shelf), "files") == [("warning", "1 处文件没有对应的记录：runs/99")]
    kept.delete("runs/99")
    kept.delete(edition_key(done.edition_hash))
    assert [level for level, _ in said(look(shelf), "files")] == ["error"]


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_says_it_and_its_exit_code_too(
    settings: Settings, database: Database, as_json: bool
) -> None:
    def run_doctor(redis_url: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "TIDUI_DATA": str(settings.data), "TIDUI_DATABASE_URL": settings.database_url,
            "TIDUI_REDIS_URL": redis_url, "PATH": "/usr/bin:/bin",
        }  # fmt: skip
        command = [str(TIDUI), "doctor", *(["--json"] if as_json else [])]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    well, ill = run_doctor(settings.redis_url or ""), run_doctor("redis://127.0.0.1:1/0")
    assert (well.returncode, ill.returncode) == (0, 1)
    if as_json:
        told = json.loads(ill.stdout)
        assert told["sound"] is False
        assert [one["subject"] for one in told["findings"] if one["level"] == "error"] == ["broker"]
    else:
        assert "✓ 数据库" in well.stdout
        assert "✗ 队列" in ill.stdout
        assert "Traceback" not in ill.stdout + ill.stderr
