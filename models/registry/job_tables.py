"""The tables of work that takes longer than a request: uploads, the parts of runs, impacts, webhooks.

They join the metadata of :mod:`models.registry.tables`. A row that is worked at has a *lease*: until when, by
the database's clock, and whose. Work whose lease has run out is given to another; ``deliveries`` counts.
"""

from __future__ import annotations

from typing import Any

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


def _leased() -> tuple[Column[Any], ...]:
    return (
        Column("deliveries", Integer, nullable=False, default=0),
        Column("lease_until", Moment, nullable=True),
        Column("lease_owner", String(80), nullable=True),
    )


run_part = Table(
    "run_part",
    METADATA,
    Column("run_id", ForeignKey("run.id"), primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("slice", SmallInteger, nullable=False),
    Column("slices", SmallInteger, nullable=False),
    Column("status", String(10), nullable=False),
    *_leased(),
    Column("firms", Integer, nullable=True),
    Column("moved", Integer, nullable=True),
    Column("seconds", Float, nullable=True),
    Column("counts", Text, nullable=True),
    Column("error", Text, nullable=True),
    Index("ix_run_part_status", "status"),
    comment="A run's firms in parts of some 20,000. status: queued, running, done, failed, cancelled.",
)

movement = Table(
    "movement",
    METADATA,
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("uscc", String(18), primary_key=True),
    Column("part", Integer, nullable=False),
    Column("name", Text, nullable=True),
    Column("district", String(6), nullable=True),
    Column("recognised_before", SmallInteger, nullable=True),
    Column("recognised_after", SmallInteger, nullable=True),
    Column("qualifies_before", SmallInteger, nullable=True),
    Column("qualifies_after", SmallInteger, nullable=True),
    Column("could_reach_before", SmallInteger, nullable=True),
    Column("could_reach_after", SmallInteger, nullable=True),
    Column("deciding", Text, nullable=False),
    comment="A firm that stands elsewhere than in the run before. before null: new, after null: gone.",
)

title_expiry = Table(
    "title_expiry",
    METADATA,
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("uscc", String(18), primary_key=True),
    Column("title", String(40), primary_key=True),
    Column("part", Integer, nullable=False),
    Column("district", String(6), nullable=True),
    Column("valid_until", Date, nullable=False),
    Index("ix_title_expiry_run_id_valid_until", "run_id", "valid_until"),
    comment="Titles that firms hold in a run and the last day of each.",
)

upload = Table(
    "upload",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("owner", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("dated", Date, nullable=False),
    Column("status", String(12), nullable=False, index=True),
    Column("mode", String(14), nullable=True),
    Column("mapping", Text, nullable=True),
    Column("report", Text, nullable=True),
    Column("problem", Text, nullable=True),
    Column("edition_id", ForeignKey("edition.id"), nullable=True),
    Column("received_at", Moment, nullable=False),
    Column("checked_at", Moment, nullable=True),
    Column("ended_at", Moment, nullable=True),
    *_leased(),
    comment="A file on its way in. status: queued, checking, checked, refused, confirmed (waits for its "
    "import), importing, imported, failed, deleted.",
)

column_choice = Table(
    "column_choice",
    METADATA,
    Column("owner", String(80), primary_key=True),
    Column("header", String(200), primary_key=True),
    Column("column", String(80), nullable=True),
    Column("unit", String(10), nullable=True),
    Column("chosen_at", Moment, nullable=False),
    comment="What an uploader said a header means, for the next upload; column null: ignore it.",
)

impact = Table(
    "impact",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("edition_id", ForeignKey("edition.id"), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("rulebook_a", String(64), nullable=False),
    Column("rulebook_b", String(64), nullable=False),
    Column("standards", Text, nullable=False),
    Column("status", String(12), nullable=False, index=True),
    Column("active_key", String(64), nullable=True, unique=True),
    Column("report", Text, nullable=True),
    Column("problem", Text, nullable=True),
    Column("requested_by", Text, nullable=False),
    Column("queued_at", Moment, nullable=False),
    Column("ended_at", Moment, nullable=True),
    *_leased(),
    comment="One registry under two sets of rules. standards: JSON pairs compared. status as of a run.",
)

webhook = Table(
    "webhook",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("url", Text, nullable=False),
    Column("secrets", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("district", String(6), nullable=True),
    Column("made_by", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("disabled_at", Moment, nullable=True),
    comment="Who is told of movements. secrets: JSON, the newest first, two at most live.",
)

webhook_delivery = Table(
    "webhook_delivery",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("webhook_id", ForeignKey("webhook.id"), nullable=False, index=True),
    Column("event", String(40), nullable=False),
    Column("body", Text, nullable=False),
    Column("status", String(10), nullable=False, index=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", Moment, nullable=False),
    Column("answer", Integer, nullable=True),
    Column("error", Text, nullable=True),
    Column("made_at", Moment, nullable=False),
    Column("ended_at", Moment, nullable=True),
    Column("lease_until", Moment, nullable=True),
    Column("lease_owner", String(80), nullable=True),
    comment="One message to one webhook. status: pending, delivered, dead (shown, and can be sent again).",
)

scheduled = Table(
    "scheduled",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("last_at", Moment, nullable=True),
    Column("last_result", Text, nullable=True),
    comment="What the clock started last, and what came of it.",
)
