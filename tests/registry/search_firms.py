"""A small registry with everything in it that makes names hard to find."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from sqlalchemy import insert, update

from benchmarks.search_registry import EDITION, Firm, fill
from models.registry import tables
from models.registry.database import Database
from models.registry.search.find import Hit, Page, search_firms
from models.registry.search.write import NameEntry, stage_names
from models.registry.state import read_state

SONG = Firm("913102306313401240", "上海警松建设工程有限公司", "310151", 48904)
TRADING = Firm("91310120134030310A", "上海上诚贸易有限公司", "310120", 51904)
PEARL = Firm("91310000132211111B", "上海东方明珠（集团）股份有限公司", "310115", 87104)
CHONGQING = Firm("91310115MA1K31234C", "上海重庆火锅餐饮管理有限公司", "310115", 62104)
ABB = Firm("91310112607200001D", "上海ABB工程有限公司", "310112", 39114)
HOUSE = Firm("91310112745678902E", "仲盛房地产(上海)有限公司", "310112", 70104)
RENAMED = Firm("91310104555555555F", "上海华兴智能科技股份有限公司", "310104", 65104)
TWIN = Firm("91310105666666666G", "上海上诚贸易有限公司", "310105", 51904)
NAMELESS = Firm("91310107777777777H", "", "310107", 39114)
FIRMS = (SONG, TRADING, PEARL, CHONGQING, ABB, HOUSE, RENAMED, TWIN, NAMELESS)
FORMER = "上海旧雨电器厂"
RUNGS = {SONG.uscc: 3, PEARL.uscc: 5}


def fill_small(database: Database, firms: Sequence[Firm] = FIRMS) -> None:
    fill(database, firms, standings=False)
    entries = [NameEntry(firm.uscc, firm.name) for firm in firms]
    stage_names(database, EDITION, [*entries, NameEntry(RENAMED.uscc, FORMER)])
    with database.write() as connection:
        for uscc, rung in RUNGS.items():
            values = {"recognised": rung, "qualifies": rung, "could_reach": rung}
            connection.execute(insert(tables.standing).values(run_id=1, uscc=uscc, **values))


def activate_child(database: Database) -> int:
    """A second, empty edition on top of the first becomes the active one."""
    with database.write() as connection:
        first = connection.execute(tables.edition.select()).mappings().one()
        values = {
            **first,
            "id": EDITION + 1,
            "hash": "1" * 64,
            "parent_id": EDITION,
            "dated": date(2026, 7, 1),
        }
        connection.execute(insert(tables.edition).values(**values))
        connection.execute(update(tables.state).values(edition_id=EDITION + 1))
    return EDITION + 1


def search(database: Database, query: str, **asked: object) -> Page:
    with database.read() as connection:
        return search_firms(connection, read_state(connection), query, **asked)  # type: ignore[arg-type]


def first(database: Database, query: str, **asked: object) -> Hit:
    page = search(database, query, **asked)
    if not page.hits:
        pytest.fail(f"nothing was found for {query!r}")
    return page.hits[0]


def codes(page: Page) -> list[str]:
    return [hit.uscc for hit in page.hits]
