"""Use cases of hits: find, resolve, and remind (R46, R47)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from app.access.domain import SYSTEM, Role
from app.access.service import record
from app.checks import store as checks
from app.checks.schemas import Asked, remembered
from app.checks.service import answer_of
from app.clearances.domain import Obstacle, bearer_of, obstacle
from app.clearances.service import propose
from app.db.unit import Reader, Unit
from app.entries import store as entries
from app.entries.events import EntryErased
from app.entries.pending import stops
from app.entries.ports import Sought
from app.entries.sight import list_barred
from app.entries.standing import Standing, standing
from app.entries.turns import list_pending
from app.errors import NotFound
from app.hits import store
from app.hits.adopting import queue_forgotten, take_up, take_up_one
from app.hits.domain import (
    Action,
    Hit,
    HitState,
    Identity,
    Matched,
    Proposal,
    Resolution,
    closed,
    unresolved,
)
from app.hits.store import Filter, list_resolved, resolved
from app.kit.ids import first_id
from app.ledger.domain import Draft as LedgerDraft
from app.notices.domain import Draft
from app.notices.service import tell
from app.runtime import Runtime

__all__ = [
    "Examined",
    "HitResolved",
    "examine",
    "expect_open",
    "forget_entry",
    "list_page",
    "list_resolved",
    "matched_now",
    "questions_of",
    "queue_forgotten",
    "remind",
    "resolve",
    "resolved",
    "take_up",
]

_plain = msgspec.json.Decoder().decode
_SOME = 200


@dataclass(frozen=True, slots=True)
class Examined:
    """A hit with what a supervisor needs to tell two people apart.

    Attributes:
        answer: the check's answer as a counter sees it, whichever client had asked.
        standing: the matched entries as they stand now.
        asked: what was asked about the traveller; None once it was erased.
    """

    hit: Hit
    answer: dict[str, Any]
    asked: Asked | None
    standing: Mapping[str, Standing]


@dataclass(frozen=True, slots=True)
class HitResolved:
    """A supervisor has said who the traveller is, and what became of them.

    Attributes:
        hit: the hit, resolved.
        question: what was asked about that traveller; None once it was erased.
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
    """Hits within the actor's view, newest first.

    Args:
        reader: the transaction.
        state: only those in this state.
        since: only those opened at or after this instant.
        until: only those opened before this instant.
        before: only those older than this id.
        limit: at most so many.
    """
    bounds = [bound for bound in (before, first_id("hit", until) if until else None) if bound]
    wanted = Filter(
        checkpoint=None if reader.actor.holds(Role.AUDITOR) else reader.actor.checkpoint,
        state=state,
        first=first_id("hit", since) if since else None,
        before=min(bounds, default=None),
    )
    return await _as_known(reader, await store.list_page(reader, wanted, limit))


async def _as_known(reader: Reader, hits: Sequence[Hit]) -> list[Hit]:
    """The same hits, each with which of its entries wait for a decision now."""
    matched = {each.entry_id for hit in hits for each in hit.matched}
    pending = await list_pending(reader, matched) if matched else {}
    return [hit.known(pending) for hit in hits]


async def matched_now(reader: Reader, hits: Iterable[Hit]) -> Mapping[str, Standing]:
    """How the entries that some hits matched stand now: a measure may have ended since the check."""
    return await standing(reader, {matched.entry_id for hit in hits for matched in hit.matched})


async def forget_entry(unit: Unit, event: EntryErased) -> Sequence[LedgerDraft]:
    """Erase what supervisors wrote about hits once each entry that was matched names nobody any more (R64).

    A projector. While one of them still holds, or is kept, the words belong to its file as well.
    """
    for hit in await store.lock_of_entry(unit, event.entry.id):
        matched = await entries.list_by_ids(unit, {each.entry_id for each in hit.matched})
        if all(each.erased_at is not None for each in matched):
            await store.save(unit, hit.erased())
    return ()


async def examine(unit: Unit, hit_id: str, runtime: Runtime) -> Examined:
    """A hit with the traveller and the matched entries; that somebody looked is recorded (R49, R62).

    Raises:
        NotFound: there is none, or it is outside the actor's view.
    """
    hit, news = await _get(unit, hit_id, runtime)
    kept, asked = await _asked(unit, hit, runtime)
    shown = _plain(kept.matches) if kept.matches else []
    answer = answer_of(kept._mapping, shown, asked, None) | {"matches": shown}
    await record(unit, "hit.examined", hit.id, {"check": hit.check_id})
    await tell(unit, news)
    [hit] = await _as_known(unit, [hit])
    return Examined(hit, answer, asked, await matched_now(unit, [hit]))


