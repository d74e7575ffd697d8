"""The sealer: seals the query log in batches, and publishes each batch's root as a record of the ledger.

A batch is stored first, beside the checks, and published afterwards: where a process ends between the two, the next
round publishes it. Lines are read and hashed before the ledger's lock is taken, so an urgent entry never waits for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Final, TypeVar

from app.access.domain import SYSTEM
from app.db.unit import Reader
from app.kit.ids import first_id
from app.kit.pace import give_way
from app.ledger import service as ledger
from app.ledger.domain import Draft, RecordType
from app.runtime import Runtime
from app.sync.querylog import store
from app.sync.querylog.domain import (
    BEGIN,
    CHECK_PREFIX,
    LATE,
    SALT_BYTES,
    Batch,
    Batching,
    Line,
    Position,
    Source,
    facts_of,
)
from app.sync.querylog.store import Moment

Key = TypeVar("Key", str, Moment)

Page = Callable[[Key, Key], Awaitable[Sequence[tuple[Key, Line]]]]
"""A function that returns some lines between two positions, each with its position, in order."""

MOST_LINES: Final = 10_000
"""Greatest number of lines of a batch. When so many checks wait, they are sealed without delay."""

SEAL_AFTER: Final = timedelta(seconds=60)
"""Age of the newest batch at which the waiting lines are sealed, however few they are."""

_SETTLED: Final = timedelta(seconds=15)
"""Age at which a line is sealed: transactions end earlier than that, so older lines rarely become visible later."""

_SECOND: Final = timedelta(seconds=1)

_LONGEST_ROUND: Final = timedelta(hours=1)

_PAGE: Final = 500
"""Lines that are read and hashed at once; checks are answered between two pages."""


class Sealer:
    """Puts the lines of the query log into batches, and writes each batch's root to the ledger, which seals the batch.

    The worker's lock ensures that only one process does it at a time.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._looked_back_at: dict[Source, datetime] = {}

    async def seal(self, *, at_end: bool = False) -> int:
        """Seal the waiting lines in new batches, if 10,000 checks wait or if the newest batch is a minute old.

        First, each stored batch that has no record in the ledger gets one. Lines of the last 15 s wait for a later
        batch. While the clock is doubted, nothing is done.

        Args:
            at_end: whether the process is about to end: then the waiting lines are sealed even if they are few, on
                SQLite those of the last 15 s too.

        Returns:
            The number of new batches.
        """
        if self._runtime.doubt() is not None:  # lines with times to come would move the position too far
            return 0
        number = await self._publish_stored()
        sealed, due = 0, at_end
        while (made := await self._next(number, due=due, at_end=at_end)) is not None:
            batch, looked_back_at = made
            async with self._runtime.writing_checks(SYSTEM) as unit:
                await store.add_batch(unit, batch)
            self._looked_back_at |= looked_back_at
            await self._publish(batch)
            number, sealed = batch.number, sealed + 1
            due = at_end or batch.size == MOST_LINES  # as after an import: more lines wait
        return sealed

    async def _publish_stored(self) -> int:
        """Publish the batches whose process ended before it published them. Returns the newest published number."""
        async with self._runtime.reading(SYSTEM) as reader:
            published = await store.newest_sealed(reader)
        while True:
            async with self._runtime.reading_checks(SYSTEM) as reader:
                waiting = await store.batches_after(reader, published, 1)
            if not waiting:
                return published
            await self._publish(waiting[0])
            published = waiting[0].number

    async def _publish(self, batch: Batch) -> None:
        draft = Draft(
            type=RecordType.SEAL, entry_id=None, version=None, agency=None, facts=facts_of(batch), personal={}
        )
        async with self._runtime.writing(SYSTEM) as unit:
            [record] = await ledger.append(unit, [draft])
            await store.add_seal(unit, batch.number, record.sequence)

    async def _next(
        self, published: int, *, due: bool, at_end: bool
    ) -> tuple[Batch, dict[Source, datetime]] | None:
        """Make the next batch. Returns it with the kinds of lines that it looked back for; None if it is not needed.

        Its number follows every published one, also where the checks were put back to an earlier state than the ledger.
        """
        async with self._runtime.reading_checks(SYSTEM) as reader:
            now, newest = reader.now, await store.newest_batch(reader)
            # At the end of the only process nobody is writing lines any more.
            before = Position.at(now + _SECOND if at_end and reader.is_sqlite else now - _SETTLED)
            if newest is not None and not due and now - newest.at < SEAL_AFTER:
                waiting = await store.count_checks(reader, newest.reached.check, before.check, MOST_LINES)
                if waiting < MOST_LINES:
                    return None
            reached = newest.reached if newest else BEGIN
            begin = self._begin(reached, now, at_end=at_end)
            batching = Batching(
                token_bytes(SALT_BYTES),
                await self._sealed_since(reader, newest, begin),
                self._committed_from(now),
            )
        checks = await self._fill(batching, begin.check, before.check, self._checks)
        acts = await self._fill(batching, begin.act, before.act, self._acts)
        receipts = await self._fill(batching, (begin.receipt, ""), (before.receipt, ""), self._receipts)
        versions = await self._fill(batching, (begin.version, ""), (before.version, ""), self._versions)
        came_to = Position(checks, acts, receipts[0], versions[0])
        # A batch that was full before it came to where the last one ended has not seen all late lines.
        looked_back_at = dict.fromkeys(came_to.reaches(reached) - begin.reaches(reached), now)
        if not batching.size:
            self._looked_back_at |= looked_back_at
            return None
        return batching.finished(published + 1, now, came_to.at_least(reached)), looked_back_at

    def _begin(self, reached: Position, now: datetime, *, at_end: bool) -> Position:
        """Return where the next batch begins: where the last one ended (`reached`), or earlier for late lines.

        Lines that became visible late are looked for once a minute, not with each of the batches after an import or in
        a rush, because all lines of these minutes are read again for it. Each kind of lines has its own minute.
        """
        earlier = reached.earlier(LATE + SEAL_AFTER)

        def begin(source: Source) -> Position:
            last = self._looked_back_at.get(source)
            return earlier if at_end or last is None or now - last >= SEAL_AFTER else reached

        return Position(
            begin(Source.CHECK).check,
            begin(Source.ACT).act,
            begin(Source.RECEIPT).receipt,
            begin(Source.VERSION).version,
        )

    def _committed_from(self, now: datetime) -> str:
        """Return the id of the first check whose question is not erased before the batch is stored."""
        kept = timedelta(days=self._runtime.settings.question_days)
        return first_id(CHECK_PREFIX, now - kept + _LONGEST_ROUND)

    async def _sealed_since(self, reader: Reader, newest: Batch | None, begin: Position) -> set[str]:
        """Return the ids of the sealed lines from a position on."""
        found: set[str] = set()
        batch = newest
        while batch is not None and (again := batch.reached.reaches(begin)):
            found.update(batch.ids(again))
            await asyncio.sleep(0)
            batch = await store.find_batch(reader, batch.number - 1)
        return found

    async def _fill(self, batching: Batching, begin: Key, before: Key, page: Page[Key]) -> Key:
        """Add the lines between two positions that are in no batch, as far as there is room.

        Returns:
            The position reached: every line before it is in a batch.
        """
        while batching.size < MOST_LINES:
            lines = await page(begin, before)
            for position, line in lines:
                if batching.size == MOST_LINES:
                    return position
                batching.add(line)
            if len(lines) < _PAGE:
                return before
            begin = lines[-1][0]
            await give_way()
        return begin

    async def _checks(self, begin: str, before: str) -> Sequence[tuple[str, Line]]:
        async with self._runtime.reading_checks(SYSTEM) as reader:
            return [(line.id, line) for line in await store.list_checks(reader, begin, before, _PAGE)]

    async def _acts(self, begin: str, before: str) -> Sequence[tuple[str, Line]]:
        async with self._runtime.reading(SYSTEM) as reader:
            return [(line.id, line) for line in await store.list_acts(reader, begin, before, _PAGE)]

    async def _receipts(self, begin: Moment, before: Moment) -> Sequence[tuple[Moment, Line]]:
        async with self._runtime.reading(SYSTEM) as reader:
            return await store.list_receipts(reader, begin, before, _PAGE)

    async def _versions(self, begin: Moment, before: Moment) -> Sequence[tuple[Moment, Line]]:
        async with self._runtime.reading(SYSTEM) as reader:
            return await store.list_versions(reader, begin, before, _PAGE)
