"""Look-backs: how far past checks are searched for the subjects of urgent entries."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_table(
        "lookback",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("came_at", Instant(), nullable=False),
        sa.Column("first", Id, nullable=False),
        sa.Column("before", Id, nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_lookback_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_lookback")),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index("ix_lookback_due_at", "lookback", ["due_at"], sqlite_where=due, postgresql_where=due)


def downgrade() -> None:
    if REGISTER in op.get_context().config.attributes["parts"]:
        op.drop_table("lookback")
