"""Names in checks: days of birth with sketches of names; what was noted about a check without stopping anybody."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import CHECKS, REGISTER
from app.db.types import Id

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    parts = op.get_context().config.attributes["parts"]
    if CHECKS in parts:
        op.add_column("check_record", sa.Column("noted", sa.Text(), nullable=True))
        op.add_column(
            "check_record", sa.Column("truncated", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    if REGISTER in parts:
        op.create_table(
            "birth_key",
            sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("sketch", sa.LargeBinary(16), nullable=False),
            sa.Column("entry_id", Id, nullable=False),
            sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_birth_key_entry_id")),
            sa.PrimaryKeyConstraint("day", "sketch", "entry_id", name=op.f("pk_birth_key")),
            sqlite_with_rowid=False,
        )
        op.create_index(op.f("ix_birth_key_entry_id"), "birth_key", ["entry_id"])


def downgrade() -> None:
    parts = op.get_context().config.attributes["parts"]
    if REGISTER in parts:
        op.drop_table("birth_key")
    if CHECKS in parts:
        op.drop_column("check_record", "truncated")
        op.drop_column("check_record", "noted")
