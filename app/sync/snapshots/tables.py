"""Tables of sealed digests, and of an admin's order. Snapshots themselves are files of each machine."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table

from app.db.types import Instant, metadata

sealed_digest = Table(
    "sealed_digest",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("seal", BigInteger, nullable=False, unique=True),  # the sequence of the record that seals it
    Column("entries", BigInteger, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("buckets", LargeBinary(256 * 32), nullable=False),  # their roots, one behind the other
    Column("sealed_at", Instant, nullable=False),
)

snapshot_order = Table(
    "snapshot_order",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1; there is no row where nothing is ordered
    Column("ordered_at", Instant, nullable=False),
)
