"""Use cases of digests and snapshots: order one, seal and compute a digest, find the current one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import SYSTEM
from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.ledger import service as ledger
from app.ledger.domain import Draft, Record
from app.ledger.service import LedgerBroken
from app.runtime import Runtime
from app.sync.heads import service as heads
from app.sync.heads.domain import SignedHead
from app.sync.snapshots import store
from app.sync.snapshots.domain import Digest, DigestBuilder, DigestComputed, SealedDigest

_PAGE = 300
"""Records about entries that are looked at at once: some milliseconds, in which checks and alerts wait on SQLite."""


@dataclass(frozen=True, slots=True)
class Current:
    """The state from which the newest snapshot is made.

    Attributes:
        epoch: the ledger's epoch.
        sealed: the newest digest whose seal the head covers.
        head: the newest signed head.
        withdrawn: number of the state's entries whose personal part was shown and must no longer be. A file that was
            made at another number is not served.
    """

    epoch: str
    sealed: SealedDigest
    head: SignedHead
    withdrawn: int

    @property
    def sequence(self) -> int:
        """The sequence of the state."""
        return self.sealed.digest.sequence


async def find_current(reader: Reader) -> Current | None:
    """Return the state of the newest snapshot; None before the first digest is sealed and covered by a signed head.

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
    """Store the order that the worker seals a digest, and so a new snapshot, soon. The act is recorded.

    An earlier order that is not carried out yet stays in its place.

    Returns:
        The sequence of the newest digest so far; None before the first.
    """
    await store.add_order(unit)
    await record(unit, AuditAct.SNAPSHOT_ORDERED, None, {})
    return await store.newest_sequence(unit) or None


async def digest_of(reader: Reader, sequence: int | None) -> SealedDigest:
    """Return the sealed digest of a sequence; without a sequence the newest.

    Raises:
        NotFound: no digest of this sequence was sealed, or none at all; the problem's member `sealed` is the sequence
            of the newest digest.
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
    """The records that no digest covers yet.

    Attributes:
        size: the ledger's size.
        news: when the first record was written that no digest covers, seals excepted; None if there is no such record.
        ordered: when an admin ordered a snapshot that was not made yet; None without an order.
    """

    size: int
    news: datetime | None
    ordered: datetime | None


async def find_unsealed(reader: Reader, quiet: int) -> Unsealed:
    """Return the ledger's size, when the first record was written that no digest covers, and the order of a snapshot.

    Args:
        reader: the transaction.
        quiet: a former size of the ledger, known to have no such record; only later records are examined. 0 for all.
    """
    ordered, head = await store.find_order(reader), await ledger.head(reader)
    sealed = max(quiet, await store.newest_sequence(reader))
    news = await ledger.find_news(reader, sealed) if sealed < head.size else None
    return Unsealed(head.size, news, ordered)


async def seal(runtime: Runtime, found: Unsealed) -> SealedDigest:
    """Compute the digest of the state at the sequence `found.size`, seal and store it, and delete the order in `found`.

    Raises:
        LedgerBroken: a leaf differs from the ledger's tree, or can't be read; nothing is sealed.
    """
    digest = await compute(runtime, found.size, expect_stored=True)
    async with runtime.writing(SYSTEM) as unit:
        if found.ordered is not None:
            await store.end_order(unit, found.ordered)
        unit.happened(DigestComputed(digest))
        appended: Sequence[Record] = await unit.conclude()
        await store.add(unit, digest, appended[0].sequence)  # after the seal, whose number it needs
        return SealedDigest(digest, appended[0].sequence, unit.now)


async def end_order(runtime: Runtime, ordered: datetime) -> None:
    """Delete the order of a snapshot that was given at `ordered`, without a new snapshot; call it if nothing is new."""
    async with runtime.writing(SYSTEM) as unit:
        await store.end_order(unit, ordered)


async def publish_seal(_unit: Unit, event: DigestComputed) -> Sequence[Draft]:
    """Return the draft of the record that seals a digest, so that it is published to the ledger (a projector)."""
    return [event.digest.draft()]


async def compute(runtime: Runtime, sequence: int, *, expect_stored: bool = False) -> Digest:
    """Compute the digest of the state at a sequence from the leaves, in constant memory and in short transactions.

    Args:
        runtime: the register.
        sequence: the sequence, at most the ledger's size.
        expect_stored: whether each leaf is compared with the stored hash in the ledger's tree.

    Raises:
        LedgerBroken: the leaf of a clearance can't be read; or, with `expect_stored`, a leaf differs from its hash.
    """
    builder = DigestBuilder()
    after: str | None = ""
    while after is not None:
        async with runtime.reading(SYSTEM) as reader:
            page = await ledger.list_state(reader, sequence, after, _PAGE)
            leaves = [(0, each.sequence - 1) for each in page.records] if expect_stored else []
            stored = await ledger.nodes(reader, leaves)
        for each in page.records:
            leaf = builder.add_record(each)
            if expect_stored and leaf != stored.get((0, each.sequence - 1)):
                raise LedgerBroken(
                    f"the leaf of record {each.sequence} and the stored hash contradict each other"
                )
        after = page.after
        await asyncio.sleep(0)  # checks and alerts in this process come first
    return builder.digest(sequence)
