"""What retention reaches further: returned requests, hits of an entry, supervision reports, sponsors."""

import json
from datetime import datetime

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_supervision_report_kept": ("supervision_report", "id", "erased_at IS NULL"),
    "ix_departure_delay_sponsored": ("departure_delay", "occurred_at", "sponsor IS NOT NULL"),
}
_SOME = 500


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.add_column("supervision_report", sa.Column("erased_at", Instant(), nullable=True))
    op.add_column("departure_delay", sa.Column("sponsor_purged_at", Instant(), nullable=True))
    for name, (table, column, condition) in _INDEXES.items():
        there = sa.text(condition)
        op.create_index(name, table, [column], sqlite_where=there, postgresql_where=there)
    op.create_table(
        "hit_match",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("hit_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_hit_match_entry_id")),
        sa.ForeignKeyConstraint(["hit_id"], ["hit.id"], name=op.f("fk_hit_match_hit_id")),
        sa.PrimaryKeyConstraint("entry_id", "hit_id", name=op.f("pk_hit_match")),
        sqlite_with_rowid=False,
    )
    _tell_matches()
    _tell_returns()


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.execute("UPDATE entry SET ended_at = NULL WHERE state = 'returned'")
    op.drop_table("hit_match")
    for name, (table, _, _) in _INDEXES.items():
        op.drop_index(name, table)
    op.drop_column("departure_delay", "sponsor_purged_at")
    op.drop_column("supervision_report", "erased_at")


def _tell_matches() -> None:
    """Take over from the hits' documents which entries they matched."""
    hit = sa.table("hit", sa.column("id", Id), sa.column("document", sa.Text()))
    match = sa.table("hit_match", sa.column("entry_id", Id), sa.column("hit_id", Id))
    connection = op.get_bind()
    after = ""
    while True:
        some = sa.select(hit.c.id, hit.c.document).where(hit.c.id > after).order_by(hit.c.id).limit(_SOME)
        rows = connection.execute(some).all()
        if not rows:
            return
        matched = [
            {"entry_id": each["entry_id"], "hit_id": hit_id}
            for hit_id, document in rows
            for each in json.loads(document)["matched"]
        ]
        if matched:
            connection.execute(sa.insert(match), matched)
        after = rows[-1].id


def _tell_returns() -> None:
    """Note of returned requests since when nobody has taken them up."""
    columns = (sa.column("id", Id), sa.column("state"), sa.column("document", sa.Text()))
    entry = sa.table("entry", *columns, sa.column("ended_at", Instant()))
    connection = op.get_bind()
    returned = sa.select(entry.c.id, entry.c.document).where(entry.c.state == "returned")
    for entry_id, document in connection.execute(returned).all():
        since = datetime.fromisoformat(json.loads(document)["updated_at"])
        connection.execute(entry.update().where(entry.c.id == entry_id).values(ended_at=since))
