"""Decisions that stand, as labels: a table to learn from, or to keep."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import orjson
import polars as pl
from sqlalchemy import Connection, func, select

from models.registry.learning_tables import review, review_decision
from models.tabular.issue_table import neutralise

SCHEMA = {
    "uscc": pl.String, "year": pl.Int64, "kind": pl.String, "task": pl.String, "decision": pl.String,
    "reason": pl.String, "score": pl.Float64, "decided_at": pl.String, "decided_by": pl.String,
}  # fmt: skip


def labels(connection: Connection, district: str | None = None) -> pl.DataFrame:
    """Every decision that stands but unclear ones, by firm; ``year``: of the evaluation date."""
    return pl.DataFrame(list(_rows(connection, district)), schema=SCHEMA)


def labels_csv(table: pl.DataFrame) -> bytes:
    """CSV with a byte order mark, nothing in it read as a formula."""
    file = io.BytesIO()
    texts = [name for name, dtype in SCHEMA.items() if dtype == pl.String]
    table.with_columns(neutralise(pl.col(texts))).write_csv(file, include_bom=True)
    return file.getvalue()


def _rows(connection: Connection, district: str | None) -> Iterator[dict[str, Any]]:
    newest = select(func.max(review_decision.c.id)).where(review_decision.c.review_id == review.c.id)
    asked = (
        select(review, review_decision.c.reason)
        .join(review_decision, review_decision.c.id == newest.correlate(review).scalar_subquery())
        .where(review.c.decision != "unclear")
        .order_by(review.c.uscc, review.c.id)
    )
    if district is not None:
        asked = asked.where(review.c.district == district)
    for row in connection.execute(asked):
        detail = orjson.loads(row.detail)
        yield {
            "uscc": row.uscc, "year": row.year, "kind": row.kind, "task": detail.get("task"),
            "decision": row.decision, "reason": row.reason, "score": detail.get("score"),
            "decided_at": row.decided_at.isoformat(), "decided_by": row.decided_by,
        }  # fmt: skip
