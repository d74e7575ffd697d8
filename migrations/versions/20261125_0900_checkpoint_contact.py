"""When each checkpoint was last connected to any process, and since when its silence is known."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Instant

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_table(
        "checkpoint_contact",
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("missed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("checkpoint", name=op.f("pk_checkpoint_contact")),
    )


def downgrade() -> None:
    if REGISTER in op.get_context().config.attributes["parts"]:
        op.drop_table("checkpoint_contact")
