"""SQL statements about which checkpoints are connected, and since when others have been silent."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, or_, select, true, union_all, update

from app.access.tables import checkpoint as checkpoint_table
from app.alerting.alerts import tables
from app.alerting.alerts.domain import LastSeen
from app.db.types import any_of
from app.db.unit import Reader, Unit


async def store_presence(unit: Unit, process: str, codes: Iterable[str], polling: Collection[str]) -> None:
    """Store which checkpoints are connected to a process now, in place of what was stored for this process before.

    Args:
        unit: the transaction.
        process: id of the process.
        codes: codes of the connected checkpoints.
        polling: those of `codes` that poll and have no stream.
    """
    await unit.run(delete(tables.presence).where(tables.presence.c.process == process))
    rows = [
        {"process": process, "checkpoint": code, "seen_at": unit.now, "polling": code in polling}
        for code in sorted(codes)
    ]
    if rows:
        await unit.run(insert(tables.presence), rows)


async def forget_absent(unit: Unit, silence: timedelta) -> None:
    """Delete the presence rows (checkpoints connected to a process) that are older than `silence`.

    Rows that are further than `silence` in the future, because of a wrong clock, are deleted too.
    """
    seen_at = tables.presence.c.seen_at
    invalid = or_(seen_at < unit.now - silence, seen_at > unit.now + silence)
    await unit.run(delete(tables.presence).where(invalid))


async def note_contact(unit: Unit) -> None:
    """Store for each checkpoint when it was last connected, taken from the presence rows of all processes."""
    seen, contact = tables.presence, tables.contact
    latest = select(seen.c.checkpoint, func.max(seen.c.seen_at)).group_by(seen.c.checkpoint)
    if unit.is_sqlite:
        latest = latest.where(true())  # without WHERE, SQLite's parser takes ON CONFLICT for a join condition
    statement = unit.inserting(contact).from_select(["checkpoint", "seen_at"], latest)
    newest = {"seen_at": statement.excluded.seen_at}
    # A time in the future comes from a wrong clock, and would hide every silence until then.
    later = or_(contact.c.seen_at < statement.excluded.seen_at, contact.c.seen_at > unit.now)
    await unit.run(
        statement.on_conflict_do_update(index_elements=[contact.c.checkpoint], set_=newest, where=later)
    )


async def list_silent(reader: Reader, before: datetime) -> list[LastSeen]:
    """Return the active checkpoints whose last connection was before an instant, sorted by code.

    Checkpoints that are marked silent already, or were never connected, are omitted.
    """
    contact = tables.contact
    statement = (
        select(contact.c.checkpoint, contact.c.seen_at)
        .join(checkpoint_table, checkpoint_table.c.code == contact.c.checkpoint)
        .where(checkpoint_table.c.active.is_(True), contact.c.missed_at.is_(None), contact.c.seen_at < before)
        .order_by(contact.c.checkpoint)
    )
    return [LastSeen(*row) for row in await reader.run(statement)]


async def list_returned(reader: Reader) -> list[LastSeen]:
    """Return the checkpoints that were marked silent and have been connected since then, sorted by code.

    A checkpoint whose mark is in the future, because of a wrong clock, is included too.
    """
    contact = tables.contact
    statement = (
        select(contact.c.checkpoint, contact.c.seen_at)
        .where(or_(contact.c.seen_at > contact.c.missed_at, contact.c.missed_at > reader.now))
        .order_by(contact.c.checkpoint)
    )
    return [LastSeen(*row) for row in await reader.run(statement)]


async def mark_silent(unit: Unit, codes: Iterable[str]) -> None:
    """Mark the checkpoints with these codes as silent from now on."""
    await _mark(unit, codes, unit.now)


async def mark_returned(unit: Unit, codes: Iterable[str]) -> None:
    """Mark the checkpoints with these codes as no longer silent."""
    await _mark(unit, codes, None)


async def _mark(unit: Unit, codes: Iterable[str], missed_at: datetime | None) -> None:
    contact = tables.contact
    named = any_of(contact.c.checkpoint, "codes")
    await unit.run(update(contact).where(named).values(missed_at=missed_at), {"codes": sorted(codes)})


async def list_last_seen(reader: Reader, family: str) -> dict[str, datetime]:
    """Return when each recipient of a family of alerts was last known to be connected, by the checkpoint's code.

    Recipients that were never connected are omitted.
    """
    contact, presence, to = tables.contact, tables.presence, tables.recipient
    noted = select(contact.c.checkpoint, contact.c.seen_at).join(to, to.c.checkpoint == contact.c.checkpoint)
    now = select(presence.c.checkpoint, presence.c.seen_at).join(to, to.c.checkpoint == presence.c.checkpoint)
    each = union_all(noted.where(to.c.family == family), now.where(to.c.family == family)).subquery()
    latest = select(each.c.checkpoint, func.max(each.c.seen_at, type_=contact.c.seen_at.type))
    rows = await reader.run(latest.group_by(each.c.checkpoint))
    return {row[0]: row[1] for row in rows}
