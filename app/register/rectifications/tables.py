"""Table of correction requests; it refers to entries, and no entry refers to it."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from app.db.types import Id, Instant, metadata

correction_request = Table(
    "correction_request",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("entry_id", ForeignKey("entry.id"), nullable=False, index=True),
    Column("agency", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("statement", Text, nullable=False),
    Column("evidence", Text),
    Column("requester_name", Text, nullable=False),
    Column("requester_contact", Text, nullable=False),
    Column("filed_by", Id, nullable=False),  # client
    Column("filed_person", String(64), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("outcome", String(16)),
    Column("reason", Text),
    Column("amendment_id", Id),
    Column("decided_by", Id),  # client
    Column("decided_at", Instant),
)
Index("ix_correction_request_outcome", correction_request.c.outcome, correction_request.c.id)
Index(
    "ix_correction_request_due",
    correction_request.c.due_at,
    sqlite_where=correction_request.c.outcome.is_(None),
    postgresql_where=correction_request.c.outcome.is_(None),
)
