"""Every SQL statement of alerts."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from app.access.tables import agency as agency_table
from app.access.tables import checkpoint as checkpoint_table
from app.access.tables import state as access_state
from app.alerts import tables
from app.alerts.domain import Alert, AlertKind, LastSeen, Reach, ReceiptLevel
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.entries.domain import State
from app.entries.tables import entry as entry_table
from app.entries.turns import undecided as waits
from app.errors import NotFound
from app.ledger.domain import Head, Record
from app.ledger.tables import closed as closed_table
from app.ledger.tables import head as head_table
from app.ledger.tables import record as record_table

_json = msgspec.json.encode
_plain = msgspec.json.decode
_COLUMNS = [column for column in tables.alert.c if column.name != "escalated_at"]

_ROOT = tables.alert.alias()
_LIVING = select(_ROOT.c.id).where(_ROOT.c.cancelled_at.is_(None), _ROOT.c.id == _ROOT.c.family)
"""The first alerts of the families that are not cancelled."""

_PHONE = select(agency_table.c.phone).where(agency_table.c.code == bindparam("owner")).scalar_subquery()
_ADD = (
    insert(tables.alert)
    .values({column.name: bindparam(column.name) for column in _COLUMNS})
    .returning(_PHONE)
)

_NEWS = select(head_table.c.epoch, head_table.c.size, head_table.c.last_alert, access_state.c.version).join(
    access_state, access_state.c.id == head_table.c.id
)


def _counted(family: ColumnElement[str]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """How many checkpoints are to get a family of alerts, and how many of them are connected to any process."""
    to, seen = tables.recipient, tables.presence
    elsewhere = to.c.checkpoint.in_(select(seen.c.checkpoint).where(seen.c.seen_at >= bindparam("since")))
    counted = select(func.count()).select_from(to).where(to.c.family == family)
    connected = counted.where(elsewhere | any_of(to.c.checkpoint, "here"))
    return counted.scalar_subquery(), connected.scalar_subquery()


_COUNT = select(*_counted(bindparam("family")))
_RAISED = (
    select(*_COLUMNS, record_table.c.sequence, *_counted(tables.alert.c.family))
    .join(record_table, record_table.c.alert_id == tables.alert.c.id)
    .where(tables.alert.c.entry_id == bindparam("entry_id"), tables.alert.c.id == tables.alert.c.family)
)


def _alert(row: Sequence[Any]) -> Alert:
    values = {column.name: value for column, value in zip(_COLUMNS, row, strict=True)}
    return Alert(**{**values, "kind": AlertKind(values["kind"]), "chase": tuple(_plain(values["chase"]))})


async def add(unit: Unit, alert: Alert) -> str | None:
    """Store an alert; gives its owner's phone, which its message says."""
    values = {name: getattr(alert, name) for name in alert.__slots__}
    values |= {"chase": _json(alert.chase).decode(), "owner": alert.agency}
    phone: str | None = (await unit.run(_ADD, values)).scalar_one()
    return phone


async def fix_recipients(unit: Unit, family: str, only: Sequence[str] | None = None) -> None:
    """Write down who is to get a family of alerts: every active checkpoint at this moment, or the named ones."""
    wanted = select(literal(family), checkpoint_table.c.code).where(checkpoint_table.c.active.is_(True))
    if only is not None:
        wanted = wanted.where(checkpoint_table.c.code.in_(only))
    await unit.run(insert(tables.recipient).from_select(["family", "checkpoint"], wanted))


async def get(reader: Reader, alert_id: str) -> Alert:
    """An alert.

    Raises:
        NotFound: there is none with this id.
    """
    row = (await reader.run(select(*_COLUMNS).where(tables.alert.c.id == alert_id))).first()
    if row is None:
        raise NotFound("There is no such alert.")
    return _alert(row)


async def find_family(reader: Reader, entry_ids: Sequence[str]) -> Alert | None:
    """The first alert of the newest family about any of these entries; a cancelled one may have been followed."""
    table = tables.alert
    statement = select(*_COLUMNS).where(table.c.entry_id.in_(entry_ids), table.c.id == table.c.family)
    row = (await reader.run(statement.order_by(table.c.id.desc()).limit(1))).first()
    return _alert(row) if row else None


