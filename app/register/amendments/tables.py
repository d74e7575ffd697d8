"""Table of amendments. The columns are for queries; the whole amendment is stored in `document`."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from app.db.types import Id, Instant, metadata

amendment = Table(
    "amendment",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("entry_id", ForeignKey("entry.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("agency", String(32), nullable=False),  # code of the filing agency
    Column("owner", String(32), nullable=False),  # code of the agency that owns the entry
    Column("received_at", Instant, nullable=False),
    Column("due_at", Instant),  # last instant for the decision or answer; None afterwards
    Column("document", Text, nullable=False),  # the whole amendment, JSON
)
Index("ix_amendment_entry_id", amendment.c.entry_id, amendment.c.id)
Index("ix_amendment_state", amendment.c.state, amendment.c.id)
Index(
    "ix_amendment_due_at",
    amendment.c.due_at,
    sqlite_where=amendment.c.due_at.is_not(None),
    postgresql_where=amendment.c.due_at.is_not(None),
)
