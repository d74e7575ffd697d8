"""Table of supervision reports."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from app.db.types import Id, Instant, metadata

report = Table(
    "supervision_report",
    metadata,
    Column("id", Id, primary_key=True),
    Column("year", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("agency", ForeignKey("agency.code"), nullable=False),
    Column("office", ForeignKey("office.code"), nullable=False),
    Column("province", Text, nullable=False),
    Column("filed_by", Id, nullable=False),  # client
    Column("filed_at", Instant, nullable=False),
    Column("document", Text, nullable=False),  # what was observed, JSON
    Column("erased_at", Instant),  # when the foreigner was erased from it
    UniqueConstraint("year", "ordinal"),
)
Index("ix_supervision_report_province", report.c.province, report.c.id)
Index(
    "ix_supervision_report_kept",
    report.c.id,
    sqlite_where=report.c.erased_at.is_(None),
    postgresql_where=report.c.erased_at.is_(None),
)