async def list_begun(reader: Reader, limit: int) -> list[str]:
    """Ids of formal entries that have begun since checkpoints were last alerted about them or their urgent one.

    Those that are over already, but wait for papers (R68), are among them: nobody may have looked in their time.
    """
    about, table = tables.alert, entry_table
    told = exists().where(about.c.entry_id == table.c.formalises)
    since = exists().where(about.c.entry_id == table.c.id, about.c.issued_at >= table.c.in_force_from)
    until = table.c.in_force_until
    statement = (
        select(table.c.id)
        .where(
            table.c.formalises.is_not(None),
            table.c.state == State.ACTIVE,
            table.c.in_force_from <= reader.now,
            or_(until.is_(None), until > reader.now, waits(reader.now)),
            told,
            ~since,
        )
        .order_by(table.c.in_force_from)
        .limit(limit)
    )
    return list((await reader.run(statement)).scalars())


async def cancel_family(unit: Unit, family: str) -> None:
    """Note that a family of alerts is over."""
    await unit.run(update(tables.alert).where(tables.alert.c.id == family).values(cancelled_at=unit.now))


async def reopen_family(unit: Unit, family: str) -> None:
    """Note that a family of alerts that was over goes on."""
    await unit.run(update(tables.alert).where(tables.alert.c.id == family).values(cancelled_at=None))


_OUTDATED = (
    select(tables.alert.c.entry_id)
    .join(entry_table, entry_table.c.id == tables.alert.c.entry_id)
    .group_by(tables.alert.c.entry_id, entry_table.c.in_force_until)
    .having(func.max(tables.alert.c.issued_at) < entry_table.c.in_force_until)
)


async def list_outdated(reader: Reader, limit: int) -> list[str]:
    """Ids of entries whose last alert was issued before their end, though their papers are undecided now (R68)."""
    statement = _OUTDATED.where(waits(reader.now)).order_by(entry_table.c.in_force_until).limit(limit)
    return list((await reader.run(statement)).scalars())


async def is_outdated(reader: Reader, entry_id: str) -> bool:
    """Whether an entry is one of those."""
    statement = _OUTDATED.where(waits(reader.now), tables.alert.c.entry_id == entry_id)
    return (await reader.run(statement)).first() is not None


async def news(reader: Reader) -> tuple[Head, int]:
    """The ledger's end, and the access version: whatever a follower looks at when it is woken, in one exchange."""
    epoch, size, last_alert, version = (await reader.run(_NEWS)).one()
    return Head(epoch, size, last_alert), version


_OPEN = (
    select(tables.alert.c.id, closed_table.c.entry_id.is_not(None))
    .outerjoin(closed_table, closed_table.c.entry_id == tables.alert.c.entry_id)
    .where(tables.alert.c.expires_at > bindparam("at", type_=tables.alert.c.expires_at.type))
    .where(tables.alert.c.family.in_(_LIVING))
)
_OPEN_AMONG = _OPEN.where(any_of(tables.alert.c.id, "ids"))


async def list_open(reader: Reader) -> dict[str, bool]:
    """The alerts whose family is neither cancelled nor expired, by id; whether each is about a sealed entry."""
    return {alert_id: bool(sealed) for alert_id, sealed in await reader.run(_OPEN, {"at": reader.now})}


async def still_holding(reader: Reader, records: Iterable[Record]) -> dict[str, bool]:
    """Those alerts of some records that are neither cancelled nor expired, as `list_open`."""
    ids = sorted(record.alert_id for record in records if record.alert_id)
    if not ids:
        return {}
    rows = await reader.run(_OPEN_AMONG, {"at": reader.now, "ids": ids})
    return {alert_id: bool(sealed) for alert_id, sealed in rows}


