"""Alerts that are delivered to webhook endpoints of checkpoints: when they are over, their receipts, and presence."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import delete, select

from app.alerting.alerts import tables
from app.alerting.alerts.domain import AlertKind, Receipt, ReceiptLevel
from app.alerting.alerts.store import add_receipts
from app.db.types import any_of
from app.db.unit import Reader, Unit

CANCEL_LIFE: Final = timedelta(hours=24)
"""For how long after its issue a cancel is delivered at least. It may expire earlier: at the end of its measure."""


class DeliveredAlert(NamedTuple):
    """An alert that was delivered to a client's webhook endpoint. `checkpoint`: code of the client's checkpoint."""

    alert_id: str
    client_id: str
    checkpoint: str


async def list_over(reader: Reader, alert_ids: Collection[str]) -> frozenset[str]:
    """Return those of `alert_ids` whose alerts are over: expired, or cancelled by a later alert.

    An alert of the kind `cancel` is never cancelled: it is over when it expires, but at the earliest `CANCEL_LIFE`
    after its issue. Unknown ids are omitted.
    """
    if not alert_ids:
        return frozenset()
    alert, first = tables.alert, tables.alert.alias()
    statement = (
        select(alert.c.id, alert.c.kind, alert.c.issued_at, alert.c.expires_at, first.c.cancelled_at)
        .join(first, first.c.id == alert.c.family)
        .where(any_of(alert.c.id, "ids"))
    )
    over = []
    for row in await reader.run(statement, {"ids": sorted(alert_ids)}):
        if row.kind == AlertKind.CANCEL:
            ended = max(row.expires_at, row.issued_at + CANCEL_LIFE) <= reader.now
        else:
            ended = row.cancelled_at is not None or row.expires_at <= reader.now
        if ended:
            over.append(row.id)
    return frozenset(over)


async def list_received(reader: Reader, alert_ids: Collection[str]) -> frozenset[tuple[str, str]]:
    """Return the pairs (alert id, client id) of these alerts for which the client has sent a receipt of any level."""
    if not alert_ids:
        return frozenset()
    table = tables.receipt
    statement = select(table.c.alert_id, table.c.client_id).where(any_of(table.c.alert_id, "ids"))
    rows = await reader.run(statement, {"ids": sorted(alert_ids)})
    return frozenset((row.alert_id, row.client_id) for row in rows)


async def store_received(unit: Unit, delivered: Collection[DeliveredAlert]) -> None:
    """Store a `received` receipt for each delivered alert, unless its client has one already."""
    level = ReceiptLevel.RECEIVED
    await add_receipts(
        unit, [Receipt(alert_id, client, level, place) for alert_id, client, place in set(delivered)]
    )


async def note_connected(unit: Unit, checkpoints: Mapping[str, str]) -> None:
    """Store that checkpoints are connected now, by webhooks.

    `checkpoints` maps the id of each webhook endpoint to the code of its checkpoint.
    """
    table = tables.presence
    rows = [
        {"process": endpoint_id, "checkpoint": code, "seen_at": unit.now}
        for endpoint_id, code in sorted(checkpoints.items())
    ]
    if not rows:
        return
    statement = unit.inserting(table)
    newest = {"seen_at": statement.excluded.seen_at}
    await unit.run(
        statement.on_conflict_do_update(index_elements=[table.c.process, table.c.checkpoint], set_=newest),
        rows,
    )


async def note_unreached(unit: Unit, endpoint_ids: Collection[str]) -> None:
    """Delete the presence rows of the webhook endpoints with these ids: they no longer reach their checkpoints."""
    if endpoint_ids:
        gone = any_of(tables.presence.c.process, "ids")
        await unit.run(delete(tables.presence).where(gone), {"ids": sorted(endpoint_ids)})
