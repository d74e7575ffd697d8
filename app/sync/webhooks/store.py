"""SQL statements of endpoints, and of deliveries as their owners read them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Select, delete, insert, select, update

from app.db.bulk import BulkInsert
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.sync.webhooks import tables
from app.sync.webhooks.domain import (
    Attempt,
    Delivery,
    DeliveryState,
    DisabledReason,
    Endpoint,
    EndpointState,
    Payload,
    Priority,
)

_json = msgspec.json.encode
_plain = msgspec.json.decode

_ENDPOINT = Endpoint.__slots__
_DELIVERY = tuple(column.name for column in tables.delivery.c)
_members_of = attrgetter(*_DELIVERY)
_ADD = BulkInsert((tables.delivery, _DELIVERY))

_LISTS = frozenset({"events", "networks"})

T = TypeVar("T")
U = TypeVar("U")

_Conversions = list[tuple[int, Callable[[Any], Any]]]

ENDPOINT: Final = [tables.endpoint.c[name] for name in _ENDPOINT]
"""The columns that `endpoint_of` reads, in its order."""

SHOWN_ATTEMPTS = 10
"""How many of a delivery's attempts its owner reads: the newest."""


def _conversions(columns: Sequence[str], **convert: Callable[[Any], Any]) -> _Conversions:
    """Return the functions that convert stored values, with the positions of their columns."""
    return [(columns.index(name), act) for name, act in convert.items()]


@lru_cache(maxsize=1024)  # most endpoints have the same
def list_of(text: str) -> tuple[str, ...]:
    """Return the texts in a JSON list of texts, as a column of the database has it."""
    return tuple(_plain(text))


def _facts_of(text: str) -> dict[str, Any]:
    """Return the facts of an event about an endpoint; none if they can't be read, so that it is sent all the same."""
    with suppress(msgspec.DecodeError):
        return dict(_plain(text))
    return {}


_OF_ENDPOINT = _conversions(
    _ENDPOINT,
    events=list_of,
    networks=list_of,
    payload=Payload,
    state=EndpointState,
    disabled_reason=lambda reason: reason and DisabledReason(reason),
)
_OF_DELIVERY = _conversions(_DELIVERY, priority=Priority, state=DeliveryState, facts=_facts_of)


def endpoint_of(row: Sequence[Any]) -> Endpoint:
    """Return the endpoint in a row of the columns `ENDPOINT`."""
    return Endpoint(*_converted(row, _OF_ENDPOINT))


def delivery_of(row: Sequence[Any]) -> Delivery:
    """Return the delivery that a row of the table of deliveries contains."""
    return Delivery(*_converted(row, _OF_DELIVERY))


def readable(rows: Iterable[T], read: Callable[[T], U]) -> list[U]:
    """Return what `read` makes of each row; a row that it can't read is left out, so that it stops no other endpoint.

    `list_unreadable` finds such rows.
    """
    found = []
    for row in rows:
        with suppress(ValueError, msgspec.DecodeError):
            found.append(read(row))
    return found


def _converted(row: Sequence[Any], conversions: _Conversions) -> list[Any]:
    values = list(row)
    for at, convert in conversions:
        values[at] = convert(values[at])
    return values


def _row_of(delivery: Delivery) -> tuple[Any, ...]:
    *plain, facts = _members_of(delivery)
    return *plain, _json(facts).decode()


async def add_endpoint(unit: Unit, endpoint: Endpoint) -> None:
    """Store a new endpoint."""
    await unit.run(insert(tables.endpoint).values(**_columns(endpoint)))


async def save_endpoint(unit: Unit, endpoint: Endpoint) -> Endpoint:
    """Replace a stored endpoint by a changed one, with the next version number, and return it as stored."""
    saved = replace(endpoint, version=endpoint.version + 1, updated_at=unit.now)
    table = tables.endpoint
    await unit.run(update(table).where(table.c.id == saved.id).values(**_columns(saved)))
    return saved


def _columns(endpoint: Endpoint) -> dict[str, Any]:
    values = {name: getattr(endpoint, name) for name in endpoint.__slots__}
    return {**values, **{name: _json(values[name]).decode() for name in _LISTS}}


