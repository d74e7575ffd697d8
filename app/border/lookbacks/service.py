"""Use cases of look-backs: begin them after an urgent entry or a correction, and continue in small steps (R58)."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final

from app.access.domain import SYSTEM
from app.alerting.notices.domain import NoticeContent
from app.alerting.notices.service import notify
from app.border.checks import store as checks
from app.border.checks.domain import Candidate, find_match
from app.border.checks.joining import document_hash
from app.border.checks.parsing import parse_stored
from app.border.lookbacks import store
from app.border.lookbacks.domain import (
    Lookback,
    Sieve,
    compared_data,
    crossing_notice,
    entry_ids_of_measure,
    numbers_of,
)
from app.db.unit import Reader, Unit
from app.kit.clock import legal_day
from app.ledger.domain import Draft
from app.matching.policy import MatchPolicy, policy_of
from app.register.entries import store as entries
from app.register.entries.domain import State
from app.register.entries.events import SubjectCorrected
from app.register.entries.names import index as name_keys
from app.runtime import Runtime

logger = logging.getLogger(__name__)

_BATCH_SIZE: Final = 20
"""Searches that one round continues; those that fail are not counted."""
_STEP_CHECKS: Final = 100
"""Checks that are read and judged before control returns to the event loop, after some milliseconds."""
_STEPS_PER_ROUND: Final = 200
"""Steps of one search in one round."""
_PAUSE_SECONDS: Final = 0.005
"""Pause between two steps, in seconds, because travellers wait at counters."""


async def look_back(runtime: Runtime) -> int:
    """Begin a search of past checks for each urgent entry newly in force, and continue searches that are due, up to 20.

    For each check that matches an entry's subject, a notice is written to the entry's owner. The urgent entry's own
    transaction does not begin the search, because checkpoints wait for that transaction. If a search fails, the error
    is logged and the others go on. Only one process at a time may call this function.

    Returns:
        The number of new notices.
    """
    async with runtime.reading(SYSTEM) as reader:
        begun = await store.list_unsearched(reader)
    if begun:
        async with runtime.writing(SYSTEM) as unit:
            await store.add(unit, (Lookback.of(entry_id, came_at) for entry_id, came_at in begun))
    policy = policy_of(runtime.settings.match_policy)
    written = continued = 0
    async for lookback in runtime.each_due(SYSTEM, store.list_due, _BATCH_SIZE):
        with runtime.isolating("a search of past checks can't be continued now", entry=lookback.entry_id):
            written += await _continue(runtime, lookback, policy)
            continued += 1
        if continued == _BATCH_SIZE:  # searches that began meanwhile must not wait for all others
            break
    return written


async def restart_search(unit: Unit, event: SubjectCorrected) -> Sequence[Draft]:
    """Begin a new search of past checks for an entry whose subject was corrected.

    Does nothing if the entry is not in force, or if checks do not compare the corrected data. For an entry without an
    earlier search this is the first one. Called as a projector: in the transaction of the event. Returns no ledger
    records.
    """
    entry = event.entry
    if entry.in_force(unit.now) and compared_data(entry.subject) != compared_data(event.before):
        earlier = await store.find(unit, entry.id)
        if earlier is None and entry.state is State.PROVISIONAL and entry.in_force_from:
            earlier = Lookback.of(entry.id, entry.in_force_from)  # no round has begun it yet
        begun = earlier.restarted(unit.now) if earlier else Lookback.of(entry.id, unit.now)
        await store.replace(unit, begun)
    return ()


async def _continue(runtime: Runtime, lookback: Lookback, policy: MatchPolicy) -> int:
    """Continue a search by some steps. Returns the number of new notices.

    Progress and notices are stored in one transaction, so that no notice is lost.
    """
    async with runtime.reading(SYSTEM) as reader:
        (entry,) = await entries.list_by_ids(reader, [lookback.entry_id])
        in_force = entry.in_force(reader.now)
    if not in_force and runtime.doubt():
        return 0  # the entry may still hold: the search waits until the clock is plausible
    if not in_force:  # rejected, revoked or lapsed since then: the person is no longer searched for
        return await _save(runtime, lookback.dropped(), [])
    candidate = Candidate(entry, name_keys.listed(entry.subject))
    written = 0
    if lookback.untouched:
        async with runtime.reading_checks(SYSTEM) as reader:
            lookback = lookback.extended_to(await checks.find_newest(reader))
        written += await _save(runtime, lookback, await _by_document(runtime, lookback, candidate, policy))
    sieve = Sieve(candidate, policy)
    for _ in range(_STEPS_PER_ROUND):
        async with runtime.reading_checks(SYSTEM) as reader:
            records = await checks.list_between(reader, lookback.first, lookback.before, _STEP_CHECKS)
            contents = await _notices(runtime, reader, records, candidate, policy, sieve)
        ended = len(records) < _STEP_CHECKS
        lookback = lookback.finished() if ended else lookback.read_to(records[-1].id)
        if contents or ended:
            written += await _save(runtime, lookback, contents)
        if ended:
            return written
        await asyncio.sleep(_PAUSE_SECONDS)
    await _save(runtime, lookback, [])
    return written


async def _save(runtime: Runtime, lookback: Lookback, contents: list[NoticeContent]) -> int:
    async with runtime.writing(SYSTEM) as unit:
        await store.save(unit, lookback)
        return len(await notify(unit, contents))


async def _by_document(
    runtime: Runtime, lookback: Lookback, candidate: Candidate, policy: MatchPolicy
) -> list[NoticeContent]:
    """Return the notices of checks with the subject's own documents, which an index finds quickly."""
    contents: list[NoticeContent] = []
    async with runtime.reading_checks(SYSTEM) as reader:
        for number in numbers_of(candidate.entry):
            hashed = document_hash(runtime, number)
            records = await checks.list_of_document(reader, hashed, lookback.first, lookback.before)
            contents += await _notices(runtime, reader, records, candidate, policy)
    return contents


def _may_be(sieve: Sieve, record: Any) -> bool:
    return record.question is not None and sieve.may_match(record.question, legal_day(record.at))


async def _notices(
    runtime: Runtime,
    reader: Reader,
    records: Iterable[Any],
    candidate: Candidate,
    policy: MatchPolicy,
    sieve: Sieve | None = None,
) -> list[NoticeContent]:
    """Return the notices of some checks, except those that matched the entry at their time and were reported then.

    A check that can't be compared is logged, and left out. `sieve` excludes checks before they are compared in full.
    """
    contents = []
    for record in records:
        content = None
        with runtime.isolating("a past check can't be compared", check=record.id):  # nothing here reads rows
            if sieve is None or _may_be(sieve, record):
                content = _judged(record, candidate, policy)
        measure = entry_ids_of_measure(candidate.entry)
        if content and not await checks.list_matches(reader, record.id, measure):
            contents.append(content)
    return contents


def _judged(record: Any, candidate: Candidate, policy: MatchPolicy) -> NoticeContent | None:
    """Return the notice of a check if its question would match the entry now; else None."""
    if record.question is None:  # erased already: the check was found by the hash of its document
        return crossing_notice(candidate.entry, record, None)
    parsed = parse_stored(record.question, record.at)
    if parsed is None:  # stored by an earlier release with other rules
        logger.warning("a stored question can't be understood any more", extra={"check": record.id})
        return None
    match = find_match(record.direction, parsed.traveller, candidate, policy, record.at)
    return crossing_notice(candidate.entry, record, match) if match and match.stops else None
