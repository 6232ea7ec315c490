"""Rows of an import that cannot enter the registry, kept as they were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from models.registry.partitions import Part, settle
from models.tabular.issues import Issue
from models.tabular.reader import Table

REJECTED = "rejected.parquet"


def write_rejected(
    folder: Path, table: Table, rejects: Sequence[pl.DataFrame], twice: Mapping[int, str]
) -> Part | None:
    """``row``, ``error`` and ``cells`` (JSON: header → cell) of the rows; None if there are none.

    ``rejects``: row, uscc, name, error. ``twice``: row → its code's other rows.
    """
    if not rejects:
        return None
    found = pl.concat(rejects).select("row", "error")
    repeated = [_repeated(row, twice) for row in found["row"]]
    found = found.with_columns(pl.coalesce("error", pl.Series(repeated, dtype=pl.String)).alias("error"))
    cells = table.cells(found["row"].to_list())
    found.join(cells, on="row", how="left", maintain_order="left").write_parquet(folder / REJECTED)
    return Part(REJECTED, found.height, settle(folder / REJECTED))


def _repeated(row: int, twice: Mapping[int, str]) -> str | None:
    if row not in twice:
        return None
    issue = Issue("E106", row, details={"others": twice[row]})
    return f"{issue.code} {issue.text.zh}"
