"""Tables of manifests. The columns are for queries; the whole manifest or passenger is stored in `document`."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from app.db.types import Id, Instant, Key, metadata

manifest = Table(
    "manifest",
    metadata,
    Column("id", Id, primary_key=True),
    Column("client_id", Id, nullable=False),
    Column("number", Integer, nullable=False),  # number of the last change of an answer
    Column("sequence", BigInteger, nullable=False),  # ledger size up to which its answers are current
    Column("asked_at", Instant, nullable=False),  # instant up to which they are current
    Column("watched_until", Instant, nullable=False),
    Column("closed_at", Instant),  # when the watch ended
    Column("document", Text, nullable=False),  # the manifest without the above, JSON
)
Index(
    "ix_manifest_watched_until",
    manifest.c.watched_until,
    sqlite_where=manifest.c.closed_at.is_(None),
    postgresql_where=manifest.c.closed_at.is_(None),
)
Index("ix_manifest_closed_at", manifest.c.closed_at)

item = Table(
    "manifest_item",
    metadata,
    Column("manifest_id", ForeignKey("manifest.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),  # number of the change that made this state
    Column("document", Text, nullable=False),  # the item, JSON
    sqlite_with_rowid=False,
)
Index("ix_manifest_item_number", item.c.manifest_id, item.c.number)

key = Table(
    "manifest_key",
    metadata,
    Column("key", Key, primary_key=True),
    Column("manifest_id", Id, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
Index("ix_manifest_key_manifest_id", key.c.manifest_id)

name_key = Table(
    "manifest_name_key",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("manifest_id", Id, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
Index("ix_manifest_name_key_manifest_id", name_key.c.manifest_id)
