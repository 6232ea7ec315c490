"""The two readers never differ: random and boundary firms, blanks included, every standard, kind, date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.fields import NO_TITLE, Field, catalogue
from models.rules.compile import Standards, compile_standards
from models.rules.condition import Condition, Group, Threshold
from models.rules.firm import FirmReader
from models.rules.pack import KINDS
from models.rules.quantity import Period, Value
from models.rules.rulebook import rulebook
from models.rules.size import SizeTable
from models.rules.table import assess, column_dtype
from models.verdict import Verdict

DATES = (date(2024, 2, 29), date(2026, 3, 31), date(2026, 4, 1), date(2026, 6, 30), date(2027, 1, 1))
INDUSTRIES = (
    39114,
    39002,
    70002,
    59002,
    59103,
    70104,
    70203,
    65002,
    51002,
    52002,
    50002,
    1114,
    84002,
    99999,
    6002,
)
FIRMS_AT_ONCE = 25


@cache
def compiled(as_of: date, kind: str) -> tuple[Standards, FirmReader, tuple[str, ...]]:
    standards = compile_standards(rulebook(), Period(as_of, kind))
    columns = standards.program.inputs(range(len(standards.program.nodes)))
    return standards, FirmReader(standards), tuple(sorted(columns))


@cache
def lines_of(field_key: str) -> tuple[Fraction, ...]:
    """Every line that some pack draws for a field by itself."""

    def walk(group: Group) -> Any:
        for member in group.members:
            yield from walk(member) if isinstance(member, Group) else [member]

    tests = [c.test for pack in rulebook() for c in walk(pack.root) if isinstance(c, Condition)]
    drawn = [t.line for t in tests if isinstance(t, Threshold) and isinstance(t.quantity, Value)
             and t.quantity.field.key == field_key]  # fmt: skip
    return tuple(sorted(set(drawn)))


def amounts(field: Field) -> st.SearchStrategy[int]:
    """Amounts on, just below and just above the lines, and a little of everything up to 10 万亿."""
    lines = [int(line) for line in lines_of(field.key)] or [10**6, 10**8]
    near = st.builds(lambda line, step: max(line + step, 0), st.sampled_from(lines), st.integers(-1, 1))
    plain = st.sampled_from([0, 1, 300 * 10**4, 10**8, 10**8 - 1, 5 * 10**7, 10**13])
    either = near | plain | st.integers(0, 10**13)
    return either | either.map(lambda amount: -amount) if field.negative_allowed else either


def values(field: Field, as_of: date) -> st.SearchStrategy[Any]:
    if field.key == "industry":
        return st.sampled_from(INDUSTRIES)
    if field.options:
        return st.sampled_from(sorted(field.options))
    days = st.sampled_from([-5, 0, 1, 364, 365, 366, 1826, 1827, 3287, 3652, 3653, 5478, 5479])
    return {
        "money": amounts(field),
        "count": st.integers(*field.range) if field.range else st.integers(0, 12) | st.integers(0, 2000),
        "year": st.sampled_from([0, 2022, as_of.year - 1, as_of.year]),
        "decimal": st.sampled_from([0.0, 1.99, 2.0, 3.0, 5.0, 9.5, 10.0]),
        "score": st.sampled_from([0.0, 14.5, 15.0] if field.range == (0, 15) else [49.9, 50.0, 60.0, 71.0]),
        "ratio": st.sampled_from([0.0, 0.0999999, 0.1, 0.3]),
        "bool": st.booleans(),
        "date": days.map(lambda n: as_of - timedelta(days=n)) | st.just(date(2020, 2, 29)),
        "title": st.sampled_from([NO_TITLE, as_of, as_of - timedelta(days=1), as_of + timedelta(days=9)]),
        "code": st.sampled_from(["310115", "440300"]),
    }[field.type]


@st.composite
def registries(draw: st.DrawFn) -> tuple[date, str, list[dict[str, Any]]]:
    as_of, kind = draw(st.sampled_from(DATES)), draw(st.sampled_from(KINDS))
    columns = compiled(as_of, kind)[2]
    parsed = {column: catalogue().parse_column(column) for column in columns}
    one = st.fixed_dictionaries(
        {column: st.none() | values(found[0], as_of) for column, found in parsed.items() if found}
    )
    seed = draw(st.lists(one, min_size=1, max_size=2))
    picks = draw(st.randoms(use_true_random=False))
    # Mixing a few drawn firms gives many different ones for little drawing.
    mixed = [{column: picks.choice(seed)[column] for column in columns} for _ in range(FIRMS_AT_ONCE)]
    return as_of, kind, seed + mixed


# A firm has over a hundred fields: large by nature.
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.large_base_example, HealthCheck.data_too_large, HealthCheck.too_slow],
)
@given(registries())
def test_table_and_firm_reader_give_the_same_answers(drawn: tuple[date, str, list[dict[str, Any]]]) -> None:
    as_of, kind, firms = drawn
    standards, reader, columns = compiled(as_of, kind)
    frame = pl.DataFrame(firms, schema={column: column_dtype(column) for column in columns}).with_columns(
        pl.lit("x").alias("uscc"), pl.lit("n").alias("name"), pl.lit(None, dtype=pl.String).alias("error")
    )
    rows = assess(frame.lazy(), standards, set(columns)).collect(engine="streaming").rows(named=True)
    assert len(rows) == len(firms)
    for row, firm in zip(rows, firms, strict=True):
        assert row == {**row, **answers(standards, reader, firm)}


def answers(standards: Standards, reader: FirmReader, firm: Mapping[str, Any]) -> dict[str, Any]:
    """The firm reader's answers under the table's column names."""
    values = reader.read(firm).values
    found: dict[str, Any] = {
        "recognised": values[standards.recognised],
        "qualifies": values[standards.qualifies],
        "could_reach": values[standards.could_reach],
    }
    for pack_id in standards.chosen:
        compiled_pack = standards.compiled[pack_id]
        answer = values[compiled_pack.verdict]
        is_size = compiled_pack.pack.size_table is not None
        found[pack_id] = [*SizeTable.KEYS, "unknown"][answer] if is_size else Verdict(answer).key
        for part, slot in (("unmet", compiled_pack.unmet), ("open", compiled_pack.open)):
            ids = [name for bit, name in enumerate(compiled_pack.term_ids) if values[slot] >> bit & 1]
            found[f"{pack_id}.{part}"] = ";".join(ids)
        for part, slot in zip(("low", "high"), compiled_pack.score or (), strict=False):
            found[f"{pack_id}.{part}"] = values[slot]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_verdict_is_never_null_and_decides_with_its_lists(kind: str) -> None:
    standards, _, _ = compiled(DATES[3], kind)
    frame = pl.DataFrame(
        {"uscc": ["x"], "name": ["n"], "error": [None]}, schema_overrides={"error": pl.String}
    )
    row = assess(frame.lazy(), standards, set()).collect().row(0, named=True)
    for pack_id in standards.chosen:
        if pack_id != "size.n300":
            assert row[pack_id] in {"unknown", "review"}, pack_id
            assert row[f"{pack_id}.unmet"] == ""
            assert row[f"{pack_id}.open"]


def test_an_unreadable_row_has_empty_answers() -> None:
    standards, _, _ = compiled(DATES[3], "new")
    frame = pl.DataFrame({"uscc": ["x"], "name": ["n"], "error": ["E101 缺统一社会信用代码"]})
    row = assess(frame.lazy(), standards, set()).collect().row(0, named=True)
    assert {value for key, value in row.items() if key not in {"uscc", "name", "error"}} == {None}
    assert row["error"] == "E101 缺统一社会信用代码"
