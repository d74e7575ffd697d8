"""Tables of the query log: its batches, stored beside the checks, and the ledger records that seal them."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from app.db.types import Id, Instant, checks_metadata, metadata

batch = Table(
    "log_batch",
    checks_metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("lines", Text, nullable=False),  # of each line the id and the first digits of its hash
    Column("root", LargeBinary(32), nullable=False),
    Column("first_check", Id, index=True),
    Column("reached_check", Id, nullable=False),
    Column("reached_act", Id, nullable=False),
    Column("reached_receipt", Instant, nullable=False),
    Column("reached_version", Instant, nullable=False),
    Column("salt", LargeBinary(32)),  # erased with the first question of its checks
    Column("commitments", LargeBinary),  # stored when the salt is erased
)

seal = Table(
    "log_seal",
    metadata,
    Column("batch", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),  # the ledger's record
)
