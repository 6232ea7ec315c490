"""The chain: what is changed, dropped, swapped or put in is found; nothing noted is lost or doubled."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from models.registry import audit
from models.registry.audit import Actor, Event, append, every, fingerprint, records, verify
from models.registry.database import Database, DatabaseAway
from models.registry.spool import Spool, drain_left_over

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WHO = Actor("key:abcdefghijkl", "key", "10.0.0.1", "核对券申请")


def fill(database: Database, count: int = 5) -> None:
    with database.write() as connection:
        append(connection, [WHO.event("firm.read", f"firm-{n}", note=n) for n in range(count)], NOW)


@contextmanager
def tampering(database: Database) -> Iterator[Connection]:
    """As somebody would who has the database's own rights and takes the guards away."""
    with database.write() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("DROP TRIGGER audit_no_update")
            connection.exec_driver_sql("DROP TRIGGER audit_no_delete")
        else:
            connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER ALL")
        yield connection


def first_bad(database: Database) -> int | None:
    with database.read() as connection:
        return verify(connection).bad


def test_a_chain_that_nobody_touched_is_sound(database: Database) -> None:
    fill(database)
    fill(database, 2)
    with database.read() as connection:
        found = verify(connection)
        assert (found.sound, found.records) == (True, 7)
        assert [record.seq for record in records(connection, limit=3)] == [7, 6, 5]
        assert [record.object for record in records(connection, object="firm-3")] == ["firm-3"]
        assert [record.seq for record in records(connection, before=3)] == [2, 1]
        assert len(list(every(connection))) == 7


