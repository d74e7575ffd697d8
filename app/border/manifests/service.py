"""Use cases of manifests: check every passenger, store the answers, read them, apply supervisors' rulings."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import msgspec

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import Role
from app.actor import Actor
from app.border.checks.batcher import in_parts
from app.border.checks.domain import Match, matter_of
from app.border.checks.questions import Question
from app.border.checks.store import Record
from app.border.hits.service import HitResolved
from app.border.manifests import store
from app.border.manifests.domain import Answer, Item, Manifest, Rulings, kind_of, status_of
from app.border.manifests.intake import ManifestRequest
from app.border.manifests.joining import find_rulings, join, journey_key, journey_of, traveller_hash
from app.border.manifests.keys import hit_key, keys_of
from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.kit.ids import new_id
from app.ledger.domain import Draft
from app.runtime import Runtime
from app.web.problems import document_of

Ask = Callable[[Question], Awaitable[bytes]]
"""A function that has the check service answer a question, and returns the answer as `encode_answer` encodes it."""

_encode = msgspec.json.Encoder().encode
read_answer = msgspec.json.Decoder(Answer).decode
"""Decodes an answer that `encode_answer` has encoded."""


async def check_passengers(
    runtime: Runtime, answer_question: Ask, actor: Actor, access_version: int, requested: ManifestRequest
) -> tuple[Manifest, list[Item]]:
    """Check every passenger of a manifest; each answer is a stored check.

    A passenger whose row has a fault gets a problem, which does not affect the others.

    Args:
        runtime: the process's databases, clock and settings.
        answer_question: function that has the check service answer a question.
        actor: the sender, which must be of a kind that may send manifests (`kind_of`).
        access_version: the access version at which the sender's key was valid.
        requested: the parsed manifest.

    Returns:
        The manifest, not stored yet, and its passengers with their answers, in order.

    Raises:
        Unauthenticated: the sender's key was revoked or expired while the passengers were being checked.
        NotStored: a check could not be stored; then no passenger gets an answer.
        RateLimited: too many questions of the sender are waiting; then no passenger gets an answer.
    """
    kind = kind_of(actor)
    assert kind is not None, "the route admits no other actors"
    sender = replace(actor, checkpoint=requested.place, kind=kind)
    journey = journey_of(actor.client_id, requested, runtime.clock())
    every = [parsed for each in requested.passengers for parsed in each.questions]
    keyed = [(journey_key(runtime, journey, parsed), parsed.text) for parsed in every]
    questions = [
        Question(parsed, sender, access_version, encode_answer, key, *joined)
        for parsed, (key, _), joined in zip(every, keyed, await join(runtime, actor, keyed), strict=True)
    ]
    answers = map(
        read_answer, await in_parts(lambda part: asyncio.gather(*map(answer_question, part)), questions)
    )
    now = runtime.clock()
    items = [
        Item(
            position=position,
            reference=each.reference,
            locator=each.locator,
            answers=tuple(next(answers) for _ in each.questions),
            problem=document_of(each.fault) if each.fault else None,
            changed_at=now,
        )
        for position, each in enumerate(requested.passengers)
    ]
    given = [answer for item in items for answer in item.answers]
    until = requested.watched_until(now, runtime.settings.question_days)
    manifest = Manifest(
        id=new_id("mft", now),
        client_id=actor.client_id,
        kind=kind,
        flight=requested.flight,
        direction=requested.direction,
        origin=requested.origin,
        destination=requested.destination,
        place=requested.place,
        departs_at=requested.departs_at,
        arrives_on=requested.arrives_on,
        watched_until=until,
        created_at=now,
        warnings=tuple(requested.warnings),
        envelope=requested.envelope,
        times=requested.times,
        sequence=min((answer.sequence for answer in given), default=0),
        asked_at=min((answer.at for answer in given), default=now),
        closed_at=None if given and until > now else now,
    )
    return manifest, items


def encode_answer(kept: Record, matches: Sequence[Match]) -> bytes:
    """Return an `Answer` about a passenger, encoded as JSON, from the check's record and its matches."""
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
            traveller=traveller_hash(kept.question),
        )
    )


async def store_manifest(
    unit: Unit, runtime: Runtime, manifest: Manifest, checked: Sequence[Item], requested: ManifestRequest
) -> list[Item]:
    """Store a manifest with its passengers, and record in the audit trail that it was received.

    If the manifest is watched, its search keys are stored too. By these, changed entries and resolved hits find its
    passengers.

    Args:
        unit: the transaction, on the register.
        runtime: the process's databases, clock and settings.
        manifest: the manifest.
        checked: the manifest's passengers with the answers of their checks, in the order of the request.
        requested: the request, from which the search keys are made.

    Returns:
        The passengers as stored, with the rulings that supervisors have made since the checks.
    """
    watched = requested.passengers if manifest.closed_at is None else ()
    keys = {position: keys_of(each.questions) for position, each in enumerate(watched)}
    hit_ids = {answer.hit_id for item in checked for answer in item.answers if answer.hit_id is not None}
    rulings = await find_rulings(unit, runtime, hit_ids)
    items = [item.ruled(rulings, 0, manifest.kind, unit.now) for item in checked]
    await store.add(unit, manifest, items, keys, hit_ids if watched else ())
    await record(unit, AuditAct.MANIFEST_RECEIVED, manifest.id, {"passengers": len(items)})
    return items


async def resolve_passenger(unit: Unit, resolved: HitResolved) -> Sequence[Draft]:
    """Apply a supervisor's resolution of a hit to the answers about the hit's passenger on watched manifests.

    Does nothing if no watched manifest has this hit. Called as a projector: in the transaction of the event. Returns no
    ledger records.
    """
    hit = resolved.hit
    travellers = {
        traveller_hash(resolved.question),
        "",
    }  # an older release's answers do not name their traveller
    rulings: Rulings = {(hit.id, each): hit.resolutions[-1].action for each in travellers}
    places = await store.list_sharing(unit, [hit_key(hit.id)])
    for manifest in await store.lock(unit, {place.manifest_id for place in places}):
        number, items = manifest.number, []
        for item in await store.list_items(unit, manifest.id):
            if any(answer.ruling_key in rulings for answer in item.answers):
                items.append(item.ruled(rulings, number + 1, manifest.kind, unit.now))
                number = max(number, items[-1].number)
        await store.save_items(unit, manifest, items, number)
        await store.wake_streams(unit)
    return ()


async def find(reader: Reader, manifest_id: str) -> Manifest:
    """Return a manifest that the actor may see: its sender, or an auditor.

    Raises:
        NotFound: the actor sees no manifest with this id.
    """
    manifest = await store.find(reader, manifest_id)
    actor = reader.actor
    if manifest is None or not (actor.holds(Role.AUDITOR) or actor.client_id == manifest.client_id):
        raise NotFound("There is no such manifest.")
    return manifest