async def hide_endpoint(unit: Unit, endpoint_id: str) -> None:
    """Mark an endpoint as deleted and disabled: nothing more is sent to it, and its owner no longer sees it."""
    table = tables.endpoint
    values = {"state": EndpointState.DISABLED, "deleted_at": unit.now, "updated_at": unit.now}
    await unit.run(update(table).where(table.c.id == endpoint_id).values(**values))


async def list_deleted(reader: Reader) -> list[str]:
    """Return the ids of the deleted endpoints that are still stored, by id."""
    table = tables.endpoint
    statement = select(table.c.id).where(table.c.deleted_at.is_not(None)).order_by(table.c.id)
    return list((await reader.run(statement)).scalars())


async def remove_deleted(unit: Unit, endpoint_id: str, limit: int) -> bool:
    """Delete at most `limit` deliveries of a deleted endpoint; once it has none, delete the endpoint itself.

    Returns whether deliveries may be left, so that the caller must call again.
    """
    about, table = tables.delivery, tables.endpoint
    of_it = select(about.c.id).where(about.c.endpoint_id == endpoint_id).order_by(about.c.id)
    if await _delete(unit, of_it.limit(limit)) == limit:
        return True
    await unit.run(delete(table).where(table.c.id == endpoint_id))
    return False


async def _delete(unit: Unit, chosen: Select[str]) -> int:
    about, tried = tables.delivery, tables.attempt
    ids = list((await unit.run(chosen)).scalars())
    if ids:
        await unit.run(delete(tried).where(any_of(tried.c.delivery_id, "ids")), {"ids": ids})
        await unit.run(delete(about).where(any_of(about.c.id, "ids")), {"ids": ids})
    return len(ids)


async def get_endpoint(reader: Reader, endpoint_id: str, client_id: str | None) -> Endpoint:
    """Return an endpoint that is not deleted.

    Args:
        reader: the transaction.
        endpoint_id: the endpoint's id.
        client_id: the client that it must belong to; None for any.

    Raises:
        NotFound: there is no endpoint with this id, it is deleted, or it belongs to another client.
    """
    table = tables.endpoint
    row = (await reader.run(select(*ENDPOINT).where(table.c.id == endpoint_id, *_seen_by(client_id)))).first()
    if row is None:
        raise NotFound("There is no such endpoint.")
    return endpoint_of(row)


async def lock_endpoint(unit: Unit, endpoint_id: str, client_id: str | None) -> Endpoint:
    """Return an endpoint that is not deleted, and lock its row until the commit.

    `client_id` is the client that it must belong to; None for any.

    Raises:
        NotFound: there is no endpoint with this id, it is deleted, or it belongs to another client.
    """
    table = tables.endpoint
    await unit.run(select(table.c.id).where(table.c.id == endpoint_id).with_for_update(key_share=True))
    return await get_endpoint(unit, endpoint_id, client_id)


async def list_endpoints(
    reader: Reader, client_id: str | None, after: str | None, limit: int
) -> list[Endpoint]:
    """Return at most `limit` endpoints with ids above `after`, by id; deleted ones are omitted.

    `client_id` None is for the endpoints of all clients, `after` None for the first endpoints.
    """
    table = tables.endpoint
    statement = select(*ENDPOINT).where(*_seen_by(client_id)).order_by(table.c.id).limit(limit)
    if after is not None:
        statement = statement.where(table.c.id > after)
    return [endpoint_of(row) for row in await reader.run(statement)]


async def count_endpoints(reader: Reader, client_id: str) -> int:
    """Return the number of endpoints of a client, deleted ones excepted."""
    return len((await reader.run(select(tables.endpoint.c.id).where(*_seen_by(client_id)))).all())


def _seen_by(client_id: str | None) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that an endpoint is not deleted, and that it is a client's, or anyone's for None."""
    table = tables.endpoint
    kept = table.c.deleted_at.is_(None)
    return (kept,) if client_id is None else (kept, table.c.client_id == client_id)


async def list_unreadable(reader: Reader) -> list[str]:
    """Return the ids of endpoints that can't be read, such as those that a later release has stored, by id."""
    table = tables.endpoint
    rows = (
        await reader.run(select(*ENDPOINT).where(table.c.deleted_at.is_(None)).order_by(table.c.id))
    ).all()
    read = {each.id for each in readable(rows, endpoint_of)}
    return [row.id for row in rows if row.id not in read]


