"""The registry"""

# ruff: noqa: E501  (made from tables.py; its statements stay in one line)

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from models.registry.tables import Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("made_at", Moment(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("expires_at", Moment(timezone=True), nullable=True),
        sa.Column("revoked_at", Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        comment="Keys by HMAC; the key itself is shown once and kept nowhere.",
    )
    op.create_table(
        "audit",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("before", sa.String(length=64), nullable=True),
        sa.Column("after", sa.String(length=64), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sa.UniqueConstraint("id", name=op.f("uq_audit_id")),
        comment="Who did what to what and why, each record chained to the one before by hash. Only added to.",
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_actor"), ["actor"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_object"), ["object"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
        comment="One row, locked while the chain grows; also what shows that its end was cut off.",
    )
    op.create_table(
        "edition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("source_hash", sa.String(length=64), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("firms", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("imported_at", Moment(timezone=True), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["edition.id"], name=op.f("fk_edition_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
        sa.UniqueConstraint("hash", name=op.f("uq_edition_hash")),
        comment="Immutable. status: building, ready. Its figures stand before those of its parents.",
    )
    with op.batch_alter_table("edition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_edition_source_hash"), ["source_hash"], unique=False)

    op.create_table(
        "firm_name",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firm_name")),
        comment="Every name of every firm, as each edition or a hand gave it. Edition 0 is the hand.",
    )
    with op.batch_alter_table("firm_name", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_firm_name_uscc"), ["uscc"], unique=False)

    op.create_table(
        "idempotency",
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_idempotency")),
        comment="Answers to POST by Idempotency-Key; status is null while the first call is still at work.",
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_made_at"), ["made_at"], unique=False)

    op.create_table(
        "name_gram",
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("segment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("token", "segment", name=op.f("pk_name_gram")),
        comment="Token to entries, by segment; see models/registry/search/tables.py.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "name_segment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_name_segment")),
        comment="Entries that were indexed together.",
    )
    with op.batch_alter_table("name_segment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_name_segment_edition_id"), ["edition_id"], unique=False)

    op.create_table(
        "rulebook",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("first_used", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_rulebook")),
        comment="Every rulebook an answer was given by: its files, so that it can be read and run again.",
    )
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(length=43), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("first_used", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_key")),
        comment="Public keys that checks were ever signed with, so that old receipts can still be verified.",
    )
    op.create_table(
        "state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("registry_version", sa.Integer(), nullable=False),
        sa.Column("keys_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state")),
        comment="One row: what look-ups see now. Versions count up with every change, for caches and ETags.",
    )
    op.create_table(
        "title_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("source_hash", sa.String(length=64), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("imported_at", Moment(timezone=True), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_title_list")),
        sa.UniqueConstraint(
            "title", "source_hash", "dated", name=op.f("uq_title_list_title_source_hash_dated")
        ),
        comment="A published list of title holders. Complete: a firm not on it holds no such title.",
    )
    with op.batch_alter_table("title_list", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_title_list_title"), ["title"], unique=False)

    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("made_at", Moment(timezone=True), nullable=False),
        sa.Column("disabled_at", Moment(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("login", name=op.f("uq_user_login")),
    )
    op.create_table(
        "correction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("made_at", Moment(timezone=True), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_correction_edition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
        comment="A figure corrected by hand, over the edition that was active then. JSON values.",
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_correction_uscc"), ["uscc"], unique=False)

    op.create_table(
        "facts",
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("edition_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_facts_edition_id")),
        sa.PrimaryKeyConstraint("uscc", "edition_id", name=op.f("pk_facts")),
        comment="What one edition says of one firm: canonical column to value, blanks left out.",
    )
    op.create_table(
        "firm",
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("industry", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_firm_edition_id")),
        sa.PrimaryKeyConstraint("uscc", name=op.f("pk_firm")),
        comment="Identity, as the active edition and its parents give it. version counts hand corrections.",
    )
    with op.batch_alter_table("firm", schema=None) as batch_op:
        batch_op.create_index("ix_firm_district_industry", ["district", "industry"], unique=False)
        batch_op.create_index("ix_firm_industry", ["industry"], unique=False)

    op.create_table(
        "programme_check",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=True),
        sa.Column("rulebook_hash", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", Moment(timezone=True), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_programme_check_edition_id")),
        sa.ForeignKeyConstraint(
            ["rulebook_hash"], ["rulebook.hash"], name=op.f("fk_programme_check_rulebook_hash")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_check")),
        comment="Decisions of programmes, kept for ever: facts, answer, signature as they were given.",
    )
    with op.batch_alter_table("programme_check", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_programme_check_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_programme_check_uscc"), ["uscc"], unique=False)

    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("rulebook_hash", sa.String(length=64), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("firms", sa.Integer(), nullable=False),
        sa.Column("started_at", Moment(timezone=True), nullable=False),
        sa.Column("finished_at", Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_run_edition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        comment="All firms judged at once. status: running, succeeded, failed, replaced (its rows are gone).",
    )
    op.create_table(
        "title_entry",
        sa.Column("list_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("certain", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["title_list.id"], name=op.f("fk_title_entry_list_id")),
        sa.PrimaryKeyConstraint("list_id", "uscc", name=op.f("pk_title_entry")),
        comment="valid_until: null for memberships. Not certain: one of several of its name, or no last day.",
    )
    with op.batch_alter_table("title_entry", schema=None) as batch_op:
        batch_op.create_index("ix_title_entry_uscc", ["uscc"], unique=False)

    op.create_table(
        "plan_count",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", sa.String(length=12), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("held_unknown", sa.Integer(), nullable=False),
        sa.Column("met", sa.Integer(), nullable=False),
        sa.Column("met_review", sa.Integer(), nullable=False),
        sa.Column("met_unknown", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_plan_count_run_id")),
        sa.PrimaryKeyConstraint("run_id", "target", "district", name=op.f("pk_plan_count")),
        comment="Firms behind each plan target by district; '' where a firm's district is unknown.",
    )
    op.create_table(
        "standing",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("recognised", sa.SmallInteger(), nullable=False),
        sa.Column("qualifies", sa.SmallInteger(), nullable=False),
        sa.Column("could_reach", sa.SmallInteger(), nullable=False),
        sa.Column("held_targets", sa.Integer(), nullable=False),
        sa.Column("met_targets", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_standing_run_id")),
        sa.PrimaryKeyConstraint("run_id", "uscc", name=op.f("pk_standing")),
        comment="Rungs of each firm in a run; two bits per plan target, a verdict: held (title), met (standard).",
    )
    with op.batch_alter_table("standing", schema=None) as batch_op:
        batch_op.create_index("ix_standing_rung", ["run_id", "recognised", "uscc"], unique=False)
    # The two rows that are there from the beginning and only ever change.
    op.execute(sa.text("INSERT INTO state (id, registry_version, keys_version) VALUES (1, 0, 0)"))
    op.execute(sa.text("INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '')"))
    # The audit is only added to; the database itself refuses the rest.
    guards = {
        "sqlite": (
            "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is only added to'); END",
            "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is only added to'); END",
        ),
        "postgresql": (
            "CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'audit is only added to'; END $$",
            "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_guard()",
            "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_guard()",
        ),
    }
    for statement in guards[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


def downgrade() -> None:
    with op.batch_alter_table("standing", schema=None) as batch_op:
        batch_op.drop_index("ix_standing_rung")

    op.drop_table("standing")
    op.drop_table("plan_count")
    with op.batch_alter_table("title_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_title_entry_uscc")

    op.drop_table("title_entry")
    op.drop_table("run")
    with op.batch_alter_table("programme_check", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_programme_check_uscc"))
        batch_op.drop_index(batch_op.f("ix_programme_check_batch_id"))

    op.drop_table("programme_check")
    with op.batch_alter_table("firm", schema=None) as batch_op:
        batch_op.drop_index("ix_firm_industry")
        batch_op.drop_index("ix_firm_district_industry")

    op.drop_table("firm")
    op.drop_table("facts")
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_correction_uscc"))

    op.drop_table("correction")
    op.drop_table("user")
    with op.batch_alter_table("title_list", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_title_list_title"))

    op.drop_table("title_list")
    op.drop_table("state")
    op.drop_table("signing_key")
    op.drop_table("rulebook")
    with op.batch_alter_table("name_segment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_name_segment_edition_id"))

    op.drop_table("name_segment")
    op.drop_table("name_gram")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_made_at"))

    op.drop_table("idempotency")
    with op.batch_alter_table("firm_name", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_firm_name_uscc"))

    op.drop_table("firm_name")
    with op.batch_alter_table("edition", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_edition_source_hash"))

    op.drop_table("edition")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_object"))
        batch_op.drop_index(batch_op.f("ix_audit_actor"))

    op.drop_table("audit")
    op.drop_table("api_key")
