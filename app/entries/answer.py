"""The law's table: what a checkpoint answers about a person that an entry fits (contract section 5, R43-R48); pure.

Checks ask it about a traveller, alerts about the listed person themselves: one table for both, so that no alert says
otherwise than the check beside it.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, Literal, Protocol

import msgspec

from app.entries.domain import Entry, Measure
from app.entries.pending import stops, undecided
from app.entries.subjects import Subject, same_document
from app.identity import documents, states
from app.identity.births import Birth, age_on, best_agreement
from app.kit.clock import legal_day

Direction = Literal["exit", "entry"]
Outcome = Literal["clear", "refer", "refuse"]
Doubt = Literal["citizenship_unproven", "claims_wni", "under_18", "not_countersigned", "decision_pending"]
"""What held a refusal back."""

ADULT: Final = 18
"""Age in years below which nobody is refused without a supervisor."""

SEVERITY: Final[dict[Outcome, int]] = {"clear": 0, "refer": 1, "refuse": 2}


class Claims(Protocol):
    """What the table asks of a traveller.

    Attributes:
        indonesian: something says Indonesian: then no answer ever refuses entry (R45).
        proved_foreign: another nationality is positively shown.
        births: every birth date that is said of them.
    """

    @property
    def indonesian(self) -> bool: ...  # noqa: D102 - the class says it
    @property
    def proved_foreign(self) -> bool: ...  # noqa: D102
    @property
    def births(self) -> tuple[Birth, ...]: ...  # noqa: D102


class Measured(msgspec.Struct, frozen=True):
    """What the law's table asks of an entry, or of one that is only supposed.

    Attributes:
        unsigned: urgent, and not countersigned yet.
        undecided: its period is over, and papers that arrived in time are not decided on (R68).
    """

    measure: Measure
    subject: Subject
    unsigned: bool = False
    undecided: bool = False

    @classmethod
    def of(cls, entry: Entry, now: datetime) -> "Measured":
        """What the table asks of an entry at an instant."""
        unsigned = entry.urgent and entry.countersigned_at is None
        return cls(entry.measure, entry.subject, unsigned, undecided(entry, now))


class Shown(msgspec.Struct, frozen=True):
    """A listed person as they would show themselves: with the very papers that the entry holds."""

    indonesian: bool
    proved_foreign: bool
    births: tuple[Birth, ...]

    @classmethod
    def by(cls, subject: Subject) -> "Shown":
        """What a subject's own data claim, read as a check reads them."""
        return cls(
            indonesian=subject.says_indonesian,
            proved_foreign=any(states.proves_foreign(states.canonical(c)) for c in subject.nationalities),
            births=subject.births,
        )


def by_the_table(
    direction: Direction, traveller: Claims, listed: Measured, *, refuses: bool, today: date
) -> tuple[Outcome, bool, Doubt | None]:
    """The decision table R44: outcome, whether it is a sighting only, and what held a refusal back.

    Everybody who would be stopped for a measure with undecided papers is referred, and that is the reason (R68).
    Whether the listed person is a citizen is read from the documents, nationalities and NIK themselves, whatever was
    recorded against them at filing (R45).

    Args:
        direction: leaving or entering.
        traveller: the person at the counter.
        listed: the entry that fits them.
        refuses: whether the evidence that it fits is enough to refuse (contract section 5, "What refuses").
        today: the legal day.
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
    """What the counter does."""
    if outcome == "refuse":
        return f"refuse_{direction}"
    return "allow" if outcome == "clear" else "refer_to_supervisor"


def direction_of(measure: Measure) -> Direction:
    """The direction in which a measure stops people."""
    return "exit" if measure is Measure.PREVENTION else "entry"


def answer_to(person: Subject, entry: Entry, now: datetime) -> Outcome:
    """What an entry answers at an instant, in its own direction, to a person that it is known to fit.

    Args:
        person: who shows the papers that the register knows of them: the entry's own subject, or that of another
            entry against the same person.
        entry: the entry.
        now: the instant.
    """
    if not stops(entry, now):
        return "clear"
    outcome, _, _ = by_the_table(
        direction_of(entry.measure),
        Shown.by(person),
        Measured.of(entry, now),
        refuses=_proved_by_number(person, entry.subject),
        today=legal_day(now),
    )
    return outcome


def gravest(outcomes: Iterable[Outcome]) -> Outcome:
    """The answer of several entries together; `clear` without any."""
    return max(outcomes, key=SEVERITY.__getitem__, default="clear")


def _proved_by_number(person: Subject, listed: Subject) -> bool:
    """Whether a document or NIK of a person proves them to be the listed one: names alone never refuse."""
    births = [best_agreement(listed.births, birth) for birth in person.births]
    if "contradicts" in births:
        return False
    if person.nik and listed.nik and documents.is_same(person.nik, listed.nik):
        return True
    return any(same_document(one, other) for one in person.documents for other in listed.documents)


def _may_be_a_child(traveller: Claims, subject: Subject, today: date) -> bool:
    births = traveller.births or subject.births
    return any(age_on(birth, today)[0] < ADULT for birth in births)
