"""Checks of passengers by their journey and document, so that each of them has one hit there."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import CHECKS

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if CHECKS not in op.get_context().config.attributes["parts"]:
        return
    op.add_column("check_record", sa.Column("journey_key", sa.String(32)))
    opened = sa.text("hit_id IS NOT NULL AND journey_key IS NOT NULL")
    op.create_index(
        "ix_check_record_journey_key",
        "check_record",
        ["journey_key", "hit_id", "id"],
        sqlite_where=opened,
        postgresql_where=opened,
    )


def downgrade() -> None:
    if CHECKS not in op.get_context().config.attributes["parts"]:
        return
    op.drop_index("ix_check_record_journey_key", "check_record")
    op.drop_column("check_record", "journey_key")
