"""Name keys without a second index: each entry's are listed beside it; an import's wait until they are put in order."""

import struct
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_AT_ONCE: Final = 2000
"""Entries whose keys are listed with one statement."""


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_table(
        "recent_name_key",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("key", "entry_id", name=op.f("pk_recent_name_key")),
        sqlite_with_rowid=False,
    )
    listed = op.create_table(
        "name_key_set",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_name_key_set_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_name_key_set")),
        sqlite_with_rowid=False,
    )
    for rows in _listed(op.get_bind()):
        op.bulk_insert(listed, rows)
    op.drop_index("ix_name_key_entry_id", "name_key")


def _listed(connection: sa.Connection) -> Iterator[list[dict[str, object]]]:
    """Rows of `name_key_set`, some at a time, in the order of the entries' ids."""
    key = sa.table("name_key", sa.column("entry_id", Id), sa.column("key", sa.BigInteger()))
    after = ""
    while True:
        some = (
            sa.select(key.c.entry_id)
            .where(key.c.entry_id > after)
            .distinct()
            .order_by(key.c.entry_id)
            .limit(_AT_ONCE)
        )
        ids = list(connection.execute(some).scalars())
        if not ids:
            return
        between = (key.c.entry_id > after, key.c.entry_id <= ids[-1])
        found = connection.execute(
            sa.select(key.c.entry_id, key.c.key).where(*between).order_by(key.c.entry_id)
        )
        rows: list[dict[str, object]] = []
        for entry_id, group in groupby(found.all(), key=itemgetter(0)):
            keys = [each for _, each in group]
            rows.append({"entry_id": entry_id, "packed": struct.pack(f">{len(keys)}q", *keys)})
        yield rows
        after = ids[-1]


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.execute("INSERT INTO name_key (key, entry_id) SELECT key, entry_id FROM recent_name_key")
    op.create_index("ix_name_key_entry_id", "name_key", ["entry_id"])
    for table in ("name_key_set", "recent_name_key"):
        op.drop_table(table)
