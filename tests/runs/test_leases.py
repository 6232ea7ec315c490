"""A row of work is one worker's at a time, by the database's clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Connection, update

from models.jobs.leases import MOST_DELIVERIES, Lease, database_now, end, lapsed, mine, take
from models.registry.job_tables import run_part
from tests.registry.conftest import code
from tests.runs.conftest import Yard

T = TypeVar("T")


@pytest.fixture
def key(yard: Yard) -> dict[str, int]:
    yard.shelf.bring([{"uscc": code(1), "name": "丁"}])
    return {"run_id": yard.begin().run_id, "part": 0}


def written(yard: Yard, work: Callable[[Connection], T]) -> T:
    with yard.shelf.database.write() as connection:
        return work(connection)


def test_one_of_many_takes_a_row(yard: Yard, key: dict[str, int]) -> None:
    barrier, found = threading.Barrier(8), list[Lease | None]()

    def ask() -> None:
        barrier.wait()
        found.append(written(yard, lambda connection: take(connection, run_part, key, 60)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (lease,) = [one for one in found if one is not None]
    assert lease.deliveries == 1
    assert written(yard, lambda connection: mine(connection, run_part, key, lease.token))
    left = written(yard, lambda connection: lease.until - database_now(connection))
    assert timedelta(seconds=0) < left <= timedelta(seconds=60)


def test_a_lease_that_ran_out_goes_to_another_and_twice_is_enough(yard: Yard, key: dict[str, int]) -> None:
    tokens = []
    for deliveries in range(1, MOST_DELIVERIES + 1):
        lease = written(yard, lambda connection: take(connection, run_part, key, 60))
        assert lease is not None
        assert lease.deliveries == deliveries
        assert written(yard, lambda connection: take(connection, run_part, key, 60)) is None
        tokens.append(lease.token)
        yard.lapse(key["run_id"], 0)
    assert len(set(tokens)) == MOST_DELIVERIES
    assert written(yard, lambda connection: take(connection, run_part, key, 60)) is None
    (row,) = written(yard, lambda connection: lapsed(connection, run_part))
    assert (row.part, row.deliveries) == (0, MOST_DELIVERIES)
    assert not written(yard, lambda connection: end(connection, run_part, key, tokens[0], status="done"))
    assert written(yard, lambda connection: end(connection, run_part, key, tokens[-1], status="done"))
    assert written(yard, lambda connection: take(connection, run_part, key, 60)) is None


def test_a_row_that_waits_is_to_be_had_whatever_it_was_given_out_until(
    yard: Yard, key: dict[str, int]
) -> None:
    def give_out(connection: Connection) -> None:
        later = database_now(connection) + timedelta(hours=1)
        connection.execute(update(run_part).values(lease_until=later))

    written(yard, give_out)
    assert written(yard, lambda connection: take(connection, run_part, key, 60)) is not None
