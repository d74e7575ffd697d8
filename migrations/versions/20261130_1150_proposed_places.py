"""The place that a pending change proposes is in a column `proposed`, which was `wanted`."""

from alembic import op

from app.db.migrate import REGISTER

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER in op.get_context().config.attributes["parts"]:
        op.execute("ALTER TABLE pending_change RENAME COLUMN wanted TO proposed")


def downgrade() -> None:
    if REGISTER in op.get_context().config.attributes["parts"]:
        op.execute("ALTER TABLE pending_change RENAME COLUMN proposed TO wanted")
