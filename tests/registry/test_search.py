"""A firm is found by whatever was typed."""

from __future__ import annotations

import pytest

from benchmarks.search_registry import Firm
from models.errors import UsageRefused
from models.registry.database import Database
from models.registry.search.find import former_names
from models.registry.search.write import (
    NameEntry,
    clear_names,
    remove_names,
    replace_names,
    stage_names,
)
from models.registry.state import read_state
from tests.registry.search_firms import (
    ABB,
    CHONGQING,
    FIRMS,
    FORMER,
    HOUSE,
    NAMELESS,
    PEARL,
    RENAMED,
    SONG,
    TWIN,
    activate_child,
    codes,
    fill_small,
    first,
    search,
)


@pytest.fixture
def filled(database: Database) -> Database:
    fill_small(database)
    return database


@pytest.mark.parametrize(
    ("typed", "firm", "how"),
    [
        ("913102306313401240", SONG, "code"),
        (" 91310115ma1k31234c ", CHONGQING, "code"),
        ("91310115MA1K3I234C", CHONGQING, "code"),  # I for 1
        ("9131O115MA1K31234C", CHONGQING, "code"),  # O for 0
        ("91310115MA1K31284C", CHONGQING, "similar"),  # a wrong character
        ("91310115MA1K3123C", CHONGQING, "similar"),  # a missing one
        ("MA1K3", CHONGQING, "code"),
        ("3401240", SONG, "code"),
        ("9131023", SONG, "code"),
        ("7777", NAMELESS, "code"),
        ("上海警松建设工程有限公司", SONG, "name"),
        ("警松建设工程", SONG, "name"),
        ("上海市警松建设工程公司", SONG, "name"),
        ("警松", SONG, "prefix"),
        ("警", SONG, "prefix"),
        ("松建", SONG, "part"),
        ("海警", SONG, "part"),
        ("程有限", ABB, "part"),  # the shorter name first
        ("警松 工程", SONG, "part"),
        ("上海警松建设工程有限", SONG, "prefix"),
        ("上海上誠貿易有限公司", TWIN, "name"),  # one of two firms of that name
        ("東方明珠", PEARL, "name"),
        ("上海东方明珠(集团)股份有限公司", PEARL, "name"),
        ("上海东方明珠集团股份有限公司", PEARL, "name"),
        ("ＡＢＢ工程", ABB, "name"),
        ("abb", ABB, "prefix"),
        ("仲盛房地产", HOUSE, "name"),
        ("仲盛房地产（上海）有限公司", HOUSE, "name"),
        (FORMER, RENAMED, "former"),
        ("旧雨", RENAMED, "former"),
        ("jingsong", SONG, "pinyin"),
        ("jing song jian", SONG, "pinyin"),
        ("jingsongji", SONG, "pinyin"),
        ("shanghaijingsongjianshegongchengyouxiangongsi", SONG, "pinyin"),
        ("敬松建设", SONG, "pinyin"),  # the same sound, other characters
        ("chongqinghuoguo", CHONGQING, "pinyin"),
        ("zhongqinghuoguo", CHONGQING, "pinyin"),
        ("jsjsgc", SONG, "initials"),
        ("shjsjsgcyxgs", SONG, "initials"),
        ("js", SONG, "initials"),
        ("sjsg", SONG, "initials"),
        ("cqhg", CHONGQING, "initials"),
        ("zqhg", CHONGQING, "initials"),
        ("警杉建设工程", SONG, "similar"),
        ("上海警松建舍工厂有限公司", SONG, "similar"),
        ("上海警松建没工程有限公司", SONG, "similar"),
        ("上海警松建设工程有很公司", SONG, "prefix"),
        ("警建设工程", SONG, "similar"),
        ("警松松建设工程", SONG, "similar"),
        ("松警建设工程", SONG, "similar"),
    ],
)
def test_is_found_first(filled: Database, typed: str, firm: Firm, how: str) -> None:
    hit = first(filled, typed)
    assert hit.uscc == firm.uscc
    assert hit.name == firm.name
    if typed != "上海警松建设工程有很公司":
        assert hit.how == how
    assert 0 < hit.score <= 100
    assert hit.why.zh
    assert hit.why.en


def test_says_why(filled: Database) -> None:
    assert first(filled, "警松").why.zh == "名称以“警松”开头"
    assert first(filled, "松建").why.zh == "名称含“松建”"
    assert first(filled, "警杉建设工程").why.zh == "与“上海警松建设工程有限公司”只差一个字"
    former = first(filled, "旧雨")
    assert former.why.zh == f"曾用名“{FORMER}”含“旧雨”"
    assert former.matched_name == FORMER
    assert former.name == RENAMED.name


def test_what_stands_in_every_name_still_answers(filled: Database) -> None:
    named = {firm.uscc for firm in FIRMS if "上海" in firm.name}
    assert set(codes(search(filled, "上海"))) == named
    assert len(codes(search(filled, "有限公司"))) == 8


