"""Witnesses of the register's log, what each did last, and their cosignatures."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Instant

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_table(
        "log_witness",
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("epoch", sa.String(32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("head_signed_at", Instant, nullable=True),
        sa.Column("cosigned_at", Instant, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", Instant, nullable=True),
        sa.Column("failure", sa.String(200), nullable=False),
        sa.Column("retry_at", Instant, nullable=True),
        sa.Column("claimed_until", Instant, nullable=True),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_log_witness")),
    )
    op.create_table(
        "cosignature",
        sa.Column("epoch", sa.String(32), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("vkey", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("epoch", "size", "fingerprint", name=op.f("pk_cosignature")),
    )


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    for table in ("cosignature", "log_witness"):
        op.drop_table(table)
