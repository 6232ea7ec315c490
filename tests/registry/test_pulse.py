"""What a process has read of a firm holds for a lease; who changed something is answered after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from models.registry import keys
from models.registry.audit import Actor
from models.registry.database import LEASE_SECONDS, Database
from models.registry.pulse import KEPT_SECONDS, Pulse
from models.registry.tables import firm
from tests.registry.conftest import SEPTEMBER, A, B, C, Shelf

ROWS = [{"uscc": A, "name": "甲公司", "revenue_2025": 1}, {"uscc": B, "name": "乙公司", "revenue_2025": 1}]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def processes(shelf: Shelf) -> Iterator[list[Pulse]]:
    """What three processes know of one registry."""
    shelf.bring(ROWS)
    pulses = [Pulse(shelf.database) for _ in range(3)]
    yield pulses
    for pulse in pulses:
        pulse.close()


def test_a_correction_is_seen_by_every_process_once_it_is_answered(
    shelf: Shelf, processes: list[Pulse]
) -> None:
    for number in range(20):
        for pulse in processes:  # each has a fresh lease when the correction is made
            assert pulse.read(A).firm_version == 1 + number
        version = shelf.correct(A, employees=number)
        assert [pulse.read(A).firm_version for pulse in processes] == [version] * 3
        assert [pulse.read(B).firm_version for pulse in processes] == [1] * 3


def test_a_firm_that_moved_is_of_its_new_district_in_every_process(
    shelf: Shelf, processes: list[Pulse]
) -> None:
    for district in ("310104", "310115", "310104"):
        shelf.correct(A, district=district)
        assert [pulse.read(A).district for pulse in processes] == [district] * 3
        assert [pulse.read(A).district for pulse in processes] == [district] * 3


def test_a_new_edition_and_a_revoked_key_are_seen_by_every_process(
    shelf: Shelf, processes: list[Pulse]
) -> None:
    now, who = datetime(2026, 11, 27, tzinfo=UTC), Actor("cli:test", "operator", "here")
    with shelf.database.write() as connection:
        key = keys.create(connection, b"p" * 32, label="中心", scopes=["lookup"], actor=who, now=now).key
    before = [pulse.read() for pulse in processes]
    brought = shelf.bring([{"uscc": A, "name": "甲公司", "revenue_2025": 2}], SEPTEMBER, "later.csv")
    assert [pulse.read().edition_id for pulse in processes] == [brought.edition_id] * 3
    with shelf.database.write() as connection:
        keys.revoke(connection, key.id, actor=who, now=now)
    after = [pulse.read() for pulse in processes]
    assert [one.keys_version for one in after] == [one.keys_version + 1 for one in before]
    shelf.activate(1)
    assert [pulse.read().edition_id for pulse in processes] == [1] * 3


def test_a_firm_there_was_not_is_found_as_soon_as_it_was_brought(
    shelf: Shelf, processes: list[Pulse]
) -> None:
    assert [pulse.read(C).firm_version for pulse in processes] == [None] * 3
    shelf.bring([*ROWS, {"uscc": C, "name": "丙公司", "revenue_2025": 1}], SEPTEMBER, "later.csv")
    assert [pulse.read(C).firm_version for pulse in processes] == [1] * 3


def test_within_a_lease_nothing_is_asked_and_after_it_everything(shelf: Shelf) -> None:
    """Somebody changes a row past the program, who tells nobody: seen with the next lease, and not before."""
    shelf.bring(ROWS)
    clock = Clock()
    pulse = Pulse(shelf.database, clock=clock)
    assert pulse.read(A).firm_version == 1
    with shelf.database.write() as connection:
        connection.execute(update(firm).values(version=7))
    clock.now += LEASE_SECONDS * 0.9
    assert pulse.read(A).firm_version == 1
    assert pulse.read(B).firm_version == 7  # never asked about before
    clock.now += LEASE_SECONDS
    assert pulse.read(A).firm_version == 7
    pulse.close()


def test_a_row_changed_past_the_program_is_seen_in_the_end_however_much_else_is_asked(shelf: Shelf) -> None:
    shelf.bring(ROWS)
    clock = Clock()
    pulse = Pulse(shelf.database, clock=clock)
    assert pulse.read(A).firm_version == 1
    with shelf.database.write() as connection:
        connection.execute(update(firm).values(version=7))
    for _ in range(int(KEPT_SECONDS / LEASE_SECONDS) + 2):  # each time the lease is renewed for all
        clock.now += LEASE_SECONDS
        pulse.read(B)
    assert pulse.read(A).firm_version == 7
    pulse.close()


def test_more_firms_than_are_kept_are_read_all_the_same(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.registry.pulse.KEPT_FIRMS", 1)
    shelf.bring(ROWS)
    pulse = Pulse(shelf.database)
    assert [pulse.read(one).firm_version for one in (A, B, A, None, C)] == [1, 1, 1, None, None]
    pulse.close()


def test_a_change_waits_for_the_leases_and_nothing_else_does(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("models.registry.database.time.sleep", slept.append)
    who = Actor("cli:test", "operator", "here")
    now = datetime(2026, 11, 27, tzinfo=UTC)
    with database.write() as connection:
        key = keys.create(connection, b"p" * 32, label="中心", scopes=["lookup"], actor=who, now=now).key
    assert slept == []  # nobody can have read of a key there was not
    with suppress(RuntimeError), database.write() as connection:
        keys.revoke(connection, key.id, actor=who, now=now)
        raise RuntimeError
    assert slept == []
    with database.write() as connection:
        keys.revoke(connection, key.id, actor=who, now=now)
    assert slept == [LEASE_SECONDS]
    with database.write():
        pass
    assert slept == [LEASE_SECONDS]
