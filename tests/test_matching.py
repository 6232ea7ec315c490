"""Lists of names: found, ambiguous, not found, invalid; never guessed."""

from __future__ import annotations

import pytest

from models.errors import UsageRefused
from models.matching import Match, Query, match
from models.registry.database import Database
from models.registry.state import read_state
from tests.registry.search_firms import ABB, FORMER, PEARL, RENAMED, SONG, TRADING, TWIN, fill_small


def _match(database: Database, *queries: Query, only_district: str | None = None) -> list[Match]:
    with database.read() as connection:
        return match(connection, read_state(connection), queries, only_district=only_district)


@pytest.mark.parametrize(
    ("query", "status", "first"),
    [
        (Query("上海警松建设工程有限公司"), "found", SONG),
        (Query("警松建设工程"), "found", SONG),
        (Query("上海警松建设工程公司"), "found", SONG),
        (Query("上海東方明珠（集團）股份有限公司"), "found", PEARL),
        (Query(FORMER), "found", RENAMED),
        (Query("", SONG.uscc), "found", SONG),
        (Query(SONG.uscc.lower()), "found", SONG),
        (Query("警松建设工程", SONG.uscc), "found", SONG),
        (Query("上海ABB工程有限公司", SONG.uscc), "ambiguous", SONG),
        (Query("上海警松建设工程有限公司", "91310000000000000X"), "ambiguous", SONG),
        (Query("", "91310000000000000X"), "not_found", None),
        (Query("上海警松建设工程股份有限公司"), "ambiguous", SONG),
        (Query("上海警杉建设工程有限公司"), "ambiguous", SONG),
        (Query("警松建设"), "ambiguous", SONG),
        (Query("上海警松建设工程有限公司", None, "310115"), "ambiguous", SONG),
        (Query("上海上诚贸易有限公司"), "ambiguous", TWIN),
        (Query("上海上诚贸易有限公司", None, "310120"), "found", TRADING),
        (Query("上海上诚贸易有限公司", None, "310105"), "found", TWIN),
        (Query("上海上诚贸易有限公司", None, "310115"), "ambiguous", None),
        (Query("深圳腾讯计算机系统"), "not_found", None),
        (Query("……"), "invalid", None),
        (Query(""), "invalid", None),
        (Query("警松建设工程", "12345"), "invalid", None),
        (Query("'; DROP TABLE firm; --\0😀"), "not_found", None),
    ],
)
def test_each_query_has_its_answer(database: Database, query: Query, status: str, first: object) -> None:
    fill_small(database)
    (answer,) = _match(database, query)
    assert answer.status == status
    assert answer.why.zh
    assert answer.why.en
    if first in (SONG, PEARL, RENAMED) or status == "found":
        assert answer.candidates[0].uscc == first.uscc  # type: ignore[attr-defined]
    if status in ("not_found", "invalid"):
        assert answer.candidates == ()


def test_a_list_is_answered_in_its_order(database: Database) -> None:
    fill_small(database)
    firms = [SONG, ABB, PEARL, RENAMED] * 125
    answers = _match(database, *(Query(firm.name) for firm in firms))
    assert [answer.candidates[0].uscc for answer in answers] == [firm.uscc for firm in firms]
    with pytest.raises(UsageRefused, match="R422"):
        _match(database, *(Query("x") for _ in range(501)))


def test_a_caller_of_one_district_learns_nothing_of_others(database: Database) -> None:
    fill_small(database)
    queries = [Query(SONG.name), Query("", SONG.uscc), Query(TRADING.name)]
    answers = _match(database, *queries, only_district=TWIN.district)
    assert [answer.status for answer in answers] == ["not_found", "not_found", "found"]
    assert answers[2].candidates[0].uscc == TWIN.uscc
