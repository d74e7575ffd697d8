"""The comparison of a traveller with entries, and the answer by law (no I/O; API section 5, R43-R48).

A traveller is compared with each candidate entry (`compare`): by numbers according to the table "What refuses", by name
and birth date as `matching` weighs them. What a comparison means for a direction is decided by the law's table
(`entries.answer.by_the_table`).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

import msgspec

from app.border.checks.reasons import TEXTS
from app.border.checks.traveller import Paper, Traveller
from app.identity import documents, states, typed_numbers
from app.identity.births import Agreement, best_agreement, closest
from app.identity.typed_numbers import Typed
from app.kit.clock import legal_day
from app.matching.assessment import Assessment, assess
from app.matching.persons import KnownPerson
from app.matching.policy import MatchPolicy
from app.register.entries.answer import SEVERITY, Direction, Doubt, Measured, Outcome, by_the_table, gravest
from app.register.entries.domain import Entry
from app.register.entries.law.periods import boundary_note
from app.register.entries.pending import shown_until, stops
from app.register.entries.subjects import Subject

Level = Literal["exact", "probable", "possible"]
Matter = frozenset[tuple[str, int]]
"""The entries that a hit is about, as pairs of id and version."""


class Reason(msgspec.Struct, frozen=True):
    """One piece of evidence: the compared feature, the result, and its weight, from -1 (against) to 1 (for a match)."""

    feature: str
    result: str
    weight: float

    def shown(self) -> dict[str, object]:
        """Return the reason as JSON for the answer: the members of `ReasonOut`, with its texts in both languages."""
        text_id, text_en = TEXTS[self.feature, self.result]
        return {
            "feature": self.feature,
            "result": self.result,
            "weight": self.weight,
            "text_id": text_id,
            "text_en": text_en,
        }


class Candidate(msgspec.Struct, frozen=True):
    """An entry to compare with a traveller; `person` is the entry's subject, prepared for matching."""

    entry: Entry
    person: KnownPerson


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence that an entry's subject is the traveller.

    Attributes:
        level: how certain it is that both are one person: `exact`, `probable` or `possible`.
        refuses: whether the evidence is enough for a refusal (API section 5, "What refuses").
        stops: whether the evidence is enough to stop the traveller; if False, the check only notes the entry for
            auditors.
        score: strength of the evidence, from 0 to 1.
        reasons: the pieces of evidence.
    """

    level: Level
    refuses: bool
    stops: bool
    score: float
    reasons: tuple[Reason, ...]

    def rank(self) -> tuple[bool, int, float]:
        """Return a sort key, greatest for the gravest comparison: by `refuses`, then by level, then by score."""
        return self.refuses, ("possible", "probable", "exact").index(self.level), self.score


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that fits the traveller, with its consequences.

    Attributes:
        level: how certain it is that the traveller is the listed person.
        score: strength of the evidence, from 0 to 1.
        reasons: the pieces of evidence, and the reason of law that prevents a refusal, if there is one.
        outcome: the answer for this entry alone.
        stops: whether the evidence is enough to stop the traveller; if False, the entry is only noted for auditors.
        sighting: whether the measure stops nobody in this direction, so that the owner is only notified.
        boundary_note: a note for the counter in the first and the last three hours of the measure; else None.
        pending_until: the last instant until which checks refer, if the measure's period is over and papers that came
            in time are undecided (R68); else None.
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


def compare(
    traveller: Traveller, subject: Subject, person: KnownPerson, policy: MatchPolicy
) -> Comparison | None:
    """Return the gravest evidence that an entry's subject is the traveller; None if there is not enough.

    If a number (of a document or the NIK) may be the same, the evidence by this number counts, even where name and
    birth date would be stronger evidence. Of several numbers the one with the greatest `Comparison.rank` counts.

    Args:
        traveller: the traveller.
        subject: the entry's subject.
        person: the subject, prepared for matching.
        policy: thresholds of name matching.
    """
    names = assess(traveller.person, person, policy)
    numbered = by_numbers(traveller, subject, names, policy)
    return max(numbered, key=Comparison.rank) if numbered else by_name(names)


def by_numbers(
    traveller: Traveller, subject: Subject, names: Assessment, policy: MatchPolicy
) -> list[Comparison]:
    """Return a comparison for each pair of a traveller's and a subject's number (document or NIK) that may be the same.

    NIKs must be equal. Document numbers must be equal, or the traveller's may be meant as the listed one, such as O
    typed for 0. Documents of different states count only if the name or a birth date agrees. A number with confusable
    characters does not count if the birth dates contradict each other and the names differ. The list is empty without
    such a pair.

    Args:
        traveller: the traveller.
        subject: the entry's subject.
        names: the result of comparing the names and births of both.
        policy: thresholds of name matching.
    """
    births = _births(traveller, subject)
    named = _about_name(traveller, names, policy)
    agrees = births in {"equal", "compatible"} or named in {(_NAME_EQUAL,), (_NAME_SIMILAR,)}
    return [
        _by_number(level, (*reasons, *_about_birth(births), *named), refuses=refuses)
        for level, refuses, reasons in _evidence(traveller, subject, births, agrees=agrees)
    ]


def by_name(names: Assessment) -> Comparison | None:
    """Return the comparison by name and birth date alone; None if the similarity is not even enough for a note.

    `names` is the result of comparing the names and births of the traveller and the subject.
    """
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
    """Yield level, power to refuse and reasons for each agreeing pair of numbers ("What refuses", API section 5)."""
    listed_nik = subject.nik
    if traveller.nik and listed_nik and traveller.nik == documents.normalise(listed_nik):
        yield "exact", births != "contradicts", (_NIK_EQUAL,)
    if not traveller.papers:
        return
    for document in subject.documents:
        listed = typed_numbers.read(document.number)
        state = states.known(document.issuing_state)
        for paper in traveller.papers:
            differ = states.differ(state, paper.state)
            if not (listed.alike or paper.alike) and paper.number in listed:
                yield from _number_equal(paper, state, births, agrees=agrees, differ=differ)
            elif agrees or not differ:
                doubted = births == "contradicts" and not agrees
                for likeness in _likeness(paper, listed, doubted=doubted):
                    yield "possible", False, (likeness, *((_STATE_DIFFERS,) if differ else ()))


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


def _likeness(paper: Paper, listed: Typed, *, doubted: bool) -> Iterable[Reason]:
    """Yield the reasons for a number that is not certainly equal to a listed one, but may be meant as one.

    Numbers that differ in easily confused characters only are often equal by chance, so a contradicting birth date
    (`doubted`) excludes them. It does not exclude a number in letters of another script or with additions.
    """
    for number in listed.numbers:
        skeleton = documents.skeleton(number.number)
        if skeleton == paper.skeleton:
            if number.number == paper.number or not doubted:
                yield _SKELETON_EQUAL
        elif paper.skeleton in number.skeletons or any(
            other.meant and other.skeleton in number.skeletons for other in paper.others
        ):
            yield _MAY_BE_MEANT
        elif not doubted and any(other.skeleton == skeleton for other in paper.others):
            yield _SKELETON_EQUAL


def _state_reason(paper: Paper, state: str | None) -> Reason:
    return _STATE_MISSING if state is None or paper.state is None else _STATE_EQUAL


def decide(
    direction: Direction,
    traveller: Traveller,
    candidates: Iterable[Candidate],
    policy: MatchPolicy,
    now: datetime,
) -> list[Match]:
    """Return the traveller's matches with candidates that are in force or await a decision, gravest first (R44).

    Other candidates are ignored. Matches that are only noted (`stops` is False) are included. "Gravest" means by
    outcome, then by score.

    Args:
        direction: whether the traveller leaves or enters.
        traveller: the traveller.
        candidates: the entries to compare: those that were found by the traveller's numbers, names or births, in any
            state.
        policy: thresholds of name matching.
        now: the instant of the check.
    """
    matches = []
    for candidate in candidates:
        if stops(candidate.entry, now):
            match = find_match(direction, traveller, candidate, policy, now)
            if match is not None:
                matches.append(match)
    matches.sort(key=lambda match: (SEVERITY[match.outcome], match.score), reverse=True)
    return matches


def find_match(
    direction: Direction, traveller: Traveller, candidate: Candidate, policy: MatchPolicy, now: datetime
) -> Match | None:
    """Return the match of a traveller with one entry; None if they do not match. The entry's state is not checked.

    Returns None also for a sighting (`Match.sighting`) whose evidence is only `possible`, which is not enough to notify
    the owner.

    Args:
        direction: whether the traveller leaves or enters.
        traveller: the traveller.
        candidate: the entry.
        policy: thresholds of name matching.
        now: the instant of the check.
    """
    entry = candidate.entry
    found = compare(traveller, entry.subject, candidate.person, policy)
    if found is None:
        return None
    outcome, sighting, doubt = by_the_table(
        direction, traveller, Measured.of(entry, now), refuses=found.refuses, today=legal_day(now)
    )
    if sighting and found.level == "possible":
        return None  # not enough evidence to notify the owner of a sighting
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
    """Return the ids and versions of the entries that stopped the traveller: of matches whose outcome isn't `clear`."""
    return frozenset((match.entry_id, match.version) for match in matches if match.outcome != "clear")


def worst(matches: Iterable[Match]) -> Outcome:
    """Return the outcome of a check: the gravest outcome of its matches, or `clear` without matches."""
    return gravest(match.outcome for match in matches)


def _births(traveller: Traveller, subject: Subject) -> Agreement:
    if traveller.other_birth is not None:
        return closest(
            best_agreement(subject.births, birth) for birth in (*traveller.births, traveller.other_birth)
        )
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
    """Return the reason about the names next to an equal number; a different name is reported, but never decides."""
    if not traveller.names:
        return ()
    if names.likest >= policy.equal_likeness:
        return (_NAME_EQUAL,)
    return (_NAME_SIMILAR if names.likest >= policy.similar_likeness else _NAME_DIFFERS,)


_NUMBER_EQUAL = Reason("document_number", "equal", 0.6)
_SKELETON_EQUAL = Reason("document_number", "confusable", 0.3)
_MAY_BE_MEANT = Reason("document_number", "may_be_meant", 0.25)
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
"""By doubt (a rule of law that turned a refusal into a referral): the reason that the check reports."""
