"""Use cases of the ledger: append records, read pages from a cursor, prove and verify records."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from app.db.unit import Reader, Unit
from app.kit.canonical import canonical
from app.ledger import state, store
from app.ledger.domain import (
    Closures,
    Draft,
    Head,
    Inclusion,
    LedgerBroken,
    NotedRollback,
    Record,
    RecordText,
    Selection,
    numbered,
)
from app.ledger.refusals import HeadMissing
from app.ledger.rollbacks import find_rollback, list_rollbacks, note_rollback
from app.ledger.rows import list_of_entries, types_of
from app.ledger.selecting import list_erased
from app.ledger.state import count_withdrawn, driver_statements, find_news, list_state
from app.ledger.store import (
    as_read,
    begin_epoch,
    find_head,
    head,
    initialise_head,
    last_of_entries,
    list_after,
    list_leaves,
    list_of_alerts,
    list_of_entry,
    nodes,
    require_head,
    sequences_of_entry,
)
from app.tlog import merkle

__all__ = [
    "Changes",
    "HeadMissing",
    "LedgerBroken",
    "NotedRollback",
    "Page",
    "append",
    "as_read",
    "begin_epoch",
    "close",
    "closures_among",
    "count_withdrawn",
    "driver_statements",
    "erase_of_entry",
    "find_head",
    "find_news",
    "find_rollback",
    "head",
    "initialise_head",
    "last_of_entries",
    "list_after",
    "list_leaves",
    "list_of_alerts",
    "list_of_entries",
    "list_of_entry",
    "list_rollbacks",
    "list_state",
    "nodes",
    "note_rollback",
    "prove",
    "prove_consistency",
    "read_alerts",
    "read_changes",
    "require_head",
    "root_of",
    "sequences_of_entry",
    "types_of",
]


_BATCH_SIZE = 5000
_PART = 10_000
_PARTS = 10
"""How many parts of `_PART` numbers one page of records of some types is read from at most."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the ledger's records about alerts, after a cursor.

    Attributes:
        records: the records, by sequence.
        head: the ledger's end when the page was read.
        position: the next page begins after this sequence; all alerts up to it are on this page or earlier ones.
        more: whether further alerts follow.
    """

    records: list[Record]
    head: Head
    position: int
    more: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of the ledger's records that a reader has selected, after a cursor.

    Attributes:
        records: the records, by sequence.
        head: the ledger's end when the page was read.
        position: the next page begins after this sequence; all selected records up to it are on this page or earlier
            ones.
        closures: which entries of these records are or were sealed, and the persons that must not see their personal
            part.
    """

    records: list[RecordText]
    head: Head
    position: int
    closures: Closures

    @property
    def more(self) -> bool:
        """Whether the ledger has further records after this page, selected or not."""
        return self.position < self.head.size


async def append(unit: Unit, drafts: Sequence[Draft]) -> Sequence[Record]:
    """Append drafts to the ledger as numbered records, and return the records in the order of the drafts.

    This must be the last step of a transaction: numbers are assigned under one lock that is held until the commit. So
    numbers have no gaps and are in commit order; a transaction that fails frees its numbers again.

    The records are also added to `unit.records`.

    Raises:
        HeadMissing: the ledger has no head.
        RolledBack: a process has noted that the database was rolled back.
    """
    last_alert = max((i for i, draft in enumerate(drafts, 1) if draft.type.is_alert), default=0)
    size, previous_alert = await store.take_numbers(unit, len(drafts), last_alert)
    records = []
    for sequence, draft in enumerate(drafts, size + 1):
        record = numbered(draft, sequence, unit.now, previous_alert)
        if draft.type.is_alert:
            previous_alert = sequence
        records.append(record)
    leaves = [canonical(record.leaf) for record in records]
    await store.add(unit, records, leaves, await _hashes(unit, size, leaves))
    unit.records += records
    return records


