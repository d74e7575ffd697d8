"""Objections: their data, and the rules for filing and answering in time (no I/O; UU 6/2011 art. 96; R38)."""

from collections.abc import Container
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Self

import msgspec

from app.actor import Actor, is_another_person
from app.errors import Fault, Invalid, SecondPairOfEyesNeeded, StaleVersion, WrongState
from app.kit.clock import legal_day
from app.kit.working_days import working_days_later
from app.register.entries.domain import Entry, State
from app.register.entries.law.periods import last_second

TAK_FILING_DAYS: Final = 21
"""Working days after receipt of an administrative action in which a person may object (2/2025 art. 73)."""

TAK_FORWARDING_DAYS: Final = 5
"""Working days in which the Director General forwards the objection with his advice (2/2025 art. 73)."""

TAK_ANSWERING_DAYS: Final = 5
"""Working days in which the minister then decides (2/2025 art. 73)."""

_TAK: Final = "administrative_action"
_TOO_LATE: Final = "An objection is filed only while the measure is in force (UU 6/2011 art. 96(1))."
_UNTIL_THE_END: Final = ("annulment", "revocation")


class Capacity(StrEnum):
    """The capacity in which the objector speaks."""

    SUBJECT = "subject"
    LAWYER = "lawyer"
    FAMILY = "family"


class Outcome(StrEnum):
    """The owner's decision on an objection."""

    GRANTED = "granted"
    REJECTED = "rejected"


