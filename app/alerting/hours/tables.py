"""Tables of opening hours: those of each week and of single days, and planned closures."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from app.db.types import Id, Instant, metadata

hours = Table(
    "checkpoint_hours",
    metadata,
    Column("checkpoint", ForeignKey("checkpoint.code"), primary_key=True),
    Column("weekly", Text, nullable=False),  # JSON list
    Column("exceptions", Text, nullable=False),  # JSON list
    Column("closed_on_holidays", Boolean, nullable=False),
    Column("standby", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
)

closure = Table(
    "checkpoint_closure",
    metadata,
    Column("id", Id, primary_key=True),
    Column("checkpoint", ForeignKey("checkpoint.code"), nullable=False),
    Column("begins_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)
Index("ix_checkpoint_closure_ends", closure.c.checkpoint, closure.c.ends_at)