async def _hashes(unit: Unit, size: int, leaves: Sequence[bytes]) -> dict[merkle.Node, bytes]:
    indexes = range(size, size + len(leaves))
    needed_nodes = {node for index in indexes for node in merkle.needed(index)}
    known = await store.nodes(unit, [node for node in needed_nodes if (node[1] + 1) << node[0] <= size])
    added: dict[merkle.Node, bytes] = {}
    for index, leaf in zip(indexes, leaves, strict=True):
        added |= merkle.completed(index, merkle.leaf_hash(leaf), known | added)
    return added


async def root_of(reader: Reader, size: int) -> bytes:
    """Compute the Merkle root of the ledger's first `size` records (RFC 9162 section 2.1.1) from stored hashes.

    Raises:
        KeyError: a stored hash is missing, or the ledger is smaller than `size`.
    """
    peaks = merkle.peaks(size)
    stored = await store.nodes(reader, peaks)
    return merkle.root([stored[peak] for peak in peaks])


async def recompute(reader: Reader, progress: Callable[[int], None]) -> merkle.Tree:
    """Return the ledger's Merkle tree, computed from all stored leaves and not from stored hashes.

    Args:
        reader: the transaction.
        progress: function that is called with the number of leaves hashed so far, after each 5000 and at the end.

    Raises:
        LedgerBroken: a record is missing.
    """
    tree = merkle.Tree()
    while leaves := await store.list_leaves(reader, tree.size, _BATCH_SIZE):
        for sequence, leaf in leaves:
            if sequence != tree.size + 1:
                raise LedgerBroken(f"the ledger has no record {tree.size + 1}")
            tree.add(merkle.leaf_hash(leaf.encode()))
        progress(tree.size)
    return tree


async def prove(reader: Reader, sequences: Sequence[int], size: int) -> list[Inclusion]:
    """Return, for each of some records, the proof that it is among the ledger's first `size` records.

    Args:
        reader: the transaction; the proofs are made of stored hashes.
        sequences: numbers of the records, from 1; the proofs have the same order.
        size: the ledger's present size, or an earlier one.

    Raises:
        IndexError: a number is 0 or larger than `size`.
        KeyError: a stored hash is missing, or the ledger is smaller than `size`.
    """
    tops = merkle.peaks(size)
    needed_nodes = {node for s in sequences for step in merkle.inclusion_nodes(s - 1, size) for node in step}
    stored = await store.nodes(reader, sorted(needed_nodes | set(tops)))
    top = merkle.root([stored[peak] for peak in tops])
    return [Inclusion(s, size, merkle.inclusion_path(s - 1, size, stored), top) for s in sequences]


async def prove_consistency(reader: Reader, old: int, new: int) -> list[bytes]:
    """Return the hashes of the proof that the ledger of `new` records continues the ledger of `old` records.

    Args:
        reader: the transaction; the proof is made of stored hashes.
        old: the smaller size, at least 1.
        new: the larger size, at most the ledger's present size.

    Raises:
        IndexError: `old` is 0, or larger than `new`.
        KeyError: a stored hash is missing, or the ledger is smaller than `new`.
    """
    steps = merkle.consistency_nodes(old, new)
    stored = await store.nodes(reader, sorted({node for step in steps for node in step}))
    return merkle.consistency_path(old, new, stored)


async def close(unit: Unit, entry_id: str, barred: Iterable[str] = ()) -> None:
    """Close an entry that is sealed: from now on only auditors may see the personal part of its records, old ones too.

    A later call adds barred persons; nothing opens the entry again. Copies and snapshots that show the personal part
    are out of date from then on (see `state.withdraw`).

    Args:
        unit: the transaction.
        entry_id: the entry.
        barred: persons that never see the personal part, not even as auditors.
    """
    if await store.close(unit, entry_id, barred):
        await state.withdraw(unit, entry_id, "closed")


async def erase_of_entry(unit: Unit, entry_id: str) -> int:
    """Erase the personal parts and salts of all records about an entry, its alerts and its clearances.

    The list of the persons that are barred from the entry is erased too. Snapshots that show a personal part of the
    entry are out of date from then on (see `state.withdraw`). The leaves, their hashes and the tree stay unchanged;
    they reveal nothing about the person. Returns the number of records from which something was erased.
    """
    await state.withdraw(unit, entry_id, "erased")
    return await store.erase_of_entry(unit, entry_id)


