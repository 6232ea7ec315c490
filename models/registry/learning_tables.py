"""The tables of what models made of the registry: whom to call, what to look at again, trainings.

They join the metadata of :mod:`models.registry.tables`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
)

from models.registry.tables import METADATA, Moment

prospect = Table(
    "prospect",
    METADATA,
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("task", String(40), primary_key=True),
    Column("uscc", String(18), primary_key=True),
    Column("district", String(6), nullable=True),
    Column("score", Float(53), nullable=False),
    Column("band", SmallInteger, nullable=False),
    Column("rival", Float(53), nullable=False),
    Column("verdict", SmallInteger, nullable=True),
    Column("factors", Text, nullable=False),
    Index("ix_prospect_run_id_task_score", "run_id", "task", "score"),
    comment="Firms of a run worth a call, by task. verdict: of the rules, null where the run had no such "
    "standard. factors: JSON [[feature, value, log-odds]], the strongest first.",
)

review = Table(
    "review",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("uscc", String(18), nullable=False, index=True),
    Column("district", String(6), nullable=True),
    Column("kind", String(40), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("weight", Float(53), nullable=False),
    Column("detail", Text, nullable=False),
    Column("first_run_id", Integer, nullable=False),
    Column("last_run_id", Integer, nullable=False),
    Column("decision", String(20), nullable=True),
    Column("decided_at", Moment, nullable=True),
    Column("decided_by", Text, nullable=True),
    Index("ix_review_last_run_id_weight", "last_run_id", "weight"),
    comment="What a person should look at. id: of what was found, so that the same finding comes back as the "
    "same row with its decision. detail: JSON.",
)

review_decision = Table(
    "review_decision",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("review_id", ForeignKey("review.id"), nullable=False, index=True),
    Column("decision", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("decided_by", Text, nullable=False),
    comment="Every decision about a review, also those that a later one replaced.",
)

training = Table(
    "training",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("task", String(40), nullable=False),
    Column("until", SmallInteger, nullable=True),
    Column("seed", Integer, nullable=False),
    Column("edition_id", ForeignKey("edition.id"), nullable=False),
    Column("dated", Date, nullable=False),
    Column("status", String(12), nullable=False, index=True),
    Column("active_key", String(64), nullable=True, unique=True),
    Column("model", String(64), nullable=True),
    Column("problem", Text, nullable=True),
    Column("requested_by", Text, nullable=False),
    Column("queued_at", Moment, nullable=False),
    Column("ended_at", Moment, nullable=True),
    Column("deliveries", Integer, nullable=False, default=0),
    Column("lease_until", Moment, nullable=True),
    Column("lease_owner", String(80), nullable=True),
    comment="A model to be trained on an edition. status as of a run; model: its hash, a candidate.",
)
