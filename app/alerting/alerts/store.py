"""SQL statements on alerts; unless said otherwise, they do not check who may see an entry."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, bindparam, case, exists, func, insert, or_, select, update

from app.access.tables import agency as agency_table
from app.access.tables import checkpoint as checkpoint_table
from app.access.tables import state as access_state
from app.alerting.alerts import tables
from app.alerting.alerts.domain import Alert, AlertKind, Reach, Receipt, ReceiptLevel
from app.db.driver import CompiledStatement
from app.db.pages import Position, follows
from app.db.types import Id, any_of
from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.kit.commitments import commit
from app.ledger.domain import Head, Record
from app.ledger.service import HeadMissing
from app.ledger.tables import closed as closed_table
from app.ledger.tables import head as head_table
from app.ledger.tables import record as record_table
from app.register.entries.domain import State
from app.register.entries.tables import entry as entry_table
from app.register.entries.timed_changes import undecided as waits

_PERSON_ERASED = 2  # of `entry.erased`, see its table
_json = msgspec.json.encode
_plain = msgspec.json.decode
_COLUMNS = [tables.alert.c[each.name] for each in fields(Alert)]

_ROOT = tables.alert.alias()
_LIVING = select(_ROOT.c.id).where(_ROOT.c.cancelled_at.is_(None), _ROOT.c.id == _ROOT.c.family)
"""Ids of the first alerts of families that are not cancelled."""

_PHONE = select(agency_table.c.phone).where(agency_table.c.code == bindparam("owner")).scalar_subquery()
_ADD = CompiledStatement(
    insert(tables.alert)
    .values({column.name: bindparam(column.name) for column in _COLUMNS})
    .returning(_PHONE)
)

_ACTIVE = select(bindparam("of_family", type_=Id), checkpoint_table.c.code).where(
    checkpoint_table.c.active.is_(True)
)
_FIX_ALL = CompiledStatement(insert(tables.recipient).from_select(["family", "checkpoint"], _ACTIVE))
_FIX_SOME = CompiledStatement(
    insert(tables.recipient).from_select(
        ["family", "checkpoint"], _ACTIVE.where(any_of(checkpoint_table.c.code, "codes"))
    )
)

_HEAD_AND_ACCESS = select(
    head_table.c.epoch, head_table.c.size, head_table.c.last_alert, access_state.c.version
).join(access_state, access_state.c.id == head_table.c.id)


def _recipient_counts(family: ColumnElement[str]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Return subqueries for the number of a family's recipients, and of those connected to any process.

    The second one has the parameters `since` and `connected` of `count_recipients`.
    """
    to, seen = tables.recipient, tables.presence
    elsewhere = to.c.checkpoint.in_(select(seen.c.checkpoint).where(seen.c.seen_at >= bindparam("since")))
    counted = select(func.count()).select_from(to).where(to.c.family == family)
    connected = counted.where(elsewhere | any_of(to.c.checkpoint, "connected"))
    return counted.scalar_subquery(), connected.scalar_subquery()


_COUNT = select(*_recipient_counts(bindparam("family")))
_RAISED = CompiledStatement(
    select(*_COLUMNS, record_table.c.sequence, *_recipient_counts(tables.alert.c.family))
    .join(record_table, record_table.c.alert_id == tables.alert.c.id)
    .where(tables.alert.c.entry_id == bindparam("entry_id"), tables.alert.c.id == tables.alert.c.family)
    .order_by(tables.alert.c.id)
)


def _alert(row: Sequence[Any]) -> Alert:
    values = {column.name: value for column, value in zip(_COLUMNS, row, strict=True)}
    return Alert(**{**values, "kind": AlertKind(values["kind"]), "chase": tuple(_plain(values["chase"]))})


async def add(unit: Unit, alert: Alert) -> str | None:
    """Store an alert, and return the telephone number of its agency; None if the agency has none."""
    values = {name: getattr(alert, name) for name in alert.__slots__}
    values |= {"chase": _json(alert.chase).decode(), "owner": alert.agency}
    phone: str | None
    [(phone,)] = await _ADD.run(unit, values)
    return phone


async def fix_recipients(unit: Unit, family: str, only: Sequence[str] | None = None) -> None:
    """Store the recipients of a family of alerts: the checkpoints that are active now.

    `only` is a list of codes, and limits the recipients to these; None for every active checkpoint.
    """
    if only is None:
        await _FIX_ALL.run(unit, {"of_family": family})
    else:
        await _FIX_SOME.run(unit, {"of_family": family, "codes": list(only)})


async def get_alert(reader: Reader, alert_id: str) -> Alert:
    """Return an alert.

    Raises:
        NotFound: there is no alert with this id.
    """
    row = (await reader.run(select(*_COLUMNS).where(tables.alert.c.id == alert_id))).first()
    if row is None:
        raise NotFound("There is no such alert.")
    return _alert(row)


