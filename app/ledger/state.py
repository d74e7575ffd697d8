"""The register's state at a sequence, read from the ledger: each entry's newest record, and its clearances in force.

Leaves never change, so the state at a sequence is the same whenever it is read, page by page and without one long
transaction. Only personal parts may go meanwhile: `count_withdrawn` shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import Column, Select, and_, bindparam, desc, exists, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.engine import Dialect

from app.db.driver import for_driver
from app.db.unit import Reader, Unit
from app.ledger.domain import RecordType
from app.ledger.folding import BEHIND_ALL, StateStatements, state_of
from app.ledger.store import OWN, OWN_TYPES
from app.ledger.tables import OF_CLEARANCES
from app.ledger.tables import closed as closed_table
from app.ledger.tables import record as record_table
from app.ledger.tables import withdrawn as withdrawn_table

NEVER: Final = 2**62
"""The value of `listed_until` for a withdrawn entry that is still listed; larger than any sequence."""

_NOT_BEHIND: Final = record_table.c.sequence + 0 <= bindparam("upto")
"""Condition: the record is not behind the state. The sum keeps planners from the index of sequences, with which each
page would read the whole ledger."""


class HashedRecord(NamedTuple):
    """The leaf of a record about an entry, as it is stored, with the record's number, its type and its entry's id."""

    sequence: int
    type: str
    entry_id: str
    leaf: str


_END: Final = (
    select(record_table.c.entry_id)
    .where(record_table.c.entry_id > bindparam("after"))
    .order_by(record_table.c.entry_id)
    .offset(bindparam("count"))
    .limit(1)
)
_OF_PART: Final = and_(
    record_table.c.entry_id > bindparam("after"), record_table.c.entry_id <= bindparam("last")
)
_HASHED: Final = tuple(record_table.c[name] for name in HashedRecord._fields)
_SHOWN: Final = tuple(record_table.c[name] for name in ("agency", "leaf", "personal", "salt"))


def _newest(columns: Sequence[Column[Any]], *, is_sqlite: bool) -> Select[*tuple[Any, ...]]:
    """Return the SELECT of these columns of the newest record of each listed entry of a part, in any order.

    Each engine has the statement that reads each record once. With a join to the greatest sequences, which both could
    run, PostgreSQL takes 1.7 times as long and SQLite 1.1 times.
    """
    own = select(*columns).where(_OF_PART, _NOT_BEHIND, OWN)
    if is_sqlite:
        later = record_table.alias()
        same = later.c.entry_id == record_table.c.entry_id, later.c.type.in_(OWN_TYPES)
        behind = later.c.sequence > record_table.c.sequence, later.c.sequence + 0 <= bindparam("upto")
        return own.where(~record_table.c.tombstone, ~exists().where(*same, *behind))
    newest = (
        own.add_columns(record_table.c.tombstone)
        .ext(distinct_on(record_table.c.entry_id))
        .order_by(record_table.c.entry_id.desc(), record_table.c.sequence.desc())
        .subquery()
    )
    return select(*(newest.c[each.name] for each in columns)).where(~newest.c.tombstone)


def _clearances(columns: Sequence[Column[Any]]) -> Select[*tuple[Any, ...]]:
    """Return the SELECT of these columns of all records about clearances of a part's entries, by entry and sequence."""
    about = select(*columns).where(OF_CLEARANCES, _OF_PART, _NOT_BEHIND)
    return about.order_by(record_table.c.entry_id, record_table.c.sequence)


_NEWEST_HASHED: Final = {is_sqlite: _newest(_HASHED, is_sqlite=is_sqlite) for is_sqlite in (True, False)}
_CLEARANCES_HASHED: Final = _clearances(_HASHED)
_CLOSED: Final = select(closed_table.c.entry_id).where(
    closed_table.c.entry_id > bindparam("after"), closed_table.c.entry_id <= bindparam("last")
)


@dataclass(frozen=True, slots=True)
class StatePage:
    """A part of the register's state at a sequence; the parts are read one after the other, by entry id.

    Attributes:
        records: by entry id: the newest record of each listed entry, followed by the records of its clearances in
            force.
        after: id of the last examined entry, after which the next part begins; None if this is the last part.
    """

    records: Sequence[HashedRecord]
    after: str | None


async def list_state(reader: Reader, upto: int, after: str, count: int) -> StatePage:
    """Return a part of the register's state at the sequence `upto`: its listed entries and their clearances in force.

    An entry is listed if its newest record up to `upto` is not a tombstone.

    Args:
        reader: the transaction.
        upto: the state is the one after this record.
        after: id of the last entry of the part before; empty for the first part.
        count: about how many records to examine; all records of one entry are examined together.

    Raises:
        LedgerBroken: the leaf of a clearance can't be read.
    """
    end = (await reader.run(_END, {"after": after, "count": count})).scalar_one_or_none()
    asked = {"after": after, "last": end or BEHIND_ALL, "upto": upto}
    newest = map(HashedRecord._make, (await reader.run(_NEWEST_HASHED[reader.is_sqlite], asked)).all())
    clearances = map(HashedRecord._make, (await reader.run(_CLEARANCES_HASHED, asked)).all())
    return StatePage(state_of(newest, clearances), end)


def driver_statements(dialect: Dialect) -> StateStatements:
    """Return the statements that read the register's state, as text for the database driver of a dialect.

    A process without SQLAlchemy can run them.
    """
    return StateStatements(
        end=for_driver(_END, dialect),
        newest=for_driver(_newest(_SHOWN, is_sqlite=dialect.name == "sqlite"), dialect),
        clearances=for_driver(_clearances(_SHOWN), dialect),
        closed=for_driver(_CLOSED, dialect),
    )


async def find_news(reader: Reader, after: int) -> datetime | None:
    """Return when the first record after the sequence `after` was written; None without one.

    Records of type `seal` are ignored.
    """
    statement = (
        select(record_table.c.at)
        .where(record_table.c.sequence > after, record_table.c.type != RecordType.SEAL.value)
        .order_by(record_table.c.sequence)
        .limit(1)
    )
    at: datetime | None = (await reader.run(statement)).scalar_one_or_none()
    return at


async def withdraw(unit: Unit, entry_id: str, cause: Literal["closed", "erased"]) -> None:
    """Mark an entry as withdrawn: readers may have the personal part of its records, and must not get it any more.

    Nothing is stored if the entry has no records, or was withdrawn for the same cause before.

    Args:
        unit: the transaction.
        entry_id: the entry.
        cause: why: the entry was closed, or its personal data were erased.
    """
    newest = (
        select(record_table.c.sequence, record_table.c.tombstone)
        .where(record_table.c.entry_id == entry_id, OWN)
        .order_by(desc(record_table.c.sequence))
        .limit(1)
    )
    row = (await unit.run(newest)).first()
    if row is None:
        return
    values = {"entry_id": entry_id, "cause": cause, "listed_until": row[0] if row[1] else NEVER}
    await unit.run(unit.inserting(withdrawn_table).values(**values).on_conflict_do_nothing())


async def count_withdrawn(reader: Reader, upto: int) -> int:
    """Return the number of withdrawals (see `withdraw`) that may concern the state at the sequence `upto`.

    An entry that was closed and then erased counts twice, and an entry that was first listed after `upto` counts too.
    For one `upto` the number only grows. If it has grown since a copy of this state was begun, the copy may show data
    that must no longer be shown.
    """
    statement = select(func.count()).where(withdrawn_table.c.listed_until > upto)
    return int((await reader.run(statement)).scalar_one())
