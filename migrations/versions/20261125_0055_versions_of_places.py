"""Agencies and checkpoints get versions, so that an admin changes only what they have read."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("agency", "checkpoint")


def upgrade() -> None:
    if REGISTER in op.get_context().config.attributes["parts"]:
        for table in TABLES:
            version = sa.Column("version", sa.Integer(), nullable=False, server_default="1")
            op.add_column(table, version)


def downgrade() -> None:
    if REGISTER in op.get_context().config.attributes["parts"]:
        for table in TABLES:
            op.drop_column(table, "version")
