"""Use cases of checks: answer many at once, find one again, and what others ask of past checks."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.access import gate as access
from app.access.gate import Gate
from app.alerts.service import has_open
from app.checks import store
from app.checks.clearing import pass_over
from app.checks.domain import Candidate, Match, Matter, decide, matter_of, worst
from app.checks.finding import Finder, Near, View
from app.checks.joining import Joining, Resolved, document_hash, number_of
from app.checks.reasons import INSTRUCTIONS
from app.checks.schemas import Asked, remembered
from app.checks.store import Matched, Record
from app.clearances.domain import Clearance
from app.clearances.service import list_standing
from app.db.lanes import Lane, using
from app.db.unit import Actor, Reader
from app.entries.answer import action_on
from app.entries.domain import Entry
from app.entries.store import find
from app.errors import CekalError, NotFound, Unauthenticated
from app.kit.clock import rfc3339
from app.kit.ids import made_at, new_id
from app.matching.policy import policy_of
from app.runtime import OpenHits, Runtime

PHOTO_AFTER_MATCH = timedelta(hours=24)
"""How long after a match a checkpoint may see the photo (contract section 3)."""

_FULL_VIEW = "counter"
_encode = msgspec.json.Encoder().encode
_plain = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Question:
    """One question on its way, and who asks.

    Attributes:
        access_version: the access version at which the asker's key was last seen to work.
        told: what is made of the record and its matches for an asker who is not answered as a counter is.
        journey_key: of a manifest's passenger: the keyed hash of the journey and of the document.
        known: the hits that this very traveller has on this journey, by what they are about.
        opened: the hits that the document has there, shared by all who show it; new ones are added.
    """

    asked: Asked
    actor: Actor
    access_version: int
    told: Callable[[Record, Sequence[Match]], bytes] | None = None
    journey_key: str | None = None
    known: Mapping[Matter, str] = field(default_factory=dict)
    opened: OpenHits = field(default_factory=OpenHits)

    @property
    def on_manifest(self) -> bool:
        """Whether it is about a manifest's passenger who can be known again."""
        return self.journey_key is not None or bool(self.known)

    def hit_of(self, matter: Matter, now: datetime) -> str:
        """The hit that its answer opens, or joins: one for a document on a journey, however often it is asked about."""
        return self.known.get(matter) or self.opened.setdefault(matter, new_id("hit", now))


