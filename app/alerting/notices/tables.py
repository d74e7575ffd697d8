"""Tables of notices: the notices, their addresses, and the last day for which a round has written all of them."""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, String, Table, Text

from app.db.types import Id, Instant, Key, metadata

notice = Table(
    "notice",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Id, nullable=False, unique=True),
    Column("name", String(32), nullable=False),
    Column("key", Key, nullable=False, unique=True),  # identifies the reported fact: one notice for each
    Column("at", Instant, nullable=False, index=True),
    Column("effective_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("entry_id", ForeignKey("entry.id"), index=True),
    Column("alert_id", Id),
    Column("request_id", Id),
    Column("agency", String(32)),
    Column("to", Text, nullable=False),  # JSON list of addresses
    Column("detail", Text, nullable=False),  # JSON: codes, dates and numbers, no personal data
)

address = Table(
    "notice_address",
    metadata,
    Column("address", Key, primary_key=True),
    Column("number", ForeignKey("notice.number"), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

finished_round = Table(
    "notice_mark",
    metadata,
    Column("name", String(32), primary_key=True),
    Column(
        "written_until", Date, nullable=False
    ),  # last legal day with all its notices written; only saves searching again
)
