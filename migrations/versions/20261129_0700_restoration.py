"""Until when granted objections are to be carried out, and since when a person is to be rehabilitated."""

import json
from datetime import datetime, timedelta, timezone

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_WIB = timezone(timedelta(hours=7))
_CARRY_OUT_DAYS = 3
_SOME = 500
_INDEXES = {
    "ix_objection_carry_out_by": ("objection", ["carry_out_by"]),
    "ix_entry_restore_from": ("entry", ["restore_from"]),
    "ix_entry_agency_restore_from": ("entry", ["agency", "restore_from"]),
}


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    for table, columns in (_INDEXES["ix_objection_carry_out_by"], _INDEXES["ix_entry_restore_from"]):
        op.add_column(table, sa.Column(columns[-1], Instant(), nullable=True))
    for name, (table, columns) in _INDEXES.items():
        there = sa.text(f"{columns[-1]} IS NOT NULL")
        op.create_index(name, table, columns, sqlite_where=there, postgresql_where=there)
    _give_terms()


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table)
    op.drop_column("objection", "carry_out_by")
    op.drop_column("entry", "restore_from")


def _give_terms() -> None:
    """Give every objection that was granted before its term, from the day of its answer."""
    columns = [sa.column("id", Id), sa.column("document", sa.Text()), sa.column("carry_out_by", Instant())]
    objection = sa.table("objection", *columns)
    connection = op.get_bind()
    after = ""
    while True:
        wanted = sa.select(objection.c.id, objection.c.document).where(objection.c.id > after)
        rows = connection.execute(wanted.order_by(objection.c.id).limit(_SOME)).all()
        if not rows:
            return
        for objection_id, document in rows:
            told = json.loads(document)
            answer = told.get("answer")
            if answer is None or answer["outcome"] != "granted":
                continue
            last = datetime.fromisoformat(answer["at"]).astimezone(_WIB).date() + timedelta(
                days=_CARRY_OUT_DAYS
            )
            due_at = datetime.combine(last, datetime.min.time(), _WIB).replace(hour=23, minute=59, second=59)
            answer["carry_out_by"] = due_at.isoformat()
            text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
            values = {"document": text, "carry_out_by": due_at}
            connection.execute(objection.update().where(objection.c.id == objection_id).values(**values))
        after = rows[-1].id
