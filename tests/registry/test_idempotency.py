"""Idempotency keys: one does the work, others get its answer."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from models.registry.database import Database
from models.registry.idempotency import Claim, KeyReused, StillRunning, Stored, begin, finish, release

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANSWER = Stored(201, {"Content-Type": "application/json"}, "结果".encode())


def claim(database: Database, key: str = "k", request: str = "r", now: datetime = NOW) -> Claim:
    found = begin(database, "owner", key, request, now)
    assert isinstance(found, Claim)
    return found


def test_the_second_call_gets_the_first_ones_answer(database: Database) -> None:
    finish(database, claim(database), ANSWER)
    assert begin(database, "owner", "k", "r", NOW) == ANSWER


def test_another_request_with_the_key_is_refused(database: Database) -> None:
    finish(database, claim(database), ANSWER)
    with pytest.raises(KeyReused):
        begin(database, "owner", "k", "other", NOW)


def test_a_call_that_is_at_work_is_not_disturbed(database: Database) -> None:
    claim(database)
    with pytest.raises(StillRunning):
        begin(database, "owner", "k", "r", NOW + timedelta(seconds=59))


def test_keys_of_others_are_others(database: Database) -> None:
    claim(database)
    assert isinstance(begin(database, "somebody", "k", "other", NOW), Claim)


def test_a_released_key_may_be_used_again(database: Database) -> None:
    release(database, claim(database))
    claim(database, request="mended")


def test_a_dead_first_call_is_taken_over_and_cannot_answer_any_more(database: Database) -> None:
    dead = claim(database)
    later = NOW + timedelta(seconds=61)
    heir = claim(database, now=later)
    finish(database, dead, Stored(200, {}, b"late"))
    with pytest.raises(StillRunning):
        begin(database, "owner", "k", "r", later)
    finish(database, heir, ANSWER)
    assert begin(database, "owner", "k", "r", later) == ANSWER


def test_answers_are_kept_for_a_day(database: Database) -> None:
    finish(database, claim(database), ANSWER)
    assert begin(database, "owner", "k", "r", NOW + timedelta(hours=23)) == ANSWER
    claim(database, request="other", now=NOW + timedelta(hours=25))


def test_of_many_at_once_exactly_one_works(database: Database) -> None:
    start = threading.Barrier(8)
    won: list[Claim] = []
    refused: list[Exception] = []

    def run() -> None:
        start.wait()
        try:
            found = begin(database, "owner", "k", "r", NOW)
            assert isinstance(found, Claim)
            won.append(found)
        except StillRunning as error:
            refused.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(refused)) == (1, 7)
