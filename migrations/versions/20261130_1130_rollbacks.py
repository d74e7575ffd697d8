"""Notes of a register that was rolled back, and which checks were answered on it."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import CHECKS, REGISTER
from app.db.types import Instant

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    parts = op.get_context().config.attributes["parts"]
    if CHECKS in parts:
        op.add_column(
            "check_record", sa.Column("stale", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    if REGISTER in parts:
        op.create_table(
            "ledger_rollback",
            sa.Column("epoch", sa.String(32), nullable=False),
            sa.Column("origin", sa.String(160), nullable=False),
            sa.Column("size", sa.BigInteger(), nullable=False),
            sa.Column("found", sa.BigInteger(), nullable=False),
            sa.Column("noticed_at", Instant, nullable=False),
            sa.PrimaryKeyConstraint("epoch", name=op.f("pk_ledger_rollback")),
        )


def downgrade() -> None:
    parts = op.get_context().config.attributes["parts"]
    if REGISTER in parts:
        op.drop_table("ledger_rollback")
    if CHECKS in parts:
        op.drop_column("check_record", "stale")
