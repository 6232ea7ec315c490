"""Single cells: every spelling the contract accepts, and the code of everything it does not."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from models.codes import encode_industry
from models.fields import MONEY_LIMIT, NO_TITLE, catalogue
from models.tabular.cells import (
    CODE_ALPHABET,
    Cell,
    issue_details,
    read_district,
    read_industry,
    read_name,
    read_uscc,
    reader_for,
    without_float_tail,
)
from models.tabular.headers import ColumnReading, read_headers
from tests.tabular.files import code

BLANKS = ["", "  ", "—", "–", "——", "-", "--", "/", "N/A", "n/a", "NA", "不详", "未知", "null", "　", "－"]


def cell(key: str, text: str, unit: str | None = None) -> Cell:
    return reader_for(catalogue()[key], unit)(text)


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize(
    "key", ["revenue", "niche_share", "legal_person", "established_on", "listed_board", "district"]
)
def test_blanks_are_missing_and_no_fault(key: str, blank: str) -> None:
    assert cell(key, blank) == Cell(None, None)


@pytest.mark.parametrize(
    ("text", "unit", "yuan"),
    [
        ("1234", "元", 1234),
        ("1,234,567.5", "元", 1234568),
        ("１，２３４．５", "万元", 12345000),
        ("0.00005", "万元", 1),
        ("5e-05", "万元", 1),
        ("0.00004999", "万元", 0),
        ("1.8e+10", "元", 18_000_000_000),
        ("0.30000000000000004", "万元", 3000),
        ("3911.0", "元", 3911),
        (" 12 ", "亿元", 1_200_000_000),
        ("1.5", "百万元", 1_500_000),
        ("2", "千元", 2000),
        ("0", "万元", 0),
        (str(MONEY_LIMIT), "元", MONEY_LIMIT),
    ],
)
def test_money_is_whole_yuan_half_away_from_zero(text: str, unit: str, yuan: int) -> None:
    assert cell("revenue", text, unit) == Cell(yuan)


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("revenue", "-1", "E202"),
        ("revenue", "-0.01", "E202"),
        ("revenue", "12万元", "E201"),
        ("revenue", "1,23", "E201"),
        ("revenue", "nan", "E201"),
        ("revenue", "inf", "E201"),
        ("revenue", "无", "E201"),
        ("revenue", "1" * 61, "E201"),
        ("revenue", str(MONEY_LIMIT + 1), "E214"),
        ("revenue", "1e400", "E214"),
        ("revenue", "#N/A", "E215"),
        ("revenue", "#DIV/0!", "E215"),
        ("employees", "1.5", "E204"),
        ("employees", "-3", "E202"),
        ("employees", "1000000001", "E214"),
        ("employees", "1e300", "E214"),
        ("digital_level", "6", "E203"),
        ("local_feature_score", "15.5", "E203"),
        ("niche_years", "-1", "E202"),
        ("niche_share", "1.05", "E209"),
        ("niche_share", "105%", "E209"),
        ("niche_share", "-1%", "E202"),
        ("niche_share", "一成", "E201"),
        ("revenue", "10%", "E201"),
        ("legal_person", "也许", "E207"),
        ("legal_person", "2", "E207"),
        ("listed_board", "纳斯达克", "E208"),
        ("established_on", "明天", "E205"),
        ("established_on", "2020-02-30", "E205"),
        ("established_on", "1/2/2020", "E205"),
        ("established_on", "20-01-02", "E206"),
        ("established_on", "2020", "E206"),
        ("established_on", "2020年", "E206"),
        ("established_on", "2020-01", "E206"),
        ("established_on", "202001", "E206"),
        ("title_srdi_until", "有", "E216"),
        ("title_srdi_until", "27-06-30", "E206"),
        ("directory_first_year", "99", "E203"),
        ("directory_first_year", "2020.5", "E204"),
        ("directory_first_year", "去年", "E201"),
    ],
)
def test_what_cannot_be_read_is_missing_with_a_code(key: str, text: str, expected: str) -> None:
    assert cell(key, text) == Cell(None, expected)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("net_profit", "-0.5", -1),
        ("net_profit", "−12", -12),
        ("employees", "12.0", 12),
        ("ip_class1", "无", 0),
        ("award_national_rank", "无", 0),
        ("niche_share", "10.5%", 0.105),
        ("niche_share", "０.１０５", 0.105),
        ("niche_share", "1", 1.0),
        ("niche_years", "3.5", 3.5),
        ("digital_level", "5", 5),
        ("directory_first_year", "0", 0),
        ("directory_first_year", "2024年", 2024),
        ("directory_first_year", "2024.0", 2024),
        ("listed_board", "科创板", "star"),
        ("listed_board", "STAR", "star"),
        ("rd_institution", "无", "none"),
        ("maker_contest", "无", "none"),
        ("title_srdi_until", "无", NO_TITLE),
        ("title_srdi_until", "none", NO_TITLE),
        ("title_srdi_until", "2027年6月30日", date(2027, 6, 30)),
        ("legal_person", "不清楚", None),
    ],
)
def test_values(key: str, text: str, value: object) -> None:
    assert cell(key, text) == Cell(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "1.0", "是", "有", "Y", "yes", "√", "１"])
def test_yes(text: str) -> None:
    assert cell("legal_person", text).value is True


@pytest.mark.parametrize("text", ["false", "FALSE", "0", "0.0", "否", "无", "N", "no", "×"])
def test_no(text: str) -> None:
    assert cell("legal_person", text).value is False


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-02",
        "20200102",
        "20200102.0",
        "2020/1/2",
        "2020.1.2",
        "2020年1月2日",
        "2020-01-02 00:00:00",
        "2020-01-02T08:30:00",
        "43832",
        "43832.0",
        "43832.5",
        "２０２０-０１-０２",
    ],
)
def test_one_date_in_all_its_spellings(text: str) -> None:
    assert cell("established_on", text) == Cell(date(2020, 1, 2))


def test_a_percent_header_makes_bare_numbers_percents() -> None:
    assert cell("niche_share", "10.5", "%") == Cell(0.105)
    assert cell("niche_share", "10.5%", "%") == Cell(0.105)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C39计算机、通信和其他电子设备制造业", Cell(encode_industry("39"))),
        ("C3911", Cell(encode_industry("3911"))),
        ("c3911", Cell(encode_industry("3911"))),
        ("3911.0", Cell(encode_industry("3911"))),
        ("0111", Cell(encode_industry("0111"))),
        ("111", Cell(encode_industry("111"))),
        ("701", Cell(encode_industry("7010"))),
        ("谷物种植", Cell(encode_industry("011"))),
        ("111.0", Cell(None, "E212")),
        ("5.0", Cell(None, "E212")),
        ("C", Cell(None, "E210")),
        ("C3", Cell(None, "E210")),
        ("X", Cell(None, "E210")),
        ("39112", Cell(None, "E210")),
        ("制造", Cell(None, "E210")),
        ("#REF!", Cell(None, "E215")),
        ("不详", Cell()),
    ],
)
def test_industry(text: str, expected: Cell) -> None:
    assert read_industry(text) == expected


def test_an_industry_code_that_is_not_listed_is_kept_with_a_warning() -> None:
    assert read_industry("C9999") == Cell(encode_industry("9999"), "E211")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("浦东新区", Cell("310115")),
        ("浦东", Cell("310115")),
        ("上海市浦东新区", Cell("310115")),
        ("310115", Cell("310115")),
        ("310115.0", Cell("310115")),
        ("310115001", Cell("310115")),
        ("310115001001", Cell("310115")),
        ("330106", Cell("330106")),
        ("310199", Cell(None, "E213")),
        ("990101", Cell(None, "E213")),
        ("浦东区镇", Cell(None, "E213")),
        ("#N/A", Cell(None, "E215")),
    ],
)
def test_district(text: str, expected: Cell) -> None:
    assert read_district(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("91310115MA1K4B8X0", "E103"),
        ("", "E101"),
        ("—", "E101"),
        ("9.144030061884709e+17", "E105"),
        ("1234567890.0", "E105"),
        ("913101151234567000", "E105"),
        ("91310115MAIK4B8X0R", "E104"),
        ("9131011５MA!K4B8X0R", "E104"),
    ],
)
def test_codes_that_make_a_row_unreadable(text: str, expected: str) -> None:
    assert read_uscc(text) == Cell(None, expected)


def test_codes_are_normalised() -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in code(7).lower())
    assert read_uscc(f" {wide}　") == Cell(code(7))
    assert read_uscc("'" + code(7)) == Cell(code(7))


def test_a_wrong_check_character_is_a_warning() -> None:
    wrong = code(7)[:-1] + ("0" if code(7)[-1] != "0" else "1")
    assert read_uscc(wrong) == Cell(wrong, "E102")
    assert issue_details(catalogue()["uscc"], "E103", wrong[:-1]) == {"length": 17}


def test_a_firm_may_be_called_na() -> None:
    assert read_name("NA") == Cell("NA")
    assert read_name("—") == Cell(None, "E107")
    assert read_name(" 上海（集团）公司 ") == Cell("上海（集团）公司")


def test_details_name_range_and_options() -> None:
    assert issue_details(catalogue()["digital_level"], "E203") == {"low": 1, "high": 5}
    assert issue_details(catalogue()["directory_first_year"], "E203") == {"low": 1900, "high": 2100}
    assert "科创板（star）" in str(issue_details(catalogue()["listed_board"], "E208")["options"])


def test_numbers_are_shown_as_a_sheet_shows_them() -> None:
    assert [without_float_tail(text) for text in ("12.0", "1.50", "C1.0", "-3.0")] == [
        "12",
        "1.50",
        "C1.0",
        "-3",
    ]


@given(
    st.decimals(min_value=0, max_value=10**9, places=6),
    st.sampled_from(["元", "千元", "万元", "百万元", "亿元"]),
)
def test_money_is_exact(amount: Decimal, unit: str) -> None:
    tens = {"元": 0, "千元": 3, "万元": 4, "百万元": 6, "亿元": 8}[unit]
    exact = int((amount * 10**tens).quantize(Decimal(1), ROUND_HALF_UP))
    expected = Cell(exact) if amount * 10**tens <= MONEY_LIMIT else Cell(None, "E214")
    assert cell("revenue", str(amount), unit) == expected
    assert cell("revenue", f"{amount:,}", unit) == expected


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 12, 31)))
def test_every_day_round_trips(day: date) -> None:
    serial = (day - date(1899, 12, 30)) // timedelta(days=1)
    written = [day.isoformat(), f"{day:%Y%m%d}", f"{day.year}年{day.month}月{day.day}日", str(serial)]
    assert [cell("established_on", text).value for text in written] == [day] * 4


@given(st.text(alphabet=CODE_ALPHABET, min_size=10, max_size=10), st.from_regex(r"\A[1-9][0-9]{7}\Z"))
def test_every_code_with_its_check_character_is_right(tail: str, head: str) -> None:
    body = (head + tail)[:17]
    right = body + uscc.calc_check_digit(body)
    assert read_uscc(right) == Cell(right)


@given(st.sampled_from(list(catalogue().fields)), st.text(max_size=12))
def test_no_text_breaks_a_cell(key: str, text: str) -> None:
    found = cell(key, text)
    assert found.value is None or found.code in {None, "E102", "E211"}


def test_headers_and_cells_agree_on_units() -> None:
    readings, _ = read_headers(["统一社会信用代码", "2025年营业收入（亿元）"])
    reading: ColumnReading = readings[1]
    assert reading.field is not None
    assert reader_for(reading.field, reading.unit)("1") == Cell(100_000_000)
