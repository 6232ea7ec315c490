"""Figures written outside and held inside: nothing guessed, nothing lost on the way there and back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.codes import industries
from models.fields import MONEY_LIMIT, NO_TITLE, Field, catalogue
from models.figures import NOT_FIGURES, external, internal, read_figures


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Values as the catalogue lets a firm have them, as they are written outside."""
    if field.key == "industry":
        return st.sampled_from([code for code in industries().names if code.isdigit() and code != "701"])
    if field.key == "district":
        return st.sampled_from(["310115", "310101", "320500"])
    if field.options:
        return st.sampled_from(sorted(field.options))
    if field.range:
        low, high = field.range
        return (
            st.integers(low, high) if field.type == "count" else st.floats(low, high).map(lambda x: x + 0.0)
        )
    dates = st.dates(date(1900, 1, 1), date(2199, 12, 31)).map(date.isoformat)
    return {
        "money": st.integers(-MONEY_LIMIT if field.negative_allowed else 0, MONEY_LIMIT),
        "count": st.integers(0, 10**9),
        "decimal": st.floats(0, 200).map(lambda x: x + 0.0),
        "score": st.floats(0, 100),
        "ratio": st.floats(0, 1).map(lambda x: x + 0.0),
        "bool": st.booleans(),
        "date": dates,
        "title": st.one_of(st.just("none"), dates),
        "year": st.one_of(st.just(0), st.integers(1900, 2100)),
    }[field.type]


FIGURES = [field for field in catalogue() if field.key not in NOT_FIGURES]
FIRMS = st.fixed_dictionaries(
    {}, optional={f.column(2025 if f.yearly else None): values_of(f) for f in FIGURES}
)


@given(FIRMS)
def test_what_is_read_is_written_again_the_same(written: dict[str, Any]) -> None:
    reading = read_figures(written)
    assert reading.issues == ()
    assert reading.external == dict(sorted(written.items()))
    assert internal(reading.external) == reading.figures


@pytest.mark.parametrize(
    ("column", "written", "held"),
    [
        ("revenue_2025", 1.5, 2),
        ("net_profit_2025", -1.5, -2),
        ("revenue_2025", "1,500", 1500),
        ("niche_share", "10.5%", 0.105),
        ("niche_share", 0.105, 0.105),
        ("legal_person", "是", True),
        ("legal_person", False, False),
        ("title_giant_until", "无", NO_TITLE),
        ("title_giant_until", "2027-06-30", date(2027, 6, 30)),
        ("industry", "C3911", 39114),
        ("industry", "0111", 1114),
        ("district", "浦东新区", "310115"),
        ("directory_first_year", 0, 0),
    ],
)
def test_people_and_programs_may_write_the_same_figure(column: str, written: Any, held: Any) -> None:
    reading = read_figures({column: written})
    assert (reading.issues, reading.figures) == ((), {column: held})


@pytest.mark.parametrize(
    ("column", "written", "code"),
    [
        ("revenue", 1, "F101"),
        ("revenue_25", 1, "F101"),
        ("__proto__", 1, "F101"),
        ("x" * 10_000, 1, "F101"),
        ("uscc", "91310000000000000U", "F103"),
        ("name", "上海某某有限公司", "F103"),
        ("revenue_2025", True, "F102"),
        ("revenue_2025", [1], "F102"),
        ("revenue_2025", {"value": 1}, "F102"),
        ("revenue_2025", "很多", "E201"),
        ("revenue_2025", -1, "E202"),
        ("revenue_2025", 10**400, "E214"),
        ("revenue_2025", 1e300, "E214"),
        ("revenue_2025", float("nan"), "E201"),
        ("revenue_2025", float("inf"), "E201"),
        ("employees_2025", 1.5, "E204"),
        ("dev_score_2026", 101, "E203"),
        ("niche_share", 10.5, "E209"),
        ("legal_person", 1, "F102"),
        ("legal_person", "也许", "E207"),
        ("industry", 111, "F102"),
        ("established_on", 43832, "F102"),
        ("established_on", "2020年", "E206"),
        ("title_giant_until", True, "F102"),
        ("rd_institution", "best", "E208"),
        ("rd_institution", "省" * 201, "F102"),
        ("district", "火星", "E213"),
    ],
)
def test_what_cannot_be_a_figure_is_told_with_what_to_do(column: str, written: Any, code: str) -> None:
    reading = read_figures({column: written, "ip_class1": 3})
    (issue,) = reading.issues
    assert (issue.column, issue.code) == (column, code)
    assert issue.message.zh
    assert issue.message.en
    assert issue.fix.zh
    assert reading.figures == {"ip_class1": 3}


def test_a_blank_is_neither_nought_nor_no() -> None:
    reading = read_figures({"revenue_2025": None, "legal_person": "不清楚", "ip_class1": "—", "ip_class2": 0})
    assert reading.figures == {"ip_class2": 0}
    assert reading.blanks == ("revenue_2025", "legal_person", "ip_class1")
    assert reading.issues == ()


def test_a_code_the_standard_does_not_list_is_used_with_a_warning() -> None:
    reading = read_figures({"industry": "3999"})
    assert [issue.code for issue in reading.warnings] == ["E211"]
    assert external("industry", reading.figures["industry"]) == "3999"
