"""Use cases of checks: answer many at once, find one again, and what others ask of past checks."""

import hmac
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.access import gate as access
from app.access.gate import Gate
from app.alerts.service import has_open
from app.checks import store
from app.checks.clearing import pass_over
from app.checks.domain import Match, action_on, decide, worst
from app.checks.reasons import INSTRUCTIONS
from app.checks.schemas import Asked, understand
from app.checks.store import Listed, Matched, Record
from app.clearances.domain import Clearance
from app.clearances.service import list_standing
from app.db.unit import Actor, Reader
from app.entries.domain import Entry
from app.entries.store import find
from app.entries.subjects import Subject
from app.errors import CekalError, NotFound, Unauthenticated
from app.identity import documents
from app.kit.clock import legal_day, rfc3339
from app.kit.ids import made_at, new_id
from app.runtime import Runtime

PHOTO_AFTER_MATCH = timedelta(hours=24)
"""How long after a match a checkpoint may see the photo (contract section 3)."""

_FULL_VIEW = "counter"
_encode = msgspec.json.Encoder().encode
_plain = msgspec.json.Decoder().decode
_entry = msgspec.json.Decoder(Entry).decode


@dataclass(slots=True)
class Question:
    """One question on its way, and who asks.

    Attributes:
        access_version: the access version at which the asker's key was last seen to work.
    """

    asked: Asked
    actor: Actor
    access_version: int


@dataclass(slots=True)
class Candidate:
    """An entry that shares a key with somebody in the batch."""

    entry: Entry
    phone: str | None