async def has_open(reader: Reader, entry_id: str, checkpoint: str) -> bool:
    """Whether a checkpoint is to act on an alert about an entry that is neither expired nor cancelled."""
    alert, to = tables.alert, tables.recipient
    statement = select(
        exists().where(
            alert.c.entry_id == entry_id,
            alert.c.expires_at > reader.now,
            alert.c.family.in_(_LIVING),
            to.c.family == alert.c.family,
            to.c.checkpoint == checkpoint,
        )
    )
    return bool((await reader.run(statement)).scalar_one())


async def add_receipt(
    unit: Unit, alert_id: str, level: ReceiptLevel, officer_reference: str | None, note: str | None
) -> bool:
    """Store a checkpoint's word; whether it is the first of this client at this level."""
    statement = (
        unit.inserting(tables.receipt)
        .values(
            alert_id=alert_id,
            client_id=unit.actor.client_id,
            level=level,
            checkpoint=unit.actor.checkpoint,
            at=unit.now,
            officer_reference=officer_reference,
            note=note,
        )
        .on_conflict_do_nothing()
    )
    return bool((await unit.run(statement)).rowcount)  # type: ignore[attr-defined]  # an insert gives a CursorResult


async def receipt_at(reader: Reader, alert_id: str, level: ReceiptLevel) -> datetime:
    """When the actor's receipt of this level was stored."""
    table = tables.receipt
    statement = select(table.c.at).where(
        table.c.alert_id == alert_id, table.c.client_id == reader.actor.client_id, table.c.level == level
    )
    moment: datetime = (await reader.run(statement)).scalar_one()
    return moment


async def list_reach(reader: Reader, alert: Alert) -> list[Reach]:
    """For each recipient, when its first receipt of each level came; a person's word implies the machine's."""
    table, to = tables.receipt, tables.recipient

    def first(*levels: ReceiptLevel) -> Any:
        return func.min(case((table.c.level.in_(levels), table.c.at)), type_=table.c.at.type)

    statement = (
        select(
            to.c.checkpoint,
            first(*ReceiptLevel),
            first(ReceiptLevel.ACKNOWLEDGED),
            first(ReceiptLevel.REFUSED),
        )
        .select_from(to)
        .outerjoin(table, (table.c.checkpoint == to.c.checkpoint) & (table.c.alert_id == alert.id))
        .where(to.c.family == alert.family)
        .group_by(to.c.checkpoint)
        .order_by(to.c.checkpoint)
    )
    return [Reach(*row) for row in await reader.run(statement)]


async def list_unacknowledged(reader: Reader, limit: int) -> list[Alert]:
    """Alerts that still hold, are not acknowledged in time, and about whose silence nobody was told yet."""
    table = tables.alert
    statement = (
        select(*_COLUMNS)
        .where(
            table.c.acknowledge_by <= reader.now,
            table.c.expires_at > reader.now,
            table.c.escalated_at.is_(None),
            table.c.family.in_(_LIVING),
        )
        .order_by(table.c.acknowledge_by)
        .limit(limit)
    )
    return [_alert(row) for row in await reader.run(statement)]


async def erase_of_entry(unit: Unit, entry_id: str) -> None:
    """Erase what checkpoints noted to the alerts of an entry; who confirmed them, and when, stays."""
    alerts = select(tables.alert.c.id).where(tables.alert.c.entry_id == entry_id)
    noted = tables.receipt.c.alert_id.in_(alerts)
    await unit.run(update(tables.receipt).where(noted).values(note=None, officer_reference=None))


async def mark_escalated(unit: Unit, alert_id: str) -> None:
    """Note that the silence of an alert's recipients has been told."""
    await unit.run(update(tables.alert).where(tables.alert.c.id == alert_id).values(escalated_at=unit.now))


async def see(unit: Unit, process: str, codes: Iterable[str]) -> None:
    """Note which checkpoints are connected to a process now, in place of what was noted before."""
    await unit.run(delete(tables.presence).where(tables.presence.c.process == process))
    rows = [{"process": process, "checkpoint": code, "seen_at": unit.now} for code in sorted(codes)]
    if rows:
        await unit.run(insert(tables.presence), rows)