async def find_family(reader: Reader, entry_ids: Sequence[str]) -> Alert | None:
    """Return the first alert of a family of alerts about one of these entries; None if no alert is about them.

    Of several families it is the newest that is not cancelled, or else the newest. An entry gets another family if it
    comes into force again after a cancel.
    """
    table = tables.alert
    statement = select(*_COLUMNS).where(table.c.entry_id.in_(entry_ids), table.c.id == table.c.family)
    open_first = (table.c.cancelled_at.is_not(None), table.c.id.desc())
    row = (await reader.run(statement.order_by(*open_first).limit(1))).first()
    return _alert(row) if row else None


async def list_begun(reader: Reader, after: Position | None, limit: int) -> list[Position]:
    """Return the formal entries whose beginning is not alerted yet, as pairs of beginning and id.

    The earliest beginning comes first. At most `limit` are returned, only those after the pair `after` (None: the
    first). Such an entry is in force, checkpoints were alerted to its urgent entry, and no alert about it was issued
    since its beginning. Entries that are over with undecided papers (R68) are included, in case no process ran during
    their period.
    """
    about, table = tables.alert, entry_table
    urgent_alerted = exists().where(about.c.entry_id == table.c.formalises)
    alerted = exists().where(about.c.entry_id == table.c.id, about.c.issued_at >= table.c.in_force_from)
    until = table.c.in_force_until
    order = (table.c.in_force_from, table.c.id)
    statement = select(*order).where(
        table.c.formalises.is_not(None),
        table.c.state == State.ACTIVE,
        table.c.in_force_from <= reader.now,
        or_(until.is_(None), until > reader.now, waits(reader.now)),
        urgent_alerted,
        ~alerted,
        follows(after, *order),
    )
    return [
        (begun, entry_id) for begun, entry_id in await reader.run(statement.order_by(*order).limit(limit))
    ]


async def replace_earlier(unit: Unit, family: str) -> None:
    """Mark all stored alerts of a family as replaced now; call it before the next alert of the family is stored."""
    table = tables.alert
    earlier = update(table).where(table.c.family == family, table.c.replaced_at.is_(None))
    await unit.run(earlier.values(replaced_at=unit.now))


async def cancel_family(unit: Unit, family: str) -> None:
    """Mark a family of alerts, by the id of its first alert, as cancelled now."""
    await unit.run(update(tables.alert).where(tables.alert.c.id == family).values(cancelled_at=unit.now))


_BY_END = (entry_table.c.in_force_until, tables.alert.c.entry_id)
_OUTDATED = (
    select(*_BY_END)
    .join(entry_table, entry_table.c.id == tables.alert.c.entry_id)
    .group_by(*_BY_END)
    .having(func.max(tables.alert.c.issued_at) < entry_table.c.in_force_until)
)


async def list_outdated(reader: Reader, after: Position | None, limit: int) -> list[Position]:
    """Return the entries whose last alert is outdated, because their period is over (R68), as pairs of end and id.

    Such an entry is over with undecided papers, and no alert about it was issued since its end. The earliest end comes
    first. At most `limit` are returned, only those after the pair `after` (None: the first).
    """
    statement = _OUTDATED.where(waits(reader.now), follows(after, *_BY_END)).order_by(*_BY_END).limit(limit)
    return [(end, entry_id) for end, entry_id in await reader.run(statement)]


async def is_outdated(reader: Reader, entry_id: str) -> bool:
    """Return whether an entry is over with undecided papers, and its last alert is from before its end (R68)."""
    statement = _OUTDATED.where(waits(reader.now), tables.alert.c.entry_id == entry_id)
    return (await reader.run(statement)).first() is not None


async def read_head_and_access(reader: Reader) -> tuple[Head, int]:
    """Return the ledger's head and the version of the access rights, in one round trip.

    Raises:
        HeadMissing: the ledger has no head.
    """
    if (found := (await reader.run(_HEAD_AND_ACCESS)).first()) is None:
        raise HeadMissing
    return Head(*found[:3]), found[3]


_OPEN = (
    select(tables.alert.c.id, closed_table.c.entry_id.is_not(None))
    .outerjoin(closed_table, closed_table.c.entry_id == tables.alert.c.entry_id)
    .where(tables.alert.c.expires_at > bindparam("at", type_=tables.alert.c.expires_at.type))
    .where(tables.alert.c.family.in_(_LIVING))
)
_OPEN_AMONG = _OPEN.where(any_of(tables.alert.c.id, "ids"))


async def list_open(reader: Reader) -> dict[str, bool]:
    """Return the ids of open alerts (neither cancelled nor expired), each with whether its entry is sealed."""
    return {alert_id: bool(sealed) for alert_id, sealed in await reader.run(_OPEN, {"at": reader.now})}


