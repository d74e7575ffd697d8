"""Use cases of digests and snapshots: order one, seal and compute a digest, find the current one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import SYSTEM
from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.kit.pace import give_way
from app.ledger import service as ledger
from app.ledger.domain import Draft, Record
from app.ledger.service import LedgerBroken
from app.runtime import Runtime
from app.sync.heads import service as heads
from app.sync.heads.domain import SignedHead
from app.sync.snapshots import store
from app.sync.snapshots.domain import ComputedDigest, DigestBuilder, DigestComputed, SealedDigest

_PAGE = 300
"""Records about entries that are looked at at once: some milliseconds, in which checks and alerts wait on SQLite."""


@dataclass(frozen=True, slots=True)
class Current:
    """The state of the register from which the newest snapshot is made.

    Attributes:
        epoch: the ledger's epoch.
        sealed: the newest digest that is sealed by a record in `head`.
        head: the newest signed head.
        withdrawn: the number of withdrawals of entries that may concern the state (see `ledger.state.count_withdrawn`).
            A snapshot's file that was made at another number is not served.
    """

    epoch: str
    sealed: SealedDigest
    head: SignedHead
    withdrawn: int

    @property
    def sequence(self) -> int:
        """The state is the one after this number of records of the ledger."""
        return self.sealed.digest.sequence


async def find_current(reader: Reader) -> Current | None:
    """Return the state of the newest snapshot; None if no signed head contains a record that seals a digest yet.

    Raises:
        HeadMissing: the ledger has no head.
    """
    epoch = (await ledger.head(reader)).epoch
    head = await heads.newest_head(reader, epoch)
    sealed = None if head is None else await store.newest_within(reader, head.size)
    if head is None or sealed is None:
        return None
    withdrawn = await ledger.count_withdrawn(reader, sealed.digest.sequence)
    return Current(epoch, sealed, head, withdrawn)


async def order(unit: Unit) -> int | None:
    """Store an order of a snapshot, and record it in the audit trail: the worker then seals a digest of the state soon.

    While an earlier order is not carried out, the new one is only recorded in the audit trail.

    Returns:
        The sequence of the newest digest so far; None before the first.
    """
    await store.add_order(unit)
    await record(unit, AuditAct.SNAPSHOT_ORDERED, None, {})
    return await store.newest_sequence(unit) or None


async def digest_of(reader: Reader, sequence: int | None) -> SealedDigest:
    """Return the sealed digest of the state at a sequence; with None, the newest.

    Raises:
        NotFound: no digest of this sequence was sealed, or none at all; the problem's member `sealed` is the sequence
            of the newest digest, or null.
    """
    newest = await store.newest_sequence(reader)
    found = await store.find(reader, newest if sequence is None else sequence)
    if found is None:
        raise NotFound(
            "No digest of this sequence is sealed; `sealed` is the newest that is, null before the first.",
            extra={"sealed": newest or None},
        )
    return found


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What decides whether a digest is due: the records that no digest covers yet, and an order of a snapshot.

    Attributes:
        size: the ledger's size.
        news: when the first record was written that no digest covers; None if there is none. Records of type `seal`
            do not count.
        ordered: when an admin ordered a snapshot that was not made yet; None without an order.
    """

    size: int
    news: datetime | None
    ordered: datetime | None


async def find_unsealed(reader: Reader, quiet: int) -> Unsealed:
    """Return what decides whether a digest is due now.

    Args:
        reader: the transaction.
        quiet: an earlier size of the ledger up to which, as the caller knows, there was nothing new: only later records
            are examined. With 0 all records that no digest covers are examined. They are also if `quiet` is larger than
            the ledger, because a restore has made it smaller.

    Raises:
        HeadMissing: the ledger has no head.
    """
    ordered, head = await store.find_order(reader), await ledger.head(reader)
    sealed = max(quiet if quiet <= head.size else 0, await store.newest_sequence(reader))
    news = await ledger.find_news(reader, sealed) if sealed < head.size else None
    return Unsealed(head.size, news, ordered)


async def seal(runtime: Runtime, found: Unsealed) -> SealedDigest:
    """Compute the digest of the state at the ledger's size `found.size`, write its seal to the ledger, and store it.

    If `found` has an order of a snapshot, it is deleted in the same transaction.

    Raises:
        LedgerBroken: a leaf differs from the ledger's tree, or can't be read; nothing is sealed.
    """
    computed = await compute(runtime, found.size, expect_stored=True)
    async with runtime.writing(SYSTEM) as unit:
        if found.ordered is not None:
            await store.end_order(unit, found.ordered)
        unit.happened(DigestComputed(computed))
        appended: Sequence[Record] = await unit.conclude()
        await store.add(unit, computed.digest, appended[0].sequence)  # after the seal, whose number it needs
        return SealedDigest(computed.digest, appended[0].sequence, unit.now)


async def end_order(runtime: Runtime, ordered: datetime) -> None:
    """Delete the order of a snapshot that was given at the instant `ordered`; a later order stays.

    Call it if no records are new since the newest digest, so that there is nothing to seal.
    """
    async with runtime.writing(SYSTEM) as unit:
        await store.end_order(unit, ordered)


async def publish_seal(_unit: Unit, event: DigestComputed) -> Sequence[Draft]:
    """Return the draft of the ledger record that seals the computed digest; the caller appends it to the ledger."""
    return [event.computed.draft()]


async def compute(runtime: Runtime, sequence: int, *, expect_stored: bool = False) -> ComputedDigest:
    """Compute the digest of the register's state after `sequence` records of the ledger.

    The state is read in short transactions and never held in memory as a whole. Nothing is stored.

    Args:
        runtime: the register.
        sequence: the number of records, at most the ledger's size.
        expect_stored: whether to compare the hash of each record's leaf with the one in the ledger's tree.

    Raises:
        LedgerBroken: the leaf of a clearance can't be read; or, with `expect_stored`, a leaf's hash differs.
    """
    builder = DigestBuilder()
    after: str | None = ""
    while after is not None:
        async with runtime.reading(SYSTEM) as reader:
            page = await ledger.list_state(reader, sequence, after, _PAGE)
            leaves = [(0, each.sequence - 1) for each in page.records] if expect_stored else []
            stored = await ledger.nodes(reader, leaves)
        for each in page.records:
            leaf = builder.add(each.entry_id, each.leaf)
            if expect_stored and leaf != stored.get((0, each.sequence - 1)):
                raise LedgerBroken(
                    f"the leaf of record {each.sequence} and the stored hash contradict each other"
                )
        after = page.after
        if after is not None:
            await give_way()
    return builder.digest(sequence)
