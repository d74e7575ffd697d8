"""Answering checks in batches, reading an answer again, and deciding which client may see a photo after a match."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy.exc import IntegrityError

from app.access.admission import gate as access
from app.access.admission.gate import Gate
from app.access.domain import Role
from app.actor import Actor
from app.alerting.alerts.service import has_open
from app.border.checks import store
from app.border.checks.clearing import remove_cleared
from app.border.checks.domain import Candidate, Match, decide, matter_of, worst
from app.border.checks.finding import EntriesToCompare, Finder, View
from app.border.checks.hit_store import list_claimed
from app.border.checks.joining import Joining, Resolved, document_hash, number_of
from app.border.checks.parsing import ParsedQuestion, parse_stored
from app.border.checks.questions import Evaluated, Question
from app.border.checks.reasons import INSTRUCTIONS
from app.border.checks.store import Matched, Record
from app.border.clearances.domain import Clearance
from app.border.clearances.service import list_standing
from app.db.lanes import Lane, using
from app.db.unit import Reader
from app.errors import CekalError, NotFound, Unauthenticated
from app.kit.clock import rfc3339
from app.kit.ids import instant_of, new_id
from app.matching.policy import policy_of
from app.register.entries.answer import action_on
from app.register.entries.domain import Entry
from app.register.entries.store import find
from app.runtime import Runtime

PHOTO_AFTER_MATCH = timedelta(hours=24)
"""How long after a match the checkpoint's counters may see the entry's photo (API section 3)."""

_FULL_VIEW = "counter"
_encode = msgspec.json.Encoder().encode
_plain = msgspec.json.Decoder().decode


class CheckService:
    """Answers the checks of one process in batches, with few queries and one commit for many checks.

    Attributes:
        answered: the number of checks that were stored and answered, by outcome.
    """

    def __init__(self, runtime: Runtime, gate: Gate, resolved: Resolved) -> None:
        self.runtime = runtime
        self.gate = gate
        self.joining = Joining(runtime, resolved)
        self.answered: Counter[str] = Counter()
        self._policy = policy_of(runtime.settings.match_policy)
        self._finder = Finder(self._policy)

    async def answer(self, questions: Sequence[Question]) -> list[bytes | CekalError]:
        """Answer a batch of questions with one commit; every check is durably stored before this returns.

        Each answer takes account of every entry that was committed before its question came. If the database fails, its
        error is raised, and no question of the batch has an answer.

        Returns:
            For each question, in order, the answer as JSON; or `Unauthenticated` if the caller's key was revoked or has
            expired.
        """
        with using(Lane.CHECKS):
            while True:
                async with self.runtime.reading(_DESK) as reader:
                    found = await self._evaluate(reader, questions)
                    try:
                        await self._store(reader, found)
                    except IntegrityError:
                        if not await self._join_others(reader, found):
                            raise
                    else:
                        self.answered.update(record.outcome for record in found.records)
                        return found.answers

    async def _store(self, register: Reader, found: Evaluated) -> None:
        if found.records:
            claimed = found.claimed()
            async with self.runtime.storing_checks(register) as unit:
                await store.add(unit, found.records, found.matches, claimed)
            for (question, _), (_, hit_id) in zip(found.claims.values(), claimed, strict=True):
                question.opened.stored.add(hit_id)

    async def _join_others(self, register: Reader, found: Evaluated) -> bool:
        """Let questions join hits that another process has opened first. Returns whether there are any."""
        if not found.claims:
            return False
        async with self.runtime.checks_beside(register) as checks:
            others = await list_claimed(checks, found.claims)
        for claim, hit_id in others.items():
            question, matter = found.claims[claim]
            question.opened[matter] = hit_id
            question.opened.stored.add(hit_id)
        return bool(others)

    async def _evaluate(self, reader: Reader, questions: Sequence[Question]) -> Evaluated:
        # A carrier's answer hides whether a person may leave, so the number of queries must not reveal it either.
        evenly = any(question.encode for question in questions)
        view = await self._finder.find(reader, [question.parsed for question in questions], evenly=evenly)
        self.gate.renew(view.access_version)
        refused = await self._refused(reader, questions, view.access_version)
        found = [
            decide(
                question.parsed.body.direction,
                question.parsed.traveller,
                near.candidates.values(),
                self._policy,
                reader.now,
            )
            for question, near in zip(questions, view.near, strict=True)
        ]
        standing = await _standing(reader, questions, found, evenly=evenly)
        left = [
            _left(question, near, matched, standing)
            for question, near, matched in zip(questions, view.near, found, strict=True)
        ]
        expired = [_expired(question.actor, refused, reader.now) for question in questions]
        hit_ids = await self._hit_ids(reader, questions, [rest for rest, _ in left], expired)
        evaluated = Evaluated()
        for i, (question, near) in enumerate(zip(questions, view.near, strict=True)):
            if expired[i]:
                evaluated.answers.append(Unauthenticated("The key has been revoked, or has expired."))
                continue
            rest, named = left[i]
            hit_id = hit_ids[i]
            if hit_id is not None and question.journey_key is not None:
                matter = matter_of(rest)
                if claim := question.claim_of(matter, hit_id):
                    evaluated.claims[claim] = question, matter
            record, shown = self._record(question, near, rest, named, view, reader.now, hit_id)
            evaluated.records.append(record)
            evaluated.matches += (
                _matched(match, record, near.candidates[match.entry_id]) for match in rest if match.stops
            )
            encode = question.encode
            evaluated.answers.append(
                encode(record, rest)
                if encode is not None
                else _encode(answer_of(record, shown, question.parsed, question.actor.kind))
            )
        return evaluated

    async def _hit_ids(
        self,
        reader: Reader,
        questions: Sequence[Question],
        left: Sequence[Sequence[Match]],
        expired: Sequence[bool],
    ) -> list[str | None]:
        """Return the id of the hit that each check opens or joins. Returns None for a clear or unanswered check."""
        matters = [frozenset() if out else matter_of(rest) for rest, out in zip(left, expired, strict=True)]
        listed = [
            question.hit_of(matter, reader.now) if matter and question.on_manifest else None
            for question, matter in zip(questions, matters, strict=True)
        ]
        others = await self.joining.hit_ids(
            reader,
            [
                (question.parsed, question.actor, frozenset() if hit else matter)
                for question, matter, hit in zip(questions, matters, listed, strict=True)
            ],
        )
        return [hit or other for hit, other in zip(listed, others, strict=True)]

    @staticmethod
    async def _refused(reader: Reader, questions: Sequence[Question], version: int) -> set[str]:
        """Return the keys that no longer work, among those last valid at another access version."""
        doubtful = {q.actor.key_id for q in questions if q.access_version != version and q.actor.key_id}
        return doubtful - await access.list_valid_keys(reader, doubtful) if doubtful else set()

    def _record(
        self,
        question: Question,
        near: EntriesToCompare,
        found: Sequence[Match],
        named: Sequence[str],
        view: View,
        now: datetime,
        hit_id: str | None,
    ) -> tuple[Record, list[dict[str, Any]]]:
        """Return the record of a check, and its matches in the form for counters."""
        parsed, actor = question.parsed, question.actor
        number = number_of(parsed)
        outcome = worst(found)
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
            direction=parsed.body.direction,
            outcome=outcome,
            hit_id=hit_id,
            sequence=view.size,
            question=parsed.text,
            document_hash=document_hash(self.runtime, number) if number else None,
            matches=_encode(shown).decode() if shown else None,
            clearances=_encode(named).decode() if named else None,
            noted=_encode(noted).decode() if noted else None,
            truncated=near.truncated,
            journey_key=question.journey_key,
            stale=self.runtime.rollback is not None,
        )
        return record, shown

    async def sees_photo(self, register: Reader, entry_id: str) -> bool:
        """Return whether the actor of `register`, a checkpoint's client, may see an entry's photo.

        Only a counter may see it (R48): if its checkpoint has an open alert about the entry, or if a check there
        matched the entry in the last 24 hours. For a sealed entry only a match counts, because its alert shows no
        identity (R61). Returns False for an unknown entry.
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
    question: Question, near: EntriesToCompare, found: Sequence[Match], standing: Sequence[Clearance]
) -> tuple[Sequence[Match], list[str]]:
    """Return the matches that no clearance removes, and the ids of the clearances that have removed the others."""
    if not (standing and found):
        return found, []
    entries = {entry_id: candidate.entry for entry_id, candidate in near.candidates.items()}
    return remove_cleared(found, question.parsed.traveller, entries, standing)


