"""Until when amendments and objections are due, and indexes to find by them what is late."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_WAITING = {"submitted", "verified", "referred"}
_AMENDMENT_DAYS = 7
_EXTENSION_DAYS = 3
_ANSWER_DAYS = 10
_SATURDAY = 5
_SOME = 500
_INDEXES = {
    "ix_entry_minister_from": ("entry", "minister_from", "minister_from IS NOT NULL"),
    "ix_amendment_due_at": ("amendment", "due_at", "due_at IS NOT NULL"),
    "ix_objection_due": ("objection", "answer_due_at", "answered_at IS NULL"),
    "ix_correction_request_due": ("correction_request", "due_at", "outcome IS NULL"),
}
_USED_UP = """DELETE FROM entry_duty WHERE name = 'extend_before' AND NOT EXISTS (SELECT 1 FROM amendment
    WHERE amendment.entry_id = entry_duty.entry_id AND kind = 'extension' AND state IN ('submitted', 'verified'))"""


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.add_column("amendment", sa.Column("due_at", Instant(), nullable=True))
    for name, (table, column, condition) in _INDEXES.items():
        there = sa.text(condition)
        op.create_index(name, table, [column], sqlite_where=there, postgresql_where=there)
    _tell("amendment", "due_at", _of_amendment)
    _tell("objection", "answer_due_at", _of_objection)
    op.execute(_USED_UP)


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    for name, (table, _, _) in _INDEXES.items():
        op.drop_index(name, table)
    op.drop_column("amendment", "due_at")


def _tell(
    table: str, column: str, due: Callable[[dict[str, Any], date | None], tuple[datetime, bool]]
) -> None:
    """Write into each document until when it is due, and into the column, where it is still open or keeps it."""
    columns = [sa.column("id", Id), sa.column("entry_id", Id), sa.column("document", sa.Text())]
    rows_of = sa.table(table, *columns, sa.column(column, Instant()))
    entry = sa.table("entry", sa.column("id", Id), sa.column("ends_on", sa.Date()))
    connection = op.get_bind()
    after = ""
    while True:
        wanted = sa.select(rows_of.c.id, rows_of.c.document, entry.c.ends_on)
        wanted = wanted.join(entry, entry.c.id == rows_of.c.entry_id).where(rows_of.c.id > after)
        rows = connection.execute(wanted.order_by(rows_of.c.id).limit(_SOME)).all()
        if not rows:
            return
        for row in rows:
            told = json.loads(row.document)
            due_at, shown = due(told, row.ends_on)
            told[column] = due_at.isoformat()
            document = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
            values = {"document": document, column: due_at if shown else None}
            connection.execute(rows_of.update().where(rows_of.c.id == row.id).values(**values))
        after = rows[-1].id


def _of_amendment(told: dict[str, Any], ends_on: date | None) -> tuple[datetime, bool]:
    due_at = datetime.fromisoformat(told["received_at"]) + timedelta(days=_AMENDMENT_DAYS)
    if told["kind"] == "extension" and ends_on is not None:
        due_at = min(due_at, _last_second(ends_on - timedelta(days=_EXTENSION_DAYS)))
    return due_at, told["state"] in _WAITING


def _of_objection(told: dict[str, Any], _: date | None) -> tuple[datetime, bool]:
    if told["answer_due_at"] is not None:
        return datetime.fromisoformat(told["answer_due_at"]), True
    day = date.fromisoformat(told["filing"]["filed_on"])
    left = _ANSWER_DAYS
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < _SATURDAY
    return _last_second(day), True


def _last_second(day: date) -> datetime:
    return datetime.fromisoformat(f"{day}T23:59:59+07:00")
