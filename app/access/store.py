"""SQL statements on clients, keys and the audit trail; those about places are in `places.store`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Select, bindparam, delete, func, insert, or_, select, true, update

from app.access import tables
from app.access.acts import AuditAct
from app.access.domain import AccountHolder, Client, Key, Kind, Role, Standing, person_of
from app.access.employee_numbers import LABELS, without_label
from app.db.driver import CompiledStatement
from app.db.postgresql import CHANNEL
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.identity import names
from app.kit.ids import new_id
from app.kit.logs import current_request_id

_json = msgspec.json.encode
_plain = msgspec.json.decode

LONGEST_FOLDED_NAME = 200
"""Largest number of characters of a stored folded name."""

_KEYS_OF = select(tables.key).where(any_of(tables.key.c.client_id, "client_ids")).order_by(tables.key.c.id)
_KEY_AND_CLIENT = select(
    *(column.label(f"key_{column.name}") for column in tables.key.c),
    *(column.label(f"client_{column.name}") for column in tables.client.c),
    tables.office.c.province.label("client_province"),
).select_from(
    tables.key.join(tables.client, tables.client.c.id == tables.key.c.client_id).outerjoin(
        tables.office, tables.office.c.code == tables.client.c.office
    )
)

_KEY_AT_VERSION = (
    _KEY_AND_CLIENT.add_columns(tables.state.c.version)
    .join(tables.state, true())
    .where(tables.key.c.id == bindparam("key_id"))
)

_PERSON = select(
    tables.client.c.person_key, tables.client.c.folded_name, tables.client.c.roles, tables.client.c.standing
).where(tables.client.c.person_key.is_not(None))
_PERSONS = CompiledStatement(
    _PERSON.where(
        or_(any_of(tables.client.c.person_key, "numbers"), any_of(tables.client.c.folded_name, "names"))
    )
)
_ON_DUTY = _PERSON.where(
    tables.client.c.roles.contains(f'"{Role.DUTY_OFFICER}"'), tables.client.c.standing == Standing.ACTIVE
)

_VERSION = CompiledStatement(select(tables.state.c.version))

_FOR_FINDING = frozenset({"person_key", "folded_name"})
"""Columns of a client that only look-ups use."""


async def version(reader: Reader) -> int:
    """Return the access version, a number that grows with every change of clients, keys or offices."""
    [(version,)] = await _VERSION.run(reader)
    return int(version)


async def find_key(reader: Reader, key_id: str) -> tuple[Key, Client, int] | None:
    """Return a key with its client and the access version; None for an unknown id.

    All are read by one statement and therefore consistent.
    """
    row = (await reader.run(_KEY_AT_VERSION, {"key_id": key_id})).first()
    return (*_key_and_client(row), row.version) if row else None


async def list_keys_with_clients(reader: Reader, key_ids: Sequence[str]) -> dict[str, tuple[Key, Client]]:
    """Return pairs of key and client, by key id; unknown ids are omitted."""
    rows = await reader.run(_KEY_AND_CLIENT.where(tables.key.c.id.in_(key_ids)))
    return {row.key_id: _key_and_client(row) for row in rows}


def _key_and_client(row: Row[*tuple[Any, ...]]) -> tuple[Key, Client]:
    values = row._mapping
    return (
        _key({name.removeprefix("key_"): v for name, v in values.items() if name.startswith("key_")}),
        _client(
            {name.removeprefix("client_"): v for name, v in values.items() if name.startswith("client_")}
        ),
    )


def _key(values: Mapping[Any, Any]) -> Key:
    return Key(**{**values, "standing": Standing(values["standing"])})


def _client(values: Mapping[Any, Any]) -> Client:
    return Client(
        **{
            **{name: value for name, value in values.items() if name not in _FOR_FINDING},
            "roles": frozenset(Role(role) for role in _plain(values["roles"])),
            "kind": Kind(values["kind"]) if values["kind"] else None,
            "networks": tuple(_plain(values["networks"])),
            "standing": Standing(values["standing"]),
        }
    )


async def bump(unit: Unit, steps: int = 1) -> None:
    """Increase the access version, so that every process empties its cache of callers.

    The version is locked until the commit.

    Args:
        unit: the transaction.
        steps: the increase.
    """
    await unit.run(update(tables.state).values(version=tables.state.c.version + steps))
    if not unit.is_sqlite:
        await unit.run(select(func.pg_notify(CHANNEL, "")))


async def get_client(reader: Reader, client_id: str) -> Client:
    """Return a client.

    Raises:
        NotFound: there is no client with this id.
    """
    row = (await reader.run(select(tables.client).where(tables.client.c.id == client_id))).first()
    if row is None:
        raise NotFound("There is no such client.")
    return _client(row._mapping)


async def lock_client(unit: Unit, client_id: str) -> Client:
    """Return a client and lock its row until the commit.

    Raises:
        NotFound: there is no client with this id.
    """
    await unit.run(
        select(tables.client.c.id).where(tables.client.c.id == client_id).with_for_update(key_share=True)
    )
    return await get_client(unit, client_id)


async def lock_clients(unit: Unit, client_ids: Collection[str]) -> None:
    """Lock the rows of the clients with these ids until the commit, always in the same order."""
    t = tables.client
    await unit.run(
        select(t.c.id).where(t.c.id.in_(client_ids)).order_by(t.c.id).with_for_update(key_share=True)
    )


async def add_client(unit: Unit, client: Client) -> None:
    """Store a new client."""
    await unit.run(
        insert(tables.client).values(
            id=client.id,
            name=client.name,
            roles=_json(sorted(client.roles)).decode(),
            kind=client.kind,
            agency=client.agency,
            office=client.office,
            checkpoint=client.checkpoint,
            person=client.person,
            person_key=person_of(client),
            folded_name=folded_name(client.name) if client.person else None,
            networks=_json(client.networks).decode(),
            standing=client.standing,
            created_at=client.created_at,
            created_by=client.created_by,
            confirmed_by=client.confirmed_by,
        )
    )
    await bump(unit)


async def set_client_standing(
    unit: Unit, client_id: str, standing: Standing, *, confirmed_by: str | None = None
) -> None:
    """Store whether a client works, waits, is suspended or is revoked.

    `confirmed_by` is the id of the second admin's client; None leaves it as it is.
    """
    statement = update(tables.client).where(tables.client.c.id == client_id).values(standing=standing)
    if confirmed_by is not None:
        statement = statement.values(confirmed_by=confirmed_by)
    await unit.run(statement)
    await bump(unit)


async def add_key(unit: Unit, key: Key) -> None:
    """Store a new key."""
    values = {column.name: getattr(key, column.name) for column in tables.key.c}
    await unit.run(insert(tables.key).values(**values))
    await bump(unit)


async def list_keys(reader: Reader, client_id: str) -> list[Key]:
    """Return a client's keys, oldest first; empty for an unknown client."""
    return await list_keys_of(reader, [client_id])


