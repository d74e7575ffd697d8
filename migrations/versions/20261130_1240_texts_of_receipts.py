"""An index of the receipts that have a note or an officer reference, so that those of drills are erased in time."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

_TEXTS = sa.text("officer_reference IS NOT NULL OR note IS NOT NULL")


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_index(
        "ix_alert_receipt_texts",
        "alert_receipt",
        ["alert_id"],
        sqlite_where=_TEXTS,
        postgresql_where=_TEXTS,
    )


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.drop_index("ix_alert_receipt_texts", table_name="alert_receipt")
