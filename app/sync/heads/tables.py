"""Tables of signed heads, origins and public keys. Private keys are files, never rows."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from app.db.types import Instant, metadata

log_name = Table(
    "log_name",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("name", String(100), nullable=False),
)

log_origin = Table(
    "log_origin",
    metadata,
    Column("epoch", String(32), primary_key=True),
    Column("name", String(160), nullable=False),
    Column("used_from", Instant, nullable=False),
)

signing_key = Table(
    "signing_key",
    metadata,
    Column("fingerprint", String(64), primary_key=True),  # SHA-256 of kind and public key, in hexadecimal
    Column("kind", Integer, nullable=False),
    Column("public", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("retires_at", Instant),
)

signed_head = Table(
    "signed_head",
    metadata,
    Column("epoch", String(32), primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("signed_at", Instant, nullable=False, index=True),
    Column("note", Text, nullable=False),
)