async def forget_absent(unit: Unit, silence: timedelta) -> None:
    """Drop what processes have noted that are gone, and what was noted by a clock that ran ahead."""
    seen_at = tables.presence.c.seen_at
    gone = or_(seen_at < unit.now - silence, seen_at > unit.now + silence)
    await unit.run(delete(tables.presence).where(gone))


async def note_contact(unit: Unit) -> None:
    """Keep, beyond the processes' own notes, when each checkpoint was last connected to any of them."""
    seen, contact = tables.presence, tables.contact
    latest = select(seen.c.checkpoint, func.max(seen.c.seen_at)).group_by(seen.c.checkpoint)
    if unit.is_sqlite:
        latest = latest.where(true())  # without a condition its parser takes ON CONFLICT for a join's
    statement = unit.inserting(contact).from_select(["checkpoint", "seen_at"], latest)
    newest = {"seen_at": statement.excluded.seen_at}
    # What is still to come was noted by a clock that ran ahead, and would hide every silence until then.
    later = or_(contact.c.seen_at < statement.excluded.seen_at, contact.c.seen_at > unit.now)
    await unit.run(
        statement.on_conflict_do_update(index_elements=[contact.c.checkpoint], set_=newest, where=later)
    )


async def list_silent(reader: Reader, before: datetime) -> list[LastSeen]:
    """Active checkpoints that were connected once, last before an instant, and are not missed yet."""
    contact = tables.contact
    statement = (
        select(contact.c.checkpoint, contact.c.seen_at)
        .join(checkpoint_table, checkpoint_table.c.code == contact.c.checkpoint)
        .where(checkpoint_table.c.active.is_(True), contact.c.missed_at.is_(None), contact.c.seen_at < before)
        .order_by(contact.c.checkpoint)
    )
    return [LastSeen(*row) for row in await reader.run(statement)]


async def list_returned(reader: Reader) -> list[LastSeen]:
    """Checkpoints that were missed and have been connected since; missed by a clock that ran ahead, they were not."""
    contact = tables.contact
    statement = (
        select(contact.c.checkpoint, contact.c.seen_at)
        .where(or_(contact.c.seen_at > contact.c.missed_at, contact.c.missed_at > reader.now))
        .order_by(contact.c.checkpoint)
    )
    return [LastSeen(*row) for row in await reader.run(statement)]


async def miss(unit: Unit, codes: Iterable[str]) -> None:
    """Note that the silence of these checkpoints is being told."""
    await _mark(unit, codes, unit.now)


async def find_again(unit: Unit, codes: Iterable[str]) -> None:
    """Note that these checkpoints are missed no longer."""
    await _mark(unit, codes, None)


async def _mark(unit: Unit, codes: Iterable[str], missed_at: datetime | None) -> None:
    contact = tables.contact
    which = any_of(contact.c.checkpoint, "codes")
    await unit.run(update(contact).where(which).values(missed_at=missed_at), {"codes": sorted(codes)})


async def count_recipients(
    reader: Reader, family: str, since: datetime, here: Iterable[str]
) -> tuple[int, int]:
    """How many checkpoints are to get a family of alerts, and how many of them are connected to any process.

    Args:
        reader: the transaction.
        family: the first alert's id.
        since: from when on a checkpoint that was seen counts as connected.
        here: checkpoints that are known to be connected to this process.
    """
    asked = {"family": family, "since": since, "here": list(here)}
    recipients, connected = (await reader.run(_COUNT, asked)).one()
    return recipients, connected


async def find_raised(
    reader: Reader, entry_id: str, since: datetime, here: Iterable[str]
) -> tuple[Alert, int, int, int] | None:
    """The first alert of an entry, its number in the ledger, and what `count_recipients` says of it."""
    asked = {"entry_id": entry_id, "since": since, "here": list(here)}
    row = (await reader.run(_RAISED, asked)).first()
    return None if row is None else (_alert(row[: len(_COLUMNS)]), *row[len(_COLUMNS) :])
