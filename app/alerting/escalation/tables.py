"""Tables of escalation: escalation policies of checkpoints, chased alerts, pages to people, and drills."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text, or_

from app.db.types import Instant, metadata

policy = Table(
    "escalation_policy",
    metadata,
    Column("checkpoint", ForeignKey("checkpoint.code"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("steps", Text, nullable=False),  # JSON list
    Column("changed_at", Instant, nullable=False),
)

chased_alert = Table(
    "chased_alert",
    metadata,
    Column("alert_id", ForeignKey("alert.id"), primary_key=True),
    Column("receipts_judged_at", Instant),  # when the missing receipts were found
    Column("acknowledgements_judged_at", Instant),  # when the missing acknowledgements were found
)

Index(
    "ix_chased_alert_unjudged",
    chased_alert.c.alert_id,
    sqlite_where=chased_alert.c.acknowledgements_judged_at.is_(None),
    postgresql_where=chased_alert.c.acknowledgements_judged_at.is_(None),
)

chase = Table(
    "alert_chase",
    metadata,
    Column("alert_id", ForeignKey("alert.id"), primary_key=True),
    Column("checkpoint", String(32), primary_key=True),
    Column("taken", Integer, nullable=False),  # steps taken so far
    Column("due_at", Instant),  # when the next step is due; null when the chase is over
)
Index("ix_alert_chase_due_at", chase.c.due_at)

page = Table(
    "escalation_page",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("alert_id", ForeignKey("alert.id"), nullable=False, index=True),
    Column("checkpoint", String(32), nullable=False),
    Column("step", Integer, nullable=False),  # steps taken before, over all rounds
    Column("level", String(16), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("address", Text),  # of the officer or the group; erased with the contacts' data
    Column("drill", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, index=True),  # of the next attempt, or the end of a lease; null when done
    Column("done_at", Instant),
    Column("detail", Text),  # what the channel answered
    Column("ms", Integer),  # how long the last attempt took
)

_KEPT = or_(page.c.address.is_not(None), page.c.detail.is_not(None))
Index("ix_escalation_page_created_at", page.c.created_at, sqlite_where=_KEPT, postgresql_where=_KEPT)

drill = Table(
    "daily_drill",
    metadata,
    Column("day", Date, primary_key=True),  # in the checkpoint's zone
    Column("checkpoint", String(32), primary_key=True),
    Column("alert_id", ForeignKey("alert.id"), nullable=False, index=True),
)