async def list_keys_of(reader: Reader, client_ids: Collection[str]) -> list[Key]:
    """Return the keys of these clients, oldest first; unknown ids add nothing."""
    rows = await reader.run(_KEYS_OF, {"client_ids": list(client_ids)})
    return [_key(row._mapping) for row in rows]


async def list_ended(reader: Reader) -> tuple[dict[str, Standing], dict[tuple[str, str], Standing]]:
    """Return the standings of all accounts, and of all keys, that are revoked or suspended.

    The first dict has accounts by their ids, the second one keys by pairs (account id, key id).
    """
    ended = (Standing.REVOKED, Standing.SUSPENDED)
    client, key = tables.client.c, tables.key.c
    clients = await reader.run(select(client.id, client.standing).where(client.standing.in_(ended)))
    keys = await reader.run(select(key.client_id, key.id, key.standing).where(key.standing.in_(ended)))
    return (
        {row.id: Standing(row.standing) for row in clients},
        {(row.client_id, row.id): Standing(row.standing) for row in keys},
    )


async def set_key_standing(unit: Unit, key_ids: Sequence[str], standing: Standing) -> None:
    """Store whether these keys work, wait, are suspended or are revoked."""
    values: dict[str, Any] = {"standing": standing}
    if standing is Standing.REVOKED:
        values["revoked_at"] = unit.now
    await unit.run(update(tables.key).where(tables.key.c.id.in_(key_ids)).values(**values))
    await bump(unit)


async def page_of(
    reader: Reader, table: Any, by: Any, after: str | None, limit: int, *conditions: Any
) -> list[dict[str, Any]]:
    """Return a page of a table's rows, each as a dict of values by column name.

    Args:
        reader: the transaction.
        table: the SQLAlchemy table.
        by: its column with unique values by which the rows are ordered.
        after: only rows with a greater value of this column are returned; None begins with the first.
        limit: the largest number of rows.
        conditions: SQL conditions; only rows that meet all of them are returned.
    """
    statement: Select[*tuple[Any, ...]] = select(table).where(*conditions).order_by(by).limit(limit)
    if after is not None:
        statement = statement.where(by > after)
    return [dict(row._mapping) for row in await reader.run(statement)]


async def list_clients(reader: Reader, after: str | None, limit: int) -> list[Client]:
    """Return clients, oldest first, at most `limit`, only those after the id `after` (None: all)."""
    return [_client(row) for row in await page_of(reader, tables.client, tables.client.c.id, after, limit)]


def folded_name(name: str) -> str:
    """Return a name as stored for comparison: the form of `names.fold`, cut to `LONGEST_FOLDED_NAME` characters.

    `names.fold` gives the same result for all spellings of a name.
    """
    return names.fold(name)[:LONGEST_FOLDED_NAME]


