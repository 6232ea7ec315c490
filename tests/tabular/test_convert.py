"""The quick reading never differs from the exact one, and memory does not grow with the file."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from models.fields import Field, catalogue
from models.tabular.cells import CODE_ALPHABET, as_text, read_uscc, reader_for
from models.tabular.convert import is_worded, quick
from models.tabular.morsel import Figure
from models.tabular.uscc import CodeLedger, faultless, other_rows
from tests.tabular.files import code

FIGURES = [field for field in catalogue() if field.key != "uscc"]
QUICK_TEXTS = [field for field in FIGURES if not is_worded(field, pl.String())]
"""Columns of text that are not read word by word."""

_NUMBERS = st.one_of(
    st.integers(-(10**16), 10**16).map(str),
    st.decimals(-(10**9), 10**9, places=5).map(str),
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.integers(-(10**6), 10**6).map(lambda n: f"{n}.5"),
    st.sampled_from(
        ["0.00005", "0.00004999999", "-0", "-0.0", "007", "+5", "1e3", ".5", "5.", "1_0", "nan", "0x1"]
    ),
)
_DATES = st.one_of(
    st.dates().map(str),
    st.sampled_from(
        ["20-01-02", "2020-1-2", "0020-01-02", "+020-01-02", "12020-01-02", "2020-01-020", "0001-01-01"]
    ),
)
_WORDS = st.sampled_from(
    ["是", "否", "1", "0", "无", "none", "有", "TRUE", "C39", "0111", "浦东", "C9999", "—", "star"]
)
_CELLS = st.one_of(_NUMBERS, _DATES, _WORDS, st.text(max_size=6).filter(bool))


def convert(field: Field, unit: str | None, series: pl.Series, sample: list[str | None]) -> list[object]:
    plan = quick(field, unit, "c", series.dtype, sample)
    values = series.alias("c").to_frame().select(plan.values.alias("q"))["q"]
    if len(values) != len(series):  # a literal null
        values = values.new_from_index(0, len(series))
    figure = Figure(field.key, field.key, field, "c", reader_for(field, unit), plan)
    return figure.certain(values).to_list()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(QUICK_TEXTS), st.lists(_CELLS, min_size=1, max_size=6), st.booleans(), st.data())
def test_quick_text_is_exact_or_nothing(
    field: Field, cells: list[str], seen: bool, data: st.DataObject
) -> None:
    units = {"元": ["元", "千元", "万元", "百万元", "亿元"], "美元": ["美元", "万美元"]}.get(
        field.unit, [None]
    )
    unit = data.draw(st.sampled_from([*units, "%"] if field.type == "ratio" else units))
    read = reader_for(field, unit)
    sample: list[str | None] = [*cells, "1.5"] if seen else ["1"]
    for text, value in zip(cells, convert(field, unit, pl.Series(cells), sample), strict=True):
        exact = read(text)
        assert value is None or (value == exact.value and exact.code is None), (field.key, unit, text)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(FIGURES), st.floats(-1e17, 1e17), st.sampled_from(["元", "万元"]))
def test_quick_numbers_are_exact_or_nothing(field: Field, number: float, unit: str) -> None:
    if field.unit != "元":
        unit = field.unit
    for value in (number, float(int(number)), round(number % 1000, 4)):
        found = convert(field, unit, pl.Series([value]), [])[0]
        exact = reader_for(field, unit)(as_text(value))
        assert found is None or (found == exact.value and exact.code is None), (field.key, value)


@pytest.mark.parametrize(
    ("key", "cells"),
    [
        ("revenue", ["123", "0"]),
        ("revenue", ["123.45", "0.5"]),
        ("employees", ["12", "0"]),
        ("employees", ["12.0"]),
        ("niche_share", ["0.105", "1"]),
        ("name", ["某某有限公司"]),
        ("directory_first_year", ["0", "2020"]),
    ],
)
def test_ordinary_cells_take_the_quick_way(key: str, cells: list[str]) -> None:
    field = catalogue()[key]
    unit = "万元" if key == "revenue" and "123.45" in cells else None
    assert None not in convert(field, unit, pl.Series(cells), list(cells))


def test_check_characters_agree_with_stdnum() -> None:
    chance = random.Random(1)
    codes = ["".join(chance.choices(CODE_ALPHABET, k=18)) for _ in range(500)]
    codes += [body[:17] + uscc.calc_check_digit(body[:17]) for body in codes]
    codes += ["", "1", code(1).lower(), code(1) + " ", code(1)[:-1] + "É", "é" * 9]
    written = pl.Series([*codes, None])
    expected = [
        text is not None and (cell := read_uscc(text)).code is None and cell.value == text for text in written
    ]
    assert faultless(written).tolist() == expected
    assert sum(expected) >= 500


def test_the_ledger_finds_what_stands_twice() -> None:
    ledger = CodeLedger()
    assert ledger.suspects().tolist() == []
    ledger.add(pl.Series(["a", "b", "c"]), pl.Series([7, 8, 9], dtype=pl.UInt32))
    assert ledger.suspects().tolist() == []
    ledger.add(pl.Series(["d", "b", "a"]), pl.Series([2, 3, 4], dtype=pl.UInt32))
    assert ledger.suspects().tolist() == [3, 4, 7, 8]


def test_the_others_are_named_up_to_five() -> None:
    assert dict(other_rows([2, 5])) == {2: "5", 5: "2"}
    assert dict(other_rows(list(range(2, 10))))[2] == "3、4、5、6、7 等"


def in_child(script: str, *arguments: object) -> str:
    """Run Python with a limit that the script sets itself."""
    prelude = """
        import resource, sys
        def limit(megabytes):
            now = int(next(l for l in open("/proc/self/status") if l.startswith("VmData")).split()[1]) << 10
            resource.setrlimit(resource.RLIMIT_DATA, (now + (megabytes << 20),) * 2)
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(prelude) + dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.mark.slow
def test_ten_million_codes_fit_in_200_megabytes() -> None:
    script = """
        import polars as pl
        from models.tabular.uscc import CodeLedger
        ledger = CodeLedger()
        def add(start):
            rows = pl.int_range(start, start + 100_000, dtype=pl.UInt32, eager=True)
            ledger.add((rows % 9_999_999).cast(pl.String), rows)
        add(0)
        limit(240)
        for start in range(100_000, 10_000_000, 100_000):
            add(start)
        print(ledger.suspects().tolist())
    """
    assert in_child(script) == "[0, 9999999]"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    keys = [
        field.column(2025 if field.yearly else None)
        for field in catalogue()
        if field.type == "money" or (field.yearly and field.type == "count")
    ]
    line = ",".join([code(1), "某某有限公司", *("123456" for _ in keys)]) + "\n"
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(["uscc", "name", *keys]) + "\n")
        for _ in range(1200):
            file.write(line * 1500)
    script = """
        from pathlib import Path
        import polars as pl
        from models.tabular.issues import IssueLog
        from models.tabular.reader import open_table
        limit(600)
        with open_table(Path(sys.argv[1])) as table:
            pieces = table.batches(table.available, IssueLog())
            counts = [(len(piece), piece["revenue_2025"].sum()) for piece in pieces]
            print(tuple(map(sum, zip(*counts))))
    """
    assert path.stat().st_size > 300_000_000
    assert in_child(script, path) == str((1_800_000, 1_800_000 * 123456))


def test_numpy_is_not_handed_read_only_memory() -> None:
    flags = faultless(pl.Series([code(1), "x"]))
    flags[0] = False
    assert isinstance(flags, np.ndarray)
