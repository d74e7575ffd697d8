"""The day until which a round wrote its notices is in a column `written_until`, which was `told_until`."""

from alembic import op

from app.db.migrate import REGISTER

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER in op.get_context().config.attributes["parts"]:
        op.execute("ALTER TABLE notice_mark RENAME COLUMN told_until TO written_until")


def downgrade() -> None:
    if REGISTER in op.get_context().config.attributes["parts"]:
        op.execute("ALTER TABLE notice_mark RENAME COLUMN written_until TO told_until")
