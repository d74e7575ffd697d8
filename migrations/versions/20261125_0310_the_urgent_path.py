"""What an urgent entry need not wait for: keys that its own statement draws from a table, and compressing pictures."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TARGETS = {"family": ("alert", "id"), "checkpoint": ("checkpoint", "code")}


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    with op.batch_alter_table("alert_recipient") as table:
        for column in _TARGETS:
            table.drop_constraint(f"fk_alert_recipient_{column}", type_="foreignkey")
    _store_bytes("EXTERNAL")


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    _store_bytes("EXTENDED")
    with op.batch_alter_table("alert_recipient") as table:
        for column, (target, its) in _TARGETS.items():
            table.create_foreign_key(f"fk_alert_recipient_{column}", target, [column], [its])


def _store_bytes(how: str) -> None:
    """JPEG, PNG and PDF are compressed already; PostgreSQL tries for milliseconds, and gives up."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text(f"ALTER TABLE blob ALTER COLUMN bytes SET STORAGE {how}"))
