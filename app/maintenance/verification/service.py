"""Verifies the whole register: ledger, heads that were signed or that letters show, entries, hits, query log."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from app.access.domain import SYSTEM
from app.border.clearances.verification import verify_page as verify_clearances
from app.border.hits.verification import find_missing
from app.border.hits.verification import verify_page as verify_hits
from app.casework.papers.verification import BEFORE_ALL, verify_letter_heads
from app.kit.differences import Difference
from app.kit.stages import Amount, Stage
from app.ledger import service as ledger
from app.ledger.domain import Head
from app.ledger.verification import LedgerVerification, compare_totals
from app.register.entries.duties.verification import verify_page as verify_duties
from app.register.entries.verification import verify_page
from app.runtime import Runtime
from app.sync.heads.domain import SignedHead
from app.sync.heads.service import list_heads_after, list_uses
from app.sync.heads.verification import fault_of
from app.sync.querylog.verification import LogVerification
from app.sync.snapshots.verification import DigestVerification
from app.sync.witnesses.verification import verify_cosignatures

PAGE: Final = 1000
"""Records that a command verifies at once."""

RECOMPUTED: Final = 5_000_000
"""Records that a command reads to compute digests again at most: a few minutes."""

_ENTRIES_A_RECORD: Final = 5
"""An entry takes about as long to verify as five records."""

_MOST: Final = 1000
"""Differences that are listed; a register with more is not mended by a longer list."""

Progress = AsyncIterator[tuple[int, int]]
"""The steps of a part of a verification: after each, how much is done and how much there is in all."""


@dataclass(slots=True)
class Verified:
    """The result of a verification.

    Attributes:
        records: number of ledger records. All were verified; if one is missing, only those before it.
        heads: number of signed heads that were verified.
        digests: number of stored digests of the register's state that were compared with their ledger records.
        computed: number of these digests, the newest ones, that were also computed again from the ledger's records.
        cosignatures: number of witnesses' signatures of signed heads that were verified.
        letters: number of heads in the codes of letters that were verified.
        entries: number of entries that were verified.
        duties: number of duties that officers recorded and that were verified.
        clearances: number of clearances that were verified.
        hits: number of hits that were verified.
        lines: number of lines of the query log that were verified: checks, receipts, acts, and versions.
        unsealed: number of lines of the query log after its newest batch: no record of the ledger proves them yet.
        unsigned: number of ledger records after the newest signed head of the present epoch: no signature proves them
            yet.
        abandoned: sizes of signed heads that have more records than the ledger, as after a restore of an older backup.
        differences: the contradictions that were found, at most 1000.
    """

    records: int = 0
    heads: int = 0
    digests: int = 0
    computed: int = 0
    cosignatures: int = 0
    letters: int = 0
    entries: int = 0
    duties: int = 0
    clearances: int = 0
    hits: int = 0
    lines: int = 0
    unsealed: int = 0
    unsigned: int = 0
    abandoned: list[int] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the verification found no differences."""
        return not self.differences

    def add(self, found: Iterable[Difference]) -> None:
        """Add differences; those beyond 1000 in all are dropped."""
        self.differences += found
        del self.differences[_MOST:]


async def verify(runtime: Runtime, stage: Stage) -> Verified:
    """Verify the whole register and return the result. Differences are listed in the result and not raised.

    A service may go on writing meanwhile: each page is read in a transaction of its own, and ledger records that are
    written after the beginning are not verified.

    Args:
        runtime: the runtime of the register.
        stage: called at the beginning of each stage, for the display of progress.
    """
    verification = Verification(runtime, PAGE, RECOMPUTED)
    for unit, part in verification.parts():
        with stage("Verifying", unit) as tell:
            async for done, total in part:
                tell(done, total)
    return verification.verified


