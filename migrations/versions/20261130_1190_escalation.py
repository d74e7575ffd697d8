"""Escalation policies of checkpoints, chased alerts, pages to people, and daily drills; presence notes who polls.

Alerts issued before count as chased: an upgrade pages nobody about the past.
"""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


_INDEXES = {
    "alert_receipt": ["alert_id", "checkpoint"],
    "presence": ["checkpoint"],
    "client": ["checkpoint"],
}
"""Indexes of tables that exist, for what escalation asks each second."""


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_table(
        "escalation_policy",
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkpoint"], ["checkpoint.code"], name=op.f("fk_escalation_policy_checkpoint")
        ),
        sa.PrimaryKeyConstraint("checkpoint", name=op.f("pk_escalation_policy")),
    )
    op.create_table(
        "alert_chase",
        sa.Column("alert_id", Id, nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_chase_alert_id")),
        sa.PrimaryKeyConstraint("alert_id", "checkpoint", name=op.f("pk_alert_chase")),
    )
    with op.batch_alter_table("alert_chase", schema=None) as batch_op:
        batch_op.create_index("ix_alert_chase_due_at", ["due_at"], unique=False)

    op.create_table(
        "chased_alert",
        sa.Column("alert_id", Id, nullable=False),
        sa.Column("receipts_judged_at", Instant(), nullable=True),
        sa.Column("acknowledgements_judged_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_chased_alert_alert_id")),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_chased_alert")),
    )
    op.execute(
        "INSERT INTO chased_alert (alert_id, receipts_judged_at, acknowledgements_judged_at) "
        "SELECT id, issued_at, issued_at FROM alert"
    )
    op.create_table(
        "daily_drill",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("alert_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_daily_drill_alert_id")),
        sa.PrimaryKeyConstraint("day", "checkpoint", name=op.f("pk_daily_drill")),
    )
    with op.batch_alter_table("daily_drill", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_daily_drill_alert_id"), ["alert_id"], unique=False)

    op.create_table(
        "escalation_page",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("alert_id", Id, nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("done_at", Instant(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("ms", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_escalation_page_alert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_page")),
    )
    with op.batch_alter_table("escalation_page", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_escalation_page_alert_id"), ["alert_id"], unique=False)
        batch_op.create_index(
            "ix_escalation_page_created_at",
            ["created_at"],
            unique=False,
            sqlite_where=sa.text("address IS NOT NULL OR detail IS NOT NULL"),
            postgresql_where=sa.text("address IS NOT NULL OR detail IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_escalation_page_due_at"), ["due_at"], unique=False)

    for table, columns in _INDEXES.items():
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)
    op.create_index(
        "ix_chased_alert_unjudged",
        "chased_alert",
        ["alert_id"],
        sqlite_where=sa.text("acknowledgements_judged_at IS NULL"),
        postgresql_where=sa.text("acknowledgements_judged_at IS NULL"),
    )
    with op.batch_alter_table("presence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("polling", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    with op.batch_alter_table("presence", schema=None) as batch_op:
        batch_op.drop_column("polling")

    for table, columns in _INDEXES.items():
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table)
    op.drop_index("ix_chased_alert_unjudged", "chased_alert")

    with op.batch_alter_table("escalation_page", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_escalation_page_due_at"))
        batch_op.drop_index("ix_escalation_page_created_at")
        batch_op.drop_index(batch_op.f("ix_escalation_page_alert_id"))

    op.drop_table("escalation_page")
    with op.batch_alter_table("daily_drill", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_daily_drill_alert_id"))

    op.drop_table("daily_drill")
    op.drop_table("chased_alert")
    with op.batch_alter_table("alert_chase", schema=None) as batch_op:
        batch_op.drop_index("ix_alert_chase_due_at")

    op.drop_table("alert_chase")
    op.drop_table("escalation_policy")
