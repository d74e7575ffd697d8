"""One hit for a document on a journey, however often a carrier asks about it there.

Two commits lie between a passenger and a manifest: the check's, which opens the hit, and the register's. What joins
them is the journey's key, which every check of a passenger holds. A repeated question (by a watch or a sender
that died between the two, by a repeated list, by another row with the same document) finds the existing hit
by this key.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from app.checks.domain import Matter
from app.checks.hit_store import list_opened
from app.checks.joining import document_hash
from app.checks.schemas import Asked
from app.db.unit import Actor, Unit
from app.hits import service as hits
from app.kit.clock import legal_day
from app.manifests.domain import Rulings
from app.manifests.intake import Wanted
from app.runtime import OpenHits, Runtime

_KEY_DIGITS = 32


class Joined(NamedTuple):
    """The hits that a question joins, by what they are about.

    Attributes:
        known: resolved ones of the same traveller: what the supervisor has said holds on.
        opened: open ones of the document; shared by all who show it, and added to.
    """

    known: dict[Matter, str]
    opened: OpenHits


def journey_of(client_id: str, wanted: Wanted, now: datetime) -> str:
    """What two manifests of one sender and one journey have in common, though one be sent again or corrected."""
    day = legal_day(wanted.departs_at or now).isoformat()
    between = f"{wanted.direction}|{wanted.origin}|{wanted.destination}"
    return f"{client_id}|{wanted.flight.upper()}|{between}|{day}"


def journey_key(runtime: Runtime, journey: str, asked: Asked) -> str:
    """The keyed hash of a journey and of the first document that is shown there; without one, of the person."""
    who = asked.traveller
    shown = who.papers[0].number if who.papers else who.nik or f"{sorted(who.names)}{who.births}"
    return document_hash(runtime, f"{journey}|{shown}").hex()[:_KEY_DIGITS]


def traveller_of(question: str | None) -> str:
    """A hash of what was asked about a passenger, by which the same one is known again; empty once it is erased."""
    return hashlib.sha256(question.encode()).hexdigest()[:_KEY_DIGITS] if question else ""


async def join(runtime: Runtime, actor: Actor, asked: Sequence[tuple[str, str]]) -> list[Joined]:
    """What questions have in common with those that were asked on their journeys before.

    It takes as many statements where there is nothing to join.

    Args:
        runtime: the process.
        actor: who asks.
        asked: of each question the journey's key and its text.
    """
    async with runtime.reading_checks(actor) as reader:
        earlier = await list_opened(reader, {key for key, _ in asked})
    async with runtime.reading(actor) as reader:
        resolved = await hits.list_resolved(reader, {each.hit_id for each in earlier})
    said = {hit.id: hit for hit in resolved}
    known: dict[tuple[str, str | None], dict[Matter, str]] = defaultdict(dict)
    opened = {key: runtime.open_hits.setdefault(key, OpenHits()) for key, _ in asked}
    for each in earlier:
        hit = said.get(each.hit_id)
        if hit is None:
            opened[each.journey_key].setdefault(each.matter, each.hit_id)
        elif hit.check_id == each.check_id:
            known[each.journey_key, each.question][each.matter] = each.hit_id
    return [Joined(known[key, question], opened[key]) for key, question in asked]


async def find_rulings(unit: Unit, runtime: Runtime, hit_ids: set[str]) -> Rulings:
    """What supervisors have said meanwhile of hits whose passengers are about to be stored."""
    resolved = await hits.list_resolved(unit, hit_ids)
    questions = await hits.questions_of(unit, resolved, runtime) if resolved else {}
    return {(hit.id, traveller_of(questions[hit.id])): hit.resolutions[-1].action for hit in resolved}