def test_records_that_enter_while_it_is_read_are_not_missing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service goes on while an auditor verifies."""
    fill(database)
    read = audit._rows

    def slow(*given: Any) -> Iterator[Any]:
        yield from read(*given)
        fill(database, 3)

    monkeypatch.setattr(audit, "_rows", slow)
    with database.read() as connection:
        assert verify(connection).sound


def test_an_empty_chain_is_sound(database: Database) -> None:
    assert first_bad(database) is None


@pytest.mark.parametrize(
    "column", ["at", "actor", "role", "client", "action", "object", "purpose", "details", "id", "previous"]
)
def test_a_changed_record_is_found(database: Database, column: str) -> None:
    fill(database)
    with tampering(database) as connection:
        connection.execute(text(f"UPDATE audit SET \"{column}\" = 'x' WHERE seq = 3"))
    assert first_bad(database) == 3


def test_a_record_dropped_from_the_middle_is_found(database: Database) -> None:
    fill(database)
    with tampering(database) as connection:
        connection.execute(text("DELETE FROM audit WHERE seq = 3"))
    assert first_bad(database) == 3


def test_a_record_dropped_and_the_rest_renumbered_is_found(database: Database) -> None:
    fill(database)
    with tampering(database) as connection:
        connection.execute(text("DELETE FROM audit WHERE seq = 3"))
        for seq in (4, 5):
            connection.execute(
                text("UPDATE audit SET seq = :to WHERE seq = :was"), {"to": seq - 1, "was": seq}
            )
    assert first_bad(database) == 3


@pytest.mark.parametrize("seq", [4, 1])
def test_a_cut_off_end_is_found(database: Database, seq: int) -> None:
    fill(database)
    with tampering(database) as connection:
        connection.execute(text("DELETE FROM audit WHERE seq >= :seq"), {"seq": seq})
    assert first_bad(database) == seq


def test_two_swapped_records_are_found(database: Database) -> None:
    fill(database)
    with tampering(database) as connection:
        for was, to in ((2, 99), (3, 2), (99, 3)):
            connection.execute(text("UPDATE audit SET seq = :to WHERE seq = :was"), {"to": to, "was": was})
    assert first_bad(database) == 2


def test_a_record_put_in_is_found(database: Database) -> None:
    fill(database)
    with tampering(database) as connection:
        names = '"at", actor, role, client, action, object, purpose, details, previous, hash'
        connection.execute(
            text(f"INSERT INTO audit (seq, id, {names}) SELECT 6, 'forged', {names} FROM audit WHERE seq = 5")
        )
    assert first_bad(database) == 6


def test_a_rewritten_chain_is_found_by_a_noted_hash(database: Database) -> None:
    fill(database)
    with database.read() as connection:
        noted = verify(connection)
    with tampering(database) as connection:
        connection.execute(text("DELETE FROM audit"))
        connection.execute(text("UPDATE audit_head SET seq = 0, hash = ''"))
        append(connection, [WHO.event("firm.read", f"other-{n}") for n in range(6)], NOW)
    assert first_bad(database) is None
    with database.read() as connection:
        assert verify(connection, (noted.records, noted.head)).bad == 5
        assert verify(connection, (9, noted.head)).bad == 7


def test_an_end_cut_off_with_its_head_only_shows_by_the_anchor(database: Database) -> None:
    fill(database)
    with database.read() as connection:
        noted = verify(connection)
    with tampering(database) as connection:
        connection.execute(text("DELETE FROM audit WHERE seq = 5"))
        connection.execute(
            text("UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4)")
        )
    with database.read() as connection:
        alone, anchored = verify(connection), verify(connection, (noted.records, noted.head))
    assert (alone.sound, alone.anchor) == (True, None)
    assert (anchored.sound, anchored.bad) == (False, 5)


@pytest.mark.parametrize("statement", ["DROP TABLE audit_head", "DELETE FROM audit_head", "DROP TABLE audit"])
def test_a_table_that_was_taken_away_is_called_tampering(database: Database, statement: str) -> None:
    fill(database)
    with database.write() as connection:
        connection.exec_driver_sql(statement)
    with database.read() as connection:
        found = verify(connection)
    assert not found.sound
    assert found.reason is not None
    assert statement.split()[2] in found.reason.en
    assert "tampered with" in found.reason.en


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET purpose = 'x'", "DELETE FROM audit", "TRUNCATE audit"]
)
def test_the_database_itself_refuses_changes(database: Database, statement: str) -> None:
    if database.is_sqlite and statement.startswith("TRUNCATE"):
        statement = "DELETE FROM audit WHERE seq = 1"
    fill(database)
    with pytest.raises(DBAPIError, match="only added to"), database.write() as connection:
        connection.exec_driver_sql(statement)
    assert first_bad(database) is None


def test_a_change_that_fails_leaves_no_record(database: Database) -> None:
    def change() -> None:
        with database.write() as connection:
            append(connection, [WHO.event("facts.correct", "x")], NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    with database.read() as connection:
        assert verify(connection).records == 0


def test_writers_at_once_make_one_chain(database: Database) -> None:
    threads = [threading.Thread(target=fill, args=(database, 5)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        found = verify(connection)
    assert (found.sound, found.records) == (True, 40)


def test_an_event_enters_once_however_often_it_is_handed_in(database: Database) -> None:
    event = Event("a", "key", "b", "firm.read", "c", "", id="one", at=NOW)
    with database.write() as connection:
        assert append(connection, [event, event], NOW) == 1
        assert append(connection, [event], NOW) == 0


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert (
        fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1}) != fingerprint({"a": 1, "b": [3]})
    )


def test_what_is_spooled_enters_the_chain_in_order(database: Database, tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for n in range(1203):
        spool.write(WHO.event("firm.read", str(n)), NOW)
    assert spool.drain(database, NOW) == 1203
    assert spool.drain(database, NOW) == 0
    spool.close()
    assert not list(tmp_path.glob("*.jsonl"))
    with database.read() as connection:
        assert [record.object for record in every(connection)] == [str(n) for n in range(1203)]
        assert verify(connection).sound


class Busy(Database):
    """While it takes a batch in, somebody looks something up."""

    spool: Spool

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            yield connection
            self.spool.write(WHO.event("firm.read", "meanwhile"), NOW)


@pytest.fixture
def busy(database: Database, tmp_path: Path) -> Iterator[Busy]:
    made = Busy(database.url)
    made.spool = Spool(tmp_path / "spool")
    yield made
    made.spool.close()
    made.close()


def test_draining_ends_although_look_ups_go_on(busy: Busy) -> None:
    busy.spool.write(WHO.event("firm.read", "first"), NOW)
    assert [busy.spool.drain(busy, NOW) for _ in range(3)] == [1, 1, 1]
    assert busy.spool.waiting


def test_the_file_is_begun_anew_although_it_is_never_empty(
    busy: Busy, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.registry.spool.ANEW_AT", 2_000)
    folder, sizes = busy.spool.path.parent, []
    for _ in range(60):
        busy.spool.write(WHO.event("firm.read", "x"), NOW)
        busy.spool.drain(busy, NOW)
        (only,) = folder.glob("*.jsonl")
        sizes.append(only.stat().st_size)
        assert drain_left_over(folder, database, NOW) == 0  # the new file has its owner too
    assert max(sizes) < 4_000
    assert busy.spool.drain(database, NOW) == 1
    with database.read() as connection:
        assert verify(connection).sound
        assert len(records(connection, limit=200)) == 120


def test_a_disk_too_full_for_a_new_file_keeps_the_old_one(
    busy: Busy, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, path = busy.spool.path.parent, busy.spool.path
    busy.spool.write(WHO.event("firm.read", "first"), NOW)

    def full(path: Path, flags: int, *mode: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.ENOSPC, "no space left on device")
        return whole(path, flags, *mode)

    whole = os.open
    with monkeypatch.context() as disk:
        disk.setattr("models.registry.spool.ANEW_AT", 0)
        disk.setattr(os, "open", full)
        assert busy.spool.drain(busy, NOW) == 1
    assert list(folder.glob("*")) == [path]
    monkeypatch.setattr("models.registry.spool.ANEW_AT", 0)
    assert busy.spool.drain(database, NOW) == 1
    (only,) = folder.glob("*")
    assert only != path
    with database.read() as connection:
        assert verify(connection).records == 2


def test_a_disk_that_takes_half_of_what_waits_keeps_the_old_file(
    busy: Busy, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.registry.spool.ANEW_AT", 0)
    folder, path, whole = busy.spool.path.parent, busy.spool.path, os.write
    own = busy.spool._file
    busy.spool.write(WHO.event("firm.read", "first"), NOW)
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", lambda file, data: whole(file, data if file == own else data[:10]))
        assert busy.spool.drain(busy, NOW) == 1
    assert list(folder.glob("*")) == [path]
    assert busy.spool.drain(database, NOW) == 1
    with database.read() as connection:
        assert verify(connection).records == 2


def test_a_new_file_that_another_process_cleared_away_is_made_again(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between making a file and locking it somebody may take it for one left over."""
    lock = fcntl.flock
    cleared: list[Path] = []

    def late(file: int, how: int) -> None:
        if not cleared and not how & fcntl.LOCK_NB:
            (made,) = tmp_path.glob("*.jsonl")
            made.unlink()
            cleared.append(made)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    spool = Spool(tmp_path)
    assert cleared
    assert spool.path.exists()
    spool.write(WHO.event("firm.read", "x"), NOW)
    assert b"firm.read" in spool.path.read_bytes()
    assert spool.drain(database, NOW) == 1
    spool.close()


