"""Published lists of titles: whose they are, until when, and what absence means."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from models.errors import TiduiError
from models.registry.activating import restand
from models.registry.facts import Fact
from models.registry.standings import run_standing
from models.registry.titles import ListTerms
from tests.registry.conftest import ACTOR, JUNE, NOW, OCTOBER, SEPTEMBER, A, B, C, D, Shelf

COLUMN = "title_giant_until"
FIRMS = [
    {"uscc": A, "name": "上海甲（集团）有限公司", "title_giant_until": "2026-12-31"},
    {"uscc": B, "name": "上海乙科技有限公司", "title_giant_until": "2026-12-31"},
    {"uscc": C, "name": "上海丙科技有限公司"},
]


def giant(*, dated: date = SEPTEMBER, complete: bool = False, until: date | None = None) -> ListTerms:
    return ListTerms("giant", dated, complete, until)


def value(shelf: Shelf, uscc: str, column: str = COLUMN) -> object:
    fact: Fact | None = shelf.firm(uscc).facts.get(column)
    return fact.value if fact else None


def test_names_are_matched_whatever_their_width_tradition_and_brackets(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    done = shelf.take("序号,企业名称,有效期至\n1,上海甲(集團)有限公司 ,2028年6月30日\n", giant())
    assert (done.rows, done.taken, done.known, done.issues_at) == (1, 1, 1, None)
    assert value(shelf, A) == "2028-06-30"


def test_a_partial_list_says_nothing_of_others(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    shelf.take("企业名称,有效期至\n上海甲（集团）有限公司,2028-06-30\n", giant())
    assert (value(shelf, B), value(shelf, C)) == ("2026-12-31", None)


def test_a_complete_list_makes_absence_mean_none(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    shelf.take("企业名称,有效期至\n上海甲（集团）有限公司,2028-06-30\n", giant(complete=True))
    assert (value(shelf, A), value(shelf, B), value(shelf, C)) == ("2028-06-30", "none", "none")
    fact = shelf.firm(B).facts[COLUMN]
    assert (fact.source, fact.dated, fact.origin) == ("list", SEPTEMBER, "list.csv")
    assert [other.value for other in fact.also] == ["2026-12-31"]


def test_an_import_after_a_complete_list_speaks_for_itself(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    shelf.take("企业名称,有效期至\n上海甲（集团）有限公司,2028-06-30\n", giant(complete=True))
    shelf.bring([{"uscc": C, "name": "上海丙科技有限公司", COLUMN: "2029-06-30"}], OCTOBER, "later.csv")
    assert (value(shelf, B), value(shelf, C)) == ("none", "2029-06-30")


def test_a_newer_complete_list_ends_an_older_entry(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    shelf.take("企业名称,有效期至\n上海丙科技有限公司,2028-06-30\n", giant(dated=date(2026, 8, 1)), "old.csv")
    assert value(shelf, C) == "2028-06-30"
    shelf.take("企业名称,有效期至\n上海甲（集团）有限公司,2028-06-30\n", giant(complete=True), "new.csv")
    assert value(shelf, C) == "none"


def test_nothing_of_a_list_is_dropped_in_silence(shelf: Shelf) -> None:
    shelf.bring([*FIRMS, {"uscc": D, "name": "上海乙科技有限公司"}])
    text = (
        "企业名称,统一社会信用代码,有效期至\n"
        "没有这家有限公司,,2028-06-30\n"
        "上海乙科技有限公司,,2028-06-30\n"
        "上海丙科技有限公司,,不详\n"
        ",9131,2028-06-30\n"
        f"上海甲（集团）有限公司,{A},2028-06-30\n"
        f"上海甲（集团）有限公司,{A},2029-06-30\n"
    )
    done = shelf.take(text, giant(complete=True))
    assert (done.rows, done.taken) == (6, 1)
    assert {code: times for (code, _), times in done.issues.counts.items()} == {
        "E501": 1, "E502": 1, "E503": 1, "E507": 1, "E506": 1,
    }  # fmt: skip
    assert done.issues_at is not None
    assert all(
        code in done.issues_at.read_text("utf-8-sig") for code in ("E501", "E502", "E503", "E507", "E506")
    )
    assert value(shelf, A) == "2029-06-30"
    # On the list as far as one can tell: so a complete list does not make them 无.
    assert (value(shelf, B), value(shelf, C), value(shelf, D)) == ("2026-12-31", None, None)


def test_a_code_not_yet_in_the_registry_counts_once_it_is(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    done = shelf.take(f"统一社会信用代码,有效期至\n{D},2028-06-30\n", giant())
    assert (done.taken, done.known) == (1, 0)
    shelf.bring([{"uscc": D, "name": "丁"}], SEPTEMBER, "later.csv")
    assert value(shelf, D) == "2028-06-30"


def test_a_former_name_leads_to_the_firm(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    shelf.bring([{"uscc": C, "name": "上海新丙股份有限公司"}], date(2026, 8, 31), "later.csv")
    shelf.take("企业名称,有效期至\n上海丙科技有限公司,2028-06-30\n", giant())
    assert value(shelf, C) == "2028-06-30"


def test_last_days_come_from_the_row_the_issue_or_the_option(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    text = f"代码,有效期,发布日期\n{A},2023.07.01至2026-09-30,\n{B},,2024-02-29\n"
    text = text.replace("代码", "统一社会信用代码")
    shelf.take(text, ListTerms("giant", SEPTEMBER, years=3))
    assert (value(shelf, A), value(shelf, B)) == ("2026-09-30", "2027-02-28")
    shelf.take(f"统一社会信用代码\n{C}\n", giant(until=date(2027, 12, 31)), "none.csv")
    assert value(shelf, C) == "2027-12-31"


def test_a_list_without_any_day_is_refused_with_what_to_do(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    with pytest.raises(TiduiError) as refused:
        shelf.take("企业名称\n上海甲（集团）有限公司\n", giant())
    assert refused.value.code == "G013"
    assert "--valid-until" in str(refused.value)
    assert value(shelf, A) == "2026-12-31"


@pytest.mark.parametrize("text", ["行次,备注\n1,二\n", "只有一列\n"])
def test_a_list_that_names_no_firms_is_refused(shelf: Shelf, text: str) -> None:
    shelf.bring(FIRMS)
    with pytest.raises(TiduiError) as refused:
        shelf.take(text, giant())
    assert refused.value.code == "G012"


def test_a_list_of_members_says_yes_and_complete_says_no(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    shelf.take("企业名称\n上海甲（集团）有限公司\n", ListTerms("dragonhead", SEPTEMBER, complete=True))
    assert (value(shelf, A, "member_dragonhead"), value(shelf, B, "member_dragonhead")) == (True, False)


def test_the_same_list_again_is_matched_anew(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    text = "企业名称,有效期至\n上海丁科技有限公司,2028-06-30\n"
    assert shelf.take(text, giant()).taken == 0
    shelf.bring([{"uscc": D, "name": "上海丁科技有限公司"}], SEPTEMBER, "later.csv")
    assert shelf.take(text, giant()).taken == 1
    assert value(shelf, D) == "2028-06-30"


def test_a_workbook_and_gbk_text_are_read_too(shelf: Shelf, tmp_path: Path) -> None:
    shelf.bring(FIRMS)
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["第七批专精特新“小巨人”企业名单"])
    book.active.append(["序号", "企业名称", "有效期至"])
    book.active.append([1, "上海丙科技有限公司", date(2028, 6, 30)])
    book.save(tmp_path / "list.xlsx")
    book.close()
    shelf.take_file(tmp_path / "list.xlsx", giant())
    assert value(shelf, C) == "2028-06-30"
    (tmp_path / "gbk.csv").write_text("企业名称,有效期至\n上海乙科技有限公司,2030-06-30\n", "gb18030")
    shelf.take_file(tmp_path / "gbk.csv", giant())
    assert value(shelf, B) == "2030-06-30"


def test_judging_anew_sees_the_list(shelf: Shelf) -> None:
    shelf.bring(FIRMS)
    before = standing(shelf, C)
    shelf.take("企业名称,有效期至\n上海丙科技有限公司,2028-06-30\n", giant(complete=True))
    assert standing(shelf, C) == before
    restand(shelf.database, shelf.settings, actor=ACTOR, now=NOW)
    assert standing(shelf, C) > before
    assert standing(shelf, B) == before
    assert shelf.state.registry_version == 3


def standing(shelf: Shelf, uscc: str) -> int:
    with shelf.database.read() as connection:
        found = run_standing(connection, shelf.state, uscc)
    assert found is not None
    assert found.as_of == JUNE
    return found.recognised