async def still_holding(reader: Reader, records: Iterable[Record]) -> dict[str, bool]:
    """Return the ids of those alerts among `records` that are open, each with whether its entry is sealed."""
    ids = sorted(record.alert_id for record in records if record.alert_id)
    if not ids:
        return {}
    rows = await reader.run(_OPEN_AMONG, {"at": reader.now, "ids": ids})
    return {alert_id: bool(sealed) for alert_id, sealed in rows}


async def has_open(reader: Reader, entry_id: str, checkpoint: str) -> bool:
    """Return whether the checkpoint with this code is a recipient of an open alert about the entry."""
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


_ACCESS_AND_KNOWN = select(access_state.c.version, tables.alert.c.id, entry_table.c.erased).select_from(
    access_state.outerjoin(tables.alert, any_of(tables.alert.c.id, "ids")).outerjoin(
        entry_table, entry_table.c.id == tables.alert.c.entry_id
    )
)


async def read_access_and_known(reader: Reader, alert_ids: Collection[str]) -> tuple[int, dict[str, bool]]:
    """Return the version of the access rights, and those of `alert_ids` that exist, in one round trip.

    Each id comes with whether retention has erased the person from the alert's entry.
    """
    rows = (await reader.run(_ACCESS_AND_KNOWN, {"ids": sorted(alert_ids)})).all()
    return rows[0][0], {alert_id: erased == _PERSON_ERASED for _, alert_id, erased in rows if alert_id}


_STORED_RECEIPTS = select(
    *(tables.receipt.c[name] for name in ("alert_id", "client_id", "level", "at", "salt"))
).where(any_of(tables.receipt.c.alert_id, "alert_ids"), any_of(tables.receipt.c.client_id, "client_ids"))


async def add_receipts(unit: Unit, receipts: Sequence[Receipt]) -> list[tuple[bool, datetime]]:
    """Store receipts; one whose client already has a receipt of this alert at this level is left out.

    Args:
        unit: the transaction.
        receipts: the receipts; their alerts must exist.

    Returns:
        For each receipt, in the order of `receipts`: whether it was stored now; and when it, or else the earlier one,
        was stored.
    """
    if not receipts:
        return []
    # In the order of their keys: otherwise two transactions on PostgreSQL could each wait for a row of the other.
    ordered = sorted(range(len(receipts)), key=receipts.__getitem__)
    rows = {position: _receipt_row(receipts[position], unit.now) for position in ordered}
    await unit.run(unit.inserting(tables.receipt).on_conflict_do_nothing(), list(rows.values()))
    asked = {
        "alert_ids": sorted({each.alert_id for each in receipts}),
        "client_ids": sorted({each.client_id for each in receipts}),
    }
    stored = {
        (alert_id, client_id, level): (at, salt)
        for alert_id, client_id, level, at, salt in await unit.run(_STORED_RECEIPTS, asked)
    }
    answers = []
    for position, each in enumerate(receipts):
        at, salt = stored[each.alert_id, each.client_id, each.level]
        is_first = salt == rows[position]["salt"]  # it is random, and shows which of two rows is there
        answers.append((is_first, at))
    return answers


def _receipt_row(receipt: Receipt, now: datetime) -> dict[str, Any]:
    salt, commitment = commit(receipt.officer_reference, receipt.note)
    values = {each.name: getattr(receipt, each.name) for each in fields(Receipt)}
    return {**values, "at": now, "salt": salt, "commitment": commitment}


async def list_reach(reader: Reader, alert: Alert) -> list[Reach]:
    """Return for each recipient of an alert, sorted by checkpoint code, when its first receipts came.

    A receipt of any level counts for `received_at`.
    """
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


async def count_recipients(
    reader: Reader, family: str, since: datetime, connected: Iterable[str]
) -> tuple[int, int]:
    """Return the number of recipients of a family of alerts, and the number of those connected to any process.

    Args:
        reader: the transaction.
        family: id of the family's first alert.
        since: a checkpoint seen at or after this instant counts as connected.
        connected: codes of checkpoints known to be connected to this process.
    """
    values = {"family": family, "since": since, "connected": list(connected)}
    recipients, reachable = (await reader.run(_COUNT, values)).one()
    return recipients, reachable


async def find_raised(
    reader: Reader, entry_id: str, since: datetime, connected: Iterable[str]
) -> tuple[Alert, int, int, int] | None:
    """Return the alert that begins the first family of alerts about an entry, with its recipients counted.

    Returns None if no family began with this entry.

    Args:
        reader: the transaction.
        entry_id: id of the entry.
        since: a checkpoint seen at or after this instant counts as connected.
        connected: codes of checkpoints known to be connected to this process.

    Returns:
        The alert, its ledger sequence, the number of its recipients, and the number of recipients that are connected.
    """
    values = {"entry_id": entry_id, "since": since, "connected": list(connected)}
    rows = await _RAISED.run(reader, values)
    return (_alert(rows[0][: len(_COLUMNS)]), *rows[0][len(_COLUMNS) :]) if rows else None
