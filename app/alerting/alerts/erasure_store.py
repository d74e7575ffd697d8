"""SQL statements that erase what officers wrote in receipts of alerts; checkpoints and times of receipts stay."""

from datetime import datetime

from sqlalchemy import exists, select, update

from app.alerting.alerts import tables
from app.alerting.alerts.tables import has_texts
from app.db.unit import Reader, Unit

_ERASED = {"note": None, "officer_reference": None, "salt": None}


async def erase_of_entry(unit: Unit, entry_id: str) -> None:
    """Erase the notes and officer references in the receipts of an entry's alerts; checkpoints and times stay."""
    alerts = select(tables.alert.c.id).where(tables.alert.c.entry_id == entry_id)
    await unit.run(update(tables.receipt).where(tables.receipt.c.alert_id.in_(alerts)).values(**_ERASED))


async def list_drills_to_erase(reader: Reader, before: datetime, after: str, limit: int) -> list[str]:
    """Return ids of drills with receipts from before an instant that have a note or an officer reference.

    The oldest drills come first, at most `limit`, only those after the id `after`.
    """
    alert, receipt = tables.alert, tables.receipt
    noted = exists().where(receipt.c.alert_id == alert.c.id, has_texts(), receipt.c.at < before)
    drills = select(alert.c.id).where(alert.c.entry_id.is_(None), alert.c.id > after, noted)
    return list((await reader.run(drills.order_by(alert.c.id).limit(limit))).scalars())


async def erase_of_drill(unit: Unit, alert_id: str, before: datetime) -> int:
    """Erase the notes and officer references in a drill's receipts from before an instant. Returns their number."""
    receipt = tables.receipt
    noted = update(receipt).where(receipt.c.alert_id == alert_id, has_texts(), receipt.c.at < before)
    return int((await unit.run(noted.values(**_ERASED))).rowcount)  # type: ignore[attr-defined]  # an update
