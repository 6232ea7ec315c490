"""The table of learned models: few, small, and wanted by every host, so they lie in the database whole."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text

from models.registry.tables import METADATA, Moment

learned_model = Table(
    "learned_model",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("task", String(40), nullable=False),
    Column("status", String(10), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("card", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("changed_at", Moment, nullable=True),
    Column("changed_by", Text, nullable=True),
    Index("ix_learned_model_task", "task", "status"),
    comment="status: candidate, released (at most one a task), retired. content: model.skops.",
)