def _expired(actor: Actor, refused: Collection[str | None], now: datetime) -> bool:
    return actor.key_id in refused or (actor.expires_at is not None and actor.expires_at <= now)


def answer_of(
    record: Any,
    shown: list[dict[str, Any]],
    parsed: ParsedQuestion | None,
    kind: str | None,
    barred: Collection[str] = (),
) -> dict[str, Any]:
    """Return a check's answer, as JSON members, from its record; only counters and auditors see the matches (R48).

    Args:
        record: the check, as a `Record` or as its row of `check_record`.
        shown: the check's matches as JSON, with the members of `MatchOut`.
        parsed: the question; None if it was erased or can't be read any more: then the answer lacks the zone and the
            warnings.
        kind: kind of the client that reads the answer; None for an auditor. The reader sees the matches only if also
            the client that asked was a counter.
        barred: ids of entries that the reader never sees; they are left out of `noted`. The caller must withhold the
            whole answer if the check matched one of them.
    """
    zone = parsed.mrz if parsed else None
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
            "stale": record.stale,
        },
        "hit_id": record.hit_id,
        "clearances": _plain(record.clearances) if in_full and record.clearances else [],
        "noted": [each for each in _plain(record.noted) if each["entry_id"] not in barred]
        if record.noted and kind is None
        else [],
        "truncated": record.truncated,
        "warnings": parsed.warnings() if parsed else [],
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
    """Return the clearances that may apply; query them only if there are matches, or if `evenly` is true."""
    matched = {match.entry_id for matches in found for match in matches if match.stops}
    if not matched and not evenly:
        return []
    numbers = {paper.number for question in questions for paper in question.parsed.traveller.papers}
    return await list_standing(reader, matched, numbers) if numbers else []


async def recall(reader: Reader, check_id: str, barred: Collection[str]) -> dict[str, Any]:
    """Return the JSON members of a stored check's answer, for its checkpoint and for auditors.

    Args:
        reader: a transaction on the checks.
        check_id: id of the check.
        barred: ids of the entries that may be about the actor. A check that one of these entries stopped is not
            returned, even if its answer shows no matches (R61).

    Raises:
        NotFound: the actor sees no check with this id.
    """
    row = await store.find(reader, check_id) if instant_of(check_id) else None
    actor = reader.actor
    if row is None or not (actor.holds(Role.AUDITOR) or actor.checkpoint == row.checkpoint):
        raise NotFound("There is no such check.")
    if not set(barred).isdisjoint(store.entry_ids_in(row.matches)):
        raise NotFound("There is no such check.")
    shown = _plain(row.matches) if row.matches else []
    return answer_of(row, shown, parse_stored(row.question, row.at), actor.kind, barred)


_DESK = Actor(client_id="desk", person=None, roles=frozenset())
