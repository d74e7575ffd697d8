"""Digests that are sealed into the ledger, orders of snapshots, and which personal parts are shown no more."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

OF_CLEARANCES = sa.text("type IN ('clearance.granted', 'clearance.ended')")


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_table(
        "sealed_digest",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("buckets", sa.LargeBinary(length=8192), nullable=False),
        sa.Column("sealed_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_sealed_digest")),
        sa.UniqueConstraint("seal", name=op.f("uq_sealed_digest_seal")),
    )
    op.create_table(
        "snapshot_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ordered_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot_order")),
    )
    op.create_table(
        "ledger_withdrawn",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("cause", sa.String(length=8), nullable=False),
        sa.Column("listed_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "cause", name=op.f("pk_ledger_withdrawn")),
    )
    op.create_index(op.f("ix_ledger_withdrawn_listed_until"), "ledger_withdrawn", ["listed_until"])
    op.create_index(
        "ix_ledger_record_clearances",
        "ledger_record",
        ["entry_id", "sequence"],
        sqlite_where=OF_CLEARANCES,
        postgresql_where=OF_CLEARANCES,
    )


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.drop_index("ix_ledger_record_clearances", "ledger_record")
    for table in ("ledger_withdrawn", "snapshot_order", "sealed_digest"):
        op.drop_table(table)
