"""Finding the hit that a repeated check of a passenger joins: one for each document on a journey.

The check that opens a hit and the manifest are committed separately. They are connected by the journey key, a keyed
hash of the journey and the passenger's document, which is stored with every check of a passenger. By this key a
repeated question finds the existing hit: after a crash between the two commits, in a list that is sent again, or in
another row with the same document.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from app.actor import Actor
from app.border.checks.domain import Matter
from app.border.checks.hit_store import list_opened
from app.border.checks.joining import document_hash
from app.border.checks.parsing import ParsedQuestion
from app.border.hits import service as hits
from app.border.manifests.domain import Rulings
from app.border.manifests.intake import ManifestRequest
from app.db.unit import Unit
from app.kit.clock import legal_day
from app.runtime import OpenHits, Runtime

_KEY_DIGITS = 32


class Joined(NamedTuple):
    """The hits that one question about a passenger may join: those of earlier checks on the same journey.

    Each attribute is a mapping, which is empty if there is no such hit. Its keys are matters: a matter is the set of
    the entries that a hit is about, as pairs of entry id and version.

    Attributes:
        known: by matter, the id of the hit that a question with the same journey key and the same text has opened, and
            that a supervisor has resolved. A repeated check gets this hit again, and with it the supervisor's ruling.
        opened: by matter, the id of the open hit of the passenger's document. All questions about this document on the
            journey share this object, and checks add the hits that they open.
        resolved: by matter, the number of resolved hits of the passenger's document.
    """

    known: dict[Matter, str]
    opened: OpenHits
    resolved: Mapping[Matter, int]


def journey_of(client_id: str, requested: ManifestRequest, now: datetime) -> str:
    """Return a text that identifies a sender's journey; each manifest of the same journey gives the same text.

    It consists of the sender's client, flight, direction, places and the legal day of departure or declared arrival. So
    a manifest in which one of these is corrected is another journey. `now` gives the day if the departure is unknown.
    """
    day = (requested.arrives_on or legal_day(requested.departs_at or now)).isoformat()
    between = f"{requested.direction}|{requested.origin}|{requested.destination}"
    return f"{client_id}|{requested.flight.upper()}|{between}|{day}"


def journey_key(runtime: Runtime, journey: str, parsed: ParsedQuestion) -> str:
    """Return the journey key of a passenger: the keyed hash of `journey` and the passenger's first document number.

    Without a document the NIK is used, without a NIK names and births. `journey` is a text made by `journey_of`.
    """
    traveller = parsed.traveller
    if traveller.papers:
        shown = traveller.papers[0].number
    else:
        shown = traveller.nik or f"{sorted(traveller.names)}{traveller.births}"
    return document_hash(runtime, f"{journey}|{shown}").hex()[:_KEY_DIGITS]


def traveller_hash(question: str | None) -> str:
    """Return a hash of the stored question about a passenger, which identifies the traveller.

    Returns an empty text if the question was erased (None).
    """
    return hashlib.sha256(question.encode()).hexdigest()[:_KEY_DIGITS] if question else ""


async def join(runtime: Runtime, actor: Actor, questions: Sequence[tuple[str, str]]) -> list[Joined]:
    """Return one `Joined` for each question, in order: the hits of earlier checks on the journey it may join.

    The number of SQL statements does not depend on the result, so that the time of the answer reveals nothing.

    Args:
        runtime: the process's databases, clock and settings.
        actor: the sender.
        questions: a pair for each question: its `journey_key`, and the question as text.
    """
    async with runtime.reading_checks(actor) as reader:
        earlier = await list_opened(reader, {key for key, _ in questions})
    async with runtime.reading(actor) as reader:
        resolved = await hits.list_resolved(reader, {each.hit_id for each in earlier})
    by_id = {hit.id: hit for hit in resolved}
    known: dict[tuple[str, str | None], dict[Matter, str]] = defaultdict(dict)
    ended: dict[str, Counter[Matter]] = defaultdict(Counter)
    opened = {key: runtime.open_hits.setdefault(key, OpenHits()) for key, _ in questions}
    for each in earlier:
        hit = by_id.get(each.hit_id)
        if hit is None:
            theirs = opened[each.journey_key]
            theirs.setdefault(each.matter, each.hit_id)
            theirs.stored.add(each.hit_id)
            continue
        ended[each.journey_key][each.matter] += 1
        if hit.check_id == each.check_id:
            known[each.journey_key, each.question][each.matter] = each.hit_id
    return [Joined(known[key, question], opened[key], ended[key]) for key, question in questions]


async def find_rulings(unit: Unit, runtime: Runtime, hit_ids: set[str]) -> Rulings:
    """Return the supervisors' actions by which the hits with these ids were resolved; open hits are omitted.

    The key of an action is a pair: the hit's id, and the hash that identifies the traveller (`traveller_hash`).
    """
    resolved = await hits.list_resolved(unit, hit_ids)
    questions = await hits.questions_of(unit, resolved, runtime) if resolved else {}
    return {(hit.id, traveller_hash(questions[hit.id])): hit.resolutions[-1].action for hit in resolved}
