"""Table of look-backs: the searches of past checks for subjects of entries, and how far each has come."""

from sqlalchemy import Column, ForeignKey, Index, Table

from app.db.types import Id, Instant, metadata

lookback = Table(
    "lookback",
    metadata,
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    Column("came_at", Instant, nullable=False),  # when the entry came into force or was corrected
    Column("first", Id, nullable=False),  # checks from this id on
    Column("before", Id, nullable=False),  # and before this one are not read yet
    Column("due_at", Instant),  # when to continue; None when finished
)
Index(
    "ix_lookback_due_at",
    lookback.c.due_at,
    sqlite_where=lookback.c.due_at.is_not(None),
    postgresql_where=lookback.c.due_at.is_not(None),
)
