"""Tables of hits. The columns are for queries; the whole hit is stored in `document`."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from app.db.types import Id, Instant, metadata

hit = Table(
    "hit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("checkpoint", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("remind_at", Instant),  # when to report that it is unresolved; None once reported or resolved
    Column("document", Text, nullable=False),  # the whole hit, JSON
)
Index("ix_hit_checkpoint", hit.c.checkpoint, hit.c.id)
Index("ix_hit_checkpoint_state", hit.c.checkpoint, hit.c.state, hit.c.id)
Index("ix_hit_state", hit.c.state, hit.c.id)
Index(
    "ix_hit_remind_at",
    hit.c.remind_at,
    sqlite_where=hit.c.remind_at.is_not(None),
    postgresql_where=hit.c.remind_at.is_not(None),
)

match = Table(
    "hit_match",
    metadata,
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    Column("hit_id", ForeignKey("hit.id"), primary_key=True),
    sqlite_with_rowid=False,
)
