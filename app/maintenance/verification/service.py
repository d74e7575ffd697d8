"""Verifies the whole register: ledger, signed heads, sealed digests, entries."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from app.access.domain import SYSTEM
from app.kit.differences import Difference
from app.kit.stages import Stage
from app.ledger import service as ledger
from app.ledger.domain import Head
from app.ledger.verification import LedgerVerification, compare_totals
from app.register.entries.verification import verify_page
from app.runtime import Runtime
from app.sync.heads.service import list_heads_after, list_uses
from app.sync.heads.verification import fault_of
from app.sync.snapshots.verification import DigestVerification

_MOST: Final = 1000
"""Differences that are listed; a register with more is not mended by a longer list."""


@dataclass(slots=True)
class Verified:
    """The result of a verification.

    Attributes:
        records: number of ledger records that were verified.
        heads: number of signed heads that were verified.
        entries: number of entries that were verified.
        digests: number of sealed digests that were compared with their seals.
        computed: number of those that were computed again from the records: the newest.
        unsigned: number of records beyond the newest signed head of the present epoch: nobody outside holds them yet.
        abandoned: sizes of signed heads beyond the ledger's size, as after a restore of an older backup.
        differences: what contradicts what, at most 1000.
    """

    records: int = 0
    heads: int = 0
    entries: int = 0
    digests: int = 0
    computed: int = 0
    unsigned: int = 0
    abandoned: list[int] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def add(self, found: Iterable[Difference]) -> None:
        """Add what differs, as far as there is room."""
        self.differences += found
        del self.differences[_MOST:]


async def verify(runtime: Runtime, stage: Stage) -> Verified:
    """Verify the whole register in constant memory, also beside a running service.

    Every page is a transaction of its own; what is written meanwhile is beyond the head and is not verified.

    Args:
        runtime: the register.
        stage: called at the beginning of each stage, for the display of progress.
    """
    verified = Verified()
    async with runtime.reading(SYSTEM) as reader:
        head = await ledger.head(reader)
    roots = await _verify_heads(runtime, head, verified)
    await _verify_ledger(runtime, head, roots, verified, stage)
    await _verify_digests(runtime, head, verified, stage)
    await _verify_entries(runtime, verified, stage)
    return verified


async def _verify_heads(runtime: Runtime, head: Head, verified: Verified) -> dict[int, list[bytes]]:
    """Verify the signatures of every signed head. Returns the signed roots by size."""
    roots: dict[int, list[bytes]] = defaultdict(list)
    newest = 0
    last: tuple[str, int] = "", -1
    async with runtime.reading(SYSTEM) as reader:
        known = await list_uses(reader)
    while True:
        async with runtime.reading(SYSTEM) as reader:
            page = await list_heads_after(reader, *last)
        for signed, fault in ((each, fault_of(each, known)) for each in page):
            verified.heads += 1
            where = f"signed_head {signed.epoch} {signed.size}"
            if fault is not None:
                verified.add([Difference(where, fault)])
            if signed.size > head.size:
                verified.abandoned.append(signed.size)
                if signed.epoch == head.epoch:
                    verified.add([Difference(where, "the ledger has fewer records than were signed")])
            else:
                roots[signed.size].append(signed.root)
                newest = max(newest, signed.size if signed.epoch == head.epoch else 0)
        if not page:
            verified.unsigned = head.size - newest
            return roots
        last = page[-1].epoch, page[-1].size


async def _verify_ledger(
    runtime: Runtime, head: Head, roots: dict[int, list[bytes]], verified: Verified, stage: Stage
) -> None:
    verification = LedgerVerification(head)
    with stage("Verifying", "records") as tell:
        while not verification.done:
            async with runtime.reading(SYSTEM) as reader:
                verified.add([found async for found in verification.page(reader, roots)])
            tell(verification.tree.size, head.size)
    async with runtime.reading(SYSTEM) as reader:
        verified.add([found async for found in compare_totals(reader, head)])
    verified.records = head.size


async def _verify_digests(runtime: Runtime, head: Head, verified: Verified, stage: Stage) -> None:
    verification = DigestVerification(head)
    with stage("Verifying", "digests") as tell:
        verified.add([found async for found in verification.compare_seals(runtime)])
        async for found in verification.compute_again(runtime):
            verified.add([found])
        tell(verification.computed, verification.computed)
    verified.digests, verified.computed = verification.digests, verification.computed


async def _verify_entries(runtime: Runtime, verified: Verified, stage: Stage) -> None:
    after: str | None = ""
    with stage("Verifying", "entries") as tell:
        while after is not None:
            async with runtime.reading(SYSTEM) as reader:
                count, found, after = await verify_page(reader, after)
            verified.entries += count
            verified.add(found)
            tell(verified.entries, verified.entries)
