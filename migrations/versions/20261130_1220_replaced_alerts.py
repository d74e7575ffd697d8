"""When an alert was replaced by a later one of its family, and when an endpoint of webhooks was deleted."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Instant

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.add_column(sa.Column("replaced_at", Instant(), nullable=True))
    op.execute(
        "UPDATE alert SET replaced_at = (SELECT min(later.issued_at) FROM alert AS later"
        " WHERE later.family = alert.family AND later.id > alert.id)"
        " WHERE EXISTS (SELECT 1 FROM alert AS later WHERE later.family = alert.family AND later.id > alert.id)"
    )
    with op.batch_alter_table("webhook_endpoint", schema=None) as batch_op:
        batch_op.add_column(sa.Column("deleted_at", Instant(), nullable=True))


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.execute(
        "DELETE FROM webhook_attempt WHERE delivery_id IN (SELECT webhook_delivery.id FROM webhook_delivery"
        " JOIN webhook_endpoint ON webhook_endpoint.id = endpoint_id WHERE deleted_at IS NOT NULL)"
    )
    op.execute(
        "DELETE FROM webhook_delivery WHERE endpoint_id IN"
        " (SELECT id FROM webhook_endpoint WHERE deleted_at IS NOT NULL)"
    )
    op.execute("DELETE FROM webhook_endpoint WHERE deleted_at IS NOT NULL")
    with op.batch_alter_table("webhook_endpoint", schema=None) as batch_op:
        batch_op.drop_column("deleted_at")
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_column("replaced_at")