class Desk:
    """Answers checks of one process in batches: a few look-ups and one commit for many."""

    def __init__(self, runtime: Runtime, gate: Gate, resolved: Resolved) -> None:
        self.runtime = runtime
        self.gate = gate
        self.joining = Joining(runtime, resolved)
        self.answered: Counter[str] = Counter()
        self._policy = policy_of(runtime.settings.match_policy)
        self._finder = Finder(self._policy)

    async def answer(self, questions: Sequence[Question]) -> list[bytes | CekalError]:
        """Answer questions that came together; every answer is durably stored before this returns.

        Each sees every entry that was committed before it was asked, because the look-up begins afterwards.

        Returns:
            For each question its answer as JSON, or the error that it gets instead.
        """
        with using(Lane.CHECKS):
            async with self.runtime.reading(_DESK) as reader:
                records, matches, answers = await self._evaluate(reader, questions)
            if records:
                async with self.runtime.writing_checks(_DESK, once=True) as unit:
                    await store.add(unit, records, matches)
        return answers

    async def _evaluate(
        self, reader: Reader, questions: Sequence[Question]
    ) -> tuple[list[Record], list[Matched], list[bytes | CekalError]]:
        # What a carrier is answered hides whether a person may leave; so does what is asked of the database for it.
        evenly = any(question.told for question in questions)
        view = await self._finder.find(reader, [question.asked for question in questions], evenly=evenly)
        self.gate.renew(view.access_version)
        refused = await self._refused(reader, questions, view.access_version)
        found = [
            decide(
                question.asked.body.direction,
                question.asked.traveller,
                near.candidates.values(),
                self._policy,
                reader.now,
            )
            for question, near in zip(questions, view.near, strict=True)
        ]
        standing = await _standing(reader, questions, found, evenly=evenly)
        left = [
            _left(question, near, mine, standing)
            for question, near, mine in zip(questions, view.near, found, strict=True)
        ]
        expired = [_expired(question.actor, refused, reader.now) for question in questions]
        hit_ids = await self._hit_ids(reader, questions, [rest for rest, _ in left], expired)
        records: list[Record] = []
        matches: list[Matched] = []
        answers: list[bytes | CekalError] = []
        for i, (question, near) in enumerate(zip(questions, view.near, strict=True)):
            if expired[i]:
                answers.append(Unauthenticated("The key has been revoked, or has expired."))
                continue
            rest, named = left[i]
            record, shown = self._record(question, near, rest, named, view, reader.now, hit_ids[i])
            records.append(record)
            matches += (
                _matched(match, record, near.candidates[match.entry_id]) for match in rest if match.stops
            )
            told = question.told
            answers.append(
                told(record, rest)
                if told is not None
                else _encode(answer_of(record, shown, question.asked, question.actor.kind))
            )
        return records, matches, answers

    async def _hit_ids(
        self,
        reader: Reader,
        questions: Sequence[Question],
        left: Sequence[Sequence[Match]],
        expired: Sequence[bool],
    ) -> list[str | None]:
        """The hit that each check opens or joins; None for one that is clear, or is not answered."""
        matters = [frozenset() if out else matter_of(rest) for rest, out in zip(left, expired, strict=True)]
        listed = [
            question.hit_of(matter, reader.now) if matter and question.on_manifest else None
            for question, matter in zip(questions, matters, strict=True)
        ]
        others = await self.joining.hit_ids(
            reader,
            [
                (question.asked, question.actor, frozenset() if hit else matter)
                for question, matter, hit in zip(questions, matters, listed, strict=True)
            ],
        )
        return [hit or other for hit, other in zip(listed, others, strict=True)]

    @staticmethod
    async def _refused(reader: Reader, questions: Sequence[Question], version: int) -> set[str]:
        """The keys that no longer work, of those last seen to work under another access version."""
        doubtful = {q.actor.key_id for q in questions if q.access_version != version and q.actor.key_id}
        return doubtful - await access.still_admitted(reader, doubtful) if doubtful else set()

    def _record(
        self,
        question: Question,
        near: Near,
        found: Sequence[Match],
        named: Sequence[str],
        view: View,
        now: datetime,
        hit_id: str | None,
    ) -> tuple[Record, list[dict[str, Any]]]:
        """What is stored of a check, and the matches as a counter sees them."""
        asked, actor = question.asked, question.actor
        number = number_of(asked)
        outcome = worst(found)
        self.answered[outcome] += 1
        shown = [
            _shown(match, near.candidates[match.entry_id].entry, view.phones)
            for match in found
            if match.outcome != "clear"
        ]
        noted = [
            {"entry_id": match.entry_id, "version": match.version, "score": match.score}
            for match in found
            if not match.stops
        ]
        record = Record(
            id=new_id("chk", now),
            at=now,
            client_id=actor.client_id,
            checkpoint=actor.checkpoint,
            kind=actor.kind,
            direction=asked.body.direction,
            outcome=outcome,
            hit_id=hit_id,
            sequence=view.size,
            question=asked.text,
            document_hash=document_hash(self.runtime, number) if number else None,
            matches=_encode(shown).decode() if shown else None,
            clearances=_encode(named).decode() if named else None,
            noted=_encode(noted).decode() if noted else None,
            truncated=near.truncated,
            journey_key=question.journey_key,
        )
        return record, shown

    async def sees_photo(self, register: Reader, entry_id: str) -> bool:
        """Whether a checkpoint's counter may see an entry's photo: an open alert, or a match in the last 24 hours.

        Autogates and clients that send manifests compare no faces with it (R48).
        A sealed entry's alert names nobody, so there only a match shows the photo (R61).
        """
        checkpoint = register.actor.checkpoint
        if checkpoint is None or register.actor.kind != _FULL_VIEW:
            return False
        entry = await find(register, entry_id)
        if entry is None:
            return False
        if entry.sealed_for is None and await has_open(register, entry_id, checkpoint):
            return True
        async with self.runtime.checks_beside(register) as checks:
            return await store.matched_since(checks, entry_id, checkpoint, checks.now - PHOTO_AFTER_MATCH)


