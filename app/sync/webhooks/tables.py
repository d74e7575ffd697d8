"""Tables of webhooks. A delivery names a record of the ledger and holds no content of it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from app.db.types import Id, Instant, metadata

endpoint = Table(
    "webhook_endpoint",
    metadata,
    Column("id", Id, primary_key=True),
    Column("client_id", ForeignKey("client.id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),  # JSON list
    Column("payload", String(8), nullable=False),
    Column("by_admin", Boolean, nullable=False, default=False),  # of no use; a later schema drops it
    Column("description", Text),
    Column("networks", Text, nullable=False),  # JSON list
    Column("ordered", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("disabled_reason", String(16)),
    Column("secrets", LargeBinary, nullable=False),  # encrypted under a key derived from the pepper
    Column("public_key", String(64), nullable=False),
    Column("former_secrets", LargeBinary),
    Column("former_until", Instant),
    Column("position", BigInteger, nullable=False),
    Column("alert_position", BigInteger, nullable=False),
    Column("replay_position", BigInteger),
    Column("replay_until", BigInteger),
    Column("failures", Integer, nullable=False),
    Column("failing_since", Instant),
    Column("probe_at", Instant),
    Column("succeeded_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Id, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("deleted_at", Instant),  # its deliveries are deleted step by step, and then it
)

delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("endpoint_id", ForeignKey("webhook_endpoint.id"), nullable=False),
    Column("message_id", String(64), nullable=False),
    Column("type", String(32), nullable=False),
    Column("sequence", BigInteger),
    Column("entry_id", Id, index=True),
    Column("alert_id", Id),
    Column("urgent", Boolean, nullable=False),
    Column("priority", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("step", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant, index=True),
    Column("facts", Text, nullable=False),  # JSON object: dates and numbers about the endpoint
)
Index("ix_webhook_delivery_endpoint_id", delivery.c.endpoint_id, delivery.c.id)
Index("ix_webhook_delivery_state", delivery.c.endpoint_id, delivery.c.state, delivery.c.id)
DUE = text("state = 'due'")
Index(
    "ix_webhook_delivery_due",
    delivery.c.endpoint_id,
    delivery.c.priority,
    delivery.c.due_at,
    delivery.c.sequence,
    sqlite_where=DUE,
    postgresql_where=DUE,
)
Index(
    "ix_webhook_delivery_entry",
    delivery.c.endpoint_id,
    delivery.c.entry_id,
    delivery.c.sequence,
    sqlite_where=DUE,
    postgresql_where=DUE,
)
Index(
    "ix_webhook_delivery_leased",
    delivery.c.endpoint_id,
    delivery.c.lease_until,
    sqlite_where=delivery.c.lease_until.is_not(None),
    postgresql_where=delivery.c.lease_until.is_not(None),
)

attempt = Table(
    "webhook_attempt",
    metadata,
    Column("delivery_id", Id, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("status", Integer),
    Column("milliseconds", Integer, nullable=False),
    Column("error", Text),
    Column("answer", Text),  # the receiver's words; erased with the entry that the delivery is about
)
