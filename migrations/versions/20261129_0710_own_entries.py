"""Persons whom an entry may be about: they see nothing of it, whatever their roles."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.add_column("entry_seal", sa.Column("barred", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_entry_seal_barred",
        "entry_seal",
        ["person"],
        sqlite_where=sa.text("barred = 1"),
        postgresql_where=sa.text("barred"),
    )
    op.create_table(
        "ledger_barred",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "person", name=op.f("pk_ledger_barred")),
    )


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.drop_table("ledger_barred")
    op.drop_index("ix_entry_seal_barred", table_name="entry_seal")
    op.execute("DELETE FROM entry_seal WHERE barred")
    op.drop_column("entry_seal", "barred")
