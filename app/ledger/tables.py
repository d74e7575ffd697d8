"""Tables of the ledger. Only the head's counters are updated, and personal parts and salts when they are erased."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, text

from app.db.types import Id, Instant, metadata

head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("epoch", String(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("last_alert", BigInteger, nullable=False),
    Column("previous_alert", BigInteger, nullable=False),  # last_alert as it was before the last append
    Column("created_at", Instant, nullable=False),
)

record = Table(
    "ledger_record",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("type", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("effective_at", Instant),
    Column("entry_id", Id),
    Column("version", Integer),
    Column("tombstone", Boolean, nullable=False),
    Column("alert_id", Id),
    Column("agency", String(32)),
    Column("leaf", Text, nullable=False),  # RFC 8785 text, exactly what is hashed
    Column("personal", Text),
    Column("salt", LargeBinary(32)),
)
Index("ix_ledger_record_entry_id", record.c.entry_id, record.c.sequence)
Index("ix_ledger_record_alert_id", record.c.alert_id, record.c.sequence)
Index(
    "ix_ledger_record_alerts",
    record.c.sequence,
    sqlite_where=record.c.alert_id.is_not(None),
    postgresql_where=record.c.alert_id.is_not(None),
)
OF_CLEARANCES = text("type IN ('clearance.granted', 'clearance.ended')")
"""Condition in the words of the index below: an engine uses it only for a statement that says the same."""
Index(
    "ix_ledger_record_clearances",
    record.c.entry_id,
    record.c.sequence,
    sqlite_where=OF_CLEARANCES,
    postgresql_where=OF_CLEARANCES,
)

closed = Table(
    "ledger_closed",
    metadata,
    Column("entry_id", Id, primary_key=True),  # only auditors see its records' personal part
    Column("at", Instant, nullable=False),
)

barred = Table(
    "ledger_barred",
    metadata,
    Column("entry_id", Id, primary_key=True),  # this person never sees its records' personal part
    Column("person", String(64), primary_key=True),
)

rollback = Table(
    "ledger_rollback",
    metadata,
    Column("epoch", String(32), primary_key=True),  # nothing is appended in this epoch any more
    Column("origin", String(160), nullable=False),  # of the highest head that the database lacks
    Column("size", BigInteger, nullable=False),  # its number of records
    Column("found", BigInteger, nullable=False),  # the number of records that the database had
    Column("noticed_at", Instant, nullable=False),
)

withdrawn = Table(
    "ledger_withdrawn",
    metadata,
    Column("entry_id", Id, primary_key=True),  # its records' personal part was shown once, and is so no more
    Column("cause", String(8), primary_key=True),  # closed or erased
    Column(
        "listed_until", BigInteger, nullable=False, index=True
    ),  # the sequence of its tombstone; NEVER without
)

node = Table(
    "ledger_node",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)
