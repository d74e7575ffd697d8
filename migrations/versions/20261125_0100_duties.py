"""Recorded duties, objections, and what retention has to look at: when an entry ended, and what is erased."""

import json
from datetime import datetime

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SOME = 500


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.add_column("entry", sa.Column("ended_at", Instant(), nullable=True))
    op.add_column("entry", sa.Column("erased", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_entry_erased_ended_at", "entry", ["erased", "ended_at"])
    _tell_ends()
    op.create_table(
        "entry_duty",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("done_at", Instant(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("by", Id, nullable=False),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_entry_duty_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", "name", "version", name=op.f("pk_entry_duty")),
    )
    op.create_table(
        "objection",
        sa.Column("id", Id, nullable=False),
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("agency", sa.String(length=32), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("answer_due_at", Instant(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_objection_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
    )
    op.create_index("ix_objection_entry_id", "objection", ["entry_id", "id"])
    op.create_index(
        "ix_objection_open",
        "objection",
        ["agency", "answer_due_at"],
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.drop_table("objection")
    op.drop_table("entry_duty")
    op.drop_index("ix_entry_erased_ended_at", "entry")
    op.drop_column("entry", "erased")
    op.drop_column("entry", "ended_at")


def _tell_ends() -> None:
    """Take over from the entries' documents when they ended."""
    entry = sa.table(
        "entry",
        sa.column("id", Id),
        sa.column("state", sa.String()),
        sa.column("ended_at", Instant()),
        sa.column("document", sa.Text()),
    )
    connection = op.get_bind()
    after = ""
    while True:
        wanted = (
            sa.select(entry.c.id, entry.c.document)
            .where(entry.c.state.in_(["ended", "rejected"]), entry.c.id > after)
            .order_by(entry.c.id)
            .limit(_SOME)
        )
        rows = connection.execute(wanted).all()
        if not rows:
            return
        for entry_id, document in rows:
            ended_at = json.loads(document)["ended_at"]
            if ended_at is not None:
                told = entry.update().where(entry.c.id == entry_id)
                connection.execute(told.values(ended_at=datetime.fromisoformat(ended_at)))
        after = rows[-1].id
