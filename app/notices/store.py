"""Every SQL statement of notices."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
)

from app.amendments.domain import OPEN, AmendmentState
from app.amendments.tables import amendment
from app.db.postgresql import CHANNEL
from app.db.types import any_of
from app.db.unit import Actor, Reader, Unit
from app.entries import open_duties
from app.entries.deadlines import EXTENSION_DAYS, DeadlineName, Terms
from app.entries.domain import State
from app.entries.periods import LAST_SECOND, URGENT_DAYS, over_at
from app.entries.store import extendable, holds
from app.entries.tables import duty as duty_table
from app.entries.tables import entry as entry_table
from app.entries.views import closed
from app.notices import tables
from app.notices.domain import HOLDING, RUNGS, URGENT_RUNGS, Draft, Notice, TermName, addresses
from app.notices.escalation import KEY_ENDS, OVERDUE_KEY, Late
from app.notices.granted import not_carried_out
from app.notices.names import NoticeName
from app.objections.tables import objection
from app.rectifications.tables import correction_request as request

LOCK = 0x63656B6E

_encode = msgspec.json.encode
_decode = msgspec.json.decode

_KNOWN = select(tables.notice.c.key).where(any_of(tables.notice.c.key, "keys"))
_SIZE = select(func.coalesce(func.max(tables.notice.c.number), 0))


async def known_keys(reader: Reader, keys: Collection[str]) -> set[str]:
    """Those of the keys that were told already."""
    return set((await reader.run(_KNOWN, {"keys": sorted(keys)})).scalars())


async def size(reader: Reader) -> int:
    """How many notices there are, which is also the last number."""
    return int((await reader.run(_SIZE)).scalar_one())


async def hold_numbers(unit: Unit) -> None:
    """Hold back everybody else who wants numbers until this transaction is committed.

    Numbers that are given out before the commit could become visible in another order, and a reader who goes
    on from the highest number it has seen would never see the others. On SQLite a transaction that writes is
    alone anyway.
    """
    if not unit.is_sqlite:
        await unit.run(select(func.pg_advisory_xact_lock(LOCK)))


async def add(unit: Unit, notices: Sequence[Notice]) -> None:
    """Store numbered notices, and wake the other processes at commit."""
    await unit.run(insert(tables.notice), [_row(notice) for notice in notices])
    addressed = [{"address": to, "number": notice.number} for notice in notices for to in notice.said.to]
    await unit.run(insert(tables.address), addressed)
    if not unit.is_sqlite:
        await unit.run(select(func.pg_notify(CHANNEL, "")))


async def list_after(reader: Reader, after: int, limit: int, actor: Actor | None) -> list[Notice]:
    """Notices beyond a number that are meant for an actor, in order; for everybody without one."""
    number = tables.notice.c.number
    statement = select(tables.notice).where(number > after).order_by(number).limit(limit)
    if actor is not None:
        statement = statement.where(_told_to(actor, limit, after))
    return await _list(reader, statement)


async def list_latest(reader: Reader, limit: int) -> list[Notice]:
    """The last notices that are meant for the actor, newest first."""
    number = tables.notice.c.number
    statement = select(tables.notice).order_by(number.desc()).limit(limit)
    return await _list(reader, statement.where(_told_to(reader.actor, limit)))


def _told_to(actor: Actor, limit: int, after: int | None = None) -> ColumnElement[bool]:
    """Whether a notice is one that an actor reads: what is meant for them; of an auditor everything not about them."""
    if not actor.holds("auditor"):
        return tables.notice.c.number.in_(_meant(actor, limit, after=after))
    of_entry = tables.notice.c.entry_id
    return or_(of_entry.is_(None), of_entry.not_in(closed(actor)))


def _meant(actor: Actor, limit: int, after: int | None = None) -> CompoundSelect[int]:
    """The numbers of what is meant for an actor: the first ones beyond a number, or without it the last ones.

    Each address is read along its own index and no further than the page needs, however old the register is.
    What tells of an entry whose seal keeps the actor out is not meant for them.
    """
    to, of_entry = tables.address, tables.notice.c.entry_id
    parts = []
    for address in sorted(addresses(actor)) or [""]:
        part = (
            select(to.c.number)
            .join(tables.notice, tables.notice.c.number == to.c.number)
            .where(to.c.address == address, or_(of_entry.is_(None), of_entry.not_in(closed(actor))))
            .order_by(to.c.number.desc() if after is None else to.c.number)
            .limit(limit)
        )
        some = (part if after is None else part.where(to.c.number > after)).subquery()
        parts.append(select(some.c.number))
    return union_all(*parts)


async def last_before(reader: Reader, moment: datetime) -> int:
    """The number of the last notice written before an instant; 0 when there is none."""
    return int((await reader.run(_SIZE.where(tables.notice.c.at < moment))).scalar_one())


async def find_mark(reader: Reader, name: str) -> date | None:
    """The last legal day whose notices are all written."""
    statement = select(tables.mark.c.told_until).where(tables.mark.c.name == name)
    day: date | None = (await reader.run(statement)).scalar_one_or_none()
    return day


async def keep_mark(unit: Unit, name: str, day: date) -> None:
    """Note that of this legal day, and those before, everything was told."""
    await unit.run(delete(tables.mark).where(tables.mark.c.name == name))
    await unit.run(insert(tables.mark).values(name=name, told_until=day))


async def list_reaching(reader: Reader, first: date, last: date) -> list[str]:
    """Ids of entries in force that may reach a rung on one of these legal days: a few too many, none too few."""
    table = entry_table
    left = {*RUNGS, *(URGENT_DAYS - day for day in URGENT_RUNGS)}
    ends = [
        table.c.ends_on.between(first + timedelta(days=days), last + timedelta(days=days))
        for days in sorted(left)
    ]
    statement = select(table.c.id).where(
        table.c.state.in_(sorted(HOLDING)),
        table.c.in_force_until > reader.now,
        table.c.in_force_until <= over_at(last + timedelta(days=max(left))),
        or_(*ends),
    )
    return list((await reader.run(statement.order_by(table.c.id))).scalars())


async def list_undecided(reader: Reader, *, urgent_before: str) -> list[str]:
    """Ids of entries that wait for a decision: urgent ones made before an id, and all others.

    A letter may have been received long before its request was entered here, so that its days are over at once.
    """
    table = entry_table
    urgent = select(table.c.id).where(
        table.c.state.in_([State.SUBMITTED, State.PROVISIONAL]),
        table.c.in_force_until > reader.now,
        table.c.urgent,
        table.c.id < urgent_before,
    )
    ordinary = select(table.c.id).where(table.c.state.in_([State.SUBMITTED, State.VERIFIED]), ~table.c.urgent)
    return sorted((await reader.run(union_all(urgent, ordinary))).scalars())


async def list_undone(reader: Reader, name: DeadlineName, before: datetime) -> list[str]:
    """Ids of entries with a duty that is open for too long, if no notice has reported that yet.

    Args:
        reader: the transaction.
        name: the duty.
        before: only duties that have run since an earlier instant are overdue.
    """
    since = open_duties.since_column(name)
    told = _told_of(name, since)  # what was due before is of the decision before an extension
    statement = select(entry_table.c.id).where(*open_duties.running(name, reader.now), since < before, ~told)
    return list((await reader.run(statement.order_by(entry_table.c.id))).scalars())


async def list_unextended(reader: Reader, terms: Terms) -> list[str]:
    """Ids of entries in force whose time for an extension has passed, if no notice has reported that yet."""
    table, until = entry_table, entry_table.c.in_force_until
    days = timedelta(days=EXTENSION_DAYS)
    asked_for = exists().where(
        duty_table.c.entry_id == table.c.id, duty_table.c.name == DeadlineName.EXTEND_BEFORE
    )
    statement = select(table.c.id).where(
        extendable(terms),
        until > reader.now,
        until <= reader.now + days,
        ~asked_for,
        ~_told_of(DeadlineName.EXTEND_BEFORE, reader.now - days - LAST_SECOND),
    )
    return list((await reader.run(statement.order_by(table.c.id))).scalars())


def _told_of(name: DeadlineName, since: ColumnElement[datetime] | datetime) -> ColumnElement[bool]:
    """Whether it was told of an entry that a deadline of this name, due later than an instant, has passed.

    Its key ends with the day, after a colon: of one entry and name the keys are a range of their index.
    """
    notice, about = tables.notice, literal(OVERDUE_KEY).concat(entry_table.c.id)
    return exists().where(
        notice.c.key > about.concat(f":{name}:"),
        notice.c.key < about.concat(f":{name};"),
        notice.c.due_at > since,
    )


def _terms(now: datetime) -> list[tuple[TermName, Table, ColumnElement[datetime], ColumnElement[bool]]]:
    """Where what is due beside entries stands: its table, when it is due, and whether it is open."""
    answer, carry_out = objection.c.answer_due_at, objection.c.carry_out_by
    return [
        (TermName.DECIDE_AMENDMENT, amendment, amendment.c.due_at, amendment.c.state.in_(sorted(OPEN))),
        (TermName.ANSWER_LETTER, amendment, amendment.c.due_at, amendment.c.state == AmendmentState.REFERRED),
        (TermName.ANSWER_OBJECTION, objection, answer, objection.c.answered_at.is_(None)),
        (TermName.CARRY_OUT_OBJECTION, objection, carry_out, not_carried_out(now)),
        (TermName.DECIDE_CORRECTION_REQUEST, request, request.c.due_at, request.c.outcome.is_(None)),
    ]


async def list_late(reader: Reader) -> list[Late]:
    """What is due beside entries, open beyond its time, and was not told yet; no amendment of what has ended."""
    parts = []
    for name, table, due_at, is_open in _terms(reader.now):
        of_amendment = table is amendment
        key = literal(OVERDUE_KEY).concat(table.c.id).concat(KEY_ENDS.get(name, ""))
        told = exists().where(tables.notice.c.key == key)
        part = select(
            literal(name.value).label("name"),
            table.c.id,
            table.c.entry_id,
            (table.c.owner if of_amendment else table.c.agency).label("agency"),
            table.c.agency.label("asked_by"),
            due_at.label("due_at"),
        ).where(due_at <= reader.now - LAST_SECOND, is_open, ~told)
        if of_amendment:
            part = part.join(entry_table, entry_table.c.id == table.c.entry_id).where(holds(reader.now))
        parts.append(part)
    rows = (await reader.run(union_all(*parts))).all()
    late = [Late(**{**row._mapping, "name": TermName(row.name)}) for row in rows]
    return sorted(late, key=lambda each: (each.due_at, each.id))


async def _list(reader: Reader, statement: Select[*tuple[Any, ...]]) -> list[Notice]:
    return [_notice(row._mapping) for row in await reader.run(statement)]


def _row(notice: Notice) -> dict[str, Any]:
    said = notice.said
    return {
        "number": notice.number,
        "id": notice.id,
        "name": said.name.value,
        "key": said.key,
        "at": notice.at,
        "effective_at": said.effective_at,
        "due_at": said.due_at,
        "entry_id": said.entry_id,
        "alert_id": said.alert_id,
        "request_id": said.request_id,
        "agency": said.agency,
        "to": _encode(said.to).decode(),
        "detail": _encode(said.detail).decode(),
    }


def _notice(row: Any) -> Notice:
    said = Draft(
        name=NoticeName(row["name"]),
        key=row["key"],
        to=tuple(_decode(row["to"])),
        effective_at=row["effective_at"],
        entry_id=row["entry_id"],
        alert_id=row["alert_id"],
        request_id=row["request_id"],
        agency=row["agency"],
        due_at=row["due_at"],
        detail=_decode(row["detail"]),
    )
    return Notice(row["number"], row["id"], row["at"], said)
