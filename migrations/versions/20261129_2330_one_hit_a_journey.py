"""The hits of passengers by their claim, so that two processes never open two for one document on a journey.

Those of before need no row: whoever asks about their document again finds them by the journey's key.
"""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import CHECKS
from app.db.types import Id

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if CHECKS in op.get_context().config.attributes["parts"]:
        op.create_table(
            "check_journey_hit",
            sa.Column("claim", sa.String(32), nullable=False),
            sa.Column("hit_id", Id, nullable=False),
            sa.PrimaryKeyConstraint("claim", name=op.f("pk_check_journey_hit")),
            sqlite_with_rowid=False,
        )


def downgrade() -> None:
    if CHECKS in op.get_context().config.attributes["parts"]:
        op.drop_table("check_journey_hit")
