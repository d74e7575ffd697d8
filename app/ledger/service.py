"""Use cases of the ledger: append, and read on from a cursor."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.db.unit import Reader, Unit
from app.kit import merkle
from app.kit.canonical import canonical
from app.ledger import store
from app.ledger.domain import Draft, Head, Inclusion, Record, numbered
from app.ledger.store import (
    close,
    erase_of_entry,
    found,
    head,
    last_of_entries,
    list_after,
    list_of_alerts,
    list_of_entry,
    sequences_of_entry,
)

__all__ = [
    "Page",
    "append",
    "close",
    "closed_among",
    "erase_of_entry",
    "found",
    "head",
    "last_of_entries",
    "list_after",
    "list_of_alerts",
    "list_of_entry",
    "prove",
    "read_page",
    "sequences_of_entry",
]


@dataclass(frozen=True, slots=True)
class Page:
    """Some records beyond a cursor, and where the ledger ended when they were read.

    Who reads alerts only is told by their own rule, and finds the next two empty.

    Attributes:
        closed: the records' entries whose personal part is shown to auditors only.
        barred: the records' entries whose personal part is never shown to the reader, who may be the subject.
    """

    records: list[Record]
    head: Head
    position: int
    more: bool
    closed: frozenset[str] = frozenset()
    barred: frozenset[str] = frozenset()


async def append(unit: Unit, drafts: Sequence[Draft]) -> Sequence[Record]:
    """Number the drafts and append them: the last step of a transaction.

    Numbers are dense and in commit order, because they are taken here under one lock that is held until the
    commit; a transaction that fails gives its numbers back with everything else.
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
    return records


async def _hashes(unit: Unit, size: int, leaves: Sequence[bytes]) -> dict[merkle.Node, bytes]:
    indexes = range(size, size + len(leaves))
    wanted = {node for index in indexes for node in merkle.needed(index)}
    known = await store.nodes(unit, [node for node in wanted if (node[1] + 1) << node[0] <= size])
    added: dict[merkle.Node, bytes] = {}
    for index, leaf in zip(indexes, leaves, strict=True):
        added |= merkle.completed(index, merkle.leaf_hash(leaf), known | added)
    return added


async def root(reader: Reader) -> tuple[int, bytes]:
    """The ledger's size and its Merkle root (RFC 9162 section 2.1.1)."""
    size = (await store.head(reader)).size
    peaks = merkle.peaks(size)
    stored = await store.nodes(reader, peaks)
    return size, merkle.root([stored[peak] for peak in peaks])


async def prove(reader: Reader, sequences: Sequence[int], size: int) -> list[Inclusion]:
    """Prove that records are among the ledger's first `size`, from stored hashes: O(log n) each.

    Args:
        reader: the transaction.
        sequences: the records, from 1.
        size: a size that the ledger has, or had.

    Raises:
        IndexError: a record lies beyond the size.
        KeyError: the ledger is not yet that large.
    """
    tops = merkle.peaks(size)
    wanted = {node for s in sequences for step in merkle.inclusion_nodes(s - 1, size) for node in step}
    stored = await store.nodes(reader, sorted(wanted | set(tops)))
    top = merkle.root([stored[peak] for peak in tops])
    return [Inclusion(s, size, merkle.inclusion_path(s - 1, size, stored), top) for s in sequences]


async def closed_among(reader: Reader, records: Iterable[Record]) -> frozenset[str]:
    """The records' entries whose personal part is shown to auditors only: those that are, or were, sealed."""
    return await store.closed_among(reader, {each.entry_id for each in records if each.entry_id})


async def read_page(reader: Reader, cursor: str | None, limit: int, *, alerts_only: bool = False) -> Page:
    """At most `limit` records beyond a cursor.

    Where nothing is left the page's position is the head itself, so that a reader of alerts need not read
    again over what was not meant for it.

    Raises:
        Invalid: the text is no cursor.
        CursorGone: it belongs to another register, or lies beyond the head.
    """
    here = await store.head(reader)
    position = here.position(cursor)
    beyond = await store.list_after(reader, position, limit + 1, alerts_only=alerts_only)
    records = [record for record in beyond[:limit] if record.sequence <= here.size]
    more = len(beyond) > len(records)  # also what was appended after the head was read: the next page has it
    position = records[-1].sequence if more and records else here.size
    closed = frozenset[str]() if alerts_only else await closed_among(reader, records)
    barred = await store.barred_among(reader, closed)
    return Page(records, here, position, more=more, closed=closed, barred=barred)


async def check_tail(reader: Reader) -> bool:
    """Whether the last record is the one that the head counts, and its leaf is the one in the tree."""
    size = (await store.head(reader)).size
    if size == 0:
        return True
    records = await store.list_after(reader, size - 1, 2)
    if [record.sequence for record in records] != [size]:
        return len(records) > 1  # appended meanwhile: this reader saw an older head
    leaf = merkle.leaf_hash(canonical(records[0].leaf))
    return (await store.nodes(reader, [(0, size - 1)])).get((0, size - 1)) == leaf
