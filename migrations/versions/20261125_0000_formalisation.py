"""Which urgent entry an entry formalises, to be found by."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER in op.get_context().config.attributes["parts"]:
        op.add_column("entry", sa.Column("formalises", Id, nullable=True))
        op.create_index("ix_entry_formalises", "entry", ["formalises"])


def downgrade() -> None:
    if REGISTER in op.get_context().config.attributes["parts"]:
        op.drop_index("ix_entry_formalises", "entry")
        op.drop_column("entry", "formalises")
