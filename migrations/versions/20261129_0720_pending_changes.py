"""Changes that wait for a second admin."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_table(
        "pending_change",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("wanted", sa.Text()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("proposed_by", Id, nullable=False),
        sa.Column("proposed_person", sa.String(64)),
        sa.Column("confirmed_at", Instant()),
        sa.Column("confirmed_by", Id),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_change")),
    )
    op.create_index(
        "ix_pending_change_open",
        "pending_change",
        ["kind", "about"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.execute("UPDATE client SET standing = 'revoked' WHERE standing = 'suspended'")
    op.drop_table("pending_change")