async def bears_name(reader: Reader, client_id: str, folded_name: str) -> bool:
    """Return whether this client is a person with this folded name (see `folded_name`); False for an unknown id."""
    t = tables.client
    statement = select(t.c.id).where(
        t.c.id == client_id, t.c.folded_name == folded_name[:LONGEST_FOLDED_NAME]
    )
    return (await reader.run(statement)).first() is not None


async def list_persons(
    reader: Reader, numbers: Iterable[str], folded_names: Iterable[str]
) -> list[AccountHolder]:
    """Return the account holders with one of the employee numbers or one of the folded names, in no order.

    The numbers are in normal form (see `employee_numbers`), the names as `folded_name` returns them. Revoked accounts
    are included: their holders are still officers and may get other accounts.
    """
    parameters = {
        "numbers": sorted(numbers),
        "names": sorted(name[:LONGEST_FOLDED_NAME] for name in folded_names),
    }
    return [_person(row) for row in await _PERSONS.run(reader, parameters)]


async def find_number_variant(reader: Reader, number: str) -> str | None:
    """Return a known employee number that differs from this one only in leading zeros or a label; None without one.

    Args:
        reader: the transaction.
        number: an employee number in normal form.
    """
    known, bare = tables.client.c.person_key, without_label(number).lstrip("0")
    same = (
        known.startswith(label) & (func.ltrim(func.substr(known, len(label) + 1), "0") == bare)
        for label in ("", *LABELS)
    )
    statement = select(known).where(or_(*same), known != number).limit(1)
    return (await reader.run(statement)).scalars().first()


async def list_on_duty(reader: Reader) -> list[AccountHolder]:
    """Return the duty officers with working accounts, in no order."""
    return [_person(row) for row in await reader.run(_ON_DUTY)]


async def list_without_agency(reader: Reader) -> list[str]:
    """Return the sorted ids of unrevoked integrators without an agency; only earlier releases made such accounts."""
    t = tables.client
    statement = select(t.c.id).where(
        t.c.roles.contains(f'"{Role.INTEGRATOR}"'), t.c.agency.is_(None), t.c.standing != Standing.REVOKED
    )
    return list((await reader.run(statement.order_by(t.c.id))).scalars())


async def list_accounts(reader: Reader, after: str, limit: int) -> list[tuple[str, AccountHolder]]:
    """Return persons' accounts as pairs (account id, holder), sorted by id, at most `limit`.

    Only accounts after the id `after` are returned; an empty `after` begins with the first.
    """
    client_id = tables.client.c.id
    statement = _PERSON.add_columns(client_id).where(client_id > after).order_by(client_id).limit(limit)
    return [(account_id, _person(holder)) for *holder, account_id in await reader.run(statement)]


def _person(row: Sequence[Any]) -> AccountHolder:
    person_key, folded_name, roles, standing = row
    on_duty = standing == Standing.ACTIVE and Role.DUTY_OFFICER in _plain(roles)
    return AccountHolder(person_key, folded_name or "", on_duty)


async def record(unit: Unit, act: AuditAct, about: str | None, detail: Mapping[str, Any]) -> None:
    """Write an act of the unit's actor to the audit trail, in the act's own transaction.

    Args:
        unit: the transaction.
        act: the act.
        about: id or code of the object that the act concerns; None if it concerns no single object.
        detail: codes, numbers and ids; no personal data.
    """
    await unit.run(
        insert(tables.audit).values(
            id=new_id("aud", unit.now),
            at=unit.now,
            client_id=unit.actor.client_id,
            person=unit.actor.person,
            act=act.value,
            object=about,
            detail=_json(detail).decode(),
            request_id=current_request_id(),
        )
    )


async def list_audit(
    reader: Reader, before: str | None, limit: int, act: str | None, about: str | None
) -> list[dict[str, Any]]:
    """Return at most `limit` acts of the audit trail, newest first, as dicts of the members of `AuditOut`.

    Args:
        reader: the transaction.
        before: return only acts before the act with this id; None begins with the newest.
        limit: the largest number of acts.
        act: name of the act; None for all.
        about: id or code of the act's object; None for all.
    """
    statement = select(tables.audit).order_by(tables.audit.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(tables.audit.c.id < before)
    if act is not None:
        statement = statement.where(tables.audit.c.act == act)
    if about is not None:
        statement = statement.where(tables.audit.c.object == about)
    rows = [dict(row._mapping) for row in await reader.run(statement)]
    return [{**row, "detail": _plain(row["detail"])} for row in rows]


async def forget_answers(unit: Unit, older_than: datetime) -> None:
    """Delete the answers for repeated requests that were stored before the instant `older_than`."""
    await unit.run(delete(tables.answer).where(tables.answer.c.created_at < older_than))
