"""Hits wait in a queue until they are taken up; acceptances of the clock."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import CHECKS, REGISTER
from app.db.types import Id, Instant

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_FILL = """
    INSERT INTO check_opened_hit (check_id, hit_id)
    SELECT c.id, c.hit_id FROM check_record AS c WHERE c.hit_id IS NOT NULL
"""
_UNKNOWN = "AND NOT EXISTS (SELECT 1 FROM hit WHERE hit.id = c.hit_id)"


def upgrade() -> None:
    parts = op.get_context().config.attributes["parts"]
    if CHECKS in parts:
        op.create_table(
            "check_opened_hit",
            sa.Column("check_id", Id, nullable=False),
            sa.Column("hit_id", Id, nullable=False),
            sa.PrimaryKeyConstraint("check_id", name=op.f("pk_check_opened_hit")),
            sqlite_with_rowid=False,
        )
        # Every hit that is not known: also those that a clock which ran ahead had kept from being taken up. Where the
        # register is another file, each is looked for there when the queue is first read.
        op.execute(_FILL + _UNKNOWN if REGISTER in parts else _FILL)
    if REGISTER in parts:
        op.drop_table("hit_mark")
        op.create_table(
            "clock_acceptance",
            sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("at", Instant(), nullable=False),
            sa.PrimaryKeyConstraint("number", name=op.f("pk_clock_acceptance")),
        )


def downgrade() -> None:
    parts = op.get_context().config.attributes["parts"]
    if REGISTER in parts:
        op.drop_table("clock_acceptance")
        op.create_table(
            "hit_mark",
            sa.Column("id", sa.Integer(), nullable=False),
            sa.Column("read_until", Id, nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_hit_mark")),
        )
    if CHECKS in parts:
        op.drop_table("check_opened_hit")
