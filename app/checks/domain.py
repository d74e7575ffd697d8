"""The question at the border and the law's answer; pure (contract section 5, R43-R48).

A traveller is compared with each candidate entry (`compare`): by numbers as the contract's table says, by name and
birth date as `matching` weighs them. What a comparison means for a direction is decided by the law's table
(`entries.answer.by_the_table`).
Nothing here asks a database.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

import msgspec

from app.checks.reasons import TEXTS
from app.checks.traveller import Paper, Traveller
from app.entries.answer import SEVERITY, Direction, Doubt, Measured, Outcome, by_the_table, gravest
from app.entries.domain import Entry
from app.entries.pending import shown_until, stops
from app.entries.periods import boundary_note
from app.entries.subjects import Subject
from app.identity import documents, states
from app.identity.births import Agreement, best_agreement
from app.kit.clock import legal_day
from app.matching.assessment import Assessment, assess
from app.matching.persons import Listed
from app.matching.policy import MatchPolicy

Level = Literal["exact", "probable", "possible"]
Matter = frozenset[tuple[str, int]]
"""Entries, each in a version."""


class Reason(msgspec.Struct, frozen=True):
    """One piece of evidence: what was compared, what came out, and what it weighs."""

    feature: str
    result: str
    weight: float

    def shown(self) -> dict[str, object]:
        """The reason with its sentences in both languages."""
        text_id, text_en = TEXTS[self.feature, self.result]
        return {
            "feature": self.feature,
            "result": self.result,
            "weight": self.weight,
            "text_id": text_id,
            "text_en": text_en,
        }


class Candidate(msgspec.Struct, frozen=True):
    """An entry that shares a number, or keys of name and birth, with the traveller; and its subject, made ready."""

    entry: Entry
    person: Listed


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for an entry's subject being the traveller.

    Attributes:
        refuses: whether the law may refuse on it (contract section 5, "What refuses").
        stops: whether anybody is stopped for it; if not, it is noted.
        score: 0 to 1.
    """

    level: Level
    refuses: bool
    stops: bool
    score: float
    reasons: tuple[Reason, ...]

    def rank(self) -> tuple[bool, int, float]:
        """What the gravest of several is chosen by."""
        return self.refuses, ("possible", "probable", "exact").index(self.level), self.score


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate entry that fits the traveller, and what follows from it.

    Attributes:
        outcome: what this entry alone would answer.
        stops: False where names are alike, but not so much that anybody is stopped or shown anything.
        sighting: the measure does not stop this direction; the owner is told that the person was seen.
        pending_until: until when its papers may be undecided, where its period is over (R68).
    """

    entry_id: str
    version: int
    measure: str
    level: Level
    score: float
    reasons: tuple[Reason, ...]
    outcome: Outcome
    stops: bool
    sighting: bool
    boundary_note: str | None
    pending_until: datetime | None = None


def compare(traveller: Traveller, subject: Subject, person: Listed, policy: MatchPolicy) -> Comparison | None:
    """Whether a subject may be this traveller; None when nothing that counts speaks for it.

    Where a number speaks, the contract's table decides; only without one do name and birth date speak for themselves.

    Args:
        traveller: who is asked about.
        subject: who is listed.
        person: the subject, made ready.
        policy: from what on names count.
    """
    names = assess(traveller.person, person, policy)
    numbered = by_numbers(traveller, subject, names, policy)
    return max(numbered, key=Comparison.rank) if numbered else by_name(names)


def by_numbers(
    traveller: Traveller, subject: Subject, names: Assessment, policy: MatchPolicy
) -> list[Comparison]:
    """What each pair of numbers that are equal, or equal but for confusable characters, comes to."""
    births = _births(traveller, subject)
    named = _about_name(traveller, names, policy)
    agrees = births in {"equal", "compatible"} or named in {(_NAME_EQUAL,), (_NAME_SIMILAR,)}
    return [
        _by_number(level, (*reasons, *_about_birth(births), *named), refuses=refuses)
        for level, refuses, reasons in _evidence(traveller, subject, births, agrees=agrees)
    ]


def by_name(names: Assessment) -> Comparison | None:
    """What name and birth date come to for themselves; None where nobody is told of it."""
    if names.level is None:
        return None
    return Comparison(
        level=names.level,
        refuses=False,
        stops=names.tier == "stop",
        score=names.score,
        reasons=tuple(Reason(piece.feature, piece.result, piece.weight) for piece in names.reasons()),
    )


def _by_number(level: Level, reasons: tuple[Reason, ...], *, refuses: bool) -> Comparison:
    score = round(min(1.0, max(0.0, sum(reason.weight for reason in reasons))), 2)
    return Comparison(level=level, refuses=refuses, stops=True, score=score, reasons=reasons)


def _evidence(
    traveller: Traveller, subject: Subject, births: Agreement, *, agrees: bool
) -> Iterable[tuple[Level, bool, tuple[Reason, ...]]]:
    """The cases of the contract's table "What refuses", one candidate document after the other."""
    listed_nik = subject.nik
    if traveller.nik and listed_nik and traveller.nik == documents.normalise(listed_nik):
        yield "exact", births != "contradicts", (_NIK_EQUAL,)
    for paper in traveller.papers:
        for document in subject.documents:
            number = documents.normalise(document.number)
            state = states.canonical(document.issuing_state) if document.issuing_state else None
            differ = state is not None and paper.state is not None and state != paper.state
            if number == paper.number:
                yield from _number_equal(paper, state, births, agrees=agrees, differ=differ)
            elif documents.skeleton(number) == paper.skeleton and (
                agrees or not (differ or births == "contradicts")
            ):
                yield "possible", False, (_SKELETON_EQUAL, *((_STATE_DIFFERS,) if differ else ()))


