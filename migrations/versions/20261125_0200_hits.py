"""Hits and clearances: what supervisors resolve, and who is not the listed person; checks name clearances."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import CHECKS, REGISTER
from app.db.types import Id, Instant, Key

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    parts = op.get_context().config.attributes["parts"]
    if CHECKS in parts:
        op.add_column("check_record", sa.Column("clearances", sa.Text(), nullable=True))
        opened = sa.text("hit_id IS NOT NULL")
        op.create_index(
            "ix_check_record_hits", "check_record", ["id"], sqlite_where=opened, postgresql_where=opened
        )
    if REGISTER in parts:
        _hits()
        _clearances()


def downgrade() -> None:
    parts = op.get_context().config.attributes["parts"]
    if REGISTER in parts:
        for table in ("clearance", "hit_mark", "hit"):
            op.drop_table(table)
    if CHECKS in parts:
        op.drop_index("ix_check_record_hits", "check_record")
        op.drop_column("check_record", "clearances")


def _hits() -> None:
    op.create_table(
        "hit",
        sa.Column("id", Id, nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("remind_at", Instant(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hit")),
    )
    op.create_index("ix_hit_checkpoint", "hit", ["checkpoint", "id"])
    op.create_index("ix_hit_checkpoint_state", "hit", ["checkpoint", "state", "id"])
    op.create_index("ix_hit_state", "hit", ["state", "id"])
    waits = sa.text("remind_at IS NOT NULL")
    op.create_index("ix_hit_remind_at", "hit", ["remind_at"], sqlite_where=waits, postgresql_where=waits)
    op.create_table(
        "hit_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("read_until", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hit_mark")),
    )


def _clearances() -> None:
    op.create_table(
        "clearance",
        sa.Column("id", Id, nullable=False),
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("entry_version", sa.Integer(), nullable=False),
        sa.Column("number", Key, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("agency", sa.String(length=32), nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_clearance_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearance")),
    )
    op.create_index("ix_clearance_entry_id", "clearance", ["entry_id", "number"])
    op.create_index("ix_clearance_agency", "clearance", ["agency", "id"])
    op.create_index("ix_clearance_checkpoint", "clearance", ["checkpoint", "id"])
    op.create_index("ix_clearance_state", "clearance", ["state", "id"])
