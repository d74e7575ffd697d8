"""Tables of checks. They grow without limit, so they have no foreign keys, and monthly partitions on PostgreSQL."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, false

from app.db.types import Id, Instant, checks_metadata

check = Table(
    "check_record",
    checks_metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("client_id", Id, nullable=False),
    Column("checkpoint", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("direction", String(8), nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("hit_id", Id),
    Column("sequence", BigInteger, nullable=False),  # ledger size at the answer
    Column("question", Text),  # the question as JSON; erased after its retention period
    Column("document_hash", LargeBinary(32)),  # keyed hash of the first document's number, or else of the NIK
    Column("matches", Text),  # JSON; None when nothing was found
    Column("clearances", Text),  # JSON list of ids of clearances that removed matches; None without any
    Column("noted", Text),  # JSON list of entries with similar names that stop nobody; None without any
    Column("truncated", Boolean, nullable=False, server_default=false()),  # not all candidates were compared
    Column("journey_key", String(32)),  # keyed hash of a manifest's journey and document; None at the border
    Column("stale", Boolean, nullable=False, server_default=false()),  # the register was rolled back
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (id)",
)
Index("ix_check_record_document_hash", check.c.document_hash, check.c.id)
Index(
    "ix_check_record_hits",
    check.c.id,
    sqlite_where=check.c.hit_id.is_not(None),
    postgresql_where=check.c.hit_id.is_not(None),
)

opened_hit = Table(
    "check_opened_hit",
    checks_metadata,
    Column("check_id", Id, primary_key=True),
    Column("hit_id", Id, nullable=False),  # deleted when the register has the hit
    sqlite_with_rowid=False,
)
journey_hit = Table(
    "check_journey_hit",
    checks_metadata,
    Column("claim", String(32), primary_key=True),  # hash of a journey's key and of what the hit is about
    Column("hit_id", Id, nullable=False),
    sqlite_with_rowid=False,
)
"""Hits that checks of passengers on manifests have opened.

If two processes open the same hit at once, the primary key accepts only the first.
"""

_OPENED = check.c.hit_id.is_not(None) & check.c.journey_key.is_not(None)
Index(
    "ix_check_record_journey_key",
    check.c.journey_key,
    check.c.hit_id,
    check.c.id,
    sqlite_where=_OPENED,
    postgresql_where=_OPENED,
)

match = Table(
    "check_match",
    checks_metadata,
    Column("entry_id", Id, primary_key=True),
    Column("check_id", Id, primary_key=True),
    Column("entry_version", Integer, nullable=False),
    Column("agency", String(32), nullable=False),
    Column("checkpoint", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("direction", String(8), nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("sighting", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_check_match_agency", match.c.agency, match.c.check_id)
Index("ix_check_match_checkpoint", match.c.entry_id, match.c.checkpoint, match.c.at)

ageing = Table(
    "check_ageing",
    checks_metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("erased_before", Id, nullable=False),  # the questions of older checks are erased
)
