"""The key of keyed hashes stands outside the database, which keeps a fingerprint of it.

A key of before stays where it is until `cekal migrate` has written it to its file: only that knows where the file is.
"""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    with op.batch_alter_table("access_state") as table:
        table.alter_column("pepper", existing_type=sa.LargeBinary(length=32), nullable=True)
        table.add_column(sa.Column("pepper_fingerprint", sa.LargeBinary(length=32), nullable=True))


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.execute(
        "UPDATE access_state SET pepper = pepper_fingerprint WHERE pepper IS NULL"
    )  # it wants some bytes
    with op.batch_alter_table("access_state") as table:
        table.drop_column("pepper_fingerprint")
        table.alter_column("pepper", existing_type=sa.LargeBinary(length=32), nullable=False)
