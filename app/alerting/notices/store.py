"""SQL statements on notices."""

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

from app.access.domain import Role
from app.actor import Actor
from app.alerting.notices import tables
from app.alerting.notices.domain import (
    HOLDING,
    RUNGS,
    URGENT_RUNGS,
    Notice,
    NoticeContent,
    TermName,
    addresses,
)
from app.alerting.notices.granted import not_carried_out
from app.alerting.notices.names import NoticeName
from app.alerting.notices.overdue import KEY_ENDS, OVERDUE_KEY, OverdueAct
from app.db.postgresql import CHANNEL
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.register.amendments.domain import OPEN, AmendmentState
from app.register.amendments.tables import amendment
from app.register.entries.domain import State
from app.register.entries.duties import columns as open_duties
from app.register.entries.law.deadlines import EXTENSION_DAYS, DeadlineName, Terms
from app.register.entries.law.periods import LAST_SECOND, URGENT_DAYS, over_at
from app.register.entries.store import extendable, holds
from app.register.entries.tables import duty as duty_table
from app.register.entries.tables import entry as entry_table
from app.register.entries.visibility import closed
from app.register.objections.tables import objection
from app.register.rectifications.tables import correction_request as request

LOCK = 0x63656B6E

_encode = msgspec.json.encode
_decode = msgspec.json.decode

_KNOWN = select(tables.notice.c.key).where(any_of(tables.notice.c.key, "keys"))
_SIZE = select(func.coalesce(func.max(tables.notice.c.number), 0))


async def known_keys(reader: Reader, keys: Collection[str]) -> set[str]:
    """Return those of `keys` that a stored notice has."""
    return set((await reader.run(_KNOWN, {"keys": sorted(keys)})).scalars())


async def size(reader: Reader) -> int:
    """Return the number of notices, which is also the last notice's number."""
    return int((await reader.run(_SIZE)).scalar_one())


async def lock_numbers(unit: Unit) -> None:
    """Take the lock on notice numbers until this transaction is committed.

    Without it, notices could become visible in another order than their numbers, and a reader that continues after the
    highest number seen would miss some. On SQLite it does nothing, because there is a single writer.
    """
    if not unit.is_sqlite:
        await unit.run(select(func.pg_advisory_xact_lock(LOCK)))


async def add(unit: Unit, notices: Sequence[Notice]) -> None:
    """Store numbered notices, and wake the other processes at commit."""
    await unit.run(insert(tables.notice), [_row(notice) for notice in notices])
    addressed = [{"address": to, "number": notice.number} for notice in notices for to in notice.content.to]
    await unit.run(insert(tables.address), addressed)
    if not unit.is_sqlite:
        await unit.run(select(func.pg_notify(CHANNEL, "")))


async def list_after(reader: Reader, after: int, limit: int, actor: Actor | None) -> list[Notice]:
    """Return the notices with numbers above `after` that an actor may read, lowest number first, at most `limit`.

    Notices about entries that are sealed from the actor are omitted. None as actor returns all notices.
    """
    number = tables.notice.c.number
    statement = select(tables.notice).where(number > after).order_by(number).limit(limit)
    if actor is not None:
        statement = statement.where(_readable(actor, limit, after))
    return await _list(reader, statement)


async def list_latest(reader: Reader, limit: int) -> list[Notice]:
    """Return the last notices that the reader's actor may read, newest first, at most `limit`."""
    number = tables.notice.c.number
    statement = select(tables.notice).order_by(number.desc()).limit(limit)
    return await _list(reader, statement.where(_readable(reader.actor, limit)))


def _readable(actor: Actor, limit: int, after: int | None = None) -> ColumnElement[bool]:
    """Return the condition that an actor may read a notice.

    An actor reads the notices to their addresses, an auditor every notice, except those about entries that are
    sealed from them.
    """
    if not actor.holds(Role.AUDITOR):
        return tables.notice.c.number.in_(_meant(actor, limit, after=after))
    of_entry = tables.notice.c.entry_id
    return or_(of_entry.is_(None), of_entry.not_in(closed(actor)))


