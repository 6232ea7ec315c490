"""Corrections by hand: who was first wins, the others are told."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from models.registry.corrections import FirmUnknown, Stale, correct
from models.registry.database import DatabaseAway
from models.registry.state import NoEdition, read_state
from models.registry.tables import correction
from tests.registry.conftest import NOW, A, B, Shelf

WRITERS = 64


def attempt(shelf: Shelf, version: int, value: int, now: datetime = NOW) -> Any:
    """The new version, or the error. A database too busy to answer is asked again, as it tells one to."""
    while True:
        try:
            with shelf.database.write() as connection:
                state = read_state(connection)
                return correct(
                    connection, state, A, {"revenue_2025": value},
                    reason="年报核实", actor=f"user:{value}", now=now, expected_version=version,
                )  # fmt: skip
        except DatabaseAway:
            continue
        except Stale as stale:
            return stale


def test_of_64_who_read_the_same_version_exactly_one_wins(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲", "revenue_2025": 1}])
    start = threading.Barrier(WRITERS)
    results: list[Any] = []

    def write(value: int) -> None:
        start.wait()
        results.append(attempt(shelf, 1, value))

    run_together(write)
    won = [result for result in results if result == 2]
    assert len(won) == 1
    assert sum(isinstance(result, Stale) for result in results) == WRITERS - 1
    assert shelf.count(correction) == 1
    assert shelf.firm(A).version == 2


def test_of_64_who_try_again_nobodys_change_is_lost(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲", "revenue_2025": 1}])

    def write(value: int) -> None:
        version = 1
        while isinstance(attempt(shelf, version, value), Stale):
            version = seen(shelf)

    run_together(write)
    assert shelf.firm(A).version == WRITERS + 1
    with shelf.database.read() as connection:
        rows = connection.execute(select(correction).order_by(correction.c.id)).all()
    assert {row.actor for row in rows} == {f"user:{value}" for value in range(WRITERS)}
    assert [row.before for row in rows] == ["1", *(row.value for row in rows[:-1])]
    assert shelf.firm(A).external["revenue_2025"] == int(rows[-1].value)


def test_a_stale_change_is_refused_with_412_and_an_unknown_firm_with_404(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲", "revenue_2025": 1}])
    stale = attempt(shelf, 7, 5)
    assert (stale.code, stale.status) == ("G412", 412)
    with shelf.database.write() as connection, pytest.raises(FirmUnknown) as unknown:
        correct(
            connection, read_state(connection), B, {"revenue_2025": 1},
            reason="年报核实", actor="user:li", now=NOW, expected_version=1,
        )  # fmt: skip
    assert (unknown.value.code, unknown.value.status) == ("G404", 404)
    assert shelf.count(correction) == 0


def test_an_empty_registry_takes_no_correction(shelf: Shelf) -> None:
    with pytest.raises(NoEdition):
        attempt(shelf, 1, 5)


def seen(shelf: Shelf) -> int:
    while True:
        try:
            return shelf.firm(A).version
        except DatabaseAway:
            continue


def run_together(write: Any) -> None:
    threads = [threading.Thread(target=write, args=(value,)) for value in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
