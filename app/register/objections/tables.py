"""Table of objections. The columns are for queries; the whole objection is stored in `document`."""

from sqlalchemy import Column, Date, ForeignKey, Index, String, Table, Text

from app.db.types import Id, Instant, metadata

objection = Table(
    "objection",
    metadata,
    Column("id", Id, primary_key=True),
    Column("entry_id", ForeignKey("entry.id"), nullable=False),
    Column("agency", String(32), nullable=False),
    Column("filed_on", Date, nullable=False),
    Column("answer_due_at", Instant),
    Column("answered_at", Instant),
    Column("carry_out_by", Instant),  # of a granted objection: until when its amendment is to be filed
    Column("document", Text, nullable=False),  # the whole objection, JSON
)
Index("ix_objection_entry_id", objection.c.entry_id, objection.c.id)
for _name, _columns in (
    ("ix_objection_open", (objection.c.agency, objection.c.answer_due_at)),
    ("ix_objection_due", (objection.c.answer_due_at,)),
):
    _open = objection.c.answered_at.is_(None)
    Index(_name, *_columns, sqlite_where=_open, postgresql_where=_open)
_granted = objection.c.carry_out_by.is_not(None)
Index(
    "ix_objection_carry_out_by",
    objection.c.carry_out_by,
    sqlite_where=_granted,
    postgresql_where=_granted,
)
