"""Use cases of look-backs: begin once an urgent entry is in force or any is corrected, read on in small steps (R58)."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final

from app.access.domain import SYSTEM
from app.checks import store as checks
from app.checks.domain import Candidate, fits
from app.checks.joining import document_hash
from app.checks.schemas import remembered
from app.db.unit import Reader, Unit
from app.entries import name_keys
from app.entries import store as entries
from app.entries.domain import State
from app.entries.events import SubjectCorrected
from app.errors import CekalError
from app.kit.clock import legal_day
from app.ledger.domain import Draft as LedgerDraft
from app.lookbacks import store
from app.lookbacks.domain import Lookback, Sieve, compared, found, measure_of, numbers_of
from app.matching.policy import MatchPolicy, policy_of
from app.notices.domain import Draft
from app.notices.service import tell
from app.runtime import Runtime

logger = logging.getLogger(__name__)

_SOME: Final = 20
"""Searches of one round."""
_STEP: Final = 100
"""Checks that are read and judged before others have their turn: some milliseconds."""
_STEPS: Final = 200
"""Steps of one search in one round."""
_BREATH: Final = 0.005
"""Seconds that are left to others between two steps: travellers wait at counters meanwhile."""


async def look_back(runtime: Runtime) -> int:
    """Begin a search for each urgent entry that has come into force, and go on with every one that is due.

    One round at a time in all processes. The urgent entry's own transaction does nothing for it: checkpoints wait for
    that one.

    Returns:
        How many notices were written.
    """
    async with runtime.reading(SYSTEM) as reader:
        begun = await store.list_begun(reader)
    if begun:
        async with runtime.writing(SYSTEM) as unit:
            await store.add(unit, (Lookback.of(entry_id, came_at) for entry_id, came_at in begun))
    async with runtime.reading(SYSTEM) as reader:
        due = await store.list_due(reader, _SOME)
    policy = policy_of(runtime.settings.match_policy)
    return sum([await _go_on(runtime, lookback, policy) for lookback in due])


async def follow_correction(unit: Unit, event: SubjectCorrected) -> Sequence[LedgerDraft]:
    """Search again for the subject of an entry in force, if checks now compare something else of them.

    A projector: it adds nothing to the ledger, which holds no searches.
    """
    entry = event.entry
    if entry.in_force(unit.now) and compared(entry.subject) != compared(event.before):
        earlier = await store.find(unit, entry.id)
        if earlier is None and entry.state is State.PROVISIONAL and entry.in_force_from:
            earlier = Lookback.of(entry.id, entry.in_force_from)  # no round has begun it yet
        begun = earlier.anew(unit.now) if earlier else Lookback.of(entry.id, unit.now)
        await store.replace(unit, begun)
    return ()


async def _go_on(runtime: Runtime, lookback: Lookback, policy: MatchPolicy) -> int:
    """Read some steps of a search; what it comes to is kept with what is told, so that nothing is lost between."""
    async with runtime.reading(SYSTEM) as reader:
        (entry,) = await entries.list_by_ids(reader, [lookback.entry_id])
        in_force = entry.in_force(reader.now)
    if not in_force and runtime.doubt():
        return 0  # it may not be over: the search waits for a clock that is plausible
    if not in_force:  # rejected, revoked or lapsed meanwhile: nobody is to be pursued
        return await _keep(runtime, lookback.dropped(), [])
    candidate = Candidate(entry, name_keys.listed(entry.subject))
    told = 0
    if lookback.untouched:
        async with runtime.reading_checks(SYSTEM) as reader:
            lookback = lookback.reaching(await checks.find_newest(reader))
        told += await _keep(runtime, lookback, await _by_document(runtime, lookback, candidate, policy))
    sieve = Sieve(candidate, policy)
    for _ in range(_STEPS):
        async with runtime.reading_checks(SYSTEM) as reader:
            records = await checks.list_between(reader, lookback.first, lookback.before, _STEP)
            news = await _news(reader, [r for r in records if _may_be(sieve, r)], candidate, policy)
        ended = len(records) < _STEP
        lookback = lookback.through() if ended else lookback.read_to(records[-1].id)
        if news or ended:
            told += await _keep(runtime, lookback, news)
        if ended:
            return told
        await asyncio.sleep(_BREATH)
    await _keep(runtime, lookback, [])
    return told


async def _keep(runtime: Runtime, lookback: Lookback, news: list[Draft]) -> int:
    async with runtime.writing(SYSTEM) as unit:
        await store.save(unit, lookback)
        return len(await tell(unit, news))


async def _by_document(
    runtime: Runtime, lookback: Lookback, candidate: Candidate, policy: MatchPolicy
) -> list[Draft]:
    """Before all else the checks of the subject's own documents, which an index finds at once."""
    drafts: list[Draft] = []
    async with runtime.reading_checks(SYSTEM) as reader:
        for number in numbers_of(candidate.entry):
            hashed = document_hash(runtime, number)
            records = await checks.list_of_document(reader, hashed, lookback.first, lookback.before)
            drafts += await _news(reader, records, candidate, policy)
    return drafts


def _may_be(sieve: Sieve, record: Any) -> bool:
    return record.question is not None and sieve.lets_through(record.question, legal_day(record.at))


async def _news(
    reader: Reader, records: Iterable[Any], candidate: Candidate, policy: MatchPolicy
) -> list[Draft]:
    """What is told of some checks; not of those that matched the entry and were told as such."""
    drafts = []
    for record in records:
        draft = _judged(record, candidate, policy)
        if draft and not await checks.versions_matched(reader, record.id, measure_of(candidate.entry)):
            drafts.append(draft)
    return drafts


def _judged(record: Any, candidate: Candidate, policy: MatchPolicy) -> Draft | None:
    """A check's notice, if the same question would now be stopped, or its traveller seen, for the entry."""
    if record.question is None:  # erased already: it was found by the hash of its document
        return found(candidate.entry, record, None)
    try:
        asked = remembered(record.question, record.at)
    except CekalError:  # asked under the rules of a former release
        logger.warning("a stored question can't be understood any more", extra={"check": record.id})
        return None
    match = fits(record.direction, asked.traveller, candidate, policy, record.at)
    return found(candidate.entry, record, match) if match and match.stops else None
