"""Since when duties beside an entry have been open, as columns to find them by; notices of correction requests."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_DUTIES = ("deliver_from", "minister_from", "passport_from")
_INDEXES = {
    "ix_entry_deliver_from": ["deliver_from"],
    "ix_entry_passport_from": ["passport_from"],
    "ix_entry_agency_deliver_from": ["agency", "deliver_from"],
    "ix_entry_agency_minister_from": ["agency", "minister_from"],
}
_PASSPORTS = {"passport", "service_passport", "diplomatic_passport"}
_DONE = (
    """UPDATE entry SET deliver_from = NULL WHERE EXISTS (SELECT 1 FROM entry_duty
    WHERE entry_id = entry.id AND name = 'deliver_to_person' AND done_at >= entry.deliver_from)""",
    """UPDATE entry SET minister_from = NULL WHERE EXISTS (SELECT 1 FROM entry_duty
    WHERE entry_id = entry.id AND name = 'deliver_to_minister')""",
    """UPDATE entry SET passport_from = NULL WHERE EXISTS (SELECT 1 FROM entry_duty
    WHERE entry_id IN (entry.id, entry.formalises) AND name = 'withdraw_passport')""",
)
_SOME = 500


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.drop_index("ix_entry_state_deliver_by", "entry")
    op.drop_column("entry", "deliver_by")
    op.add_column("entry", sa.Column("extension_count", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_entry_agency_state", "entry", ["agency", "state", "id"])
    for column in _DUTIES:
        op.add_column("entry", sa.Column(column, Instant(), nullable=True))
    for name, columns in _INDEXES.items():
        there = sa.text(f"{columns[-1]} IS NOT NULL")
        op.create_index(name, "entry", columns, sqlite_where=there, postgresql_where=there)
    _tell_duties()
    for statement in _DONE:
        op.execute(statement)
    op.add_column("notice", sa.Column("request_id", Id, nullable=True))


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.drop_column("notice", "request_id")
    for name in (*_INDEXES, "ix_entry_agency_state"):
        op.drop_index(name, "entry")
    for column in (*_DUTIES, "extension_count"):
        op.drop_column("entry", column)
    op.add_column("entry", sa.Column("deliver_by", sa.Date(), nullable=True))
    op.create_index("ix_entry_state_deliver_by", "entry", ["state", "deliver_by"])


def _tell_duties() -> None:
    """Take over from the entries' documents since when their duties have run."""
    columns = [sa.column("id", Id), sa.column("document", sa.Text())]
    columns += [sa.column("extension_count", sa.Integer()), *(sa.column(name, Instant()) for name in _DUTIES)]
    entry = sa.table("entry", *columns)
    connection = op.get_bind()
    after = ""
    while True:
        wanted = sa.select(entry.c.id, entry.c.document).where(entry.c.id > after)
        rows = connection.execute(wanted.order_by(entry.c.id).limit(_SOME)).all()
        if not rows:
            return
        for entry_id, document in rows:
            told = json.loads(document)
            values = {"extension_count": told["extension_count"], **_since(told)}
            connection.execute(entry.update().where(entry.c.id == entry_id).values(**values))
        after = rows[-1].id


def _since(entry: dict[str, Any]) -> dict[str, datetime]:
    """As `deadlines.duties_since` was when this revision was written."""
    since: dict[str, datetime] = {}
    if entry["submitted_by"] == "system" or entry["state"] in {"returned", "rejected"}:
        return since
    if not entry["urgent"] and entry["basis"]["received_on"] is None:
        since["minister_from"] = _begins(entry["basis"]["issued_on"])
    if not entry["urgent"] and entry["state"] not in {"submitted", "verified"}:
        since["deliver_from"] = _begins((entry.get("extended_by") or entry["basis"])["issued_on"])
    bound = entry["in_force_from"] and entry["measure"] == "prevention" and entry["citizenship"] == "WNI"
    papers = entry["subject"]["documents"]
    if bound and any(p["type"] in _PASSPORTS and p["issuing_state"] in {None, "IDN"} for p in papers):
        moments = [entry["in_force_from"], *([entry["countersigned_at"]] if entry["urgent"] else [])]
        if all(moments):
            since["passport_from"] = max(map(datetime.fromisoformat, moments))
    return since


def _begins(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00+07:00")
