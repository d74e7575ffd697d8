"""Tables of delayed departures. The traveller has a table of its own, so that it can be erased separately."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

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
    Column("sponsor_purged_at", Instant),  # when the sponsor was erased
)
Index("ix_departure_delay_occurred_at", delay.c.occurred_at, delay.c.id)
Index(
    "ix_departure_delay_sponsored",
    delay.c.occurred_at,
    sqlite_where=delay.c.sponsor.is_not(None),
    postgresql_where=delay.c.sponsor.is_not(None),
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