def _meant(actor: Actor, limit: int, after: int | None = None) -> CompoundSelect[int]:
    """Return a query for the numbers of notices to an actor: the first after a number, or without it the last.

    Each address is read along its own index and no further than the page needs, so that the cost does not grow with
    the register. Notices about entries that are sealed from the actor are omitted.
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
        numbers = (part if after is None else part.where(to.c.number > after)).subquery()
        parts.append(select(numbers.c.number))
    return union_all(*parts)


async def last_before(reader: Reader, moment: datetime) -> int:
    """Return the number of the last notice that was stored before an instant; 0 if there is none."""
    return int((await reader.run(_SIZE.where(tables.notice.c.at < moment))).scalar_one())


async def find_written_until(reader: Reader, name: str) -> date | None:
    """Return the last legal day for which a daily round has written every notice; None before the first round.

    `name` is the name of the round, such as `ladder`.
    """
    statement = select(tables.finished_round.c.written_until).where(tables.finished_round.c.name == name)
    day: date | None = (await reader.run(statement)).scalar_one_or_none()
    return day


async def store_written_until(unit: Unit, name: str, day: date) -> None:
    """Store that a daily round, by its name, has written every notice for this legal day and all earlier ones."""
    await unit.run(delete(tables.finished_round).where(tables.finished_round.c.name == name))
    await unit.run(insert(tables.finished_round).values(name=name, written_until=day))


async def list_reaching(reader: Reader, first: date, last: date) -> list[str]:
    """Return the ids of entries in force that may reach a rung on a legal day from `first` to `last`, sorted.

    A rung is one of the days before its end on which an entry's owner is notified. Both days are included. Some of the
    entries may reach no rung; the caller examines each.
    """
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
    """Return the ids of entries that may wait for a decision, sorted; the caller examines each.

    Formal requests are included until they are decided, whatever their id, because a letter may have been received long
    before it was entered. Urgent entries, also countersigned ones, are included while they are not over, if their id is
    below `urgent_before`, that is, if they were made before the time in this id.
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


async def list_uncountersigned(reader: Reader) -> list[str]:
    """Return the ids of urgent entries that wait for a countersignature, sorted; they stop nobody before it."""
    table = entry_table
    waiting = (table.c.state == State.SUBMITTED, table.c.urgent)
    return list((await reader.run(select(table.c.id).where(*waiting).order_by(table.c.id))).scalars())


async def list_undone(reader: Reader, name: DeadlineName, before: datetime) -> list[str]:
    """Return the ids of entries with an overdue duty of this name that no notice has reported yet, sorted.

    A duty is an act about an entry that must be proved, such as its delivery to the person.

    Args:
        reader: the transaction.
        name: the duty.
        before: the duty is overdue if it has been open since before this instant.
    """
    since = open_duties.since_column(name)
    reported = _reported(name, since)  # an earlier due time belongs to the decision before an extension
    statement = select(entry_table.c.id).where(
        *open_duties.running(name, reader.now), since < before, ~reported
    )
    return list((await reader.run(statement.order_by(entry_table.c.id))).scalars())


async def list_unextended(reader: Reader, terms: Terms) -> list[str]:
    """Return the ids of entries in force for which no extension was filed by the last day allowed, sorted.

    Entries whose missing extension a notice has reported are omitted. `terms` are the deployment's settings for periods
    of the law.
    """
    table, until = entry_table, entry_table.c.in_force_until
    days = timedelta(days=EXTENSION_DAYS)
    extension_filed = exists().where(
        duty_table.c.entry_id == table.c.id, duty_table.c.name == DeadlineName.EXTEND_BEFORE
    )
    statement = select(table.c.id).where(
        extendable(terms),
        until > reader.now,
        until <= reader.now + days,
        ~extension_filed,
        ~_reported(DeadlineName.EXTEND_BEFORE, reader.now - days - LAST_SECOND),
    )
    return list((await reader.run(statement.order_by(table.c.id))).scalars())


