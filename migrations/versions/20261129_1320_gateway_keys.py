"""Keys behind which many listen."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.add_column("client_key", sa.Column("gateway", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.drop_column("client_key", "gateway")
