"""Headers: one field in all its spellings, and what is said about columns that cannot be used."""

from __future__ import annotations

import pytest

from models.errors import FileRefused
from models.fields import catalogue
from models.tabular.headers import find_header, read_headers

CODE = "统一社会信用代码"


def one(header: str) -> tuple[str | None, str | None, str, list[str]]:
    """(canonical column, unit, how, codes of the notes)."""
    readings, notes = read_headers([CODE, header], 2026)
    return readings[1].name, readings[1].unit, readings[1].how, [note.code for note in notes]


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("2025年营业收入（万元）", "万元"),
        ("营业收入_2025(元)", "元"),
        ("营业收入2025年（亿元）", "亿元"),
        ("营业收入（2025年，万元）", "万元"),
        ("营业收入（万元，2025年）", "万元"),
        ("营业收入(万元)2025", "万元"),
        ("2025年度营业收入 单位：万元", "万元"),
        ("2025营业收入（单位：千元）", "千元"),
        ("营业收入2025（百万元）", "百万元"),
        ("2025年\n营业收入\r\n(万元)", "万元"),
        ("２０２５年营业收入［万元］", "万元"),
        ("营业收入【万元】2025年", "万元"),
        (" 2025 年 营业收入 （ 万元 ） ", "万元"),
        ("2025年营业收入/万元", "万元"),
        ("2025年营业收入（人民币万元）", "万元"),
    ],
)
def test_revenue_in_all_its_spellings(header: str, unit: str) -> None:
    assert one(header) == ("revenue_2025", unit, "header", [])


def test_canonical_keys_are_in_yuan_unless_they_say_otherwise() -> None:
    assert one("Revenue_2025") == ("revenue_2025", "元", "key", [])
    assert one("revenue_2025（万元）") == ("revenue_2025", "万元", "key", [])


@pytest.mark.parametrize(
    ("header", "column", "unit", "how"),
    [
        ("高新技术产品（服务）收入（万元）2024", "hightech_revenue_2024", "万元", "header"),
        ("企业估值（人民币）（亿元）", "valuation_cny", "亿元", "header"),
        ("企业估值（人民币，亿元）", "valuation_cny", "亿元", "header"),
        ("企业估值(美元)", "valuation_usd", "美元", "header"),
        ("企业估值（万美元）", "valuation_usd", "万美元", "header"),
        ("2026办法计数I类知识产权数（件）", "ip_class1_counted_2026", "件", "header"),
        ("1类知识产权数", "ip_class1", None, "header"),
        ("一类知识产权数", "ip_class1", None, "header"),
        ("II类知识产权数", "ip_class2", None, "header"),
        ("2025年末资产总额（亿元）", "total_assets_2025", "亿元", "synonym"),
        ("从事细分市场年限（年）", "niche_years", "年", "header"),
        ("2025年从业人员（人）", "employees_2025", "人", "header"),
        ("全国细分市场占有率（%）", "niche_share", "%", "header"),
        ("所属行业", "industry", None, "synonym"),
        ("首次入规年份", "directory_first_year", None, "header"),
    ],
)
def test_other_headers(header: str, column: str, unit: str | None, how: str) -> None:
    assert one(header) == (column, unit, how, [])


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("2025年营业收入", "E302"),
        ("企业估值(人民币)", "E302"),
        ("营业收入（万元）", "E303"),
        ("从业人员", "E303"),
        ("2025年营业收入（万美元）", "E305"),
        ("2025年营业收入（港元）", "E305"),
        ("2025年从业人员（万元）", "E305"),
        ("企业估值（美元）（万元）", "E305"),
    ],
)
def test_columns_that_count_as_missing(header: str, code: str) -> None:
    assert one(header)[0] is None
    assert one(header)[2:] == ("unusable", [code])


def test_unknown_columns_are_listed_once_and_own_outputs_are_not() -> None:
    readings, notes = read_headers(
        [CODE, "省份", "备注", "", "srdi.n2.unmet", "qualifies", "错误说明", "2025年板块"]
    )
    assert [(note.code, note.column) for note in notes] == [
        ("E301", "省份"),
        ("E301", "备注"),
        ("E301", "2025年板块"),
    ]
    assert {reading.how for reading in readings[1:]} == {"ignored"}


def test_a_year_after_the_assessment_is_read_and_reported() -> None:
    assert one("2027年从业人员（人）") == ("employees_2027", "人", "header", ["E304"])


def test_the_exact_header_wins_over_a_synonym_wherever_it_stands() -> None:
    for headers in (
        ["2025年营收（万元）", "2025年营业收入（万元）"],
        ["2025年营业收入（万元）", "2025年营收（万元）"],
    ):
        readings, notes = read_headers([CODE, *headers])
        assert {r.header: r.how for r in readings[1:]} == {
            "2025年营收（万元）": "ignored",
            "2025年营业收入（万元）": "header",
        }
        assert [(note.code, note.column) for note in notes] == [("E301", "2025年营收（万元）")]


def test_two_equal_headers_are_refused() -> None:
    with pytest.raises(FileRefused) as refused:
        read_headers([CODE, "revenue_2025", "2025年营业收入（万元）"])
    assert refused.value.code == "E013"
    assert "2025年营业收入（万元）" in refused.value.message.zh


def test_every_name_of_every_field_is_its_own() -> None:
    for field in catalogue():
        for name in (field.key, field.header_zh, *field.synonyms):
            year, unit = ("2025年" if field.yearly else ""), ("（万元）" if field.type == "money" else "")
            if field.unit == "美元":
                unit = "（万美元）"
            written = f"{name}_2025" if field.yearly and name == field.key else f"{year}{name}{unit}"
            readings, _ = read_headers([written])
            assert readings[0].field is field, written
            assert readings[0].name == field.column(2025 if field.yearly else None)


def test_the_header_may_stand_below_titles() -> None:
    rows = [["企业清单"], ["单位：万元"], [], ["序号", "信用代码"], ["1", "x"]]
    assert find_header(rows) == 3
    assert find_header([[""]] * 20 + [[CODE]]) is None


@pytest.mark.parametrize(("header", "unit"), [("2025年营业收入（亿）", "亿元"), ("营业收入2025(万)", "万元")])
def test_a_unit_without_its_yuan_is_still_a_unit(header: str, unit: str) -> None:
    (reading,), notes = read_headers([header])
    assert (reading.name, reading.unit, notes) == ("revenue_2025", unit, [])