class Desk:
    """Answers checks of one process in batches: one look-up and one commit for many."""

    def __init__(self, runtime: Runtime, gate: Gate) -> None:
        self.runtime = runtime
        self.gate = gate
        self.answered: Counter[str] = Counter()
        self._decoded: dict[tuple[str, int], Entry] = {}

    async def answer(self, questions: Sequence[Question]) -> list[bytes | CekalError]:
        """Answer questions that came together; every answer is durably stored before this returns.

        Each sees every entry that was committed before it was asked, because the look-up begins afterwards.

        Returns:
            For each question its answer as JSON, or the error that it gets instead.
        """
        async with self.runtime.reading(_DESK) as reader:
            records, matches, answers = await self._evaluate(reader, questions)
        if records:
            async with self.runtime.writing_checks(_DESK, once=True) as unit:
                await store.add(unit, records, matches)
        return answers

    async def _evaluate(
        self, reader: Reader, questions: Sequence[Question]
    ) -> tuple[list[Record], list[Matched], list[bytes | CekalError]]:
        keys = {key for question in questions for key in question.asked.keys}
        size, version, listed = await store.look_up(reader, keys)
        candidates = self._candidates(listed)
        standing = await self._standing(reader, candidates, questions) if candidates else []
        self.gate.renew(version)
        refused: set[str] = set()
        doubtful = {q.actor.key_id for q in questions if q.access_version != version and q.actor.key_id}
        if doubtful:
            refused = doubtful - await access.still_admitted(reader, doubtful)
        records: list[Record] = []
        matches: list[Matched] = []
        answers: list[bytes | CekalError] = []
        for question in questions:
            actor = question.actor
            if actor.key_id in refused or (actor.expires_at and actor.expires_at <= reader.now):
                answers.append(Unauthenticated("The key has been revoked, or has expired."))
                continue
            record, found, body = self._decide(question, candidates, standing, reader.now, size)
            records.append(record)
            matches.extend(found)
            answers.append(body)
        return records, matches, answers

    def _candidates(self, listed: Iterable[Listed]) -> dict[str, list[Candidate]]:
        found: dict[str, list[Candidate]] = {}
        for key, entry_id, version, document, phone in listed:
            entry = self._decoded.get((entry_id, version))
            if entry is None:
                if len(self._decoded) > 1000:  # noqa: PLR2004 - a working set, not a copy of the register
                    self._decoded.clear()
                entry = self._decoded[entry_id, version] = _entry(document)
            found.setdefault(key, []).append(Candidate(entry, phone))
        return found

    async def _standing(
        self, reader: Reader, candidates: dict[str, list[Candidate]], questions: Sequence[Question]
    ) -> list[Clearance]:
        """The clearances that may count; asked for only where a candidate was found."""
        near = {candidate.entry.id for some in candidates.values() for candidate in some}
        numbers = {paper.number for question in questions for paper in question.asked.traveller.papers}
        return await list_standing(reader, near, numbers) if numbers else []

    def _decide(
        self,
        question: Question,
        candidates: dict[str, list[Candidate]],
        standing: Sequence[Clearance],
        now: datetime,
        size: int,
    ) -> tuple[Record, list[Matched], bytes]:
        asked, actor = question.asked, question.actor
        traveller, direction = asked.traveller, asked.body.direction
        near = {}
        if candidates:
            near = {c.entry.id: c for key in asked.keys for c in candidates.get(key, ())}
        found: list[Match] = []
        named: list[str] = []
        if near:
            entries = {entry_id: candidate.entry for entry_id, candidate in near.items()}
            found = decide(direction, traveller, list(entries.values()), now, legal_day(now))
            found, named = pass_over(found, traveller, entries, standing)
        outcome = worst(found)
        self.answered[outcome] += 1
        check_id = new_id("chk", now)
        hit_id = None if outcome == "clear" else new_id("hit", now)
        shown = [_shown(match, near[match.entry_id]) for match in found if match.outcome != "clear"]
        record = Record(
            id=check_id,
            at=now,
            client_id=actor.client_id,
            checkpoint=actor.checkpoint,
            kind=actor.kind,
            direction=direction,
            outcome=outcome,
            hit_id=hit_id,
            sequence=size,
            question=asked.body.model_dump_json(exclude_none=True),
            document_hash=self.document_hash(traveller.papers[0].number) if traveller.papers else None,
            matches=_encode(shown).decode() if shown else None,
            clearances=_encode(named).decode() if named else None,
        )
        matches = [
            Matched(
                entry_id=match.entry_id,
                check_id=check_id,
                entry_version=match.version,
                agency=near[match.entry_id].entry.agency,
                checkpoint=actor.checkpoint,
                at=now,
                direction=direction,
                outcome=match.outcome,
                sighting=match.sighting,
            )
            for match in found
        ]
        return record, matches, _encode(answer_of(record, shown, asked, actor.kind))

    def document_hash(self, number: str) -> bytes:
        """The keyed hash under which a document's checks are found after its number is erased."""
        return hmac.digest(self.runtime.pepper, number.encode(), "sha256")

    async def last_crossing(self, register: Reader, subject: Subject) -> str:
        """Where a person was last seen by their documents: `departed`, `in_country` or `unknown` (R34)."""
        numbers = {documents.normalise(document.number) for document in subject.documents} - {""}
        async with self.runtime.checks_beside(register) as checks:
            for number in sorted(numbers):
                direction = await store.last_direction(checks, self.document_hash(number))
                if direction is not None:
                    return "departed" if direction == "exit" else "in_country"
        return "unknown"

    async def sees_photo(self, register: Reader, entry_id: str) -> bool:
        """Whether a checkpoint may see an entry's photo: an open alert, or a match in the last 24 hours.

        A sealed entry's alert names nobody, so there only a match shows the photo (R61).
        """
        checkpoint = register.actor.checkpoint
        if checkpoint is None:
            return False
        entry = await find(register, entry_id)
        if entry is None:
            return False
        if entry.sealed_for is None and await has_open(register, entry_id, checkpoint):
            return True
        async with self.runtime.checks_beside(register) as checks:
            return await store.matched_since(checks, entry_id, checkpoint, checks.now - PHOTO_AFTER_MATCH)


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
    return {
        "id": record.id,
        "checked_at": rfc3339(record.at),
        "outcome": record.outcome,
        "action": action_on(record.outcome, record.direction),
        "matches": shown if record.kind == _FULL_VIEW and kind in {_FULL_VIEW, None} else [],
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
        "clearances": _plain(record.clearances) if record.clearances else [],
        "truncated": False,
    }


def _shown(match: Match, candidate: Candidate) -> dict[str, Any]:
    entry = candidate.entry
    return {
        "entry_id": match.entry_id,
        "measure": match.measure,
        "level": match.level,
        "score": match.score,
        "reasons": [reason.shown() for reason in match.reasons],
        "instruction": INSTRUCTIONS[match.measure, match.outcome],
        "boundary_note": match.boundary_note,
        "contact": {"agency": entry.agency, "phone": candidate.phone},
        "in_force_until": entry.last_instant,
        "photo": f"/v1/entries/{entry.id}/photo" if entry.subject.photo else None,
    }


async def recall(reader: Reader, check_id: str) -> dict[str, Any]:
    """The answer that a check got, for the checkpoint that asked, and for auditors.

    Raises:
        NotFound: there is no such check within the actor's view.
    """
    row = await store.find(reader, check_id) if made_at(check_id) else None
    actor = reader.actor
    if row is None or not (actor.holds("auditor") or actor.checkpoint == row.checkpoint):
        raise NotFound("There is no such check.")
    asked = understand(row.question.encode(), legal_day(row.at)) if row.question else None
    shown = _plain(row.matches) if row.matches else []
    return answer_of(row, shown, asked, actor.kind)


_DESK = Actor(client_id="desk", person=None, roles=frozenset())
