"""Tables of witnesses: what each cosigned last or why it failed, and their cosignatures."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from app.db.types import Instant, metadata

log_witness = Table(
    "log_witness",
    metadata,
    Column("url", String(500), primary_key=True),
    Column("epoch", String(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("head_signed_at", Instant),
    Column("cosigned_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("failing_since", Instant),
    Column("failure", String(200), nullable=False),
    Column("retry_at", Instant),
    Column("claimed_until", Instant),  # by the process that pushes to it now
)

cosignature = Table(
    "cosignature",
    metadata,
    Column("epoch", String(32), primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("fingerprint", String(64), primary_key=True),  # SHA-256 of the vkey, in hexadecimal
    Column("name", String(255), nullable=False),
    Column("vkey", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("signed_at", Instant, nullable=False),
)
