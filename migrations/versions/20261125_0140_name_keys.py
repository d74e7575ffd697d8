"""Name keys: what entries are found by however their names are spelled; the worker makes those of older entries."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.add_column("entry", sa.Column("norm_version", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_entry_norm_version", "entry", ["norm_version"])
    op.create_table(
        "name_key",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_name_key_entry_id")),
        sa.PrimaryKeyConstraint("key", "entry_id", name=op.f("pk_name_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_name_key_entry_id"), "name_key", ["entry_id"])


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.drop_table("name_key")
    op.drop_index("ix_entry_norm_version", "entry")
    op.drop_column("entry", "norm_version")