async def begin_replay(unit: Unit, endpoint_id: str, after: int, until: int) -> None:
    """Store that a replay begins: the records after the sequence `after`, up to `until`, are to be sent once more."""
    table = tables.endpoint
    values = {"replay_position": after, "replay_until": until}
    await unit.run(update(table).where(table.c.id == endpoint_id).values(**values))


async def get_delivery(reader: Reader, delivery_id: str) -> Delivery:
    """Return a delivery. A caller that changes it must lock its endpoint before.

    Raises:
        NotFound: there is no delivery with this id.
    """
    table = tables.delivery
    row = (await reader.run(select(table).where(table.c.id == delivery_id))).first()
    if row is None:
        raise NotFound("There is no such delivery.")
    return delivery_of(row)


async def add_deliveries(unit: Unit, deliveries: Iterable[Delivery]) -> None:
    """Store new deliveries."""
    rows = [_row_of(each) for each in deliveries]
    if rows:
        await _ADD.run(unit, rows)


async def save_delivery(unit: Unit, delivery: Delivery) -> None:
    """Replace the stored delivery that has this delivery's id."""
    table = tables.delivery
    await unit.run(
        update(table)
        .where(table.c.id == delivery.id)
        .values(dict(zip(_DELIVERY, _row_of(delivery), strict=True)))
    )


async def list_deliveries(
    reader: Reader, endpoint_id: str, state: DeliveryState | None, before: str | None, limit: int
) -> list[Delivery]:
    """Return at most `limit` deliveries of an endpoint, newest first; empty for an unknown endpoint.

    Args:
        reader: the transaction.
        endpoint_id: the endpoint.
        state: only deliveries in this state; None for every state.
        before: only deliveries older than the one with this id; None to begin with the newest.
        limit: how many to return at most.
    """
    table = tables.delivery
    statement = select(table).where(table.c.endpoint_id == endpoint_id).order_by(table.c.id.desc())
    if state is not None:
        statement = statement.where(table.c.state == state)
    if before is not None:
        statement = statement.where(table.c.id < before)
    return [delivery_of(row) for row in await reader.run(statement.limit(limit))]


async def list_attempts(reader: Reader, delivery_ids: Collection[str]) -> dict[str, list[Attempt]]:
    """Return the results of the newest ten attempts of each of these deliveries, newest first, by delivery id.

    An attempt without a stored result is omitted, for example one that is running. A delivery without attempts, and an
    unknown id, has an empty list.
    """
    tried, about = tables.attempt, tables.delivery
    statement = (
        select(tried)
        .join(about, about.c.id == tried.c.delivery_id)
        .where(any_of(tried.c.delivery_id, "ids"), tried.c.number > about.c.attempts - SHOWN_ATTEMPTS)
        .order_by(tried.c.delivery_id, tried.c.number.desc())
    )
    found: dict[str, list[Attempt]] = {each: [] for each in delivery_ids}
    for row in await reader.run(statement, {"ids": list(delivery_ids)}):
        found[row.delivery_id].append(Attempt(**row._mapping))
    return found


async def erase_of_entry(unit: Unit, entry_id: str) -> None:
    """Erase the texts with which receivers answered deliveries about an entry: they may contain personal data."""
    about, tried = tables.delivery, tables.attempt
    of_entry = select(about.c.id).where(about.c.entry_id == entry_id)
    await unit.run(update(tried).where(tried.c.delivery_id.in_(of_entry)).values(answer=None))


async def has_finished(reader: Reader, before: datetime) -> bool:
    """Return whether there are deliveries that were finished before an instant."""
    table = tables.delivery
    return (
        await reader.run(select(table.c.id).where(table.c.finished_at < before).limit(1))
    ).first() is not None


async def forget_finished(unit: Unit, before: datetime, limit: int) -> int:
    """Delete at most `limit` deliveries that were finished before an instant, oldest first. Returns their number.

    A delivery that another transaction is changing, as a retry does, is left for a later call.
    """
    about = tables.delivery
    old = select(about.c.id).where(about.c.finished_at < before).order_by(about.c.finished_at)
    return await _delete(unit, old.limit(limit).with_for_update(key_share=True, skip_locked=True))
