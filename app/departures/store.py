"""Every SQL statement of delayed departures."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, delete, insert, select, tuple_, update

from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.departures import tables
from app.departures.domain import Delay, DelayReason, Referral, Sponsor, Traveller

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
    """Store a delay, its traveller apart, and by what its sponsor is found again."""
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
    """A delay."""
    row = (await reader.run(select(tables.delay).where(tables.delay.c.id == delay_id))).first()
    return _delay(row) if row else None


async def find_traveller(reader: Reader, delay_id: str) -> Traveller | None:
    """Who was delayed, unless that was erased."""
    table = tables.traveller
    statement = select(table.c.document).where(table.c.delay_id == delay_id)
    document = (await reader.run(statement)).scalar_one_or_none()
    return msgspec.json.decode(document, type=Traveller) if document else None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which delays are wanted; None means any.

    Attributes:
        since, until: instants between which they occurred, the second excluded.
        ids: only these.
    """

    checkpoint: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ids: frozenset[str] | None = None


async def list_page(reader: Reader, wanted: Filter, before: str | None, limit: int) -> list[Delay]:
    """Delays, newest record first, older than an id."""
    table = tables.delay
    statement = select(table).where(*_conditions(wanted)).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(table.c.id < before)
    return [_delay(row) for row in await reader.run(statement, _parameters(wanted))]


async def list_in_order(
    reader: Reader, wanted: Filter, after: tuple[datetime, str] | None, limit: int
) -> list[Delay]:
    """Delays in the order in which they occurred, beyond one of them."""
    table = tables.delay
    order = (table.c.occurred_at, table.c.id)
    statement = select(table).where(*_conditions(wanted)).order_by(*order).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(*order) > tuple_(*after, types=[column.type for column in order]))
    return [_delay(row) for row in await reader.run(statement, _parameters(wanted))]


def _conditions(wanted: Filter) -> list[Any]:
    table = tables.delay
    conditions: list[Any] = []
    if wanted.checkpoint is not None:
        conditions.append(table.c.checkpoint == wanted.checkpoint)
    if wanted.since is not None:
        conditions.append(table.c.occurred_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(table.c.occurred_at < wanted.until)
    if wanted.ids is not None:
        conditions.append(any_of(table.c.id, "ids"))
    return conditions


def _parameters(wanted: Filter) -> dict[str, Any] | None:
    return None if wanted.ids is None else {"ids": sorted(wanted.ids)}


async def list_sponsor_keys(reader: Reader, delay_ids: Iterable[str]) -> set[str]:
    """By what the sponsors of these delays are found again."""
    table = tables.sponsor_key
    statement = select(table.c.key).where(any_of(table.c.delay_id, "ids"))
    return set((await reader.run(statement, {"ids": sorted(delay_ids)})).scalars())


async def list_by_sponsor_keys(reader: Reader, keys: Iterable[str]) -> set[str]:
    """Ids of the delays whose sponsor has one of the keys."""
    table = tables.sponsor_key
    statement = select(table.c.delay_id).where(any_of(table.c.key, "keys"))
    return set((await reader.run(statement, {"keys": sorted(keys)})).scalars())


async def erase_travellers(unit: Unit, before: datetime, limit: int) -> int:
    """Erase who was delayed before an instant; how many were, at most `limit`."""
    table = tables.traveller
    old = select(table.c.delay_id).where(table.c.occurred_at < before).order_by(table.c.occurred_at)
    ids = {"ids": list((await unit.run(old.limit(limit))).scalars())}
    if ids["ids"]:
        await unit.run(delete(table).where(any_of(table.c.delay_id, "ids")), ids)
        erased = update(tables.delay).where(any_of(tables.delay.c.id, "ids")).values(purged_at=unit.now)
        await unit.run(erased, ids)
    return len(ids["ids"])


async def erase_sponsors(unit: Unit, before: datetime, limit: int) -> int:
    """Erase who the sponsors of delays before an instant were; of how many, at most `limit`."""
    table = tables.delay
    old = select(table.c.id).where(table.c.sponsor.is_not(None), table.c.occurred_at < before)
    ids = {"ids": list((await unit.run(old.order_by(table.c.occurred_at).limit(limit))).scalars())}
    if ids["ids"]:
        await unit.run(delete(tables.sponsor_key).where(any_of(tables.sponsor_key.c.delay_id, "ids")), ids)
        left = update(table).where(any_of(table.c.id, "ids"))
        await unit.run(left.values(sponsor=None, group_reference=None, sponsor_purged_at=unit.now), ids)
    return len(ids["ids"])
