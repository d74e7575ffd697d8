"""The signed head that each letter's code shows."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_table(
        "letter_head",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_letter_head")),
    )


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.drop_table("letter_head")