def test_what_a_process_killed_between_two_files_left_enters_once(
    busy: Busy, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.registry.spool.ANEW_AT", 0)
    busy.spool.write(WHO.event("firm.read", "first"), NOW)
    monkeypatch.setattr(
        Path, "unlink", lambda path, missing_ok=False: None
    )  # the old file stays, as if killed
    assert busy.spool.drain(busy, NOW) == 1
    monkeypatch.undo()
    folder = busy.spool.path.parent
    assert len(list(folder.glob("*.jsonl"))) == 2
    assert busy.spool.drain(database, NOW) == 1
    drain_left_over(folder, database, NOW)
    with database.read() as connection:
        assert (verify(connection).sound, verify(connection).records) == (True, 2)


def test_the_spool_waits_while_the_database_is_away(database: Database, tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write(WHO.event("firm.read", "x"), NOW)
    away = Database("postgresql+psycopg://postgres@127.0.0.1:1/none")
    with pytest.raises(DatabaseAway):
        spool.drain(away, NOW)
    assert spool.waiting
    assert spool.drain(database, NOW) == 1
    spool.close()


def test_a_live_process_keeps_its_spool(database: Database, tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write(WHO.event("firm.read", "x"), NOW)
    assert drain_left_over(tmp_path, database, NOW) == 0
    assert spool.drain(database, NOW) == 1
    spool.close()


KILLED = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from models.registry.audit import Actor
from models.registry.spool import Spool
spool = Spool(Path(sys.argv[1]))
for n in range(20):
    spool.write(Actor("a", "key", "b").event("firm.read", str(n)), datetime.now(UTC))
os.write(spool._file, b'{"half')
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_loses_nothing_it_noted(database: Database, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.glob("*.jsonl")
    copy = left.read_bytes()
    assert drain_left_over(tmp_path, database, NOW) == 20
    assert not list(tmp_path.glob("*.jsonl"))
    left.write_bytes(copy)  # as if the drainer had been killed between its commit and the removal
    drain_left_over(tmp_path, database, NOW)
    with database.read() as connection:
        assert verify(connection).records == 20


def test_a_full_disk_is_told_and_leaves_no_half_line(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    spool.write(WHO.event("firm.read", "first"), NOW)
    whole = os.write
    monkeypatch.setattr(os, "write", lambda file, data: whole(file, data[:10]))
    with pytest.raises(OSError, match="full"):
        spool.write(WHO.event("firm.read", "lost"), NOW)
    monkeypatch.undo()
    spool.write(WHO.event("firm.read", "second"), NOW)
    assert spool.drain(database, NOW) == 2
    spool.close()