class Letter(msgspec.Struct, frozen=True):
    """Number and date of a letter."""

    number: str
    issued_on: date


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """An objection as it was filed with the owner.

    Attributes:
        name: the objector's name; None once erased, as are grounds and letter.
    """

    filed_on: date
    name: str | None
    capacity: Capacity
    grounds: str | None
    letter: Letter | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's answer; reason and letter are None once erased.

    Attributes:
        by: id of the client that answered.
        person: the officer that answered.
        carry_out_by: last instant to file the amendment that must follow a granted objection; None if it was rejected.
    """

    outcome: Outcome
    reason: str | None
    letter: Letter | None
    by: str
    person: str | None
    at: datetime
    carry_out_by: datetime | None = None


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """An objection against one entry, addressed to its owner.

    Attributes:
        agency: code of the owner.
        file_until: last day on which it could be filed in time; None if the law sets no such day, or while it is not
            proved when the person received the decision.
        answer_due_at: last instant for the answer.
        recorded_by: id of the client that recorded it.
        person: the officer that recorded it; another officer must answer it.
        answer: the owner's answer; None as long as there is none.
    """

    id: str
    version: int
    entry_id: str
    agency: str
    filing: Filing
    file_until: date | None
    answer_due_at: datetime
    recorded_by: str
    person: str | None
    recorded_at: datetime
    answer: Answer | None = None

    @property
    def late(self) -> bool:
        """Whether it was filed after `file_until`; False if `file_until` is None.

        A late objection is recorded too; its answer may give the lateness as a reason.
        """
        return self.file_until is not None and self.file_until < self.filing.filed_on

    @property
    def must_follow(self) -> tuple[str, ...]:
        """The kinds of amendment that carry out a granted objection; the owner must file one of these kinds (R38).

        Empty if the objection is not granted. The answer to an objection never ends the measure by itself; the
        amendment does.
        """
        granted = self.answer is not None and self.answer.outcome is Outcome.GRANTED
        return _UNTIL_THE_END if granted else ()

    def to_be_filed_until(self, day: date | None) -> Self:
        """Return the objection with `file_until` set to `day`; a `file_until` that is set already stays.

        If `day` is None, the law sets no last day to file. The version does not change, so that an officer that has
        read the objection may still answer it.
        """
        return msgspec.structs.replace(self, file_until=self.file_until or day)

    def answered(
        self,
        by: Actor,
        expected: int,
        outcome: Outcome,
        reason: str,
        letter: Letter,
        at: datetime,
        carry_out_days: int,
    ) -> Self:
        """Return the objection's next version, with the owner's answer.

        Args:
            by: the owner's officer.
            expected: the version that the officer has read.
            outcome: the owner's decision.
            reason: the reason for the decision.
            letter: the answer's letter.
            at: the time of the answer.
            carry_out_days: number of legal days after the answer in which a granted objection must be carried out.

        Raises:
            StaleVersion: the objection has changed since it was read.
            WrongState: the objection has been answered.
            SecondPairOfEyesNeeded: the actor recorded the objection.
            Invalid: the answer's letter is from the future, or older than the objection.
        """
        if expected != self.version:
            raise StaleVersion(
                "The objection has changed since it was read.", extra={"version": self.version}
            )
        if self.answer is not None:
            raise WrongState("The objection has been answered; it is answered once (UU 6/2011 art. 96).")
        if not is_another_person(by, self.person):
            raise SecondPairOfEyesNeeded("The person who recorded the objection can't answer it.")
        pointer = "/letter/issued_on"
        _expect_day(pointer, letter.issued_on, self.filing.filed_on, legal_day(at), "the objection was filed")
        last = legal_day(at) + timedelta(days=carry_out_days)
        answer = Answer(
            outcome=outcome,
            reason=reason,
            letter=letter,
            by=by.client_id,
            person=by.person,
            at=at,
            carry_out_by=last_second(last) if outcome is Outcome.GRANTED else None,
        )
        return msgspec.structs.replace(self, version=self.version + 1, answer=answer)

    def erased(self) -> Self:
        """Return the objection without names, grounds, reason and letters; days, outcome and officers stay (R64)."""
        filing = msgspec.structs.replace(self.filing, name=None, grounds=None, letter=None)
        answer = self.answer and msgspec.structs.replace(self.answer, reason=None, letter=None)
        return msgspec.structs.replace(self, filing=filing, answer=answer)


def filed(
    objection_id: str,
    entry: Entry,
    filing: Filing,
    by: Actor,
    at: datetime,
    answer_days: int,
    holidays: Container[date],
) -> Objection:
    """Return a new objection with this filing; raise an error if it was not filed in time.

    An objection is in time if it is filed on a day on which the measure was in force. An objection against an
    administrative action (TAK) is also in time until `last_day_to_file`, even after the measure's end. It may be
    recorded later than on the day of filing.

    Args:
        objection_id: the id of the new objection.
        entry: the current entry; its `met` has the time when the person received the decision, if that is proved.
        filing: the objection as it was filed.
        by: the owner's officer.
        at: when the objection is recorded.
        answer_days: working days for the answer; for an administrative action the law's own number applies instead.
        holidays: public holidays, which are no working days.

    Raises:
        WrongState: the entry was never in force, or the day of filing is after the last day in time.
        Invalid: the day of filing is in the future or before the entry was in force, or the letter is later than the
            filing.
    """
    begins, last = _in_force(entry, at)
    tak = entry.basis.instrument == _TAK
    received = entry.met.get("deliver_to_person")
    file_until = None if received is None else last_day_to_file(entry, received, holidays)
    if max(last, file_until or last) < filing.filed_on <= legal_day(at):
        raise WrongState(_TOO_LATE)
    _expect_day("/filed_on", filing.filed_on, begins, legal_day(at), "the measure was in force (art. 96)")
    if filing.letter is not None and filing.letter.issued_on > filing.filed_on:
        fault = Fault("/letter/issued_on", "order", "The letter is younger than its filing.")
        raise Invalid(fault.detail, faults=[fault])
    within = TAK_FORWARDING_DAYS + TAK_ANSWERING_DAYS if tak else answer_days
    answer_due_at = last_second(working_days_later(filing.filed_on, within, holidays))
    return Objection(
        id=objection_id,
        version=1,
        entry_id=entry.id,
        agency=entry.agency,
        filing=filing,
        file_until=file_until,
        answer_due_at=answer_due_at,
        recorded_by=by.client_id,
        person=by.person,
        recorded_at=at,
    )


def last_day_to_file(entry: Entry, received: datetime, holidays: Container[date]) -> date | None:
    """Return the last day to object to an administrative action (TAK, 2/2025 art. 73); None for other decisions.

    Args:
        entry: the entry that the decision made.
        received: the time when the person received the decision.
        holidays: public holidays, which are no working days.
    """
    if entry.basis.instrument != _TAK:
        return None
    return working_days_later(legal_day(received), TAK_FILING_DAYS, holidays)


def _in_force(entry: Entry, at: datetime) -> tuple[date, date]:
    """Return the first and the last legal day, not after `at`, on which an entry was in force.

    Raises:
        WrongState: the entry was never in force.
    """
    begins = entry.in_force_from
    over = entry.ended_at if entry.state in {State.ENDED, State.REJECTED} else None
    last = at if over is None or at < over else over - timedelta(microseconds=1)
    if begins is None or last < begins:
        raise WrongState(_TOO_LATE)
    return legal_day(begins), legal_day(last)


def _expect_day(pointer: str, day: date, first: date, today: date, since: str) -> None:
    if day > today:
        fault = Fault(pointer, "future", "The day is in the future.")
    elif day < first:
        fault = Fault(pointer, "too_early", f"The day is before {since}.")
    else:
        return
    raise Invalid(fault.detail, faults=[fault])
