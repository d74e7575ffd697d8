"""The wire of explanations (contract section 5)."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.checks.explaining import Explanation, shown
from app.checks.schemas import CheckIn, ReasonOut
from app.entries.person_schemas import SubjectIn
from app.web.wire import Line, WireOut


class ExplainIn(CheckIn):
    """A traveller as in a check, and what they are compared with: an entry, or a supposed subject."""

    entry_id: Line | None = None
    subject: SubjectIn | None = Field(
        None, description="As in an entry's body, as much as is known; a photo is not looked at."
    )

    @model_validator(mode="after")
    def _compares_with_one(self) -> Self:
        if (self.entry_id is None) is (self.subject is None):
            raise PydanticCustomError("one_of", "Give either an entry_id or a subject.")
        return self


class StepOut(WireOut):
    """One step, as a sentence in both languages and with what it rests on."""

    step: Annotated[
        str,
        Field(
            description="`zone`, `citizenship`, `number`: the traveller as understood. `name`: a name made ready. "
            "`number_key`, `name_key`, `birth_key`, `name_keys`, `candidate`: by what the entry is found. "
            "`listed_number`, `number_case`: what equal numbers come to. `names`, `name_word`, `alias`, "
            "`weak_aliases`, `birth_date`, `sex`, `nationality`, `evidence`: what speaks for and against, in bits. "
            "`threshold`, `tier`: which thresholds of `match_policy` were met. `decided_by`, `in_force`, "
            "`clearance`, `outcome`: what a check answers."
        ),
    ]
    result: str
    text_id: str
    text_en: str
    details: dict[str, Any]


class VerdictOut(WireOut):
    """What a check would answer of one measure."""

    measure: Literal["prevention", "deterrence"]
    outcome: Literal["clear", "refer", "refuse"]
    action: Literal["allow", "refer_to_supervisor", "refuse_exit", "refuse_entry"]
    matched: Annotated[bool, Field(description="Somebody would be stopped, or the owner told.")]
    noted: Annotated[bool, Field(description="Alike, but not so much that anybody waits.")]
    sighting: Annotated[bool, Field(description="Nobody is stopped in this direction; the owner is told.")]


class ExplanationOut(WireOut):
    """Why two records match or not: every step in order, and where they lead."""

    entry_id: str | None
    level: Annotated[
        Literal["exact", "probable", "possible"] | None,
        Field(description="Null where nothing that counts speaks for the two being one person."),
    ]
    score: float | None
    reasons: list[ReasonOut]
    verdicts: Annotated[
        list[VerdictOut], Field(description="Of an entry one; of a supposed subject one for each measure.")
    ]
    steps: list[StepOut]

    @classmethod
    def of(cls, explained: Explanation) -> Self:
        """An explanation on the wire."""
        found = explained.comparison
        return cls.model_validate(
            {
                "entry_id": explained.entry.id if explained.entry else None,
                "level": found.level if found else None,
                "score": found.score if found else None,
                "reasons": shown(found.reasons) if found else [],
                "verdicts": explained.verdicts,
                "steps": explained.steps,
            },
            from_attributes=True,
        )
