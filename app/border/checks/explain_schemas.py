"""Request and response bodies of explanations: why a traveller matches an entry or not (API section 5)."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.border.checks.explaining import Explanation, shown
from app.border.checks.schemas import CheckIn, ReasonOut
from app.register.entries.person_schemas import SubjectIn
from app.web.wire import Line, WireOut


class ExplainIn(CheckIn):
    """A traveller as in a check, and either an entry or a made-up subject to compare the traveller with."""

    entry_id: Line | None = None
    """Id of the entry to compare with."""
    subject: SubjectIn | None = Field(
        None,
        description="A made-up subject to compare with, in the form of an entry's body; a photo is ignored.",
    )

    @model_validator(mode="after")
    def _compares_with_one(self) -> Self:
        if (self.entry_id is None) is (self.subject is None):
            raise PydanticCustomError("one_of", "Give either an entry_id or a subject.")
        return self


class ExplanationStepOut(WireOut):
    """One step, as a sentence in both languages, with its facts."""

    step: Annotated[
        str,
        Field(
            description="`zone`, `citizenship`, `number`: the traveller's data as they were read. `name`: a name in "
            "the form in which it is compared. `number_key`, `name_key`, `birth_key`, `name_keys`, `candidate`: the "
            "keys that find the entry. `listed_number`, `number_case`: the results of comparing numbers. `names`, "
            "`name_word`, `alias`, `weak_aliases`, `birth_date`, `sex`, `nationality`, `evidence`: the evidence for "
            "and against a match, in bits. `threshold`, `tier`: the thresholds of `match_policy` that were met or "
            "missed. `decided_by`, `in_force`, `clearance`, `outcome`: the answer of a check."
        ),
    ]
    result: str
    """The result of the step, as a word."""
    text_id: str
    """The step in Indonesian."""
    text_en: str
    """The step in English."""
    details: dict[str, Any]
    """The facts of the step; its members differ from step to step."""


class VerdictOut(WireOut):
    """The answer that a check would give about one measure."""

    measure: Literal["prevention", "deterrence"]
    """The measure."""
    outcome: Literal["clear", "refer", "refuse"]
    """The outcome of such a check."""
    action: Literal["allow", "refer_to_supervisor", "refuse_exit", "refuse_entry"]
    """The counter's action after such a check."""
    matched: Annotated[
        bool,
        Field(description="Whether the check would stop the traveller, or notify the owner of a sighting."),
    ]
    noted: Annotated[
        bool, Field(description="Whether the names are similar, but not enough to stop the traveller.")
    ]
    sighting: Annotated[
        bool,
        Field(
            description="Whether the measure stops nobody in this direction, so that the owner is only notified."
        ),
    ]


class ExplanationOut(WireOut):
    """The reasons why a traveller matches an entry (or a made-up subject) or not: every step, and the result."""

    entry_id: str | None
    """Id of the entry compared with; null for a made-up subject."""
    level: Annotated[
        Literal["exact", "probable", "possible"] | None,
        Field(description="How certain it is that both are one person; null without sufficient evidence."),
    ]
    score: float | None
    """Strength of the evidence that both are one person, from 0 to 1; null without any."""
    reasons: list[ReasonOut]
    """The pieces of evidence that count."""
    verdicts: Annotated[
        list[VerdictOut],
        Field(description="For an entry one verdict; for a made-up subject one for each measure."),
    ]
    steps: list[ExplanationStepOut]
    """Every step, in order."""

    @classmethod
    def of(cls, explained: Explanation) -> Self:
        """Convert an explanation to the API's model."""
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
