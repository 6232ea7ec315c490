"""Prospects, reviews, trainings; the models a run estimates by"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from models.registry.tables import Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("run") as run:
        run.add_column(sa.Column("models", sa.Text(), nullable=True))
    for name in ("standing", "movement", "title_expiry"):
        with op.batch_alter_table(name) as table:
            table.drop_constraint(f"fk_{name}_run_id", type_="foreignkey")
    _prospect()
    _review()
    _training()


def _prospect() -> None:
    op.create_table(
        "prospect",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("task", sa.String(length=40), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("score", sa.Float(53), nullable=False),
        sa.Column("band", sa.SmallInteger(), nullable=False),
        sa.Column("rival", sa.Float(53), nullable=False),
        sa.Column("verdict", sa.SmallInteger(), nullable=True),
        sa.Column("factors", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "task", "uscc", name=op.f("pk_prospect")),
        comment="Firms of a run worth a call, by task. verdict: of the rules, null where the run had no such "
        "standard. factors: JSON [[feature, value, log-odds]], the strongest first.",
    )
    op.create_index("ix_prospect_run_id_task_score", "prospect", ["run_id", "task", "score"])


def _review() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("weight", sa.Float(53), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("first_run_id", sa.Integer(), nullable=False),
        sa.Column("last_run_id", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=True),
        sa.Column("decided_at", Moment(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        comment="What a person should look at. id: of what was found, so that the same finding comes back as "
        "the same row with its decision. detail: JSON.",
    )
    op.create_index(op.f("ix_review_uscc"), "review", ["uscc"])
    op.create_index("ix_review_last_run_id_weight", "review", ["last_run_id", "weight"])
    op.create_table(
        "review_decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("review_id", sa.String(length=32), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_review_decision_review_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_decision")),
        comment="Every decision about a review, also those that a later one replaced.",
    )
    op.create_index(op.f("ix_review_decision_review_id"), "review_decision", ["review_id"])


def _training() -> None:
    op.create_table(
        "training",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("task", sa.String(length=40), nullable=False),
        sa.Column("until", sa.SmallInteger(), nullable=True),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("active_key", sa.String(length=64), nullable=True),
        sa.Column("model", sa.String(length=64), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("queued_at", Moment(timezone=True), nullable=False),
        sa.Column("ended_at", Moment(timezone=True), nullable=True),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("lease_until", Moment(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_training_edition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training")),
        sa.UniqueConstraint("active_key", name=op.f("uq_training_active_key")),
        comment="A model to be trained on an edition. status as of a run; model: its hash, a candidate.",
    )
    op.create_index(op.f("ix_training_status"), "training", ["status"])
