"""Tables of alerts: their recipients, their receipts, and the connected checkpoints. Their content is in the ledger."""

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    false,
    or_,
)

from app.db.types import Id, Instant, metadata

alert = Table(
    "alert",
    metadata,
    Column("id", Id, primary_key=True),
    Column("family", Id, nullable=False, index=True),
    Column("entry_id", ForeignKey("entry.id"), index=True),
    Column("kind", String(16), nullable=False),
    Column("agency", String(32)),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("acknowledge_by", Instant, nullable=False),
    Column("chase", Text, nullable=False),  # JSON list of checkpoints
    Column("cancelled_at", Instant),
    Column("replaced_at", Instant),  # when a later alert of the family took its place
    Column(
        "escalated_at", Instant
    ),  # when the duty officers were notified that checkpoints have not acknowledged
)
Index("ix_alert_expires_at", alert.c.expires_at)

recipient = Table(
    "alert_recipient",
    metadata,
    # No foreign keys: the one statement that inserts rows selects them from the table of checkpoints, and no
    # checkpoint is ever deleted; checking the keys of each row would take twice as long as writing it.
    Column("family", Id, primary_key=True),
    Column("checkpoint", String(32), primary_key=True),
)

receipt = Table(
    "alert_receipt",
    metadata,
    Column("alert_id", ForeignKey("alert.id"), primary_key=True),
    Column("client_id", Id, primary_key=True),
    Column("level", String(16), primary_key=True),
    Column("checkpoint", String(32), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("officer_reference", Text),
    Column("note", Text),
    Column("salt", LargeBinary(32)),  # of the commitment; erased with the reference and the note
    Column("commitment", LargeBinary(32)),  # to both; None in receipts of before the query log
)

Index("ix_alert_receipt_alert_id_checkpoint", receipt.c.alert_id, receipt.c.checkpoint)


def has_texts() -> ColumnElement[bool]:
    """Return the SQL condition, on the receipt table, that a receipt has a note or an officer reference."""
    return or_(receipt.c.officer_reference.is_not(None), receipt.c.note.is_not(None))


Index(
    "ix_alert_receipt_texts",
    receipt.c.alert_id,
    sqlite_where=has_texts(),
    postgresql_where=has_texts(),
)

presence = Table(
    "presence",
    metadata,
    Column("process", Id, primary_key=True),
    Column("checkpoint", String(32), primary_key=True, index=True),
    Column("seen_at", Instant, nullable=False, index=True),
    Column("polling", Boolean, nullable=False, server_default=false()),  # it has no stream, but polls
)

contact = Table(
    "checkpoint_contact",
    metadata,
    Column("checkpoint", String(32), primary_key=True),
    Column("seen_at", Instant, nullable=False),  # when a process last knew it to be connected
    Column("missed_at", Instant),  # when the duty officers were notified that it is silent
)
