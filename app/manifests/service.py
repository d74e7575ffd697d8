"""Use cases of manifests: ask about every passenger, keep the answers, find them again, ask anew."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import msgspec

from app.access.domain import Role
from app.access.service import record
from app.checks.batcher import in_parts
from app.checks.domain import Match, matter_of
from app.checks.service import Question
from app.checks.store import Record
from app.db.unit import Actor, Reader, Unit
from app.errors import NotFound
from app.hits.service import HitResolved
from app.kit.ids import new_id
from app.ledger.domain import Draft
from app.manifests import store
from app.manifests.domain import (
    Answer,
    Item,
    Manifest,
    Rulings,
    kind_of,
    status_of,
    watched_until,
)
from app.manifests.intake import Wanted
from app.manifests.joining import find_rulings, join, journey_key, journey_of, traveller_of
from app.manifests.keys import hit_key, keys_of
from app.runtime import Runtime
from app.web.problems import document_of

Ask = Callable[[Question], Awaitable[bytes]]
"""Asks the desk, and returns what `told` made of the answer."""

_encode = msgspec.json.Encoder().encode
read_answer = msgspec.json.Decoder(Answer).decode
"""What `told` wrote."""


async def ask(
    runtime: Runtime, ask_desk: Ask, actor: Actor, access_version: int, wanted: Wanted
) -> tuple[Manifest, list[Item]]:
    """Ask about every passenger of a manifest; each answer is a stored check.

    A passenger who can't be asked gets a problem and spoils nothing.

    Args:
        runtime: the process.
        ask_desk: the way to the desk.
        actor: who sends it.
        access_version: at which the sender's key was seen to work.
        wanted: the manifest, read.

    Raises:
        Unauthenticated: the key was revoked meanwhile.
        NotStored, RateLimited: a check could not be stored, so there is no answer.
    """
    kind = kind_of(actor)
    assert kind is not None, "the route lets in nobody else"
    asker = replace(actor, checkpoint=wanted.place, kind=kind)
    journey = journey_of(actor.client_id, wanted, runtime.clock())
    every = [asked for each in wanted.passengers for asked in each.asked]
    keyed = [(journey_key(runtime, journey, asked), asked.text) for asked in every]
    questions = [
        Question(asked, asker, access_version, told, key, *joined)
        for asked, (key, _), joined in zip(every, keyed, await join(runtime, actor, keyed), strict=True)
    ]
    answers = map(read_answer, await in_parts(ask_desk, questions))
    now = runtime.clock()
    items = [
        Item(
            position=position,
            reference=each.reference,
            locator=each.locator,
            answers=tuple(next(answers) for _ in each.asked),
            problem=document_of(each.fault) if each.fault else None,
            changed_at=now,
        )
        for position, each in enumerate(wanted.passengers)
    ]
    given = [answer for item in items for answer in item.answers]
    until = watched_until(wanted.departs_at, now)
    manifest = Manifest(
        id=new_id("mft", now),
        client_id=actor.client_id,
        kind=kind,
        flight=wanted.flight,
        direction=wanted.direction,
        origin=wanted.origin,
        destination=wanted.destination,
        place=wanted.place,
        departs_at=wanted.departs_at,
        watched_until=until,
        created_at=now,
        warnings=tuple(wanted.warnings),
        envelope=wanted.envelope,
        times=wanted.times,
        sequence=min((answer.sequence for answer in given), default=0),
        asked_at=min((answer.at for answer in given), default=now),
        closed_at=None if given and until > now else now,
    )
    return manifest, items


def told(kept: Record, matches: Sequence[Match]) -> bytes:
    """What the desk tells about a passenger's check."""
    return _encode(
        Answer(
            check_id=kept.id,
            at=kept.at,
            sequence=kept.sequence,
            direction="exit" if kept.direction == "exit" else "entry",
            outcome="clear" if kept.outcome == "clear" else "refer" if kept.outcome == "refer" else "refuse",
            hit_id=kept.hit_id,
            status=status_of(matches),
            matter=matter_of(matches),
            traveller=traveller_of(kept.question),
        )
    )


async def keep(
    unit: Unit, runtime: Runtime, manifest: Manifest, asked: Sequence[Item], wanted: Wanted
) -> list[Item]:
    """Store a manifest, and while it is watched the keys of its passengers.

    Returns:
        The passengers as they are stored: a supervisor may have spoken of a hit since they were asked about.
    """
    watched = wanted.passengers if manifest.closed_at is None else ()
    keys = {position: keys_of(each.asked) for position, each in enumerate(watched)}
    hit_ids = {answer.hit_id for item in asked for answer in item.answers if answer.hit_id is not None}
    rulings = await find_rulings(unit, runtime, hit_ids)
    items = [item.ruled(rulings, 0, manifest.kind, unit.now) for item in asked]
    await store.add(unit, manifest, items, keys, hit_ids if watched else ())
    await record(unit, "manifest.received", manifest.id, {"passengers": len(items)})
    return items


async def follow_hit(unit: Unit, resolved: HitResolved) -> Sequence[Draft]:
    """Let a supervisor's word on a hit decide what its passenger's carrier is told, in the same transaction.

    A projector; the ledger hears nothing of it. A hit of a check at a counter has no passenger.
    """
    hit = resolved.hit
    travellers = {
        traveller_of(resolved.question),
        "",
    }  # an older release's answers do not name their traveller
    rulings: Rulings = {(hit.id, each): hit.resolutions[-1].action for each in travellers}
    places = await store.list_sharing(unit, [hit_key(hit.id)])
    for manifest in await store.lock(unit, {place.manifest_id for place in places}):
        number, items = manifest.number, []
        for item in await store.list_items(unit, manifest.id):
            if any(answer.subject in rulings for answer in item.answers):
                items.append(item.ruled(rulings, number + 1, manifest.kind, unit.now))
                number = max(number, items[-1].number)
        await store.save_items(unit, manifest, items, number)
        await store.tell(unit)
    return ()


async def find(reader: Reader, manifest_id: str) -> Manifest:
    """A manifest within the actor's view: its sender's, or an auditor's.

    Raises:
        NotFound: there is none.
    """
    manifest = await store.find(reader, manifest_id)
    actor = reader.actor
    if manifest is None or not (actor.holds(Role.AUDITOR) or actor.client_id == manifest.client_id):
        raise NotFound("There is no such manifest.")
    return manifest
