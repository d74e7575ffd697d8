"""Tables of delayed departures. The traveller has a table of its own, so that it can be erased separately."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, or_

from app.db.types import Id, Instant, Key, metadata

delay = Table(
    "departure_delay",
    metadata,
    Column("id", Id, primary_key=True),
    Column("checkpoint", ForeignKey("checkpoint.code"), nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("destination", String(3)),
    Column("referral", String(32), nullable=False),
    Column("group_reference", Text),
    Column("sponsor", Text),  # JSON
    Column("recorded_by", Id, nullable=False),  # client
    Column("recorded_at", Instant, nullable=False),
    Column("purged_at", Instant),  # when the traveller was erased
    Column("sponsor_purged_at", Instant),  # when sponsor and group reference were erased
)
SPONSORED: Final = or_(delay.c.sponsor.is_not(None), delay.c.group_reference.is_not(None))
"""The condition that a delay has a sponsor or a group reference, which both are erased after the same time."""

Index("ix_departure_delay_occurred_at", delay.c.occurred_at, delay.c.id)
Index(
    "ix_departure_delay_sponsored",
    delay.c.occurred_at,
    sqlite_where=SPONSORED,
    postgresql_where=SPONSORED,
)
Index("ix_departure_delay_checkpoint", delay.c.checkpoint, delay.c.id)

traveller = Table(
    "departure_delay_traveller",
    metadata,
    Column("delay_id", ForeignKey("departure_delay.id"), primary_key=True),
    Column("occurred_at", Instant, nullable=False, index=True),
    Column("document", Text, nullable=False),  # JSON
)

sponsor_key = Table(
    "departure_delay_sponsor",
    metadata,
    Column("key", Key, primary_key=True),
    Column("delay_id", ForeignKey("departure_delay.id"), primary_key=True),
    sqlite_with_rowid=False,
)
Index("ix_departure_delay_sponsor_delay_id", sponsor_key.c.delay_id)
