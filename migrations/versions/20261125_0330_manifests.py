"""Manifests: passengers asked about before departure, and the keys by which a change of the register finds them."""

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant, Key

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_index("ix_entry_in_force_from", "entry", ["in_force_from"])
    op.create_table(
        "manifest",
        sa.Column("id", Id, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("watched_until", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifest")),
    )
    watched = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_manifest_watched_until",
        "manifest",
        ["watched_until"],
        sqlite_where=watched,
        postgresql_where=watched,
    )
    op.create_index("ix_manifest_closed_at", "manifest", ["closed_at"])
    op.create_table(
        "manifest_item",
        sa.Column("manifest_id", Id, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["manifest_id"], ["manifest.id"], name=op.f("fk_manifest_item_manifest_id")),
        sa.PrimaryKeyConstraint("manifest_id", "position", name=op.f("pk_manifest_item")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_manifest_item_number", "manifest_item", ["manifest_id", "number"])
    op.create_table(
        "manifest_key",
        sa.Column("key", Key, nullable=False),
        sa.Column("manifest_id", Id, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "manifest_id", "position", name=op.f("pk_manifest_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_manifest_key_manifest_id", "manifest_key", ["manifest_id"])
    op.create_table(
        "manifest_name_key",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("manifest_id", Id, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "manifest_id", "position", name=op.f("pk_manifest_name_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_manifest_name_key_manifest_id", "manifest_name_key", ["manifest_id"])


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    for table in ("manifest_name_key", "manifest_key", "manifest_item", "manifest"):
        op.drop_table(table)
    op.drop_index("ix_entry_in_force_from", "entry")
