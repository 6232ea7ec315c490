"""The tables, for SQLAlchemy Core. ``migrations/`` makes them; a test holds the two together.

Times are UTC. JSON is kept as the bytes that were written: an answer that was signed must not be re-spelt.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
    text,
)

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, aware on both sides; SQLite alone would lose the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


SERIAL = BigInteger().with_variant(Integer, "sqlite")

state = Table(
    "state",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("edition_id", Integer, nullable=True),
    Column("run_id", Integer, nullable=True),
    Column("registry_version", Integer, nullable=False, default=0),
    Column("keys_version", Integer, nullable=False, default=0),
    Column("corrections_version", Integer, nullable=False, server_default=text("0")),
    comment="One row: what look-ups see now. Versions count up with every change, for caches and ETags.",
)

edition = Table(
    "edition",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("parent_id", ForeignKey("edition.id"), nullable=True),
    Column("status", String(12), nullable=False),
    Column("source_name", Text, nullable=False),
    Column("source_hash", String(64), nullable=False, index=True),
    Column("dated", Date, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("firms", Integer, nullable=False),
    Column("manifest", Text, nullable=False),
    Column("imported_at", Moment, nullable=False),
    Column("imported_by", Text, nullable=False),
    comment="Immutable. status: building, ready. Its figures stand before those of its parents.",
)

facts = Table(
    "facts",
    METADATA,
    Column("uscc", String(18), primary_key=True),
    Column("edition_id", ForeignKey("edition.id"), primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    comment="What one edition says of one firm: canonical column to value, blanks left out.",
)

firm = Table(
    "firm",
    METADATA,
    Column("uscc", String(18), primary_key=True),
    Column("name", Text, nullable=True),
    Column("district", String(6), nullable=True),
    Column("industry", Integer, nullable=True),
    Column("version", Integer, nullable=False, default=1),
    Column("edition_id", ForeignKey("edition.id"), nullable=False),
    Index("ix_firm_district_industry", "district", "industry"),
    Index("ix_firm_industry", "industry"),
    comment="Identity, as the active edition and its parents give it. version counts hand corrections.",
)

correction = Table(
    "correction",
    METADATA,
    Column("id", SERIAL, primary_key=True),
    Column("uscc", String(18), nullable=False, index=True),
    Column("column", Text, nullable=False),
    Column("value", Text, nullable=True),
    Column("before", Text, nullable=True),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("edition_id", ForeignKey("edition.id"), nullable=False),
    comment="A figure corrected by hand, over the edition that was active then. JSON values.",
)

title_list = Table(
    "title_list",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("title", String(40), nullable=False, index=True),
    Column("source_name", Text, nullable=False),
    Column("source_hash", String(64), nullable=False),
    Column("dated", Date, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("matched", Integer, nullable=False),
    Column("imported_at", Moment, nullable=False),
    Column("imported_by", Text, nullable=False),
    UniqueConstraint("title", "source_hash", "dated"),
    comment="A published list of title holders. Complete: a firm not on it holds no such title.",
)

title_entry = Table(
    "title_entry",
    METADATA,
    Column("list_id", ForeignKey("title_list.id"), primary_key=True, autoincrement=False),
    Column("uscc", String(18), primary_key=True),
    Column("valid_until", Date, nullable=True),
    Column("certain", Boolean, nullable=False),
    Column("name", Text, nullable=True),
    Index("ix_title_entry_uscc", "uscc"),
    comment="valid_until: null for memberships. Not certain: one of several of its name, or no last day.",
)

# ``engine``: inline, within an import, or workers, in parts; those may also be queued, partly_succeeded or
# cancelled, and have an ``active_key`` until they end.
run = Table(
    "run",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("edition_id", ForeignKey("edition.id"), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("rulebook_hash", String(64), nullable=False),
    Column("plan_hash", String(64), nullable=False),
    Column("status", String(20), nullable=False),
    Column("firms", Integer, nullable=False, default=0),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment, nullable=True),
    Column("engine", String(8), nullable=False, default="inline", server_default="inline"),
    Column("active_key", String(64), nullable=True),
    Column("standards", Text, nullable=True),
    Column("requested_by", Text, nullable=True),
    Column("parts", Integer, nullable=False, default=0, server_default="0"),
    Column("parts_left", Integer, nullable=False, default=0, server_default="0"),
    Column("previous_run_id", Integer, nullable=True),
    Column("stood_at", Moment, nullable=True),
    Column("corrections_upto", BigInteger, nullable=True),
    Column("lists_upto", Integer, nullable=True),
    Column("summary", Text, nullable=True),
    Column("problem", Text, nullable=True),
    Column("lease_until", Moment, nullable=True),
    Column("lease_owner", String(80), nullable=True),
    Column("models", Text, nullable=True),
    UniqueConstraint("active_key"),
    comment="All firms judged at once. status: running, succeeded, failed, replaced (its rows are gone).",
)

# What runs store by the hundred thousand names its run without a foreign key: looking the run up once a row
# took a third of the time of storing. Rows are committed with their part's state, runs are never deleted.
standing = Table(
    "standing",
    METADATA,
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("uscc", String(18), primary_key=True),
    Column("district", String(6), nullable=True),
    Column("recognised", SmallInteger, nullable=False),
    Column("qualifies", SmallInteger, nullable=False),
    Column("could_reach", SmallInteger, nullable=False),
    Column("held_targets", Integer, nullable=False, default=0),
    Column("met_targets", Integer, nullable=False, default=0),
    Index("ix_standing_rung", "run_id", "recognised", "uscc"),
    comment="Rungs of each firm in a run; two bits per plan target, a verdict: held (title), met (standard).",
)

plan_count = Table(
    "plan_count",
    METADATA,
    Column("run_id", ForeignKey("run.id"), primary_key=True, autoincrement=False),
    Column("target", String(12), primary_key=True),
    Column("district", String(6), primary_key=True),
    Column("held", Integer, nullable=False),
    Column("held_unknown", Integer, nullable=False),
    Column("met", Integer, nullable=False),
    Column("met_review", Integer, nullable=False),
    Column("met_unknown", Integer, nullable=False),
    comment="Firms behind each plan target by district; '' where a firm's district is unknown.",
)

rulebook = Table(
    "rulebook",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("first_used", Moment, nullable=False),
    comment="Every rulebook an answer was given by: its files, so that it can be read and run again.",
)

programme_check = Table(
    "programme_check",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("batch_id", String(36), nullable=False, index=True),
    Column("programme", String(40), nullable=False),
    Column("uscc", String(18), nullable=False, index=True),
    Column("district", String(6), nullable=True),
    Column("as_of", Date, nullable=False),
    Column("verdict", String(8), nullable=False),
    Column("edition_id", ForeignKey("edition.id"), nullable=True),
    Column("rulebook_hash", ForeignKey("rulebook.hash"), nullable=False),
    Column("facts", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("signature", Text, nullable=False),
    comment="Decisions of programmes, kept for ever: facts, answer, signature as they were given.",
)

signing_key = Table(
    "signing_key",
    METADATA,
    Column("kid", String(43), primary_key=True),
    Column("public", LargeBinary, nullable=False),
    Column("first_used", Moment, nullable=False),
    comment="Public keys that checks were ever signed with, so that old receipts can still be verified.",
)

idempotency = Table(
    "idempotency",
    METADATA,
    Column("owner", String(40), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("status", Integer, nullable=True),
    Column("headers", Text, nullable=True),
    Column("body", LargeBinary, nullable=True),
    Column("made_at", Moment, nullable=False, index=True),
    comment="Answers to POST by Idempotency-Key; status is null while the first call is still at work.",
)

api_key = Table(
    "api_key",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("label", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("district", String(6), nullable=True),
    Column("made_at", Moment, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("expires_at", Moment, nullable=True),
    Column("revoked_at", Moment, nullable=True),
    comment="Keys by HMAC; the key itself is shown once and kept nowhere.",
)

user = Table(
    "user",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("password", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("district", String(6), nullable=True),
    Column("made_at", Moment, nullable=False),
    Column("disabled_at", Moment, nullable=True),
    Column("failures", Integer, nullable=False, default=0),
    Column("locked_until", Moment, nullable=True),
)

audit = Table(
    "audit",
    METADATA,
    Column("seq", SERIAL, primary_key=True, autoincrement=False),
    Column("id", String(36), nullable=False, unique=True),
    Column("at", String(32), nullable=False),
    Column("actor", Text, nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("client", Text, nullable=False),
    Column("action", String(40), nullable=False),
    Column("object", Text, nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("before", String(64), nullable=True),
    Column("after", String(64), nullable=True),
    Column("details", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    comment="Who did what to what and why, each record chained to the one before by hash. Only added to.",
)

AUDIT_GUARDS = {
    "sqlite": (
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'audit is only added to'); END",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'audit is only added to'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit is only added to'; END $$",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_guard()",
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_guard()",
    ),
}
"""What refuses a change of the audit, by dialect. The migration makes the same."""
for _dialect, _statements in AUDIT_GUARDS.items():
    for _statement in _statements:
        _guard = DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
        event.listen(audit, "after_create", _guard)

audit_head = Table(
    "audit_head",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    comment="One row, locked while the chain grows; also what shows that its end was cut off.",
)
