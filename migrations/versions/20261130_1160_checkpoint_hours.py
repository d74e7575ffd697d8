"""Opening hours of checkpoints, and their planned closures."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    checkpoint = {"columns": ["checkpoint"], "refcolumns": ["checkpoint.code"]}
    op.create_table(
        "checkpoint_hours",
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("weekly", sa.Text(), nullable=False),
        sa.Column("exceptions", sa.Text(), nullable=False),
        sa.Column("closed_on_holidays", sa.Boolean(), nullable=False),
        sa.Column("standby", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(**checkpoint, name=op.f("fk_checkpoint_hours_checkpoint")),
        sa.PrimaryKeyConstraint("checkpoint", name=op.f("pk_checkpoint_hours")),
    )
    op.create_table(
        "checkpoint_closure",
        sa.Column("id", Id, nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("begins_at", Instant, nullable=False),
        sa.Column("ends_at", Instant, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(**checkpoint, name=op.f("fk_checkpoint_closure_checkpoint")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoint_closure")),
    )
    op.create_index("ix_checkpoint_closure_ends", "checkpoint_closure", ["checkpoint", "ends_at"])


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    for table in ("checkpoint_closure", "checkpoint_hours"):
        op.drop_table(table)
