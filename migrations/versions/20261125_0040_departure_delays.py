"""Delayed departures: the events, who was delayed, and by what a sponsor is found again."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant, Key

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_table(
        "departure_delay",
        sa.Column("id", Id, nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("destination", sa.String(length=3), nullable=True),
        sa.Column("referral", sa.String(length=32), nullable=False),
        sa.Column("group_reference", sa.Text(), nullable=True),
        sa.Column("sponsor", sa.Text(), nullable=True),
        sa.Column("recorded_by", Id, nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("purged_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["checkpoint"], ["checkpoint.code"], name=op.f("fk_departure_delay_checkpoint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departure_delay")),
    )
    op.create_index("ix_departure_delay_occurred_at", "departure_delay", ["occurred_at", "id"])
    op.create_index("ix_departure_delay_checkpoint", "departure_delay", ["checkpoint", "id"])
    op.create_table(
        "departure_delay_traveller",
        sa.Column("delay_id", Id, nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delay_id"], ["departure_delay.id"], name=op.f("fk_departure_delay_traveller_delay_id")
        ),
        sa.PrimaryKeyConstraint("delay_id", name=op.f("pk_departure_delay_traveller")),
    )
    op.create_index(
        op.f("ix_departure_delay_traveller_occurred_at"), "departure_delay_traveller", ["occurred_at"]
    )
    op.create_table(
        "departure_delay_sponsor",
        sa.Column("key", Key, nullable=False),
        sa.Column("delay_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["delay_id"], ["departure_delay.id"], name=op.f("fk_departure_delay_sponsor_delay_id")
        ),
        sa.PrimaryKeyConstraint("key", "delay_id", name=op.f("pk_departure_delay_sponsor")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_departure_delay_sponsor_delay_id", "departure_delay_sponsor", ["delay_id"])


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    for table in ("departure_delay_sponsor", "departure_delay_traveller", "departure_delay"):
        op.drop_table(table)