def _number_equal(
    paper: Paper, state: str | None, births: Agreement, *, agrees: bool, differ: bool
) -> Iterable[tuple[Level, bool, tuple[Reason, ...]]]:
    doubts = () if paper.sure else (_DIGITS_FAIL,)
    if differ:
        if agrees:
            yield "possible", False, (_NUMBER_EQUAL, _STATE_DIFFERS, *doubts)
        return
    if births == "contradicts":
        yield "probable", False, (_NUMBER_EQUAL, _state_reason(paper, state), *doubts)
    elif state is None or paper.state is None:
        level: Level = "exact" if agrees and paper.sure else "probable"
        yield level, level == "exact", (_NUMBER_EQUAL, _STATE_MISSING, *doubts)
    elif paper.sure:
        yield "exact", True, (_NUMBER_EQUAL, _STATE_EQUAL)
    else:
        yield "probable", False, (_NUMBER_EQUAL, _STATE_EQUAL, *doubts)


def _state_reason(paper: Paper, state: str | None) -> Reason:
    return _STATE_MISSING if state is None or paper.state is None else _STATE_EQUAL


def decide(
    direction: Direction,
    traveller: Traveller,
    candidates: Iterable[Candidate],
    policy: MatchPolicy,
    now: datetime,
) -> list[Match]:
    """What each entry that stops anybody means for this traveller in this direction, gravest first (R44).

    Args:
        direction: leaving or entering.
        traveller: who.
        candidates: entries that share a key with the traveller, in whatever state.
        policy: from what on names count.
        now: the instant of the check.
    """
    matches = []
    for candidate in candidates:
        if stops(candidate.entry, now):
            match = fits(direction, traveller, candidate, policy, now)
            if match is not None:
                matches.append(match)
    matches.sort(key=lambda match: (SEVERITY[match.outcome], match.score), reverse=True)
    return matches


def fits(
    direction: Direction, traveller: Traveller, candidate: Candidate, policy: MatchPolicy, now: datetime
) -> Match | None:
    """What one entry means for this traveller, taken to stop people; None where it is nobody's business."""
    entry = candidate.entry
    found = compare(traveller, entry.subject, candidate.person, policy)
    if found is None:
        return None
    outcome, sighting, doubt = by_the_table(
        direction, traveller, Measured.of(entry, now), refuses=found.refuses, today=legal_day(now)
    )
    if sighting and found.level == "possible":
        return None  # too little to tell an owner that the person was seen
    return Match(
        entry_id=entry.id,
        version=entry.version,
        measure=entry.measure.value,
        level=found.level,
        score=found.score,
        reasons=(*found.reasons, *((DOUBTS[doubt],) if doubt else ())),
        outcome=outcome if found.stops else "clear",
        stops=found.stops,
        sighting=sighting,
        boundary_note=boundary_note(now, entry.in_force_from, entry.in_force_until),
        pending_until=shown_until(entry, now),
    )


def matter_of(matches: Iterable[Match]) -> Matter:
    """What a hit is about: the entries that stop somebody, in their versions."""
    return frozenset((match.entry_id, match.version) for match in matches if match.outcome != "clear")


def worst(matches: Iterable[Match]) -> Outcome:
    """The outcome of a check: the gravest of its matches, `clear` without any."""
    return gravest(match.outcome for match in matches)


def _births(traveller: Traveller, subject: Subject) -> Agreement:
    found = [best_agreement(subject.births, birth) for birth in traveller.births]
    if not found:
        return "unknown"
    for worse in ("contradicts", "unknown", "compatible"):
        if worse in found:
            return worse
    return "equal"


def _about_birth(births: Agreement) -> tuple[Reason, ...]:
    return () if births == "unknown" else (_BIRTHS[births],)


def _about_name(traveller: Traveller, names: Assessment, policy: MatchPolicy) -> tuple[Reason, ...]:
    """How the names stand to each other beside an equal number: a disagreeing one is reported, never decisive."""
    if not traveller.names:
        return ()
    if names.likeness >= policy.equal_likeness:
        return (_NAME_EQUAL,)
    return (_NAME_SIMILAR if names.likeness >= policy.fitting_likeness else _NAME_DIFFERS,)


_NUMBER_EQUAL = Reason("document_number", "equal", 0.6)
_SKELETON_EQUAL = Reason("document_number", "confusable", 0.3)
_STATE_EQUAL = Reason("issuing_state", "equal", 0.25)
_STATE_MISSING = Reason("issuing_state", "missing", 0.0)
_STATE_DIFFERS = Reason("issuing_state", "different", -0.3)
_NIK_EQUAL = Reason("nik", "equal", 0.9)
_DIGITS_FAIL = Reason("check_digits", "failed", -0.2)
_NAME_EQUAL = Reason("name", "equal", 0.15)
_NAME_SIMILAR = Reason("name", "similar", 0.1)
_NAME_DIFFERS = Reason("name", "different", -0.03)
_BIRTHS = {
    "equal": Reason("birth_date", "equal", 0.15),
    "compatible": Reason("birth_date", "compatible", 0.08),
    "contradicts": Reason("birth_date", "contradicts", -0.3),
}
DOUBTS: Final[dict[Doubt, Reason]] = {
    "citizenship_unproven": Reason("citizenship", "citizenship_unproven", 0.0),
    "claims_wni": Reason("citizenship", "claims_wni", 0.0),
    "under_18": Reason("age", "under_18", 0.0),
    "not_countersigned": Reason("entry", "not_countersigned", 0.0),
    "decision_pending": Reason("entry", "decision_pending", 0.0),
}
"""What held a refusal back, as a check tells it."""
