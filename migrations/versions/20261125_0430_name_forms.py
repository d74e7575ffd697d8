"""Subjects made ready to be compared, beside their entries; the worker makes those of older entries."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_table(
        "name_form",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("form", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_name_form_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_name_form")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    if REGISTER in op.get_context().config.attributes["parts"]:
        op.drop_table("name_form")
