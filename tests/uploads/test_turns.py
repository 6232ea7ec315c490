"""Whose turn it is, and what becomes of work whose worker died."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.jobs.leases import MOST_DELIVERIES
from models.registry.job_tables import upload
from models.uploads.remove import delete_upload, due
from models.uploads.rows import Upload
from models.uploads.turns import CHECK, IMPORT, Turn, ended, give_back, kept, take_next, take_this
from tests.registry.conftest import NOW, A
from tests.uploads.conftest import UPLOADER, Desk
from tests.workers.staff import until

LONG = 600.0


def bring(desk: Desk, owner: str, count: int, start: int) -> list[Upload]:
    texts = [f"uscc\n{A}\n{owner}{number}" for number in range(count)]
    moments = [NOW + timedelta(seconds=start + number) for number in range(count)]
    return [desk.bring(text, owner=owner, at=at) for text, at in zip(texts, moments, strict=True)]


def turn(desk: Desk) -> Turn:
    found = take_next(desk.database, CHECK, LONG)
    assert found is not None
    return found


def done(desk: Desk, taken: Turn, second: int) -> None:
    with desk.database.write() as connection:
        assert ended(connection, taken, status="checked", checked_at=NOW + timedelta(hours=1, seconds=second))


def served(desk: Desk, times: int) -> Sequence[str]:
    owners = []
    for second in range(times):
        taken = turn(desk)
        owners.append(taken.upload.owner)
        done(desk, taken, second)
    return owners


def test_uploaders_take_turns_whatever_each_has_sent(desk: Desk) -> None:
    many, some = bring(desk, "many", 6, 0), bring(desk, "some", 2, 100)
    bring(desk, "one", 1, 200)
    assert served(desk, 9) == ["many", "some", "one", "many", "some", "many", "many", "many", "many"]
    assert take_next(desk.database, CHECK, LONG) is None
    assert [desk.find(one.id).status for one in (*many, *some)] == ["checked"] * 8


def test_who_has_the_fewest_at_work_is_next(desk: Desk) -> None:
    first, second, third = bring(desk, "many", 3, 0)
    (only,) = bring(desk, "one", 1, 100)
    assert [turn(desk).upload.id for _ in range(4)] == [first.id, only.id, second.id, third.id]


def test_a_dead_workers_upload_is_taken_again_and_then_given_up(desk: Desk) -> None:
    (one,) = bring(desk, "a", 1, 0)
    for _ in range(MOST_DELIVERIES):
        assert due(desk.database, CHECK) == (1, 0)
        assert take_next(desk.database, CHECK, -1.0) is not None  # and the worker dies
    assert due(desk.database, CHECK) == (0, 0)
    parked = desk.find(one.id)
    assert (parked.status, (parked.problem or {})["code"]) == ("refused", "U501")


def test_who_lost_the_lease_ends_nothing(desk: Desk) -> None:
    (one,) = bring(desk, "a", 1, 0)
    late = take_next(desk.database, CHECK, -1.0)
    assert late is not None
    now = turn(desk)
    with desk.database.write() as connection:
        assert not ended(connection, late, status="refused")
    done(desk, now, 0)
    assert desk.find(one.id).status == "checked"


def test_a_lease_is_made_longer_while_the_work_goes_on(desk: Desk) -> None:
    (one,) = bring(desk, "a", 1, 0)
    taken = take_this(desk.database, one.id, CHECK, 2.0)
    assert taken is not None

    def lease() -> datetime:
        with desk.database.read() as connection:
            query = select(upload.c.lease_until).where(upload.c.id == one.id)
            found: datetime = connection.execute(query).scalar_one()
            return found

    first = lease()
    with kept(desk.database, taken, 2.0):
        until(lambda: lease() > first)
    done(desk, taken, 0)


def test_what_cannot_be_done_now_waits_and_counts_as_no_failure(desk: Desk) -> None:
    (one,) = bring(desk, "a", 1, 0)
    for _ in range(MOST_DELIVERIES + 1):
        give_back(desk.database, turn(desk), CHECK, -1.0)
    give_back(desk.database, turn(desk), CHECK, LONG)
    assert take_next(desk.database, CHECK, LONG) is None
    assert desk.find(one.id).status == "queued"


@pytest.mark.parametrize("work", [CHECK, IMPORT])
def test_nothing_waits_in_an_empty_house(desk: Desk, work: object) -> None:
    assert take_next(desk.database, work, LONG) is None  # type: ignore[arg-type]


def test_an_upload_deleted_amid_its_check_stays_deleted(desk: Desk) -> None:
    (one,) = bring(desk, "a", 1, 0)
    taken = turn(desk)
    delete_upload(desk.database, desk.settings, one.id, owner="a", actor=UPLOADER, now=NOW)
    with desk.database.write() as connection:
        assert not ended(connection, taken, status="checked")
    assert take_next(desk.database, CHECK, LONG) is None
