"""The search for old delayed departures finds also those without a sponsor whose group reference is to be erased."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_INDEX = "ix_departure_delay_sponsored"
_TABLE = "departure_delay"


def upgrade() -> None:
    _create("sponsor IS NOT NULL OR group_reference IS NOT NULL")


def downgrade() -> None:
    _create("sponsor IS NOT NULL")


def _create(condition: str) -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.drop_index(_INDEX, _TABLE)
    there = sa.text(condition)
    op.create_index(_INDEX, _TABLE, ["occurred_at"], sqlite_where=there, postgresql_where=there)
