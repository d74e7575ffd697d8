"""The law's decision table: the answer to a checkpoint about a traveller who matches an entry (R43-R48).

Checks apply it to a traveller, alerts to the listed person. Both use one table, so that an alert never contradicts
a check. The functions do no I/O (API section 5).
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, Literal, Protocol

import msgspec

from app.identity import documents, states
from app.identity.births import Birth, age_on, best_agreement
from app.kit.clock import legal_day
from app.register.entries.domain import Entry, Measure
from app.register.entries.pending import stops, undecided
from app.register.entries.subjects import Subject, same_document

Direction = Literal["exit", "entry"]
Outcome = Literal["clear", "refer", "refuse"]
Doubt = Literal["citizenship_unproven", "claims_wni", "under_18", "not_countersigned", "decision_pending"]
"""The rule by which the decision table refers a traveller to a supervisor instead of refusing."""

ADULT: Final = 18
"""Age in years below which a person is never refused without a supervisor."""

SEVERITY: Final[dict[Outcome, int]] = {"clear": 0, "refer": 1, "refuse": 2}


class Claims(Protocol):
    """The data about a traveller from which the decision table R44 determines `clear`, `refer` or `refuse`."""

    @property
    def indonesian(self) -> bool:
        """Whether a nationality, document or NIK seems Indonesian. If so, the table never refuses entry (R45)."""

    @property
    def proved_foreign(self) -> bool:
        """Whether the data prove a nationality other than Indonesian."""

    @property
    def births(self) -> tuple[Birth, ...]:
        """The traveller's birth dates, as far as known; a passport and the officer may state different ones."""


class Measured(msgspec.Struct, frozen=True):
    """The data about an entry, stored or proposed, by which the decision table R44 judges a traveller.

    Attributes:
        measure: the exit ban or entry ban.
        subject: the listed person.
        unsigned: whether the entry is urgent and not countersigned yet.
        undecided: whether the entry's period is over, and papers that arrived in time are not decided on yet (R68).
    """

    measure: Measure
    subject: Subject
    unsigned: bool = False
    undecided: bool = False

    @classmethod
    def of(cls, entry: Entry, now: datetime) -> "Measured":
        """Return the data of an entry that the decision table needs, as of the instant `now`."""
        unsigned = entry.urgent and entry.countersigned_at is None
        return cls(entry.measure, entry.subject, unsigned, undecided(entry, now))


class SubjectClaims(msgspec.Struct, frozen=True):
    """The `Claims` of a listed person, for a check in which this person is the traveller."""

    indonesian: bool
    proved_foreign: bool
    births: tuple[Birth, ...]

    @classmethod
    def of(cls, subject: Subject) -> "SubjectClaims":
        """Return the claims that the nationalities, documents, NIK and births of a subject in the register make."""
        return cls(
            indonesian=subject.says_indonesian,
            proved_foreign=any(states.proves_foreign(states.canonical(c)) for c in subject.nationalities),
            births=subject.births,
        )


def by_the_table(
    direction: Direction, traveller: Claims, listed: Measured, *, refuses: bool, today: date
) -> tuple[Outcome, bool, Doubt | None]:
    """Return the outcome of a check against an entry by the decision table R44, with two explanations of the outcome.

    Whether the listed person is a citizen follows from documents, nationalities and NIK, even if a different
    citizenship was recorded at filing (R45).

    Args:
        direction: leaving (`exit`) or entering (`entry`).
        traveller: the claims of the person at the counter.
        listed: the matching entry.
        refuses: whether the evidence for the match is strong enough to refuse (API section 5, "What refuses").
        today: the legal day.

    Returns:
        The outcome; whether the match is a sighting: the measure does not stop the traveller in this direction, and the
        entry's owner is only informed of the crossing; and the doubt that makes the outcome a referral, or None. If the
        measure has undecided papers, every outcome but `clear` is a referral with the doubt `decision_pending` (R68).
    """
    outcome, sighting, doubt = _while_in_force(direction, traveller, listed, refuses=refuses, today=today)
    if listed.undecided and outcome != "clear":
        return "refer", sighting, "decision_pending"
    return outcome, sighting, doubt


def _while_in_force(  # noqa: PLR0911 - a row of the table each
    direction: Direction, traveller: Claims, listed: Measured, *, refuses: bool, today: date
) -> tuple[Outcome, bool, Doubt | None]:
    wni = traveller.indonesian or listed.subject.says_indonesian
    outcome: Outcome = "refuse" if refuses else "refer"
    if listed.measure is Measure.PREVENTION:
        if direction == "entry":
            return ("clear", True, None) if wni else ("refer", False, None)
    elif direction == "exit":
        return "clear", True, None
    elif wni:
        return "refer", False, "claims_wni"
    elif not (traveller.proved_foreign and listed.subject.nationalities):
        return "refer", False, "citizenship_unproven"
    if outcome == "refuse" and _may_be_a_child(traveller, listed.subject, today):
        return "refer", False, "under_18"
    if outcome == "refuse" and listed.unsigned:
        return "refer", False, "not_countersigned"
    return outcome, False, None


def action_on(outcome: Outcome, direction: Direction) -> str:
    """Return the action for the counter: `allow`, `refer_to_supervisor`, `refuse_exit` or `refuse_entry`."""
    if outcome == "refuse":
        return f"refuse_{direction}"
    return "allow" if outcome == "clear" else "refer_to_supervisor"


def direction_of(measure: Measure) -> Direction:
    """Return the direction in which a measure stops people: `exit` for an exit ban, `entry` for an entry ban."""
    return "exit" if measure is Measure.PREVENTION else "entry"


def answer_to(person: Subject, entry: Entry, now: datetime) -> Outcome:
    """Return the outcome of a check of a person against an entry, in the direction in which its measure stops people.

    `clear` if the entry stops nobody at `now`. The caller must have made sure that the person matches the entry.

    Args:
        person: the traveller, with the data in the register: the entry's own subject, or the subject of another entry
            against the same person.
        entry: the entry.
        now: the instant of the check.
    """
    if not stops(entry, now):
        return "clear"
    outcome, _, _ = by_the_table(
        direction_of(entry.measure),
        SubjectClaims.of(person),
        Measured.of(entry, now),
        refuses=_proved_by_number(person, entry.subject),
        today=legal_day(now),
    )
    return outcome


def gravest(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the most severe of several outcomes; `clear` if there are none."""
    return max(outcomes, key=SEVERITY.__getitem__, default="clear")


def _proved_by_number(person: Subject, listed: Subject) -> bool:
    """Return whether a document or NIK proves that a person is the listed one; names alone never refuse."""
    births = [best_agreement(listed.births, birth) for birth in person.births]
    if "contradicts" in births:
        return False
    if person.nik and listed.nik and documents.is_same(person.nik, listed.nik):
        return True
    return any(same_document(one, other) for one in person.documents for other in listed.documents)


def _may_be_a_child(traveller: Claims, subject: Subject, today: date) -> bool:
    births = traveller.births or subject.births
    return any(age_on(birth, today)[0] < ADULT for birth in births)
