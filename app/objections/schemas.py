"""The wire of objections."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field

from app.objections.domain import Capacity, Filing, Letter, Objection, Outcome
from app.web.wire import LegalDay, Line, Moment, Prose, WireIn, WireOut


class ReferenceIn(WireIn):
    """A letter as it is referred to."""

    number: Line
    issued_on: LegalDay

    def letter(self) -> Letter:
        """The letter."""
        return Letter(self.number, self.issued_on)


class ObjectorIn(WireIn):
    """The objector and their capacity."""

    name: Line
    capacity: Capacity


class ObjectionIn(WireIn):
    """An objection as it was filed with the owner."""

    filed_on: Annotated[
        LegalDay,
        Field(
            description="Legal day on which it reached the owner, while the entry was in force; it may be recorded "
            "later, also after the entry's end."
        ),
    ]
    objector: ObjectorIn
    grounds: Prose
    letter: ReferenceIn | None = None

    def filing(self) -> Filing:
        """What was filed."""
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
    reason: Prose
    letter: ReferenceIn


class ReferenceOut(WireOut):
    """A letter as it is referred to."""

    number: str
    issued_on: date

    @classmethod
    def of(cls, letter: Letter | None) -> Self | None:
        """The letter on the wire."""
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
            description="Amendments of the entry; one of them must follow: the answer itself ends nothing."
        ),
    ]
    carry_out_by: Annotated[
        Moment | None,
        Field(
            description="Of a granted objection: until when the amendment is to follow (three days, a setting)."
        ),
    ]
    answered_by: str
    answered_at: Moment


class ObjectionOut(WireOut):
    """An objection against an entry; it never changes the entry's state by itself."""

    id: str
    version: int
    entry_id: str
    agency: str
    filed_on: date
    file_until: Annotated[
        date | None,
        Field(
            description="Last day to file, for administrative actions (TAK) whose delivery is recorded: 21 working "
            "days after it (Permenimipas 2/2025 art. 73); otherwise null."
        ),
    ]
    late: Annotated[bool, Field(description="Filed after `file_until`; recorded all the same.")]
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
    recorded_at: Moment
    answer: AnswerOut | None

    @classmethod
    def of(cls, objection: Objection) -> Self:
        """The objection on the wire."""
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
