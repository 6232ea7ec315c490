"""What a part leaves behind beside its rows of standing: its result file, and titles with their last days."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import polars as pl

from models.codes import decode_industry
from models.fields import NO_TITLE
from models.registry.title_columns import COLUMNS, MEMBER
from models.rules.table import Words
from models.store import Store
from models.tabular.coded import Coded
from models.tabular.output import atomic_output
from models.tabular.resultfile import open_result

TITLES = {column: title for title, column in COLUMNS.items() if column not in MEMBER}
"""Column of a title's last day → title."""


def store_part(store: Store, key: str, judged: pl.DataFrame, firms: pl.DataFrame, words: Words) -> None:
    """The columns of ``tidui score``, then district and industry (digits), under the part's key."""
    block = words.columns(judged)
    del block["error"]
    numbers = firms["industry"].unique().drop_nulls().to_list()
    digits = firms["industry"].replace_strict(
        numbers, [decode_industry(number) for number in numbers], return_dtype=pl.String
    )
    block |= {"district": Coded.of(firms["district"]), "industry": Coded.of(digits)}
    with tempfile.TemporaryDirectory(prefix="tidui-part-") as folder:
        local = Path(folder) / "part.parquet"
        with atomic_output(local) as writing, open_result(writing) as file:
            file.write(block)
        store.put(local, key)


def expiries_of(firms: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The titles the firms hold on the date: ``uscc, title, district, valid_until`` (as text)."""
    pieces = [
        firms.filter(pl.col(column) >= as_of, pl.col(column) != NO_TITLE).select(
            "uscc",
            pl.lit(title).alias("title"),
            "district",
            pl.col(column).cast(pl.String).alias("valid_until"),
        )
        for column, title in TITLES.items()
        if column in firms.columns
    ]
    return pl.concat(pieces) if pieces else pl.DataFrame()
