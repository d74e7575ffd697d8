"""SQL statements that erase what officers wrote in receipts of alerts; checkpoints and times of receipts stay."""

from datetime import timedelta

from sqlalchemy import exists, select, update

from app.alerting.alerts import tables
from app.alerting.alerts.tables import has_texts
from app.db.unit import Reader, Unit

_ERASED = {"note": None, "officer_reference": None, "salt": None}


async def erase_of_entry(unit: Unit, entry_id: str) -> None:
    """Erase the notes and officer references in the receipts of an entry's alerts; checkpoints and times stay."""
    alerts = select(tables.alert.c.id).where(tables.alert.c.entry_id == entry_id)
    await unit.run(update(tables.receipt).where(tables.receipt.c.alert_id.in_(alerts)).values(**_ERASED))


async def list_drills_to_erase(reader: Reader, after: str | None, limit: int, *, days: int) -> list[str]:
    """Return ids of drills with receipts older than `days` days that have a note or an officer reference.

    The oldest drills come first, at most `limit`, only those after the id `after` (None: the first).
    """
    alert, receipt = tables.alert, tables.receipt
    before = reader.now - timedelta(days=days)
    noted = exists().where(receipt.c.alert_id == alert.c.id, has_texts(), receipt.c.at < before)
    drills = select(alert.c.id).where(alert.c.entry_id.is_(None), alert.c.id > (after or ""), noted)
    return list((await reader.run(drills.order_by(alert.c.id).limit(limit))).scalars())


async def erase_of_drill(unit: Unit, alert_id: str, *, days: int) -> int:
    """Erase the notes and officer references in a drill's receipts older than `days` days. Returns their number."""
    receipt = tables.receipt
    before = unit.now - timedelta(days=days)
    noted = update(receipt).where(receipt.c.alert_id == alert_id, has_texts(), receipt.c.at < before)
    return int((await unit.run(noted.values(**_ERASED))).rowcount)  # type: ignore[attr-defined]  # an update
