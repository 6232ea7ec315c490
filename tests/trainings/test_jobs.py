"""Trainings asked for: queued once, done once, never running for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from models.errors import UsageRefused
from models.jobs.leases import database_now, take
from models.registry.learning_tables import training
from models.registry.state import NoEdition
from models.registry.tables import audit
from models.trainings.jobs import (
    LEASE_SECONDS,
    TrainingUnknown,
    begin_training,
    do_training,
    open_trainings,
    read_training,
)
from tests.registry.conftest import ACTOR, JUNE, NOW, A, Shelf, shelf

__all__ = ["shelf"]


def begin(shelf: Shelf, task: str = "giant", **asked: Any) -> str:
    return begin_training(shelf.database, task, trained_on=JUNE, actor=ACTOR, now=NOW, **asked).id


@pytest.fixture
def little(shelf: Shelf) -> Shelf:
    shelf.bring([{"uscc": A, "name": "甲", "revenue_2025": 1_000_000, "revenue_2024": 900_000}])
    return shelf


def row(shelf: Shelf, training_id: str) -> Any:
    with shelf.database.read() as connection:
        return read_training(connection, training_id)


def test_the_same_question_is_one_training_while_it_is_open(little: Shelf) -> None:
    first = begin(little)
    assert begin(little) == first
    assert begin(little, "srdi") != first
    assert begin(little, seed=1) != first
    assert little.count(audit, audit.c.action == "model.train") == 3
    do_training(little.database, little.settings, first, lambda: NOW)
    assert begin(little) != first, "it has ended"


def test_what_cannot_be_learned_ends_with_its_reason(little: Shelf) -> None:
    training_id = begin(little)
    assert do_training(little.database, little.settings, training_id, lambda: NOW)
    done = row(little, training_id)
    problem = orjson.loads(done.problem)
    assert (done.status, done.model, done.active_key, done.lease_owner) == ("failed", None, None, None)
    assert problem["code"].startswith("L10")
    assert problem["zh"]
    assert problem["hint"]["zh"]


def test_a_registry_without_revenue_is_told_so(shelf: Shelf) -> None:
    shelf.bring([{"uscc": A, "name": "甲", "employees_2025": 10}])
    training_id = begin(shelf)
    assert do_training(shelf.database, shelf.settings, training_id, lambda: NOW)
    assert orjson.loads(row(shelf, training_id).problem)["code"] == "L103"


def test_an_empty_registry_an_unknown_task_and_an_unknown_training(shelf: Shelf) -> None:
    with pytest.raises(NoEdition):
        begin(shelf)
    with pytest.raises(UsageRefused, match="没有“rich”这个任务"):
        begin(shelf, "rich")
    with pytest.raises(TrainingUnknown):
        row(shelf, "00000000-0000-4000-8000-000000000000")


def test_a_training_whose_workers_were_lost_twice_is_parked(little: Shelf) -> None:
    training_id = begin(little)
    for delivery in (1, 2):
        assert open_trainings(little.database, lambda: NOW) == [training_id]
        with little.database.write() as connection:
            lease = take(connection, training, {"id": training_id}, LEASE_SECONDS)
            assert lease is not None
            assert lease.deliveries == delivery
        assert open_trainings(little.database, lambda: NOW) == [], "somebody is at it"
        with little.database.write() as connection:
            past = database_now(connection) - timedelta(seconds=1)
            connection.execute(update(training).values(lease_until=past))
    assert open_trainings(little.database, lambda: NOW) == []
    parked = row(little, training_id)
    assert (parked.status, orjson.loads(parked.problem)["code"]) == ("failed", "L405")
    assert not do_training(little.database, little.settings, training_id, lambda: NOW)
