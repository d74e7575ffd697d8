"""Verifying the query log: each batch, each of its lines, and that no old line is missing from the batches."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.access.domain import SYSTEM
from app.kit.differences import Difference
from app.ledger import service as ledger
from app.runtime import Runtime
from app.sync.querylog import store
from app.sync.querylog.domain import BEGIN, LATE, Batch, Position, Source, facts_of
from app.sync.querylog.service import open_lines
from app.tlog import merkle

_MOST: Final = 1000
"""Lines in no batch that are remembered; a register with more is not mended by a longer list."""


@dataclass(slots=True)
class LogVerification:
    """Verifies the query log: call `batch` for one batch after the other until `done` is true, then `unknown`.

    Attributes:
        newest: number of the newest batch that a record of the ledger seals; later batches are not verified.
        batches: number of batches verified so far.
        lines: number of lines verified so far.
        reached: the position up to which the batches verified so far contain all lines.
    """

    newest: int
    batches: int = 0
    lines: int = 0
    reached: Position = BEGIN
    _unknown: dict[str, datetime] = field(default_factory=dict)
    _newest_at: datetime = BEGIN.receipt
    _previous: set[str] = field(default_factory=set)

    @property
    def done(self) -> bool:
        """Whether all batches were verified."""
        return self.batches >= self.newest

    async def batch(self, runtime: Runtime) -> list[Difference]:
        """Verify the next batch, and return each difference that is found; an empty list if all agrees.

        Each line must be as it is stored in the database now, the root must be that of the lines, and a record of the
        ledger must contain this root. A batch that differs is read a second time, because retention may have erased
        texts while it was read.
        """
        self.batches += 1
        batch, found = await self._read(runtime, self.batches)
        if found:
            batch, found = await self._read(runtime, self.batches)
        if batch is not None:
            self.lines += batch.size
            await self._remember_unknown(runtime, batch)
        return found

    async def _read(self, runtime: Runtime, number: int) -> tuple[Batch | None, list[Difference]]:
        where = f"log_batch {number}"
        async with runtime.reading_checks(SYSTEM) as reader:
            batch = await store.find_batch(reader, number)
        if batch is None:
            return None, [Difference(where, "there is no batch with this number")]
        if not batch.is_readable:
            return None, [Difference(where, "its lines can't be read")]
        differences = [Difference(where, what) async for what in self._faults_of(runtime, batch)]
        leaves = []
        async for sealed, stored, found in open_lines(runtime, batch):
            name = f"{sealed.source} {sealed.id}"
            if stored is None:
                differences.append(Difference(name, f"it was sealed in batch {number}, and is gone"))
            elif found is None:
                differences.append(Difference(name, f"it differs from what batch {number} sealed"))
            else:
                leaves.append(found[0])
        if len(leaves) == batch.size and merkle.root_of_leaves(leaves) != batch.root:
            differences.append(Difference(where, "its root is not the root of its lines"))
        return batch, differences

    def unknown(self) -> list[Difference]:
        """Return a difference for each stored line that no batch contains, although a batch should.

        Call it once `done` is true. A line is omitted if the batch that should contain it was made less than two
        minutes before the newest one, because a later batch may still contain the line. At most 1000 lines are
        reported.
        """
        return [
            Difference(identity, "it is in no batch, although the log is sealed beyond it")
            for identity, passed_at in self._unknown.items()
            if passed_at < self._newest_at - LATE
        ]

    async def count_unsealed(self, runtime: Runtime) -> int:
        """Return the number of stored lines at or after `reached`; once `done` is true, they wait for a later batch."""
        async with (
            runtime.reading(SYSTEM) as register,
            runtime.checks_beside(register) as checks,
        ):
            return await store.count_from(checks, register, self.reached)

    async def _faults_of(self, runtime: Runtime, batch: Batch) -> AsyncIterator[str]:
        async with runtime.reading(SYSTEM) as reader:
            sequence = (await store.sequences_of(reader, batch.number, batch.number)).get(batch.number)
            records = [] if sequence is None else await ledger.list_after(reader, sequence - 1, 1)
        if not records or records[0].sequence != sequence:
            yield "no record of the ledger seals it"
        elif records[0].leaf.get("seal") != facts_of(batch)["seal"]:
            yield f"record {sequence} of the ledger seals another root or number of lines"

    async def _remember_unknown(self, runtime: Runtime, batch: Batch) -> None:
        """Remember the lines in the batch's range that it does not contain; a later batch may contain late ones."""
        known = set(batch.ids(frozenset(Source)))
        for identity in known:
            self._unknown.pop(identity, None)
        end = batch.reached.at_least(self.reached)
        for source in Source:
            opening = runtime.reading_checks if source is Source.CHECK else runtime.reading
            async with opening(SYSTEM) as reader:
                async for identity in store.ids_between(reader, source, self.reached, end):
                    if (
                        identity not in known
                        and identity not in self._previous
                        and len(self._unknown) < _MOST
                    ):
                        self._unknown[identity] = batch.at
        self.reached, self._previous, self._newest_at = end, known, batch.at
