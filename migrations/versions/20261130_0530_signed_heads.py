"""Signed heads of the ledger, the register's name, and the public keys that sign."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Instant

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_table(
        "log_name",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_name")),
    )
    op.create_table(
        "log_origin",
        sa.Column("epoch", sa.String(32), nullable=False),
        sa.Column("name", sa.String(160), nullable=False),
        sa.Column("used_from", Instant, nullable=False),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_log_origin")),
    )
    op.create_table(
        "signing_key",
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", Instant, nullable=False),
        sa.Column("retires_at", Instant, nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_signing_key")),
    )
    op.create_table(
        "signed_head",
        sa.Column("epoch", sa.String(32), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("signed_at", Instant, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "size", name=op.f("pk_signed_head")),
    )
    op.create_index(op.f("ix_signed_head_signed_at"), "signed_head", ["signed_at"])


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    for table in ("signed_head", "signing_key", "log_origin", "log_name"):
        op.drop_table(table)
