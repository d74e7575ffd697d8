"""Tables of access: agencies, checkpoints, clients, keys, the audit trail, and answers stored for repeats."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    false,
)

from app.db.types import Id, Instant, Key, metadata

agency = Table(
    "agency",
    metadata,
    Column("code", String(32), primary_key=True),
    Column("parent", ForeignKey("agency.code")),
    Column("name_id", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("legal_forms", Text, nullable=False),  # JSON list
    Column("article_required", Boolean, nullable=False),
    Column("phone", Text),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("code", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("city", Text),
    Column("province", Text),
    Column("zone", String(32), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

office = Table(
    "office",
    metadata,
    Column("code", String(64), primary_key=True),
    Column("agency", ForeignKey("agency.code"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("city", Text),
    Column("province", Text),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

client = Table(
    "client",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("roles", Text, nullable=False),  # JSON list
    Column("kind", String(16)),
    Column("agency", ForeignKey("agency.code")),
    Column("office", String(64)),
    Column("checkpoint", ForeignKey("checkpoint.code"), index=True),
    Column("person", String(64), index=True),
    Column("person_key", String(64), index=True),  # the number in the form in which it is compared
    Column("folded_name", Key, index=True),  # of persons; finds entries about one of them
    Column("networks", Text, nullable=False),  # JSON list
    Column("standing", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Id),
    Column("confirmed_by", Id),
)

key = Table(
    "client_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("client_id", ForeignKey("client.id"), nullable=False, index=True),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("standing", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Id),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("gateway", Boolean, nullable=False, server_default=false()),
)

state = Table(
    "access_state",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("version", Integer, nullable=False),  # grows with every change of a client or key
    Column("pepper", LargeBinary(32)),  # of an earlier version, until `cekal migrate` moves it to its file
    Column("pepper_fingerprint", LargeBinary(32)),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("client_id", Id, nullable=False),
    Column("person", String(64)),
    Column("act", String(64), nullable=False),
    Column("object", String(64)),
    Column("detail", Text, nullable=False),  # JSON
    Column("request_id", String(128)),
)
Index("ix_audit_object", audit.c.object, audit.c.id)

pending_change = Table(
    "pending_change",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("about", String(64), nullable=False),  # code of the place, or id of the account
    Column("proposed", Text),  # JSON: the proposed place
    Column("state", String(16), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("proposed_by", Id, nullable=False),
    Column("proposed_person", String(64)),
    Column("confirmed_at", Instant),
    Column("confirmed_by", Id),
)
Index(
    "ix_pending_change_open",
    pending_change.c.kind,
    pending_change.c.about,
    unique=True,
    sqlite_where=pending_change.c.state == "pending",
    postgresql_where=pending_change.c.state == "pending",
)

answer = Table(
    "idempotent_answer",
    metadata,
    Column("client_id", Id, primary_key=True),
    Column("call", String(200), primary_key=True),  # method and path
    Column("key", String(255), primary_key=True),
    Column("body_hash", LargeBinary(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),  # JSON
    Column("body", LargeBinary),  # None when the answer held a secret
    Column("created_at", Instant, nullable=False, index=True),
)
