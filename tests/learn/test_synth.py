"""The synthetic registry: reproducible, complete, valid, marked as synthetic, and with every rung in it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from stdnum.cn import uscc

from models.codes import districts, industries
from models.errors import TiduiError
from models.fields import MONEY_LIMIT, Field, catalogue
from models.learn.synth import generate, generate_aside, write, write_history
from models.learn.synth.frame import columns
from models.learn.synth.profile import BLOCK, SHAPES
from models.learn.synth.profile import RUN as LAYER_RUN
from models.learn.synth.report import report

AS_OF = date(2026, 6, 30)
FIELDS = list(catalogue())
TITLES = [field for field in FIELDS if field.type == "title"]
TYPES = {
    "text": pl.String,
    "code": pl.String,
    "enum": pl.String,
    "title": pl.String,
    "money": pl.Int64,
    "count": pl.Int64,
    "year": pl.Int64,
    "bool": pl.Boolean,
    "date": pl.Date,
}


@pytest.fixture(scope="module")
def firms() -> pl.DataFrame:
    return generate(4000, 2026, AS_OF)


def test_same_seed_same_firms_whatever_the_chunk(firms: pl.DataFrame) -> None:
    assert generate(300, 2026, AS_OF).equals(firms.head(300))
    assert generate(50, 2026, AS_OF, start=1234).equals(firms.slice(1234, 50))
    across = generate(40, 2026, AS_OF, start=BLOCK - 20)
    assert across.slice(20).equals(generate(20, 2026, AS_OF, start=BLOCK))
    assert across["uscc"].n_unique() == 40


def test_another_seed_other_firms(firms: pl.DataFrame) -> None:
    other = generate(4000, 2027, AS_OF)
    assert not other["revenue_2025"].equals(firms["revenue_2025"])
    assert other.schema == firms.schema


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".xlsx"])
def test_same_seed_same_bytes(ending: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(30, 7, tmp_path / f"{name}{ending}", AS_OF)
    write(30, 8, tmp_path / f"c{ending}", AS_OF)
    a, b, c = ((tmp_path / f"{name}{ending}").read_bytes() for name in "abc")
    assert a == b != c


def test_no_firms_is_a_header() -> None:
    assert generate(0, 1, AS_OF).columns == generate(1, 1, AS_OF).columns


def test_negative_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        generate(-1, 1, AS_OF)


def test_codes_are_valid_unique_and_nobodys(firms: pl.DataFrame) -> None:
    codes = firms["uscc"].to_list()
    assert len(set(codes)) == len(codes)
    for code in codes:
        uscc.validate(code)
        # A real organisation code ends in its GB 11714 check: a digit or X.
        assert (code[:2], code[8:10], code[16]) == ("91", "XX", "Y")


def test_names_say_that_they_are_synthetic(firms: pl.DataFrame) -> None:
    names = firms["name"]
    assert names.str.contains(r"^合成示例第\d{7}号.+有限公司（虚构）$").all()
    assert names[0].startswith("合成示例第0000001号")
    assert names.n_unique() == firms.height
    assert names.str.extract(r"号(.+)有限公司").n_unique() > 60


def test_columns_are_the_catalogue_in_its_order(firms: pl.DataFrame) -> None:
    assert firms.columns == [name for field in FIELDS for name in columns(field, AS_OF.year)]
    assert {
        "revenue_2025",
        "revenue_2022",
        "in_directory_2026",
        "dev_score_2026",
        "output_value_2026",
    } <= set(firms.columns)
    assert not {"revenue_2026", "revenue_2021"} & set(firms.columns)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.key)
def test_values_fit_their_field(field: Field, firms: pl.DataFrame) -> None:
    for name in columns(field, AS_OF.year):
        series = firms[name]
        assert series.dtype == TYPES.get(field.type, pl.Float64), name
        assert series.drop_nulls().len(), name
        if series.dtype.is_numeric():
            _check_number(field, series)
        if field.options:
            assert set(series.drop_nulls()) <= set(field.options)


def _check_number(field: Field, series: pl.Series) -> None:
    low, high = series.min(), series.max()
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    assert series.is_finite().all() or series.dtype == pl.Int64
    assert field.negative_allowed or low >= 0
    assert high < MONEY_LIMIT
    if field.range:
        assert field.range[0] <= low <= high <= field.range[1]
    if field.type == "ratio":
        assert high <= 1


def test_codes_and_dates_are_listed_ones(firms: pl.DataFrame) -> None:
    assert all(code[0] == industries().sections[code[1:3]] for code in firms["industry"].drop_nulls())
    assert all(industries().listed(code[1:]) for code in firms["industry"].drop_nulls())
    known = districts()
    assert all(code in known.names or code[:2] in known.provinces for code in firms["district"].drop_nulls())
    latest = firms["established_on"].max()
    assert isinstance(latest, date)
    assert latest <= AS_OF


def test_title_ends_lie_near_the_day(firms: pl.DataFrame) -> None:
    for field in TITLES:
        ends = [date.fromisoformat(end) for end in firms[field.key].drop_nulls() if end != "none"]
        assert AS_OF - timedelta(5 * 366) <= min(ends)
        assert max(ends) <= AS_OF + timedelta(3 * 366)


def test_every_optional_field_has_blanks(firms: pl.DataFrame) -> None:
    for field in FIELDS[2:]:
        assert all(firms[name].null_count() for name in columns(field, AS_OF.year)), field.key
    blank = firms["own_brand"].null_count() / firms.height
    assert 0.6 < blank < 0.8
    given = firms.filter(pl.col("established_on").dt.year() < 2025)
    assert 0.05 < given["revenue_2025"].null_count() / given.height < 0.15
    assert given["rd_expense_2025"].null_count() > given["revenue_2025"].null_count()


def test_figures_hang_together(firms: pl.DataFrame) -> None:
    def never(condition: pl.Expr) -> None:
        assert firms.filter(condition).is_empty()

    c = pl.col
    never(c("main_revenue_2025") > c("revenue_2025"))
    never(c("total_income_2025") < c("revenue_2025"))
    never(c("rd_expense_mainland_2025") > c("rd_expense_2025"))
    never(c("rd_staff_2025") > c("employees_2025"))
    never(c("tech_staff_2025") < c("rd_staff_2025"))
    never(c("tech_staff_2025") > c("employees_2025"))
    never(c("ip_class1_self") > c("ip_class1"))
    never((c("established_on").dt.year() > 2024) & c("revenue_2024").is_not_null())
    never((c("directory_first_year") == 0) & c("in_directory_2025"))


def test_every_rung_has_its_firms() -> None:
    firms = generate(2000, 5, AS_OF)
    c = pl.col
    day = AS_OF.isoformat()
    for field in TITLES:
        assert firms.filter((c(field.key) != "none") & (c(field.key) >= day)).height >= 1, field.key
    ingredients = {
        "tiny": c("revenue_2025") < 1_000_000,
        "above scale": c("in_directory_2026"),
        "first entry": c("directory_first_year") >= 2025,
        "srdi": (c("rd_expense_2025") >= 1_000_000) & (c("dev_score_2026") >= 50) & c("market_position"),
        "giant": (c("ip_class1_counted_2026") >= 4) & (c("niche_share") >= 0.1) & (c("dev_score_2026") >= 60),
        "champion": (c("niche_rank_world").is_between(1, 3)) & (c("main_revenue_2025") >= 400_000_000),
        "leader": c("output_value_2025") > 10_000_000_000,
        "unicorn": (c("valuation_usd") >= 1_000_000_000) & c("private_funding"),
        "star": (c("market_value") >= 1_000_000_000) & (c("invention_patents") >= 7),
        "outside Shanghai": ~c("district").str.starts_with("310"),
    }
    missing = [name for name, condition in ingredients.items() if firms.filter(condition).is_empty()]
    assert not missing


def test_layers_fill_a_run() -> None:
    assert sum(shape.per_run for shape in SHAPES.values()) == LAYER_RUN
    assert BLOCK % LAYER_RUN == 0


def test_files_agree(tmp_path: Path) -> None:
    frame = generate(60, 3, AS_OF)
    told: list[int] = []
    for ending in (".csv", ".parquet", ".xlsx"):
        write(60, 3, tmp_path / f"firms{ending}", AS_OF, told.append)
    assert told == [60, 60, 60]
    assert pl.read_parquet(tmp_path / "firms.parquet").equals(frame)
    assert pl.read_csv(tmp_path / "firms.csv", schema=frame.schema).equals(frame)
    assert _sheet(tmp_path / "firms.xlsx", frame.schema).equals(frame)


def _sheet(path: Path, schema: pl.Schema) -> pl.DataFrame:
    book = load_workbook(path, read_only=True)
    header, *rows = book.worksheets[0].iter_rows(values_only=True)
    book.close()
    assert list(header) == list(schema)
    # Spreadsheets hold dates as times and whole figures as either kind of number.
    cells = [pl.Series(name, [row[k] for row in rows], strict=False) for k, name in enumerate(schema)]
    return pl.DataFrame(cells).cast(schema)


def test_csv_is_plain(tmp_path: Path) -> None:
    write(500, 11, tmp_path / "firms.csv", AS_OF)
    text = (tmp_path / "firms.csv").read_text("utf-8")
    first, *rows = text.splitlines()
    assert first.startswith("uscc,name,established_on,district,industry,")
    assert len(rows) == 500
    assert '"' not in text
    cells = {cell for row in rows for cell in row.split(",")[5:]}
    numbers = {cell for cell in cells if cell[:1] in set("-.0123456789")}
    assert not [cell for cell in numbers if "e" in cell.lower()]


def test_parquet_row_groups_follow_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.learn.synth.files.CHUNK", 40)
    told: list[int] = []
    write(100, 3, tmp_path / "firms.parquet", AS_OF, told.append)
    assert told == [40, 80, 100]
    file = pq.ParquetFile(tmp_path / "firms.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [40, 40, 20]
    assert pl.read_parquet(tmp_path / "firms.parquet").equals(generate(100, 3, AS_OF))


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(TiduiError) as many:
        write(1_048_576, 1, tmp_path / "firms.xlsx", AS_OF)
    assert many.value.code == "E403"
    with pytest.raises(TiduiError) as ending:
        write(10, 1, tmp_path / "firms.txt", AS_OF)
    assert ending.value.code == "E404"
    assert list(tmp_path.iterdir()) == []


def test_it_looks_like_real_firms() -> None:
    """Every measured row within 20 % (seeds/learning/calibration.yaml)."""
    off = {row.name.zh: (row.target, row.got) for row in report(2026) if not row.fits}
    assert not off


def test_a_history_tells_of_one_set_of_firms(tmp_path: Path) -> None:
    paths = write_history(600, 9, tmp_path / "history", AS_OF, years=5)
    assert [path.name for path in paths] == [f"{year}.parquet" for year in range(2021, 2026)]
    tables = {int(path.stem): pl.read_parquet(path) for path in paths}
    wide = generate(600, 9, AS_OF, years=5)
    for year, table in tables.items():
        assert f"revenue_{year}" in table.columns
        assert not {f"revenue_{year + 1}", f"revenue_{year - 1}"} & set(table.columns)
        same = wide.join(table.select("uscc"), on="uscc", how="semi")
        assert same[f"revenue_{year}"].equals(table[f"revenue_{year}"])
        founded = table["established_on"].drop_nulls().max()
        assert isinstance(founded, date)
        assert founded.year <= year
    gone = set(tables[2021]["uscc"]) - set(tables[2025]["uscc"])
    assert len(gone) > 20
    assert not gone & set(tables[2025]["uscc"])


def test_titles_are_won_and_lost_over_the_years(tmp_path: Path) -> None:
    write_history(4000, 9, tmp_path, AS_OF, years=6)
    held = {}
    for year in (2021, 2025):
        table = pl.read_parquet(tmp_path / f"{year}.parquet")
        day = f"{year + 1}-06-30"
        title = pl.col("title_srdi_until")
        held[year] = set(table.filter((title >= day) & (title != "none"))["uscc"])
    assert held[2025] - held[2021]
    assert held[2021] - held[2025]
    assert held[2021] & held[2025]


def test_slips_are_made_at_their_rate_and_the_truth_is_kept(tmp_path: Path) -> None:
    clean = generate(3000, 4, AS_OF)
    slipped, aside = generate_aside(3000, 4, AS_OF, slips=0.02)
    wrong = 0
    for column in aside.slips["column"].unique():
        true = aside.slips.filter(pl.col("column") == column).select("uscc", "true")
        both = clean.select("uscc", was=column).join(slipped.select("uscc", now=column), on="uscc")
        changed = both.filter(pl.col("was").ne_missing(pl.col("now"))).join(true, on="uscc", how="left")
        assert changed["was"].equals(changed["true"], check_names=False)
        wrong += changed.height
    money = [field.column(2025) for field in FIELDS if field.yearly and field.type == "money"]
    cells = sum(clean[name].filter(clean[name] != 0).len() for name in money) * 4
    assert 0.01 < wrong / cells < 0.025
    write(50, 4, tmp_path / "firms.csv", AS_OF, slips=0.1, truth=tmp_path / "truth.parquet")
    kept = pl.read_parquet(tmp_path / "truth.parquet")
    assert kept["uscc"].n_unique() == 50
    assert set(kept["kind"].drop_nulls()) <= {"unit_up", "unit_down", "last_year", "digits"}
