"""Table of look-backs: how far past checks are searched for the subjects of entries."""

from sqlalchemy import Column, ForeignKey, Index, Table

from app.db.types import Id, Instant, metadata

lookback = Table(
    "lookback",
    metadata,
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    Column("came_at", Instant, nullable=False),  # when the entry came into force, or was corrected
    Column("first", Id, nullable=False),  # the checks from this id on
    Column("before", Id, nullable=False),  # and before this one are still to be read
    Column("due_at", Instant),  # when to read on; None once all is read
)
Index(
    "ix_lookback_due_at",
    lookback.c.due_at,
    sqlite_where=lookback.c.due_at.is_not(None),
    postgresql_where=lookback.c.due_at.is_not(None),
)
