"""Builds a state of the register from the records that statements return.

It imports no framework, because the small process that makes snapshots imports it.
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import Final, Protocol, TypeVar

import msgspec

from app.kit.driver_statements import DriverStatement
from app.ledger.domain import LedgerBroken, RecordType

BEHIND_ALL: Final = "~"
"""A text that sorts behind every id."""


class StateStatements(msgspec.Struct):
    """The SQL statements that read the register's state at a sequence, in parts by entry id.

    Their parameters: `after` is the id of the last entry before the part, and `last` the id of the part's last entry.
    `count` is the approximate number of records to examine. `upto` is the sequence of the state.

    Attributes:
        end: selects the id of the part's last entry; no row for the last part. Parameters: `after`, `count`.
        newest: selects the newest record of each listed entry of the part, in any order: its agency, its leaf, its
            personal part and its salt. Parameters: `after`, `last`, `upto`.
        clearances: selects the same columns of the records about clearances of the part's entries, by entry and
            sequence. Parameters: `after`, `last`, `upto`.
        closed: selects the ids of the part's entries that are or were sealed. Parameters: `after`, `last`.
    """

    end: DriverStatement
    newest: DriverStatement
    clearances: DriverStatement
    closed: DriverStatement


class StateRecord(Protocol):
    """What `state_of` reads of a record: its number, its type, its entry's id, and its leaf as JSON text."""

    @property
    def sequence(self) -> int: ...  # noqa: D102 - described above
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def entry_id(self) -> str | None: ...  # noqa: D102
    @property
    def leaf(self) -> str | bytes: ...  # noqa: D102


R = TypeVar("R", bound=StateRecord)


class _ClearanceLeaf(msgspec.Struct):
    clearance_id: str


_clearance = msgspec.json.Decoder(_ClearanceLeaf).decode


def state_of(newest: Iterable[R], clearances: Iterable[R]) -> list[R]:
    """Return the records of the register's state, made from the newest records and all records about clearances.

    For each listed entry, by id: its newest record, then the record of each of its clearances in force.

    Args:
        newest: the newest record of each listed entry, in any order.
        clearances: all records about clearances of these entries, by sequence within each entry; those of entries that
            are not listed are ignored.

    Raises:
        LedgerBroken: the leaf of a clearance can't be read.
    """
    of_entry: dict[str | None, dict[str, R]] = {}
    for each in clearances:
        known = of_entry.setdefault(each.entry_id, {})
        name = _clearance_of(each)
        if each.type == RecordType.CLEARANCE_GRANTED:
            known[name] = each
        else:
            known.pop(name, None)
    records = []
    for each in sorted(newest, key=attrgetter("entry_id")):
        records.append(each)
        if each.entry_id in of_entry:
            records += of_entry[each.entry_id].values()
    return records


def _clearance_of(record: StateRecord) -> str:
    try:
        return _clearance(record.leaf).clearance_id
    except msgspec.DecodeError:
        raise LedgerBroken(f"the leaf of record {record.sequence} names no clearance") from None
