"""The first schema: access, ledger, entries, alerts; and checks, which have a file of their own on SQLite."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import CHECKS, REGISTER
from app.db.types import Id, Instant, Key

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REGISTER_TABLES = [
    "access_state",
    "agency",
    "audit",
    "checkpoint",
    "idempotent_answer",
    "ledger_head",
    "ledger_node",
    "ledger_record",
    "list_edition",
    "presence",
    "client",
    "entry",
    "alert",
    "blob",
    "client_key",
    "entry_key",
    "entry_source",
    "entry_version",
    "alert_receipt",
    "alert_recipient",
]
CHECKS_TABLES = ["check_ageing", "check_match", "check_record"]


def upgrade() -> None:
    parts = op.get_context().config.attributes["parts"]
    if REGISTER in parts:
        _register()
    if CHECKS in parts:
        _checks()
        if op.get_context().dialect.name == "postgresql":
            # Whatever no month's partition takes; the service makes the months ahead of time.
            op.execute("CREATE TABLE check_record_rest PARTITION OF check_record DEFAULT")


def downgrade() -> None:
    parts = op.get_context().config.attributes["parts"]
    for part, tables in ((CHECKS, CHECKS_TABLES), (REGISTER, REGISTER_TABLES)):
        if part in parts:
            for table in reversed(tables):
                op.drop_table(table)


def _register() -> None:
    op.create_table(
        "access_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("pepper", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_state")),
    )
    op.create_table(
        "agency",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("parent", sa.String(length=32), nullable=True),
        sa.Column("name_id", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("legal_forms", sa.Text(), nullable=False),
        sa.Column("article_required", sa.Boolean(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["agency.code"], name=op.f("fk_agency_parent")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_agency")),
    )
    op.create_table(
        "audit",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("object", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_object", "audit", ["object", "id"], unique=False)
    op.create_table(
        "checkpoint",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("province", sa.Text(), nullable=True),
        sa.Column("zone", sa.String(length=32), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "idempotent_answer",
        sa.Column("client_id", Id, nullable=False),
        sa.Column("call", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "call", "key", name=op.f("pk_idempotent_answer")),
    )
    op.create_index(
        op.f("ix_idempotent_answer_created_at"), "idempotent_answer", ["created_at"], unique=False
    )
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("last_alert", sa.BigInteger(), nullable=False),
        sa.Column("previous_alert", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "ledger_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name=op.f("pk_ledger_node")),
    )
    op.create_table(
        "ledger_record",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("effective_at", Instant(), nullable=True),
        sa.Column("entry_id", Id, nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("tombstone", sa.Boolean(), nullable=False),
        sa.Column("alert_id", Id, nullable=True),
        sa.Column("agency", sa.String(length=32), nullable=True),
        sa.Column("leaf", sa.Text(), nullable=False),
        sa.Column("personal", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_ledger_record")),
    )
    op.create_index("ix_ledger_record_alert_id", "ledger_record", ["alert_id", "sequence"], unique=False)
    op.create_index(
        "ix_ledger_record_alerts",
        "ledger_record",
        ["sequence"],
        unique=False,
        sqlite_where=sa.text("alert_id IS NOT NULL"),
        postgresql_where=sa.text("alert_id IS NOT NULL"),
    )
    op.create_index("ix_ledger_record_entry_id", "ledger_record", ["entry_id", "sequence"], unique=False)
    op.create_table(
        "list_edition",
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("edition", Instant(), nullable=False),
        sa.Column("imported_at", Instant(), nullable=False),
        sa.Column("persons", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_list_edition")),
    )
    op.create_table(
        "presence",
        sa.Column("process", Id, nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("process", "checkpoint", name=op.f("pk_presence")),
    )
    op.create_index(op.f("ix_presence_seen_at"), "presence", ["seen_at"], unique=False)
    op.create_table(
        "client",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("agency", sa.String(length=32), nullable=True),
        sa.Column("office", sa.String(length=64), nullable=True),
        sa.Column("checkpoint", sa.String(length=32), nullable=True),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("networks", sa.Text(), nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("confirmed_by", Id, nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agency.code"], name=op.f("fk_client_agency")),
        sa.ForeignKeyConstraint(["checkpoint"], ["checkpoint.code"], name=op.f("fk_client_checkpoint")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
    )
    op.create_index(op.f("ix_client_person"), "client", ["person"], unique=False)
    op.create_table(
        "entry",
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("measure", sa.String(length=16), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("agency", sa.String(length=32), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("in_force_from", Instant(), nullable=True),
        sa.Column("in_force_until", Instant(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["agency"], ["agency.code"], name=op.f("fk_entry_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
    )
    op.create_index("ix_entry_agency_id", "entry", ["agency", "id"], unique=False)
    op.create_index("ix_entry_state_until", "entry", ["state", "in_force_until"], unique=False)
    op.create_table(
        "alert",
        sa.Column("id", Id, nullable=False),
        sa.Column("family", Id, nullable=False),
        sa.Column("entry_id", Id, nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("agency", sa.String(length=32), nullable=True),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("acknowledge_by", Instant(), nullable=False),
        sa.Column("chase", sa.Text(), nullable=False),
        sa.Column("cancelled_at", Instant(), nullable=True),
        sa.Column("escalated_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_alert_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(op.f("ix_alert_entry_id"), "alert", ["entry_id"], unique=False)
    op.create_index("ix_alert_expires_at", "alert", ["expires_at"], unique=False)
    op.create_index(op.f("ix_alert_family"), "alert", ["family"], unique=False)
    op.create_table(
        "blob",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=True),
        sa.Column("erased_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_blob_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", "sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "client_key",
        sa.Column("id", Id, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_client_key_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_key")),
    )
    op.create_index(op.f("ix_client_key_client_id"), "client_key", ["client_id"], unique=False)
    op.create_table(
        "entry_key",
        sa.Column("key", Key, nullable=False),
        sa.Column("entry_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_entry_key_entry_id")),
        sa.PrimaryKeyConstraint("key", "entry_id", name=op.f("pk_entry_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_entry_key_entry_id", "entry_key", ["entry_id"], unique=False)
    op.create_table(
        "entry_source",
        sa.Column("origin", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_entry_source_entry_id")),
        sa.PrimaryKeyConstraint("origin", "reference", name=op.f("pk_entry_source")),
    )
    op.create_table(
        "entry_version",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("by", Id, nullable=False),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_entry_version_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", "version", name=op.f("pk_entry_version")),
    )
    op.create_table(
        "alert_receipt",
        sa.Column("alert_id", Id, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("officer_reference", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_receipt_alert_id")),
        sa.PrimaryKeyConstraint("alert_id", "client_id", "level", name=op.f("pk_alert_receipt")),
    )
    op.create_table(
        "alert_recipient",
        sa.Column("family", Id, nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkpoint"], ["checkpoint.code"], name=op.f("fk_alert_recipient_checkpoint")
        ),
        sa.ForeignKeyConstraint(["family"], ["alert.id"], name=op.f("fk_alert_recipient_family")),
        sa.PrimaryKeyConstraint("family", "checkpoint", name=op.f("pk_alert_recipient")),
    )


def _checks() -> None:
    op.create_table(
        "check_ageing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("erased_before", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_ageing")),
    )
    op.create_table(
        "check_match",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("check_id", Id, nullable=False),
        sa.Column("entry_version", sa.Integer(), nullable=False),
        sa.Column("agency", sa.String(length=32), nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("sighting", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "check_id", name=op.f("pk_check_match")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_check_match_agency", "check_match", ["agency", "check_id"], unique=False)
    op.create_index(
        "ix_check_match_checkpoint", "check_match", ["entry_id", "checkpoint", "at"], unique=False
    )
    op.create_table(
        "check_record",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("hit_id", Id, nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("document_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("matches", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_record")),
        postgresql_partition_by="RANGE (id)",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_check_record_document_hash", "check_record", ["document_hash", "id"], unique=False)
