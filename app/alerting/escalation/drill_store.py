"""SQL statements of daily drills."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import case, func, insert, select

from app.access.domain import Role, Standing
from app.access.tables import checkpoint as checkpoint_table
from app.access.tables import client as client_table
from app.alerting.alerts.domain import Reach, ReceiptLevel
from app.alerting.alerts.tables import alert, receipt
from app.alerting.escalation import tables
from app.alerting.escalation.domain import PageState
from app.db.types import any_of
from app.db.unit import Reader, Unit


async def list_places(reader: Reader) -> list[tuple[str, str, datetime]]:
    """Return the checkpoints that take part in daily drills, sorted by code.

    These are the active checkpoints with an active client that has the role `checkpoint`. Each is a triple of code,
    time zone, and the creation time of its first such client.
    """
    place, client = checkpoint_table, client_table
    statement = (
        select(place.c.code, place.c.zone, func.min(client.c.created_at, type_=client.c.created_at.type))
        .join(client, client.c.checkpoint == place.c.code)
        .where(
            place.c.active.is_(True),
            client.c.standing == Standing.ACTIVE,
            client.c.roles.contains(f'"{Role.CHECKPOINT}"'),
        )
        .group_by(place.c.code, place.c.zone)
        .order_by(place.c.code)
    )
    return [(row[0], row[1], row[2]) for row in await reader.run(statement)]


async def list_drilled(reader: Reader, days: Mapping[str, date]) -> set[str]:
    """Return the codes of those checkpoints in `days` that have had their drill of the given day.

    Args:
        reader: the transaction.
        days: the present day in the checkpoint's own time zone, by checkpoint code.
    """
    table = tables.drill
    statement = select(table.c.checkpoint, table.c.day).where(table.c.day.in_(sorted(set(days.values()))))
    return {row.checkpoint for row in await reader.run(statement) if days.get(row.checkpoint) == row.day}


async def add_drills(unit: Unit, alert_id: str, days: Mapping[str, date]) -> None:
    """Store that an alert is the daily drill of some checkpoints; `days` has the drill's day by checkpoint code."""
    rows = [{"day": day, "checkpoint": code, "alert_id": alert_id} for code, day in days.items()]
    await unit.run(insert(tables.drill), rows)


async def list_reach(reader: Reader, first: date, last: date) -> list[tuple[date, str, Reach, Any]]:
    """Return the drills of the days from `first` to `last`, one row for each day and checkpoint, sorted by both.

    A row has the day, the alert's id, when the checkpoint's first receipts came, and when the alert was issued (a
    datetime). Both days are included.
    """
    table = tables.drill

    def earliest(*levels: ReceiptLevel) -> Any:
        return func.min(case((receipt.c.level.in_(levels), receipt.c.at)), type_=receipt.c.at.type)

    statement = (
        select(
            table.c.day,
            table.c.alert_id,
            table.c.checkpoint,
            alert.c.issued_at,
            earliest(*ReceiptLevel),
            earliest(ReceiptLevel.ACKNOWLEDGED),
            earliest(ReceiptLevel.REFUSED),
        )
        .join(alert, alert.c.id == table.c.alert_id)
        .outerjoin(
            receipt, (receipt.c.alert_id == table.c.alert_id) & (receipt.c.checkpoint == table.c.checkpoint)
        )
        .where(table.c.day.between(first, last))
        .group_by(table.c.day, table.c.alert_id, table.c.checkpoint, alert.c.issued_at)
        .order_by(table.c.day, table.c.checkpoint)
    )
    return [(row[0], row[1], Reach(row[2], *row[4:]), row[3]) for row in await reader.run(statement)]


async def count_pages(reader: Reader, alert_ids: Iterable[str]) -> list[tuple[str, str, PageState, int]]:
    """Return how many test pages these daily drills have, by drill, channel and state.

    A row has the alert's id, the channel, the state and the number of pages. Rows are sorted by channel. `alert_ids`
    are the ids of the drills.
    """
    table = tables.page
    statement = (
        select(table.c.alert_id, table.c.channel, table.c.state, func.count())
        .where(table.c.drill.is_(True), any_of(table.c.alert_id, "ids"))
        .group_by(table.c.alert_id, table.c.channel, table.c.state)
        .order_by(table.c.channel)
    )
    rows = await reader.run(statement, {"ids": sorted(alert_ids)})
    return [(row[0], row[1], PageState(row[2]), row[3]) for row in rows]
