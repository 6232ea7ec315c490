"""Twenty thousand real names: what people type finds the firm among the first five."""

from __future__ import annotations

import random

import pytest

from benchmarks import search as bench
from benchmarks import search_registry as registry
from models.registry.database import Database
from models.registry.search.find import search_firms
from models.registry.state import read_state
from tests.registry.search_firms import codes, search

pytestmark = pytest.mark.skipif(not registry.LIST.exists(), reason="the list of real names is not here")

SAMPLE = 300


@pytest.mark.slow
def test_quality(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    firms = registry.real_firms()
    registry.fill(database, firms, standings=False)
    registry.index(database, firms)
    chosen = random.Random(17).sample(firms, SAMPLE)
    with database.read() as connection:
        state = read_state(connection)
        for typed, least in {
            bench.core_name: 0.98,
            bench.first_four: 0.95,
            bench.wrong_in_name: 0.985,
            bench.first_letters: 0.95,
        }.items():
            found, shared, asked = bench.measured(connection, state, chosen, typed)
            right = shared if typed is bench.first_four else found
            assert right / asked >= least, (typed.__name__, found, shared, asked)
    database.close()


def test_a_long_answer_is_paged_through_to_its_end(database: Database) -> None:
    firms = registry.real_firms()[:1500]
    registry.fill(database, firms)
    registry.index(database, firms)
    trading = {firm.uscc for firm in firms if "贸易" in firm.name}
    with database.read() as connection:
        state = read_state(connection)
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = search_firms(connection, state, "贸易", limit=17, cursor=cursor)
            seen += codes(page)
            if (cursor := page.cursor) is None:
                break
    assert len(seen) == len(set(seen))
    assert set(seen) == trading
    in_district = {firm.uscc for firm in firms if "贸易" in firm.name and firm.district == "310115"}
    assert set(codes(search(database, "贸易", limit=1000, district="310115"))) == in_district


def test_both_databases_answer_alike(sqlite_url: str, postgresql_url: str) -> None:
    firms = registry.real_firms()[:1500]
    databases = [Database(url) for url in (sqlite_url, postgresql_url)]
    for database in databases:
        registry.fill(database, firms)
        registry.index(database, firms)
    dice = random.Random(1)
    for firm in dice.sample(firms, 40):
        for typed in (bench.two_characters, bench.wrong_in_core, bench.first_letters, bench.code_part):
            query = typed(firm, dice)
            if query is not None:
                assert search(databases[0], query).hits == search(databases[1], query).hits
    for database in databases:
        database.close()
