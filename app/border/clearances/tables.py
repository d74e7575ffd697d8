"""The table of clearances. The columns are for queries; the whole clearance is stored in `document`."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from app.db.types import Id, Key, metadata

clearance = Table(
    "clearance",
    metadata,
    Column("id", Id, primary_key=True),
    Column("entry_id", ForeignKey("entry.id"), nullable=False),
    Column("entry_version", Integer, nullable=False),
    Column("number", Key, nullable=False),  # of the bearer's document, normalised
    Column("state", String(16), nullable=False),
    Column("agency", String(32), nullable=False),
    Column("checkpoint", String(32), nullable=False),
    Column("document", Text, nullable=False),  # the whole clearance, JSON
)
Index("ix_clearance_entry_id", clearance.c.entry_id, clearance.c.number)
Index("ix_clearance_agency", clearance.c.agency, clearance.c.id)
Index("ix_clearance_checkpoint", clearance.c.checkpoint, clearance.c.id)
Index("ix_clearance_state", clearance.c.state, clearance.c.id)
