"""SQL statements on delayed departures; they do not check who may see a delay."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, case, cast, delete, insert, or_, select, update

from app.db.pages import Position, follows
from app.db.types import Key, any_of
from app.db.unit import Reader, Unit
from app.register.departures import tables
from app.register.departures.domain import Delay, DelayReason, Referral, Sponsor, Traveller

_json = msgspec.json.encode


def _delay(row: Row[*tuple[Any, ...]]) -> Delay:
    values = dict(row._mapping)
    sponsor = values["sponsor"]
    return Delay(
        **{
            **values,
            "reason": DelayReason(values["reason"]),
            "referral": Referral(values["referral"]),
            "sponsor": msgspec.json.decode(sponsor, type=Sponsor) if sponsor else None,
        }
    )


async def add(unit: Unit, delay: Delay, traveller: Traveller) -> None:
    """Store a delay, its traveller in a separate table, and the keys by which its sponsor is found."""
    values = {column.name: getattr(delay, column.name) for column in tables.delay.c}
    values["sponsor"] = _json(delay.sponsor).decode() if delay.sponsor else None
    await unit.run(insert(tables.delay).values(**values))
    await unit.run(
        insert(tables.traveller).values(
            delay_id=delay.id, occurred_at=delay.occurred_at, document=_json(traveller).decode()
        )
    )
    if delay.sponsor is not None:
        rows = [{"key": key, "delay_id": delay.id} for key in sorted(delay.sponsor.identifiers())]
        await unit.run(insert(tables.sponsor_key), rows)


async def find(reader: Reader, delay_id: str) -> Delay | None:
    """Return the delay with this id; None if there is none."""
    row = (await reader.run(select(tables.delay).where(tables.delay.c.id == delay_id))).first()
    return _delay(row) if row else None


async def find_traveller(reader: Reader, delay_id: str) -> Traveller | None:
    """Return the traveller of a delay; None for an unknown delay, or once the traveller is erased."""
    table = tables.traveller
    statement = select(table.c.document).where(table.c.delay_id == delay_id)
    document = (await reader.run(statement)).scalar_one_or_none()
    return msgspec.json.decode(document, type=Traveller) if document else None


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions of a list of delays; None in a member means no condition.

    Attributes:
        since, until: instants between which the delays occurred, the second excluded.
        ids: only the delays with these ids.
    """

    checkpoint: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ids: frozenset[str] | None = None


async def list_page(reader: Reader, requested: Filter, before: str | None, limit: int) -> list[Delay]:
    """Return delays that match the filter, the newest record first, at most `limit`.

    Only delays that were recorded before the delay with the id `before`; None begins with the newest.
    """
    table = tables.delay
    statement = select(table).where(*_conditions(requested)).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(table.c.id < before)
    return [_delay(row) for row in await reader.run(statement, _parameters(requested))]


async def list_in_order(reader: Reader, requested: Filter, after: Position | None, limit: int) -> list[Delay]:
    """Return delays that match the filter, by the time at which they occurred, oldest first, at most `limit`.

    `after` is the time and the id of a delay: only later ones are returned; None begins with the oldest.
    """
    table = tables.delay
    order = (table.c.occurred_at, table.c.id)
    conditions = (*_conditions(requested), follows(after, *order))
    statement = select(table).where(*conditions).order_by(*order).limit(limit)
    return [_delay(row) for row in await reader.run(statement, _parameters(requested))]


def _conditions(requested: Filter) -> list[Any]:
    table = tables.delay
    conditions: list[Any] = []
    if requested.checkpoint is not None:
        conditions.append(table.c.checkpoint == requested.checkpoint)
    if requested.since is not None:
        conditions.append(table.c.occurred_at >= requested.since)
    if requested.until is not None:
        conditions.append(table.c.occurred_at < requested.until)
    if requested.ids is not None:
        conditions.append(any_of(table.c.id, "ids"))
    return conditions


def _parameters(requested: Filter) -> dict[str, Any] | None:
    return None if requested.ids is None else {"ids": sorted(requested.ids)}