async def resolve(
    unit: Unit,
    hit_id: str,
    expected: int,
    outcome: Identity,
    action: Action | None,
    note: str,
    runtime: Runtime,
) -> Hit:
    """Take a supervisor's word on who the traveller is.

    `not_same_person` lets this crossing pass and proposes a clearance for each matched entry, or says why not.

    Raises:
        NotFound: there is no such hit at the supervisor's checkpoint.
        WrongState, StaleVersion, Invalid: as `Hit.expect_open`, `Hit.expect_fitting`, `Hit.expect_ban`.
    """
    _, news = await _get(unit, hit_id, runtime)
    hit = await store.lock(unit, hit_id)
    hit.expect_open(expected)
    hit.expect_fitting(outcome, action)
    hit.expect_ban(action, {s.measure for s in (await matched_now(unit, [hit])).values() if s.in_force})
    proposals: tuple[Proposal, ...] = ()
    if outcome is Identity.NOT_SAME_PERSON:
        _, asked = await _asked(unit, hit, runtime)
        proposals = tuple([await _propose(unit, hit, matched, asked) for matched in _in_order(hit)])
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
    about = {"outcome": outcome.value, "action": action.value if action else None}
    await record(unit, "hit.resolved", hit.id, about)
    if hit.state is HitState.RESOLVED:
        questions = await questions_of(unit, [hit], runtime)
        unit.happened(HitResolved(hit, questions[hit.id]))
        await unit.conclude()
    await tell(unit, [*news, *(closed(hit) if hit.state is HitState.RESOLVED else ())])
    [hit] = await _as_known(unit, [hit])
    return hit


async def questions_of(unit: Unit, some: Sequence[Hit], runtime: Runtime) -> dict[str, str | None]:
    """What was asked about the travellers of hits, by the hit's id; None once it was erased."""
    async with runtime.checks_beside(unit) as reader:
        records = await checks.list_records(reader, {hit.check_id for hit in some})
    questions = {record.id: record.question for record in records}
    return {hit.id: questions[hit.check_id] for hit in some}


async def expect_open(unit: Unit, hit_id: str, runtime: Runtime) -> Sought:
    """The traveller of a hit that waits for the actor's word, so that they may search for that person.

    Raises:
        NotFound: there is no such hit at their checkpoint, or it is resolved.
    """
    hit, news = await _get(unit, hit_id, runtime)
    if hit.state is not HitState.OPEN:
        raise NotFound("There is no such open hit.")
    _, asked = await _asked(unit, hit, runtime)
    await tell(unit, news)
    matched = frozenset(each.entry_id for each in hit.matched)
    if asked is None:
        return Sought(matched, frozenset(), ())
    who = asked.traveller
    keys = {f"d:{paper.number}" for paper in who.papers} | {f"f:{name}"[:200] for name in who.names}
    if who.nik:
        keys.add(f"n:{who.nik}")
    return Sought(matched, frozenset(keys), tuple(who.births))


async def remind(runtime: Runtime) -> int:
    """Tell, once each, which hits nobody has resolved in time; how many."""
    told = 0
    async with runtime.reading(SYSTEM) as reader:
        due = await store.list_due(reader, _SOME)
    for hit_id in due:
        async with runtime.writing(SYSTEM) as unit:
            hit = await store.lock(unit, hit_id)
            if hit.state is not HitState.OPEN or hit.escalated_at is not None:
                continue
            await store.save(unit, hit.escalated(unit.now))
            told += len(await tell(unit, [unresolved(hit)]))
    return told


async def _get(unit: Unit, hit_id: str, runtime: Runtime) -> tuple[Hit, list[Draft]]:
    """A hit within the actor's view, and what is to be told of it where nobody had taken it up yet."""
    hit, news = await store.find(unit, hit_id), list[Draft]()
    if hit is None:
        hit, news = await take_up_one(unit, runtime, hit_id)
    if hit is None or not hit.within(unit.actor):
        raise NotFound("There is no such hit.")
    own = await list_barred(unit)
    if any(each.entry_id in own for each in hit.matched):
        raise NotFound("There is no such hit.")
    return hit, news


async def _asked(unit: Unit, hit: Hit, runtime: Runtime) -> tuple[Any, Asked | None]:
    async with runtime.checks_beside(unit) as reader:
        kept = await checks.find(reader, hit.check_id)
    assert kept is not None, "records of checks are never deleted"
    return kept, remembered(kept.question, kept.at) if kept.question else None


def _in_order(hit: Hit) -> Sequence[Matched]:
    """The matched entries in the order in which they are locked, so that two never wait for each other."""
    return sorted(hit.matched, key=lambda matched: matched.entry_id)


async def _propose(unit: Unit, hit: Hit, matched: Matched, asked: Asked | None) -> Proposal:
    if asked is None:
        return Proposal(matched.entry_id, None, Obstacle.QUESTION_ERASED)
    entry = await entries.lock(unit, matched.entry_id)
    if entry.version != matched.version or not stops(entry, unit.now):
        return Proposal(matched.entry_id, None, Obstacle.ENTRY_CHANGED)
    found = obstacle(asked.traveller, entry)
    if found is not None:
        return Proposal(matched.entry_id, None, found)
    person, zone = asked.body.person, asked.mrz
    spelled = [name for name in (person.name if person else None, zone.name if zone else None) if name]
    clearance = await propose(unit, entry, bearer_of(asked.traveller, spelled), hit.id)
    return Proposal(matched.entry_id, clearance.id, None)