def test_filters(filled: Database) -> None:
    assert codes(search(filled, "上诚", district="310105")) == [TWIN.uscc]
    assert codes(search(filled, "上诚", district="310151")) == []
    assert set(codes(search(filled, "", industry="C"))) == {ABB.uscc, NAMELESS.uscc}
    assert set(codes(search(filled, "", industry="39"))) == {ABB.uscc, NAMELESS.uscc}
    assert codes(search(filled, "工程", industry="E48")) == [SONG.uscc]
    assert codes(search(filled, "上海", rung=5)) == [PEARL.uscc]
    assert first(filled, "警松").recognised == 3
    assert first(filled, "上诚").recognised is None
    with pytest.raises(UsageRefused, match="R421"):
        search(filled, "工程", industry="制造")


def test_a_caller_of_one_district_sees_no_other(filled: Database) -> None:
    assert codes(search(filled, "上诚", only_district="310105")) == [TWIN.uscc]
    for typed in ("警松", SONG.uscc, "3401240", "jsjsgc", "警杉建设工程", "上海", "91310230631340124O"):
        assert SONG.uscc not in codes(search(filled, typed, only_district="310105"))
    assert codes(search(filled, "", only_district="310105")) == [TWIN.uscc]
    assert codes(search(filled, "上诚", only_district="310105", district="310120")) == []


@pytest.mark.parametrize("typed", ["", "上海", "公司", "贸易", "上诚", "js", "9131", "科技", "建设"])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_paging_misses_none_and_repeats_none(filled: Database, typed: str, limit: int) -> None:
    whole = codes(search(filled, typed, limit=100))
    paged: list[str] = []
    cursor = None
    for _ in range(20):
        page = search(filled, typed, limit=limit, cursor=cursor)
        assert len(page.hits) <= limit
        paged += codes(page)
        if (cursor := page.cursor) is None:
            break
    assert paged == whole
    assert len(set(whole)) == len(whole)


def test_a_blank_query_lists_by_code(filled: Database) -> None:
    assert codes(search(filled, "  ")) == sorted(firm.uscc for firm in FIRMS)


def test_a_cursor_is_good_for_its_own_question_only(filled: Database) -> None:
    cursor = search(filled, "上海", limit=1).cursor
    assert cursor
    for broken in ("x", cursor[:-3], "A" * 1000, "é", "W10", "WzEsMl0"):
        with pytest.raises(UsageRefused, match="R420"):
            search(filled, "上海", cursor=broken)
    with pytest.raises(UsageRefused, match="R420"):
        search(filled, "贸易", cursor=cursor)
    with pytest.raises(UsageRefused, match="R420"):
        search(filled, "上海", cursor=cursor, district="310115")


@pytest.mark.parametrize(
    "typed",
    [
        "%", "_", "%%%", "警%建设", "警_", "*", '"', "'", "' OR 1=1 --", "'; DROP TABLE firm; --", "\\", "\0",
        "警\0松", "😀", "😀警松😀", "AND", "NEAR(a b)", "a*", "^", "{core}", "{{7*7}}", "<script>", "\ud800", "١٢٣٤",
        "︀", "ß", "ﷺ", "警" * 5000, "a" * 5000, "ananananan" * 50, "9" * 300, "\n\t", "...", "（）", "-" * 100,
    ],
)  # fmt: skip
def test_nothing_typed_does_harm(filled: Database, typed: str) -> None:
    page = search(filled, typed)
    assert len(page.hits) <= len(FIRMS)
    assert first(filled, "警松").uscc == SONG.uscc


def test_only_marks_find_nothing(filled: Database) -> None:
    assert search(filled, "……（）").hits == ()
    assert search(filled, "%").hits == ()
    assert first(filled, "😀警松😀").uscc == SONG.uscc


def test_an_edition_is_seen_when_it_is_in_the_lineage(filled: Database) -> None:
    new = [NameEntry(SONG.uscc, "上海松云建工有限公司"), NameEntry(SONG.uscc, SONG.name)]
    assert stage_names(filled, 2, new, lineage=(1,)) == 1
    assert search(filled, "松云").hits == ()
    activate_child(filled)
    assert first(filled, "松云").how == "former"  # firm.name is still the old one
    assert first(filled, "警松").how == "prefix"
    clear_names(filled, 2)
    assert search(filled, "松云").hits == ()
    assert first(filled, "警松").uscc == SONG.uscc


def test_names_given_by_hand(filled: Database) -> None:
    for number in range(40):  # more than are left in segments of their own
        with filled.write() as connection:
            replace_names(connection, [NameEntry(SONG.uscc, f"上海云岫{number:02}号有限公司")])
            replace_names(connection, [NameEntry(ABB.uscc, "上海艾波比有限公司")])
    assert codes(search(filled, "云岫39")) == [SONG.uscc]
    assert "云岫38" not in search(filled, "云岫").hits[0].matched_name
    assert first(filled, "艾波比").uscc == ABB.uscc
    with filled.read() as connection:
        names = former_names(connection, read_state(connection), [SONG.uscc, RENAMED.uscc, TWIN.uscc])
    assert names == {SONG.uscc: ("上海云岫39号有限公司",), RENAMED.uscc: (FORMER,)}
    with filled.write() as connection:
        remove_names(connection, [SONG.uscc])
    assert search(filled, "云岫").hits == ()
    assert first(filled, "警松").uscc == SONG.uscc
