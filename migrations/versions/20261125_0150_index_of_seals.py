"""The index of sealed entries, in the words that SQLite finds in the statements."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index("sealed = 1")


def downgrade() -> None:
    _index("sealed")


def _index(on_sqlite: str) -> None:
    """PostgreSQL's stays as it is: it reads the condition, SQLite compares its words."""
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_entry_sealed", "entry")
        op.create_index("ix_entry_sealed", "entry", ["id"], sqlite_where=sa.text(on_sqlite))
