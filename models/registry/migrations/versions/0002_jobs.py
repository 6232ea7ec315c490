"""Work that takes longer than a request: uploads, parts of runs, movements, impacts, webhooks"""

# ruff: noqa: E501  (made from job_tables.py; its statements stay in one line)

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from models.registry.tables import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "column_choice",
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("header", sa.String(length=200), nullable=False),
        sa.Column("column", sa.String(length=80), nullable=True),
        sa.Column("unit", sa.String(length=10), nullable=True),
        sa.Column("chosen_at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "header", name=op.f("pk_column_choice")),
        comment="What an uploader said a header means, for the next upload; column null: ignore it.",
    )
    op.create_table(
        "scheduled",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("last_at", Moment(timezone=True), nullable=True),
        sa.Column("last_result", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_scheduled")),
        comment="What the clock started last, and what came of it.",
    )
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", Moment(timezone=True), nullable=False),
        sa.Column("disabled_at", Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        comment="Who is told of movements. secrets: JSON, the newest first, two at most live.",
    )
    op.create_table(
        "impact",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("rulebook_a", sa.String(length=64), nullable=False),
        sa.Column("rulebook_b", sa.String(length=64), nullable=False),
        sa.Column("standards", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("active_key", sa.String(length=64), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("queued_at", Moment(timezone=True), nullable=False),
        sa.Column("ended_at", Moment(timezone=True), nullable=True),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("lease_until", Moment(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_impact_edition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_impact")),
        sa.UniqueConstraint("active_key", name=op.f("uq_impact_active_key")),
        comment="One registry under two sets of rules. standards: JSON pairs compared. status as of a run.",
    )
    with op.batch_alter_table("impact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_impact_status"), ["status"], unique=False)

    op.create_table(
        "upload",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("mode", sa.String(length=14), nullable=True),
        sa.Column("mapping", sa.Text(), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("edition_id", sa.Integer(), nullable=True),
        sa.Column("received_at", Moment(timezone=True), nullable=False),
        sa.Column("checked_at", Moment(timezone=True), nullable=True),
        sa.Column("ended_at", Moment(timezone=True), nullable=True),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("lease_until", Moment(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_upload_edition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        comment="A file on its way in. status: queued, checking, checked, refused, confirmed (waits for its import), importing, imported, failed, deleted.",
    )
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_upload_owner"), ["owner"], unique=False)
        batch_op.create_index(batch_op.f("ix_upload_sha256"), ["sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_upload_status"), ["status"], unique=False)

    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("webhook_id", sa.String(length=36), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", Moment(timezone=True), nullable=False),
        sa.Column("answer", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("made_at", Moment(timezone=True), nullable=False),
        sa.Column("ended_at", Moment(timezone=True), nullable=True),
        sa.Column("lease_until", Moment(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        comment="One message to one webhook. status: pending, delivered, dead (shown, and can be sent again).",
    )
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_delivery_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_webhook_delivery_webhook_id"), ["webhook_id"], unique=False)

    op.create_table(
        "movement",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("recognised_before", sa.SmallInteger(), nullable=True),
        sa.Column("recognised_after", sa.SmallInteger(), nullable=True),
        sa.Column("qualifies_before", sa.SmallInteger(), nullable=True),
        sa.Column("qualifies_after", sa.SmallInteger(), nullable=True),
        sa.Column("could_reach_before", sa.SmallInteger(), nullable=True),
        sa.Column("could_reach_after", sa.SmallInteger(), nullable=True),
        sa.Column("deciding", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_movement_run_id")),
        sa.PrimaryKeyConstraint("run_id", "uscc", name=op.f("pk_movement")),
        comment="A firm that stands elsewhere than in the run before. before null: new, after null: gone.",
    )
    op.create_table(
        "run_part",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("slice", sa.SmallInteger(), nullable=False),
        sa.Column("slices", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("lease_until", Moment(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("firms", sa.Integer(), nullable=True),
        sa.Column("moved", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("counts", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_part_run_id")),
        sa.PrimaryKeyConstraint("run_id", "part", name=op.f("pk_run_part")),
        comment="A run's firms in parts of some 20,000. status: queued, running, done, failed, cancelled.",
    )
    with op.batch_alter_table("run_part", schema=None) as batch_op:
        batch_op.create_index("ix_run_part_status", ["status"], unique=False)

    op.create_table(
        "title_expiry",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_title_expiry_run_id")),
        sa.PrimaryKeyConstraint("run_id", "uscc", "title", name=op.f("pk_title_expiry")),
        comment="Titles that firms hold in a run and the last day of each.",
    )
    with op.batch_alter_table("title_expiry", schema=None) as batch_op:
        batch_op.create_index("ix_title_expiry_run_id_valid_until", ["run_id", "valid_until"], unique=False)

    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("engine", sa.String(length=8), server_default="inline", nullable=False))
        batch_op.add_column(sa.Column("active_key", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("standards", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("requested_by", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("parts", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("parts_left", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("previous_run_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("stood_at", Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("corrections_upto", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("lists_upto", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("summary", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("problem", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("lease_until", Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("lease_owner", sa.String(length=80), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_run_active_key"), ["active_key"])


def downgrade() -> None:
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_run_active_key"), type_="unique")
        batch_op.drop_column("lease_owner")
        batch_op.drop_column("lease_until")
        batch_op.drop_column("problem")
        batch_op.drop_column("summary")
        batch_op.drop_column("lists_upto")
        batch_op.drop_column("corrections_upto")
        batch_op.drop_column("stood_at")
        batch_op.drop_column("previous_run_id")
        batch_op.drop_column("parts_left")
        batch_op.drop_column("parts")
        batch_op.drop_column("requested_by")
        batch_op.drop_column("standards")
        batch_op.drop_column("active_key")
        batch_op.drop_column("engine")

    with op.batch_alter_table("title_expiry", schema=None) as batch_op:
        batch_op.drop_index("ix_title_expiry_run_id_valid_until")

    op.drop_table("title_expiry")
    with op.batch_alter_table("run_part", schema=None) as batch_op:
        batch_op.drop_index("ix_run_part_status")

    op.drop_table("run_part")
    op.drop_table("movement")
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_delivery_webhook_id"))
        batch_op.drop_index(batch_op.f("ix_webhook_delivery_status"))

    op.drop_table("webhook_delivery")
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_upload_status"))
        batch_op.drop_index(batch_op.f("ix_upload_sha256"))
        batch_op.drop_index(batch_op.f("ix_upload_owner"))

    op.drop_table("upload")
    with op.batch_alter_table("impact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_impact_status"))

    op.drop_table("impact")
    op.drop_table("webhook")
    op.drop_table("scheduled")
    op.drop_table("column_choice")
