"""曾用名 in a file: kept, searched, shown, exported; no figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.registry.export import export
from models.registry.search.find import search_firms
from models.registry.titles import ListTerms
from models.registry.verifying import verify
from tests.registry.conftest import ACTOR, JUNE, NOW, SEPTEMBER, A, B, Shelf
from tests.registry.test_weighing import same

OLD, OLDER = "上海旧雨科技有限公司", "上海晴空商贸有限公司"


@pytest.fixture
def renamed(shelf: Shelf) -> Shelf:
    shelf.bring(
        [
            {"uscc": A, "name": "上海新招牌科技有限公司", "曾用名": f"{OLD}；{OLDER}", "revenue_2025": 5},
            {"uscc": B, "name": "上海乙", "曾用名": "—"},
        ]
    )
    return shelf


def found(shelf: Shelf, scrap: str) -> list[tuple[str, str]]:
    with shelf.database.read() as connection:
        return [(hit.uscc, hit.how) for hit in search_firms(connection, shelf.state, scrap).hits]


def test_a_firm_is_found_by_each_of_its_former_names(renamed: Shelf) -> None:
    assert found(renamed, OLD) == [(A, "former")]
    assert found(renamed, "晴空商贸") == [(A, "former")]
    assert found(renamed, "新招牌")[0][0] == A


def test_former_names_are_shown_and_are_no_figures(renamed: Shelf) -> None:
    same(renamed)
    firm = renamed.firm(A)
    assert (firm.former_names, firm.external) == ((OLD, OLDER), {"revenue_2025": 5})
    assert renamed.firm(B).former_names == ()
    assert verify(renamed.database, renamed.settings).findings == ()


def test_they_join_the_names_of_other_editions(renamed: Shelf) -> None:
    renamed.bring([{"uscc": A, "name": "上海又一名有限公司"}], SEPTEMBER, "later.csv")
    same(renamed)
    assert renamed.firm(A).former_names == ("上海新招牌科技有限公司", OLD, OLDER)
    assert found(renamed, "旧雨") == [(A, "former")]


def test_a_list_that_knows_a_firm_by_its_former_name_means_it(renamed: Shelf) -> None:
    done = renamed.take(f"企业名称,有效期至\n{OLD},2028-06-30\n", ListTerms("giant", SEPTEMBER))
    assert (done.taken, done.known) == (1, 1)
    assert renamed.firm(A).external["title_giant_until"] == "2028-06-30"


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_an_export_keeps_them(renamed: Shelf, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    export(renamed.database, renamed.settings, path, actor=ACTOR, now=NOW)
    renamed.bring_file(path, JUNE)
    same(renamed)
    assert set(renamed.firm(A).former_names) == {OLD, OLDER}
