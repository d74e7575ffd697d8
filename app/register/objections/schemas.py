"""Request and response bodies of objections."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field

from app.register.objections.domain import Capacity, Filing, Letter, Objection, Outcome
from app.web.wire import LegalDay, Line, Moment, Prose, Reference, WireIn, WireOut


class ReferenceIn(WireIn):
    """The number and date of a letter."""

    number: Reference
    """The letter's number."""
    issued_on: LegalDay
    """The day on which it was signed."""

    def letter(self) -> Letter:
        """Return the letter as a domain object."""
        return Letter(self.number, self.issued_on)


class ObjectorIn(WireIn):
    """The person that objects, and the capacity in which this person does so."""

    name: Line
    """The objector's name."""
    capacity: Capacity
    """The capacity in which they object."""


class ObjectionIn(WireIn):
    """An objection as it was filed with the owner."""

    filed_on: Annotated[
        LegalDay,
        Field(
            description="Legal day on which it reached the owner: while the entry was in force, or, against an "
            "administrative action (TAK), until `file_until`. It may be recorded later, also after the entry's end."
        ),
    ]
    objector: ObjectorIn
    """The objector."""
    grounds: Prose
    """The objection's grounds."""
    letter: ReferenceIn | None = None
    """The letter by which it was filed, if it was."""

    def filing(self) -> Filing:
        """Return the filing as a domain object."""
        return Filing(
            filed_on=self.filed_on,
            name=self.objector.name,
            capacity=self.objector.capacity,
            grounds=self.grounds,
            letter=self.letter.letter() if self.letter else None,
        )


class AnswerIn(WireIn):
    """The owner's answer."""

    outcome: Outcome
    """The owner's decision on the objection."""
    reason: Prose
    """The reason."""
    letter: ReferenceIn
    """The letter by which the objector is answered."""


class ReferenceOut(WireOut):
    """The number and date of a letter."""

    number: str
    issued_on: date

    @classmethod
    def of(cls, letter: Letter | None) -> Self | None:
        """Convert the letter to the API's model; None for None."""
        return cls(number=letter.number, issued_on=letter.issued_on) if letter else None


class ObjectorOut(WireOut):
    """The objector and their capacity; the name is null once it was erased."""

    name: str | None
    capacity: Capacity


class AnswerOut(WireOut):
    """The owner's answer; reason and letter are null once they were erased."""

    outcome: Outcome
    reason: str | None
    letter: ReferenceOut | None
    must_follow: Annotated[
        list[Literal["annulment", "revocation"]],
        Field(
            description="Kinds of amendment: after a granted objection the owner must file one of them, because the "
            "answer itself ends nothing. Empty if it was rejected."
        ),
    ]
    carry_out_by: Annotated[
        Moment | None,
        Field(
            description="Of a granted objection: until when the amendment is to follow (three days, a setting)."
        ),
    ]
    answered_by: str
    """Id of the client that answered."""
    answered_at: Moment
    """When the answer was recorded."""


class ObjectionOut(WireOut):
    """An objection against an entry; it never changes the entry's state by itself."""

    id: str
    """The objection's id."""
    version: int
    """Its version; the answer makes a new one."""
    entry_id: str
    """Id of the entry."""
    agency: str
    """Code of the entry's owner."""
    filed_on: date
    file_until: Annotated[
        date | None,
        Field(
            description="Last day to file, for administrative actions (TAK) whose delivery is recorded: 21 working "
            "days after it (Permenimipas 2/2025 art. 73); otherwise null."
        ),
    ]
    late: Annotated[bool, Field(description="Filed after `file_until`; a late objection is recorded too.")]
    objector: ObjectorOut
    grounds: str | None
    letter: ReferenceOut | None
    answer_due_at: Annotated[
        Moment,
        Field(
            description="For administrative actions (TAK) five and five working days after the filing "
            "(Permenimipas 2/2025 art. 73), for other measures ten (a setting), Monday to Friday without Indonesia's "
            "public holidays and days of joint leave, as the deployment knows them."
        ),
    ]
    recorded_by: str
    """Id of the client that recorded it."""
    recorded_at: Moment
    """When it was recorded."""
    answer: AnswerOut | None
    """The owner's answer; null before."""

    @classmethod
    def of(cls, objection: Objection) -> Self:
        """Convert the objection to the API's model."""
        filing = objection.filing
        return cls(
            id=objection.id,
            version=objection.version,
            entry_id=objection.entry_id,
            agency=objection.agency,
            filed_on=filing.filed_on,
            file_until=objection.file_until,
            late=objection.late,
            objector=ObjectorOut(name=filing.name, capacity=filing.capacity),
            grounds=filing.grounds,
            letter=ReferenceOut.of(filing.letter),
            answer_due_at=objection.answer_due_at,
            recorded_by=objection.recorded_by,
            recorded_at=objection.recorded_at,
            answer=_answer(objection),
        )


def _answer(objection: Objection) -> AnswerOut | None:
    given = objection.answer
    if given is None:
        return None
    return AnswerOut.model_validate(
        {
            "outcome": given.outcome,
            "reason": given.reason,
            "letter": ReferenceOut.of(given.letter),
            "must_follow": list(objection.must_follow),
            "carry_out_by": given.carry_out_by,
            "answered_by": given.by,
            "answered_at": given.at,
        }
    )
