"""Until when papers that arrived in time are waited for after a measure's end."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Instant

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.add_column("entry", sa.Column("pending_until", Instant(), nullable=True))
    there = sa.text("pending_until IS NOT NULL")
    op.create_index(
        "ix_entry_pending_until", "entry", ["pending_until"], sqlite_where=there, postgresql_where=there
    )


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.drop_index("ix_entry_pending_until", table_name="entry")
    op.drop_column("entry", "pending_until")
