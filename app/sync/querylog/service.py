"""Use cases of the query log: erase the salts of batches, and read the lines of a batch."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from app.access.domain import SYSTEM
from app.db.unit import Unit
from app.runtime import Runtime
from app.sync.querylog import store
from app.sync.querylog.domain import Batch, Line, SealedLine, Source, joined, opened, split

_PAGE: Final = 500


async def erase_salts(
    runtime: Runtime, before: str, follow: Callable[[Unit, str], Awaitable[None]]
) -> list[tuple[str, str]]:
    """Erase the salts of all batches with a check before the id `before`, and store the commitments instead.

    Call it before the questions of these checks are erased: without the salt a commitment reveals nothing about an
    erased question, and the batch still verifies. If it fails for a batch, the error is logged and the others are
    treated; until it succeeds, the questions of that batch must stay.

    Args:
        runtime: the runtime of the process.
        before: id of the first check whose question is not erased yet.
        follow: called with the id of a batch's first check, in the transaction that erases the batch's salt.

    Returns:
        For each batch whose salt is left: the id of its first check, and the id before which its checks end.

    Raises:
        ClockInDoubt: the clock is not plausible; earlier salts stay erased.
    """
    left: list[tuple[str, str]] = []
    list_due = partial(store.list_salted, before=before)
    async for batch in runtime.each_due(SYSTEM, list_due, 1, checks=True):
        first = batch.first_check or ""
        span = (first, batch.reached.check)
        left.append(span)
        with runtime.isolating("the salt of a batch can't be erased now", batch=str(batch.number)):
            commitments = [
                None if found is None else found[1]
                async for line, _, found in open_lines(runtime, batch)
                if line.source is Source.CHECK
            ]
            async with runtime.irreversible(SYSTEM, checks=True) as unit:
                await store.replace_salt(unit, batch.number, joined(commitments))
                await follow(unit, first)
            left.remove(span)
    return left


async def open_lines(
    runtime: Runtime, batch: Batch
) -> AsyncIterator[tuple[SealedLine, Line | None, tuple[bytes, bytes | None] | None]]:
    """Compare each line of a batch with the stored row, and yield the results in the order of the batch's tree.

    Each result is (sealed line, stored line, opened). The stored line is None if its row no longer exists. `opened` is
    None if the row no longer exists or was changed since it was sealed. Otherwise it is a pair: the line's leaf hash,
    and the commitment in it, which is None if the line was sealed without one.
    """
    kept = iter(split(batch.commitments) if batch.commitments is not None else ())
    lines = batch.lines()
    for begin in range(0, len(lines), _PAGE):
        page = lines[begin : begin + _PAGE]
        stored = await _stored(runtime, page)
        for sealed in page:
            commitment = next(kept, None) if sealed.source is Source.CHECK else None
            line = stored.get(sealed.id)
            yield (
                sealed,
                line,
                None if line is None else opened(line, sealed.hash_start, batch.salt, commitment),
            )
        await asyncio.sleep(0)  # checks and alerts in this process come first


async def _stored(runtime: Runtime, page: Sequence[SealedLine]) -> dict[str, Line]:
    found: dict[str, Line] = {}
    for source in Source:
        ids = {line.id for line in page if line.source is source}
        if ids:
            opening = runtime.reading_checks if source is Source.CHECK else runtime.reading
            async with opening(SYSTEM) as reader:
                found |= await store.lines_of(reader, source, ids)
    return found