class Verification:
    """One verification of a register, divided into steps. The caller does the steps of one part after the other.

    Args:
        runtime: the runtime of the register.
        page: the number of records that a step verifies at most.
        recomputed: the approximate number of ledger records that are read to compute digests again, newest digest
            first; with 0 no digest is computed.

    Attributes:
        verified: the result so far.
    """

    def __init__(self, runtime: Runtime, page: int, recomputed: int) -> None:
        self.verified = Verified()
        self._runtime = runtime
        self._page = page
        self._recomputed = recomputed
        self._head = Head("", 0, 0)
        self._roots: dict[int, list[bytes]] = defaultdict(list)
        self._seals = 0

    @property
    def epoch(self) -> str:
        """The ledger's epoch that is verified; empty before the first step."""
        return self._head.epoch

    def parts(self) -> Iterator[tuple[Amount, Progress]]:
        """Yield the parts of the verification, each as a pair: the unit that it counts, and the iterator of its steps.

        The caller must exhaust a part's iterator before it takes the next part. After each step the iterator yields how
        many were verified so far, and the total; a total of 0 means that it is unknown.
        """
        yield "heads", self._heads()
        yield "records", self._records()
        yield "letters", self._letters()
        yield "digests", self._digests()
        yield "entries", self._entries()
        yield "duties", self._duties()
        yield "clearances", self._clearances()
        yield "hits", self._hits()
        yield "batches", self._batches()

    async def _heads(self) -> Progress:
        """Verify the signatures of every signed head, and collect the signed roots by size.

        Heads that are signed meanwhile are held against the ledger's size at that moment; their roots are for the next
        verification.
        """
        verified = self.verified
        async with self._runtime.reading(SYSTEM) as reader:
            self._head = head = await ledger.head(reader)
            if (rollback := await self._runtime.keeper.compare(reader)) is not None:
                verified.add([Difference("mark", f"the register was rolled back: {rollback}")])
            if self._runtime.keeper.fault is not None:
                verified.add([Difference("mark", self._runtime.keeper.fault)])
            known = await list_uses(reader)
        newest = 0
        last: tuple[str, int] = "", -1
        while True:
            async with self._runtime.reading(SYSTEM) as reader:
                page = await list_heads_after(reader, *last)
                present = await ledger.head(reader)
                for epoch in dict.fromkeys(each.epoch for each in page):
                    notes = {each.size: each.note for each in page if each.epoch == epoch}
                    count, found = await verify_cosignatures(reader, epoch, notes)
                    verified.cosignatures += count
                    verified.add(found)
            for signed in page:
                self._compare_head(signed, fault_of(signed, known), present)
                if signed.size <= head.size:
                    self._roots[signed.size].append(signed.root)
                    newest = max(newest, signed.size if signed.epoch == head.epoch else 0)
            if not page:
                verified.unsigned = head.size - newest
                return
            last = page[-1].epoch, page[-1].size
            yield verified.heads, 0

    def _compare_head(self, signed: SignedHead, fault: str | None, present: Head) -> None:
        """Count a signed head, and add what is wrong with its signatures or its size."""
        self.verified.heads += 1
        where = f"signed_head {signed.epoch} {signed.size}"
        if fault is not None:
            self.verified.add([Difference(where, fault)])
        if signed.size > present.size:
            self.verified.abandoned.append(signed.size)
            if signed.epoch == present.epoch:
                self.verified.add([Difference(where, "the ledger has fewer records than were signed")])

    async def _records(self) -> Progress:
        """Verify every record, and count the batches of the query log that they seal."""
        head = self._head
        verification = LedgerVerification(head)
        while not verification.done:
            async with self._runtime.reading(SYSTEM) as reader:
                page = verification.page(reader, self._roots, self._page)
                self.verified.add([found async for found in page])
            yield verification.tree.size, head.size
        async with self._runtime.reading(SYSTEM) as reader:
            self.verified.add([found async for found in compare_totals(reader, head)])
        self.verified.records, self._seals = head.size, verification.log_seals

    async def _letters(self) -> Progress:
        """Verify the heads that letters show."""
        after: int | None = BEFORE_ALL
        while after is not None:
            async with self._runtime.reading(SYSTEM) as reader:
                count, found, after = await verify_letter_heads(reader, after, self._page)
            self.verified.letters += count
            self.verified.add(found)
            yield self.verified.letters, 0

    async def _digests(self) -> Progress:
        """Compare every sealed digest with its seal, and compute the newest ones again."""
        verified, verification = self.verified, DigestVerification(self._head, self._recomputed)
        verified.add([found async for found in verification.compare_seals(self._runtime)])
        yield verification.digests, 0
        async for found in verification.compute_again(self._runtime):
            verified.add([found])
        verified.digests, verified.computed = verification.digests, verification.computed

    async def _entries(self) -> Progress:
        """Verify every entry; a page that differs is read again, since erasure may have come between two reads."""
        after: str | None = ""
        limit = max(1, self._page // _ENTRIES_A_RECORD)
        while after is not None:
            async with self._runtime.reading(SYSTEM) as reader:
                count, found, following = await verify_page(reader, after, limit)
            if found:
                async with self._runtime.reading(SYSTEM) as reader:
                    _, found, _ = await verify_page(reader, after, limit)
            self.verified.entries += count
            self.verified.add(found)
            yield self.verified.entries, 0
            after = following

    async def _duties(self) -> Progress:
        """Verify every duty that an officer recorded."""
        after: str | None = ""
        while after is not None:
            async with self._runtime.reading(SYSTEM) as reader:
                count, found, after = await verify_duties(reader, after, self._page)
            self.verified.duties += count
            self.verified.add(found)
            yield self.verified.duties, 0

    async def _clearances(self) -> Progress:
        """Verify every clearance; a page that differs is read again, since one may have ended between two reads."""
        after: str | None = ""
        while after is not None:
            async with self._runtime.reading(SYSTEM) as reader:
                count, found, following = await verify_clearances(reader, after, self._page)
            if found:
                async with self._runtime.reading(SYSTEM) as reader:
                    _, found, _ = await verify_clearances(reader, after, self._page)
            self.verified.clearances += count
            self.verified.add(found)
            yield self.verified.clearances, 0
            after = following

    async def _hits(self) -> Progress:
        """Verify every hit, and look for checks whose hit is gone."""
        after: str | None = ""
        while after is not None:
            async with (
                self._runtime.reading(SYSTEM) as register,
                self._runtime.checks_beside(register) as checks,
            ):
                count, found, after = await verify_hits(register, checks, after, self._page)
            self.verified.hits += count
            self.verified.add(found)
            yield self.verified.hits, 0
        after = ""
        while after is not None:
            async with (
                self._runtime.reading_checks(SYSTEM) as checks,
                self._runtime.reading(SYSTEM) as register,
            ):
                found, after = await find_missing(register, checks, after, self._page)
            self.verified.add(found)
            yield self.verified.hits, 0

    async def _batches(self) -> Progress:
        """Verify every batch of the query log, and look for lines in none."""
        verification = LogVerification(self._seals)
        while not verification.done:
            self.verified.add(await verification.batch(self._runtime))
            yield verification.batches, self._seals
        self.verified.add(verification.unknown())
        self.verified.lines = verification.lines
        self.verified.unsealed = await verification.count_unsealed(self._runtime)
