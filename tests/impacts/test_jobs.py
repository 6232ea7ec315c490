"""Impacts asked for: queued once, worked out once, and never lost or running for ever."""

from __future__ import annotations

import threading
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import select, update

from models.impacts.jobs import Asked, begin_impact, do_impact, open_impacts, read_impact
from models.jobs.leases import database_now, take
from models.jobs.single import Begun
from models.registry import rulebooks
from models.registry.editions import edition_key
from models.registry.job_tables import impact
from models.registry.state import NoEdition
from models.registry.tables import audit
from models.registry.titles import ListTerms
from models.rules.rulebook import rulebook
from models.store import StoreAway, store_of
from tests.firms import AS_OF
from tests.impacts.conftest import Rules, Shelf, load
from tests.impacts.test_impact import FIRMS, STAFF
from tests.registry.conftest import ACTOR, NOW, SEPTEMBER

PAIR = [("hge.oecd", "hge.oecd")]


def begin(shelf: Shelf, **asked: object) -> Begun:
    return begin_impact(shelf.database, Asked(AS_OF, **asked), actor=ACTOR, now=NOW)  # type: ignore[arg-type]


def do(shelf: Shelf, impact_id: str) -> bool:
    return do_impact(shelf.database, shelf.settings, impact_id, lambda: NOW)


def row(shelf: Shelf, impact_id: str):  # type: ignore[no-untyped-def]
    with shelf.database.read() as connection:
        return read_impact(connection, impact_id)


def test_two_rulebooks_over_the_registry(shelf: Shelf, rules: Rules) -> None:
    shelf.bring(FIRMS)
    root = rules("hge.oecd", STAFF, "at_least: 20人")
    with shelf.database.write() as connection:
        rulebooks.remember(connection, load(root), NOW, root=root)
    begun = begin(shelf, rulebook_b=load(root).hash)
    assert row(shelf, begun.id).status == "queued"
    assert do(shelf, begun.id)
    done = row(shelf, begun.id)
    report = orjson.loads(done.report)
    assert (done.status, done.ended_at, done.lease_owner, done.active_key) == ("succeeded", NOW, None, None)
    assert report["firms"] == 4
    assert report["pairs"][0]["counts"]["lost"] == 1
    assert report["edition"]["id"] == shelf.state.edition_id
    assert shelf.count(audit, audit.c.action == "impact.begin") == 1


def test_asking_again_while_it_is_open_is_the_same_one_and_afterwards_another(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    first = begin(shelf, pairs=PAIR)
    assert begin(shelf, pairs=PAIR) == Begun(first.id, False)
    assert begin(shelf, pairs=[("srdi.n63", "srdi.n2")]).id != first.id
    do(shelf, first.id)
    assert begin(shelf, pairs=PAIR).fresh


def test_corrections_and_lists_count(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    shelf.correct(FIRMS[3]["uscc"], employees_2022=15)
    shelf.take(f"统一社会信用代码,有效期至\n{FIRMS[0]['uscc']},2028-06-30\n", ListTerms("giant", SEPTEMBER))
    begun = begin(shelf, pairs=PAIR)
    do(shelf, begun.id)
    assert orjson.loads(row(shelf, begun.id).report)["pairs"][0]["from_to"]["met"]["met"] == 3


def test_delivered_twice_at_once_it_is_worked_out_once(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    begun = begin(shelf, pairs=PAIR)
    done: list[bool] = []
    threads = [threading.Thread(target=lambda: done.append(do(shelf, begun.id))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]
    assert row(shelf, begun.id).deliveries == 1


def lose_worker(shelf: Shelf, impact_id: str) -> None:
    """Somebody takes it and is heard of no more."""
    with shelf.database.write() as connection:
        assert take(connection, impact, {"id": impact_id}, 60) is not None
    with shelf.database.write() as connection:
        past = database_now(connection) - timedelta(minutes=5)
        connection.execute(update(impact).values(lease_until=past))


def test_one_whose_worker_died_is_given_out_again_and_parked_the_second_time(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    begun = begin(shelf, pairs=PAIR)
    lose_worker(shelf, begun.id)
    assert open_impacts(shelf.database, lambda: NOW) == [begun.id]
    lose_worker(shelf, begun.id)
    assert open_impacts(shelf.database, lambda: NOW) == []
    parked = row(shelf, begun.id)
    assert (parked.status, orjson.loads(parked.problem)["code"]) == ("failed", "I005")
    assert not do(shelf, begun.id)
    assert begin(shelf, pairs=PAIR).fresh


def test_one_that_a_worker_holds_is_left_alone(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    begun = begin(shelf, pairs=PAIR)
    with shelf.database.write() as connection:
        take(connection, impact, {"id": begun.id}, 60)
    assert open_impacts(shelf.database, lambda: NOW) == []
    assert not do(shelf, begun.id)


def test_a_file_that_the_store_lost_ends_it_with_the_reason(shelf: Shelf) -> None:
    done = shelf.bring(FIRMS)
    begun = begin(shelf, pairs=PAIR)
    store_of(shelf.settings).delete(edition_key(done.edition_hash))
    assert do(shelf, begun.id)
    failed = row(shelf, begun.id)
    assert (failed.status, orjson.loads(failed.problem)["code"]) == ("failed", "T003")


def test_a_store_that_is_away_leaves_it_waiting(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.bring(FIRMS)
    begun = begin(shelf, pairs=PAIR)
    with monkeypatch.context() as patch:
        patch.setattr("models.registry.merged.folder_with", _away)
        for _ in range(3):
            with pytest.raises(StoreAway):
                do(shelf, begun.id)
    assert (row(shelf, begun.id).status, row(shelf, begun.id).deliveries) == ("queued", 0)
    assert do(shelf, begun.id)


def _away(*_: object) -> None:
    raise StoreAway("T004", rulebook()["srdi.n2"].name)


def test_an_empty_registry_is_said(shelf: Shelf) -> None:
    with pytest.raises(NoEdition):
        begin(shelf, pairs=PAIR)
    assert shelf.count(impact) == 0


def test_an_earlier_edition_can_be_asked_about(shelf: Shelf) -> None:
    first = shelf.bring(FIRMS[:2])
    shelf.bring(FIRMS[2:], SEPTEMBER, "later.csv")
    begun = begin(shelf, pairs=PAIR, edition_id=first.edition_id)
    do(shelf, begun.id)
    assert orjson.loads(row(shelf, begun.id).report)["firms"] == 2
    with shelf.database.read() as connection:
        assert connection.execute(select(impact.c.edition_id)).scalar_one() == first.edition_id
