"""Name keys of imports in sorted runs: their table begins with the number of the run. An index of formal entries."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    _made_anew(sa.Column("run", sa.BigInteger(), autoincrement=False, nullable=False))
    formal = sa.text("formalises IS NOT NULL")
    op.create_index(
        "ix_entry_formal_state_in_force_from",
        "entry",
        ["state", "in_force_from"],
        sqlite_where=formal,
        postgresql_where=formal,
    )


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.drop_index("ix_entry_formal_state_in_force_from", "entry")
    _made_anew()


def _made_anew(*first: sa.Column[int]) -> None:
    """Move what an interrupted import left into the index, and make the table anew with these columns before others."""
    op.execute(
        "INSERT INTO name_key (key, entry_id) SELECT key, entry_id FROM recent_name_key ORDER BY key, entry_id"
    )
    op.drop_table("recent_name_key")
    op.create_table(
        "recent_name_key",
        *first,
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", Id, nullable=False),
        sa.PrimaryKeyConstraint(
            *(column.name for column in first), "key", "entry_id", name=op.f("pk_recent_name_key")
        ),
        sqlite_with_rowid=False,
    )