def _reported(name: DeadlineName, since: ColumnElement[datetime] | datetime) -> ColumnElement[bool]:
    """Return the condition that a notice has reported an entry's deadline of this name, due later than an instant.

    The notice key ends with a colon and the day, so that the keys of one entry and name are a range in the index.
    """
    notice, about = tables.notice, literal(OVERDUE_KEY).concat(entry_table.c.id)
    return exists().where(
        notice.c.key > about.concat(f":{name}:"),
        notice.c.key < about.concat(f":{name};"),
        notice.c.due_at > since,
    )


def _terms(now: datetime) -> list[tuple[TermName, Table, ColumnElement[datetime], ColumnElement[bool]]]:
    """Return, for each term, its table, the column with its due time, and the condition that it is open."""
    answer, carry_out = objection.c.answer_due_at, objection.c.carry_out_by
    return [
        (TermName.DECIDE_AMENDMENT, amendment, amendment.c.due_at, amendment.c.state.in_(sorted(OPEN))),
        (TermName.ANSWER_LETTER, amendment, amendment.c.due_at, amendment.c.state == AmendmentState.REFERRED),
        (TermName.ANSWER_OBJECTION, objection, answer, objection.c.answered_at.is_(None)),
        (TermName.CARRY_OUT_OBJECTION, objection, carry_out, not_carried_out(now)),
        (TermName.DECIDE_CORRECTION_REQUEST, request, request.c.due_at, request.c.outcome.is_(None)),
    ]


async def list_overdue_acts(reader: Reader) -> list[OverdueAct]:
    """Return the decisions and answers that are overdue, soonest due first.

    They are about amendments, objections and correction requests. Acts that a notice has reported are omitted. An
    amendment is omitted too if its entry has ended, or is over and does not wait for undecided papers (R68).
    """
    parts = []
    for name, table, due_at, is_open in _terms(reader.now):
        of_amendment = table is amendment
        key = literal(OVERDUE_KEY).concat(table.c.id).concat(KEY_ENDS.get(name, ""))
        reported = exists().where(tables.notice.c.key == key)
        part = select(
            literal(name.value).label("name"),
            table.c.id,
            table.c.entry_id,
            (table.c.owner if of_amendment else table.c.agency).label("agency"),
            table.c.agency.label("asked_by"),
            due_at.label("due_at"),
        ).where(due_at <= reader.now - LAST_SECOND, is_open, ~reported)
        if of_amendment:
            part = part.join(entry_table, entry_table.c.id == table.c.entry_id).where(holds(reader.now))
        parts.append(part)
    rows = (await reader.run(union_all(*parts))).all()
    late = [OverdueAct(**{**row._mapping, "name": TermName(row.name)}) for row in rows]
    return sorted(late, key=lambda each: (each.due_at, each.id))


async def _list(reader: Reader, statement: Select[*tuple[Any, ...]]) -> list[Notice]:
    return [_notice(row._mapping) for row in await reader.run(statement)]


def _row(notice: Notice) -> dict[str, Any]:
    content = notice.content
    return {
        "number": notice.number,
        "id": notice.id,
        "name": content.name.value,
        "key": content.key,
        "at": notice.at,
        "effective_at": content.effective_at,
        "due_at": content.due_at,
        "entry_id": content.entry_id,
        "alert_id": content.alert_id,
        "request_id": content.request_id,
        "agency": content.agency,
        "to": _encode(content.to).decode(),
        "detail": _encode(content.detail).decode(),
    }


def _notice(row: Any) -> Notice:
    content = NoticeContent(
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
    return Notice(row["number"], row["id"], row["at"], content)
