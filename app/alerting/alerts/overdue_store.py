"""SQL statements on alerts that checkpoints still have to acknowledge."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select, true, update

from app.alerting.alerts.domain import AlertKind
from app.alerting.alerts.tables import alert
from app.db.pages import Position, follows
from app.db.unit import Reader, Unit

_FIRST = alert.alias()


def to_acknowledge(now: datetime | None) -> ColumnElement[bool]:
    """Return the SQL condition, on the alert table, that checkpoints still have to acknowledge an alert.

    It is true if the alert is neither a cancel nor expired, its family is not cancelled, and no later alert of the
    family has replaced it. Receipts are not examined.

    Args:
        now: the present instant. None while the clock is doubted: then no alert counts as expired.
    """
    running = true() if now is None else alert.c.expires_at > now
    living = exists().where(_FIRST.c.id == alert.c.family, _FIRST.c.cancelled_at.is_(None))
    return and_(running, alert.c.kind != AlertKind.CANCEL, living, alert.c.replaced_at.is_(None))


async def list_unnotified(reader: Reader, after: Position | None, limit: int) -> list[Position]:
    """Return the alerts past `acknowledge_by` without a notice to officers, as pairs of `acknowledge_by` and id.

    The earliest comes first. At most `limit` are returned, only those after the pair `after` (None: the first). Such an
    alert fulfils `to_acknowledge`; drills are among them. The receipts are not examined: every checkpoint may have
    acknowledged such an alert.
    """
    order = (alert.c.acknowledge_by, alert.c.id)
    statement = select(*order).where(
        alert.c.acknowledge_by <= reader.now,
        alert.c.escalated_at.is_(None),
        to_acknowledge(reader.now),
        follows(after, *order),
    )
    return [
        (due_at, alert_id) for due_at, alert_id in await reader.run(statement.order_by(*order).limit(limit))
    ]


async def mark_escalated(unit: Unit, alert_id: str) -> None:
    """Store that an alert is escalated to the duty officers (R54) now; the caller notifies them."""
    await unit.run(update(alert).where(alert.c.id == alert_id).values(escalated_at=unit.now))
