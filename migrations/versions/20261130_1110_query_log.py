"""Batches of the query log, and the records of the ledger that seal them."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import CHECKS, REGISTER
from app.db.types import Id, Instant

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    parts = op.get_context().config.attributes["parts"]
    if CHECKS in parts:
        op.create_table(
            "log_batch",
            sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("at", Instant, nullable=False),
            sa.Column("lines", sa.Text(), nullable=False),
            sa.Column("root", sa.LargeBinary(32), nullable=False),
            sa.Column("first_check", Id, nullable=True),
            sa.Column("reached_check", Id, nullable=False),
            sa.Column("reached_act", Id, nullable=False),
            sa.Column("reached_receipt", Instant, nullable=False),
            sa.Column("reached_version", Instant, nullable=False),
            sa.Column("salt", sa.LargeBinary(32), nullable=True),
            sa.Column("commitments", sa.LargeBinary(), nullable=True),
            sa.PrimaryKeyConstraint("number", name=op.f("pk_log_batch")),
        )
        op.create_index(op.f("ix_log_batch_first_check"), "log_batch", ["first_check"])
    if REGISTER in parts:
        op.create_table(
            "log_seal",
            sa.Column("batch", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("sequence", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("batch", name=op.f("pk_log_seal")),
        )
        for table in ("alert_receipt", "entry_version"):
            op.create_index(op.f(f"ix_{table}_at"), table, ["at"])
            for name in ("salt", "commitment"):
                op.add_column(table, sa.Column(name, sa.LargeBinary(32), nullable=True))


def downgrade() -> None:
    parts = op.get_context().config.attributes["parts"]
    if REGISTER in parts:
        for table in ("entry_version", "alert_receipt"):
            for name in ("commitment", "salt"):
                op.drop_column(table, name)
            op.drop_index(op.f(f"ix_{table}_at"), table)
        op.drop_table("log_seal")
    if CHECKS in parts:
        op.drop_table("log_batch")