async def closures_among(reader: Reader, records: Collection[Record | RecordText]) -> Closures:
    """Return which entries of these records are or were sealed, and the persons that must not see their personal part.

    Call this after the records were read. If an entry was erased in between, `records` still contain its personal
    parts, but the list of its barred persons is gone. Therefore closed entries without barred persons are checked
    again, and those that were erased are in `Closures.erased`.
    """
    closed, barred = await store.closed_among(reader, {each.entry_id for each in records if each.entry_id})
    shown = [
        each
        for each in records
        if each.entry_id in closed and each.entry_id not in barred and each.personal is not None
    ]
    gone = await list_erased(reader, [each.sequence for each in shown])
    return Closures(
        closed, barred, frozenset(each.entry_id for each in shown if each.entry_id and each.sequence in gone)
    )


async def read_changes(
    reader: Reader, cursor: str | None, limit: int, restart: str, selection: Selection
) -> Changes:
    """Return a page of at most `limit` selected records after a cursor, by sequence.

    The page may have fewer records than `limit`, or none, although `more` is true: with a selection by type, one call
    examines a limited number of records.

    Args:
        reader: the transaction.
        cursor: where to continue; None for the beginning.
        limit: the largest number of records.
        restart: the path at which a reader with an invalid cursor restarts; the problem document contains it.
        selection: the requested records.

    Raises:
        Invalid: the text is not a cursor.
        CursorGone: the cursor is of another register or epoch, or beyond the head.
        HeadMissing: the ledger has no head.
    """
    here = await store.head(reader)
    position = here.position(cursor, restart)
    records: list[RecordText] = []
    part = _PART if selection.types and selection.entry_id is None else here.size
    for _ in range(_PARTS):
        if position >= here.size:
            break
        upto = min(here.size, position + part)
        found = await store.list_texts(reader, selection, position, upto, limit - len(records))
        records += found
        if len(records) == limit:
            position = records[-1].sequence
            break
        position = upto
    return Changes(records, here, position, await closures_among(reader, records))


async def read_alerts(reader: Reader, cursor: str | None, limit: int, restart: str) -> Page:
    """Return a page of at most `limit` records about alerts after a cursor, by sequence.

    If no further alert follows, the page's position is the ledger's end, so that the next page skips all other records.

    Args:
        reader: the transaction.
        cursor: the cursor of an earlier page; None to begin with the first record.
        limit: how many records to return at most.
        restart: the path at which a reader with an invalid cursor restarts; the problem document contains it.

    Raises:
        Invalid: the text is not a cursor.
        CursorGone: the cursor is of another register or epoch, or beyond the head.
        HeadMissing: the ledger has no head.
    """
    here = await store.head(reader)
    position = here.position(cursor, restart)
    beyond = await store.list_after(reader, position, limit + 1, alerts_only=True)
    records = [record for record in beyond[:limit] if record.sequence <= here.size]
    more = len(beyond) > len(records)  # records appended after the head was read are on the next page
    position = records[-1].sequence if more and records else here.size
    return Page(records, here, position, more=more)


async def check_tail(reader: Reader) -> bool:
    """Return whether the ledger's last record agrees with the head and with the Merkle tree.

    The record must have the number that the head states, and its leaf must have the hash that is stored in the tree.
    The result is also True for an empty ledger, and if a record is appended during the reads.

    Raises:
        HeadMissing: the ledger has no head.
    """
    size = (await store.head(reader)).size
    records = await store.list_after(reader, max(0, size - 1), 2)
    if [record.sequence for record in records] != ([size] if size else []):
        return (await store.head(reader)).size > size
    if size == 0:
        return True
    leaf = merkle.leaf_hash(canonical(records[0].leaf))
    return (await store.nodes(reader, [(0, size - 1)])).get((0, size - 1)) == leaf