async def list_of_same_sponsor(reader: Reader, delay_id: str) -> frozenset[str]:
    """Return the ids of a delay and of all delays that a chain of shared keys of sponsors links with it.

    The chain may have any length, as in `domain.find_patterns`; its links are the sponsors that are not erased. One
    statement follows it, from a key to the delays that have it, and from a delay to the keys of its sponsor. No id
    equals a key, because keys begin with a letter and a colon.
    """
    link = tables.sponsor_key.c
    reached = select(link.key.label("node")).where(link.delay_id == delay_id).cte("reached", recursive=True)
    node = reached.c.node
    other_end = cast(case((link.key == node, link.delay_id), else_=link.key), Key)
    reached = reached.union(select(other_end).where(or_(link.key == node, link.delay_id == node)))
    linked = select(link.delay_id).where(link.key.in_(select(reached.c.node)))
    return frozenset({delay_id, *(await reader.run(linked)).scalars()})


async def list_travellers_to_erase(
    reader: Reader, after: Position | None, limit: int, *, days: int
) -> list[Position]:
    """Return the delays of more than `days` days ago with a traveller, as pairs of time and id, oldest first.

    At most `limit` are returned, only those after the pair `after` (None: the first).
    """
    table = tables.traveller
    order = (table.c.occurred_at, table.c.delay_id)
    due = (table.c.occurred_at < reader.now - timedelta(days=days), follows(after, *order))
    rows = await reader.run(select(*order).where(*due).order_by(*order).limit(limit))
    return [(occurred_at, delay_id) for occurred_at, delay_id in rows]


async def erase_travellers(unit: Unit, delay_ids: Iterable[str], *, days: int) -> int:
    """Erase the travellers of those of these delays that occurred more than `days` days ago. Returns their number."""
    table, delay = tables.traveller, tables.delay
    own = (any_of(table.c.delay_id, "ids"), table.c.occurred_at < unit.now - timedelta(days=days))
    ids = {"ids": sorted(delay_ids)}
    ids = {"ids": list((await unit.run(select(table.c.delay_id).where(*own), ids)).scalars())}
    await unit.run(delete(table).where(any_of(table.c.delay_id, "ids")), ids)
    await unit.run(update(delay).where(any_of(delay.c.id, "ids")).values(purged_at=unit.now), ids)
    return len(ids["ids"])


async def list_sponsors_to_erase(
    reader: Reader, after: Position | None, limit: int, *, days: int
) -> list[Position]:
    """Return the delays of more than `days` days ago with a sponsor or a group reference, as pairs of time and id.

    The oldest come first. At most `limit` are returned, only those after the pair `after` (None: the first).
    """
    table = tables.delay
    order = (table.c.occurred_at, table.c.id)
    due = (tables.SPONSORED, table.c.occurred_at < reader.now - timedelta(days=days), follows(after, *order))
    rows = await reader.run(select(*order).where(*due).order_by(*order).limit(limit))
    return [(occurred_at, delay_id) for occurred_at, delay_id in rows]


async def erase_sponsors(unit: Unit, delay_ids: Iterable[str], *, days: int) -> int:
    """Erase the sponsors and the group references of those of these delays that are older than `days` days.

    Returns the number of changed delays.
    """
    table, sponsor_key = tables.delay, tables.sponsor_key
    own = (
        any_of(table.c.id, "ids"),
        tables.SPONSORED,
        table.c.occurred_at < unit.now - timedelta(days=days),
    )
    ids = {"ids": sorted(delay_ids)}
    ids = {"ids": list((await unit.run(select(table.c.id).where(*own), ids)).scalars())}
    await unit.run(delete(sponsor_key).where(any_of(sponsor_key.c.delay_id, "ids")), ids)
    left = update(table).where(any_of(table.c.id, "ids"))
    await unit.run(left.values(sponsor=None, group_reference=None, sponsor_purged_at=unit.now), ids)
    return len(ids["ids"])
