"""Use cases of hits: list, examine and resolve them, and remind of unresolved ones (R46, R47)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import SYSTEM, Kind, Role
from app.alerting.notices.domain import NoticeContent
from app.alerting.notices.service import notify
from app.border.checks import store as checks
from app.border.checks.parsing import ParsedQuestion, parse_stored
from app.border.checks.service import answer_of
from app.border.clearances.domain import Obstacle, bearer_of, obstacle
from app.border.clearances.service import propose
from app.border.hits import store
from app.border.hits.creation import create_hit, create_hits, requeue_lost
from app.border.hits.domain import (
    Action,
    Hit,
    HitState,
    Identity,
    Matched,
    Proposal,
    Resolution,
    resolved_notices,
    unresolved_notice,
)
from app.border.hits.store import Filter, list_resolved, list_resolved_ids
from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.kit.ids import first_id
from app.ledger.domain import Draft
from app.register.entries import store as entries
from app.register.entries.current_status import EntryStatus, current_status
from app.register.entries.domain import Entry
from app.register.entries.events import EntryErased
from app.register.entries.pending import stops
from app.register.entries.ports import HitTraveller
from app.register.entries.seal_queries import list_barred
from app.register.entries.timed_changes import list_pending
from app.runtime import Runtime

__all__ = [
    "Examined",
    "HitResolved",
    "create_hits",
    "entry_statuses",
    "erase_hits",
    "examine",
    "list_page",
    "list_resolved",
    "list_resolved_ids",
    "questions_of",
    "remind",
    "requeue_lost",
    "resolve",
    "traveller_of_open_hit",
]

_plain = msgspec.json.Decoder().decode
_BATCH_SIZE = 200


@dataclass(frozen=True, slots=True)
class Examined:
    """A hit with the data that a supervisor needs to identify the traveller.

    Attributes:
        hit: the hit.
        answer: the check's answer as JSON members, in the form for counters even if another kind of client asked. For
            an auditor it includes the noted entries.
        parsed: the question with the traveller's data; None once it was erased, or if it can't be read any more.
        statuses: the present state of the matched entries, by entry id.
    """

    hit: Hit
    answer: dict[str, Any]
    parsed: ParsedQuestion | None
    statuses: Mapping[str, EntryStatus]


@dataclass(frozen=True, slots=True)
class HitResolved:
    """An event: a supervisor has resolved a hit.

    Attributes:
        hit: the hit, with its final resolution.
        question: the question of the check that opened the hit, as stored text; None once it was erased.
    """

    hit: Hit
    question: str | None


async def list_page(
    reader: Reader,
    state: HitState | None,
    since: datetime | None,
    until: datetime | None,
    before: str | None,
    limit: int,
) -> list[Hit]:
    """Return hits that the actor may see, newest first. Hits that matched an entry about the actor are omitted.

    Args:
        reader: the transaction.
        state: only those in this state; None for any.
        since: only those opened at or after this instant; None for any time.
        until: only those opened before this instant; None for any time.
        before: only those with an id before this one; None for the newest.
        limit: the greatest number of hits.
    """
    bounds = [bound for bound in (before, first_id("hit", until) if until else None) if bound]
    selection = Filter(
        checkpoint=None if reader.actor.holds(Role.AUDITOR) else reader.actor.checkpoint,
        state=state,
        first=first_id("hit", since) if since else None,
        before=min(bounds, default=None),
    )
    return await _with_pending(reader, await store.list_page(reader, selection, limit))


async def _with_pending(reader: Reader, hits: Sequence[Hit]) -> list[Hit]:
    """Return hits with `pending_until` for those with entries that wait for a decision."""
    matched = {each.entry_id for hit in hits for each in hit.matched}
    pending = await list_pending(reader, matched) if matched else {}
    return [hit.with_pending(pending) for hit in hits]


async def entry_statuses(reader: Reader, hits: Iterable[Hit]) -> Mapping[str, EntryStatus]:
    """Return the present state of the entries that these hits matched, by entry id."""
    return await current_status(reader, {matched.entry_id for hit in hits for matched in hit.matched})


async def erase_hits(unit: Unit, event: EntryErased) -> Sequence[Draft]:
    """Erase the supervisors' notes on the hits that matched the event's erased entry (R64). Returns no ledger records.

    A hit keeps its notes until every entry that it matched is erased. Called as a projector: in the transaction of the
    event.
    """
    for hit in await store.lock_of_entry(unit, event.entry.id):
        matched = await entries.list_by_ids(unit, {each.entry_id for each in hit.matched})
        if all(each.erased_at is not None for each in matched):
            await store.save(unit, hit.erased())
    return ()


async def examine(unit: Unit, hit_id: str, runtime: Runtime) -> Examined:
    """Return a hit with its traveller and its matched entries, and record the access in the audit trail (R49, R62).

    A hit that is still in the queue of the checks is created first, with its notices.

    Raises:
        NotFound: the actor sees no hit with this id, or an entry that it matched may be about the actor.
    """
    hit, news = await _get(unit, hit_id, runtime)
    kept, parsed = await _parsed_question(unit, hit, runtime)
    shown = _plain(kept.matches) if kept.matches else []
    kind = None if unit.actor.holds(Role.AUDITOR) else Kind.COUNTER.value
    answer = answer_of(kept._mapping, shown, parsed, kind, await list_barred(unit)) | {"matches": shown}
    await record(unit, AuditAct.HIT_EXAMINED, hit.id, {"check": hit.check_id})
    await notify(unit, news)
    [hit] = await _with_pending(unit, [hit])
    return Examined(hit, answer, parsed, await entry_statuses(unit, [hit]))


async def resolve(
    unit: Unit,
    hit_id: str,
    expected: int,
    outcome: Identity,
    action: Action | None,
    note: str,
    runtime: Runtime,
) -> Hit:
    """Store a supervisor's resolution of a hit, and return the hit.

    The outcome `not_same_person` also proposes a clearance for each matched entry, unless there is an obstacle. The
    outcome `unsure` leaves the hit open.

    Args:
        unit: the transaction.
        hit_id: id of the hit.
        expected: the hit's version that the supervisor has read.
        outcome: the supervisor's finding.
        action: the action taken with the traveller; None only for `unsure`.
        note: the supervisor's reason.
        runtime: the process's databases, clock and settings.

    Raises:
        NotFound: no hit with this id exists at the supervisor's checkpoint, or an entry that it matched may be about
            the supervisor.
        WrongState: the hit is resolved already, or the traveller is refused without a measure in force.
        StaleVersion: the hit has changed since it was read.
        Invalid: the action does not fit the outcome or the direction.
    """
    found, news = await _get(unit, hit_id, runtime)
    locked = await _lock_entries(unit, found) if outcome is Identity.NOT_SAME_PERSON else []
    hit = await store.lock(unit, hit_id)
    await _expect_seen(unit, hit)  # again, since the actor may have become a possible subject meanwhile
    hit.expect_open(expected)
    hit.expect_fitting(outcome, action)
    hit.expect_ban(action, {s.measure for s in (await entry_statuses(unit, [hit])).values() if s.in_force})
    proposals: tuple[Proposal, ...] = ()
    if outcome is Identity.NOT_SAME_PERSON:
        _, parsed = await _parsed_question(unit, hit, runtime)
        proposals = tuple([await _propose(unit, hit, matched, entry, parsed) for matched, entry in locked])
    actor = unit.actor
    hit = hit.resolved(
        Resolution(
            outcome=outcome,
            action=action,
            note=note,
            by=actor.client_id,
            person=actor.person,
            at=unit.now,
            proposals=proposals,
        )
    )
    await store.save(unit, hit)
    detail = {"outcome": outcome.value, "action": action.value if action else None}
    await record(unit, AuditAct.HIT_RESOLVED, hit.id, detail)
    if hit.state is HitState.RESOLVED:
        questions = await questions_of(unit, [hit], runtime)
        unit.happened(HitResolved(hit, questions[hit.id]))
        await unit.conclude()
    await notify(unit, [*news, *(resolved_notices(hit) if hit.state is HitState.RESOLVED else ())])
    [hit] = await _with_pending(unit, [hit])
    return hit


async def questions_of(unit: Unit, hits: Sequence[Hit], runtime: Runtime) -> dict[str, str | None]:
    """Return, by hit id, the stored question of the check that opened each hit; None for an erased question."""
    async with runtime.checks_beside(unit) as reader:
        records = await checks.list_records(reader, {hit.check_id for hit in hits})
    questions = {record.id: record.question for record in records}
    return {hit.id: questions[hit.check_id] for hit in hits}


async def traveller_of_open_hit(unit: Unit, hit_id: str, runtime: Runtime) -> HitTraveller:
    """Return the matched entries and the search keys of an open hit's traveller; raise NotFound unless the hit is open.

    A supervisor may search the register only for this person. There are no keys and no births if the check's question
    was erased or can't be read any more.

    Raises:
        NotFound: the actor sees no hit with this id, or the hit is resolved.
    """
    hit, news = await _get(unit, hit_id, runtime)
    if hit.state is not HitState.OPEN:
        raise NotFound("There is no such open hit.")
    _, parsed = await _parsed_question(unit, hit, runtime)
    await notify(unit, news)
    matched = frozenset(each.entry_id for each in hit.matched)
    if parsed is None:
        return HitTraveller(matched, frozenset(), ())
    traveller = parsed.traveller
    keys = {f"d:{paper.number}" for paper in traveller.papers}
    keys |= {f"f:{name}"[:200] for name in traveller.names}
    if traveller.nik:
        keys.add(f"n:{traveller.nik}")
    return HitTraveller(matched, frozenset(keys), tuple(traveller.births))


async def remind(runtime: Runtime) -> int:
    """Write a notice for each hit that was not resolved in time, once for each hit. Returns the number of new notices.

    If it fails for a hit, the error is logged and the others are treated.
    """
    written = 0
    async for _, hit_id in runtime.each_due(SYSTEM, store.list_due, _BATCH_SIZE):
        with runtime.isolating("a hit's reminder can't be written now", hit=hit_id):
            async with runtime.writing(SYSTEM) as unit:
                hit = await store.lock(unit, hit_id)
                if hit.state is HitState.OPEN and hit.escalated_at is None:
                    await store.save(unit, hit.escalated(unit.now))
                    written += len(await notify(unit, [unresolved_notice(hit)]))
    return written


async def _get(unit: Unit, hit_id: str, runtime: Runtime) -> tuple[Hit, list[NoticeContent]]:
    """Return a hit that the actor may see, and its notices if it was created just now.

    Raises:
        NotFound: it does not exist, or the actor may not see it.
    """
    hit, news = await store.find(unit, hit_id), list[NoticeContent]()
    if hit is None:
        hit, news = await create_hit(unit, runtime, hit_id)
    if hit is None:
        raise NotFound("There is no such hit.")
    await _expect_seen(unit, hit)
    return hit, news


async def _expect_seen(unit: Unit, hit: Hit) -> None:
    own = await list_barred(unit)
    if not hit.within(unit.actor) or any(each.entry_id in own for each in hit.matched):
        raise NotFound("There is no such hit.")


async def _parsed_question(unit: Unit, hit: Hit, runtime: Runtime) -> tuple[Any, ParsedQuestion | None]:
    async with runtime.checks_beside(unit) as reader:
        kept = await checks.find(reader, hit.check_id)
    assert kept is not None, "records of checks are never deleted"
    return kept, parse_stored(kept.question, kept.at)


async def _lock_entries(unit: Unit, hit: Hit) -> list[tuple[Matched, Entry]]:
    """Lock the entries that a hit matched, in the order of their ids; returns them in this order.

    Call it before the hit is locked, because an erasure locks the entry before its hits: in the opposite order the two
    would wait for each other.
    """
    in_order = sorted(hit.matched, key=lambda matched: matched.entry_id)
    return [(matched, await entries.lock(unit, matched.entry_id)) for matched in in_order]


async def _propose(
    unit: Unit, hit: Hit, matched: Matched, entry: Entry, parsed: ParsedQuestion | None
) -> Proposal:
    if parsed is None:
        return Proposal(matched.entry_id, None, Obstacle.QUESTION_ERASED)
    if entry.version != matched.version or not stops(entry, unit.now):
        return Proposal(matched.entry_id, None, Obstacle.ENTRY_CHANGED)
    reason = obstacle(parsed.traveller, entry)
    if reason is not None:
        return Proposal(matched.entry_id, None, reason)
    person, zone = parsed.body.person, parsed.mrz
    spelled = [name for name in (person.name if person else None, zone.name if zone else None) if name]
    clearance = await propose(unit, entry, bearer_of(parsed.traveller, spelled), hit.id)
    return Proposal(matched.entry_id, clearance.id, None)
