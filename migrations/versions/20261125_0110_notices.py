"""Notices: what officers were told; and by when a decision is to reach the person, as a column to look for."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant, Key

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DELIVER_BY = {
    "sqlite": """
        UPDATE entry SET deliver_by = date(json_extract(document, '$.basis.issued_on'), '+7 days')
        WHERE NOT urgent AND json_extract(document, '$.submitted_by') <> 'system'
    """,
    "postgresql": """
        UPDATE entry SET deliver_by = (document::jsonb #>> '{basis,issued_on}')::date + 7
        WHERE NOT urgent AND document::jsonb ->> 'submitted_by' <> 'system'
    """,
}


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.add_column("entry", sa.Column("deliver_by", sa.Date(), nullable=True))
    op.execute(_DELIVER_BY[op.get_bind().dialect.name])
    op.create_index("ix_entry_state_deliver_by", "entry", ["state", "deliver_by"])
    op.create_table(
        "notice",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("effective_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("entry_id", Id, nullable=True),
        sa.Column("alert_id", Id, nullable=True),
        sa.Column("agency", sa.String(length=32), nullable=True),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_notice_entry_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_notice")),
        sa.UniqueConstraint("id", name=op.f("uq_notice_id")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")),
    )
    op.create_index(op.f("ix_notice_at"), "notice", ["at"])
    op.create_index(op.f("ix_notice_entry_id"), "notice", ["entry_id"])
    op.create_table(
        "notice_address",
        sa.Column("address", Key, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["number"], ["notice.number"], name=op.f("fk_notice_address_number")),
        sa.PrimaryKeyConstraint("address", "number", name=op.f("pk_notice_address")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notice_mark",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("told_until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_notice_mark")),
    )


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    for table in ("notice_mark", "notice_address", "notice"):
        op.drop_table(table)
    op.drop_index("ix_entry_state_deliver_by", "entry")
    op.drop_column("entry", "deliver_by")