def _left(
    question: Question, near: Near, found: Sequence[Match], standing: Sequence[Clearance]
) -> tuple[Sequence[Match], list[str]]:
    """The matches that no clearance passes over, and the clearances that have passed over the others."""
    if not (standing and found):
        return found, []
    entries = {entry_id: candidate.entry for entry_id, candidate in near.candidates.items()}
    return pass_over(found, question.asked.traveller, entries, standing)


def _expired(actor: Actor, refused: Collection[str | None], now: datetime) -> bool:
    return actor.key_id in refused or (actor.expires_at is not None and actor.expires_at <= now)


def answer_of(
    record: Any, shown: list[dict[str, Any]], asked: Asked | None, kind: str | None
) -> dict[str, Any]:
    """The answer to a check from its record; what it shows depends on the asking client's kind (R48).

    Args:
        record: a `Record`, or the row read back.
        shown: the matches as a counter sees them.
        asked: the question; None once it was erased, and then the zone's reading is gone too.
        kind: the reading client's kind, which may be shown less than the asking one; None for an auditor.
    """
    zone = asked.mrz if asked else None
    in_full = kind in {_FULL_VIEW, None}
    return {
        "id": record.id,
        "checked_at": rfc3339(record.at),
        "outcome": record.outcome,
        "action": action_on(record.outcome, record.direction),
        "matches": shown if in_full and record.kind == _FULL_VIEW else [],
        "mrz": None
        if zone is None
        else {
            "format": zone.format,
            "valid": zone.valid,
            "check_digits": zone.check_digits,
            "fails": zone.fails,
            "warnings": zone.warnings,
            "fields": zone.as_fields(),
        },
        "registry": {
            "sequence": record.sequence,
            "as_of": rfc3339(record.at),
            "mode": "central",
            "age_seconds": 0.0,
        },
        "hit_id": record.hit_id,
        "clearances": _plain(record.clearances) if in_full and record.clearances else [],
        "noted": _plain(record.noted) if record.noted and kind is None else [],
        "truncated": record.truncated,
    }


def _shown(match: Match, entry: Entry, phones: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "entry_id": match.entry_id,
        "measure": match.measure,
        "level": match.level,
        "score": match.score,
        "reasons": [reason.shown() for reason in match.reasons],
        "instruction": INSTRUCTIONS[match.measure, match.outcome],
        "boundary_note": match.boundary_note,
        "contact": {"agency": entry.agency, "phone": phones[entry.agency]},
        "in_force_until": entry.last_instant,
        "pending_until": match.pending_until and rfc3339(match.pending_until),
        "photo": f"/v1/entries/{entry.id}/photo" if entry.subject.photo else None,
    }


def _matched(match: Match, record: Record, candidate: Candidate) -> Matched:
    return Matched(
        entry_id=match.entry_id,
        check_id=record.id,
        entry_version=match.version,
        agency=candidate.entry.agency,
        checkpoint=record.checkpoint,
        at=record.at,
        direction=record.direction,
        outcome=match.outcome,
        sighting=match.sighting,
    )


async def _standing(
    reader: Reader, questions: Sequence[Question], found: Sequence[Sequence[Match]], *, evenly: bool
) -> list[Clearance]:
    """The clearances that may count; asked for only where somebody would be stopped or seen, or `evenly`."""
    matched = {match.entry_id for some in found for match in some if match.stops}
    if not matched and not evenly:
        return []
    numbers = {paper.number for question in questions for paper in question.asked.traveller.papers}
    return await list_standing(reader, matched, numbers) if numbers else []


async def recall(reader: Reader, check_id: str) -> dict[str, Any]:
    """The answer that a check got, for the checkpoint that asked, and for auditors.

    Raises:
        NotFound: there is no such check within the actor's view.
    """
    row = await store.find(reader, check_id) if made_at(check_id) else None
    actor = reader.actor
    if row is None or not (actor.holds("auditor") or actor.checkpoint == row.checkpoint):
        raise NotFound("There is no such check.")
    asked = remembered(row.question, row.at) if row.question else None
    shown = _plain(row.matches) if row.matches else []
    return answer_of(row, shown, asked, actor.kind)


_DESK = Actor(client_id="desk", person=None, roles=frozenset())
