"""Request and response bodies of checks (API section 5)."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.border.checks.reasons import TEXTS
from app.identity import documents
from app.identity.births import Birth, BirthUnreadable
from app.identity.mrz_layouts import Format
from app.register.entries.person_schemas import MAX_WRITTEN, PartialDate
from app.web.wire import Line, MomentText, Name, WireIn, WireOut

MAX_IN_BATCH = 1000

AnyState = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9<]{1,3}$", to_upper=True)]
"""A state's code, as printed on a document or read by a document reader; an unknown code is accepted."""


def _real_day(text: str) -> str:
    try:
        Birth(date=text)
    except BirthUnreadable as error:
        raise PydanticCustomError("birth", "{detail}", {"detail": str(error)}) from None
    return text


class CheckDocumentIn(WireIn):
    """The data of a document that were typed, instead of read from a machine-readable zone."""

    number: Annotated[Line, Field(max_length=MAX_WRITTEN)]
    """The document's number, as it was typed or sent by a document reader. One number has at most 40 characters."""
    issuing_state: AnyState | None = None
    """The issuing state's code as the document shows it."""
    type: Line | None = None
    """The kind of document; it does not affect the answer."""


class CheckPersonIn(WireIn):
    """Typed data of the traveller beside the document; each member may be absent."""

    name: Name | None = None
    """The traveller's name, in any script."""
    birth_date: Annotated[PartialDate, AfterValidator(_real_day)] | None = None
    """The traveller's birth date, as precise as it is known: a year, a month or a day."""
    sex: Literal["male", "female", "unspecified"] | None = None
    """The traveller's sex."""
    nationality: AnyState | None = None
    """Code of the traveller's nationality."""
    nik: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")] | None = None
    """The traveller's Indonesian identity number (NIK)."""


class AskedIn(WireIn):
    """The traveller in question; requires at least a zone, a document number, a NIK, or a name with a birth date."""

    mrz: Annotated[str, StringConstraints(min_length=1, max_length=400)] | None = None
    """The machine-readable zone (ICAO Doc 9303): its lines, with line breaks or without."""
    document: CheckDocumentIn | None = None
    """The document as it was typed."""
    person: CheckPersonIn | None = None
    """Further data of the traveller."""

    @model_validator(mode="after")
    def _asks_about_somebody(self) -> Self:
        named = self.person is not None and self.person.name and self.person.birth_date
        number = self.document.number if self.document else ""
        numbered = documents.normalise(number) or not number.isascii()
        identified = self.person is not None and self.person.nik
        if not (self.mrz or numbered or named or identified):
            message = "Give an mrz, a document number, a NIK, or a person with name and birth_date."
            raise PydanticCustomError("nobody", message)
        return self


class CheckIn(AskedIn):
    """One question about one traveller."""

    direction: Literal["exit", "entry"]
    """Whether the traveller leaves (`exit`) or arrives (`entry`)."""
    officer_reference: Line | None = None
    """The counter's own reference. It is stored with the question, and shown with the check's hit."""


class ReasonOut(WireOut):
    """One piece of evidence."""

    feature: Annotated[str, Field(json_schema_extra={"enum": sorted({feature for feature, _ in TEXTS})})]
    """The compared feature."""
    result: Annotated[str, Field(json_schema_extra={"enum": sorted({result for _, result in TEXTS})})]
    """The result of the comparison."""
    weight: float
    """Weight of the evidence, from -1 (against) to 1 (for a match)."""
    text_id: str
    """A sentence in Indonesian."""
    text_en: str
    """A sentence in English."""


class CheckContactOut(WireOut):
    """The contact that the counter calls: the entry's owner."""

    agency: str
    """Code of the agency to call."""
    phone: str | None
    """Its telephone; null while the register has none."""


class MatchOut(WireOut):
    """An entry that fits the traveller, and why."""

    entry_id: str
    """Id of the entry."""
    measure: Literal["prevention", "deterrence"]
    """`prevention`: may not leave; `deterrence`: may not enter."""
    level: Literal["exact", "probable", "possible"]
    """How certain it is that the traveller is the listed person."""
    score: float
    """Strength of the evidence that both are one person, from 0 to 1."""
    reasons: list[ReasonOut]
    """The pieces of evidence."""
    instruction: str
    """The instruction to the counter, as a sentence."""
    boundary_note: str | None
    """A note that the measure began in the last three hours or ends in the next three; null at other times."""
    contact: CheckContactOut
    """The contact to call."""
    in_force_until: MomentText | None
    """Last instant of the measure; null for life."""
    pending_until: Annotated[
        MomentText | None,
        Field(
            description="Null normally. An instant if the measure's period is over while papers that arrived in time "
            "are undecided: until then the entry refers and never refuses (reason `decision_pending`)."
        ),
    ] = None  # checks of earlier releases do not contain it
    photo: str | None
    """Path of the photo, readable for the next 24 hours; null without one."""


class NotedOut(WireOut):
    """An entry whose subject resembles the traveller by name, but not enough to stop the traveller.

    A match (`MatchOut`) decides the answer. A noted entry does not: it opens no hit, and only auditors see it.
    """

    entry_id: str
    """Id of the entry."""
    version: int
    """Its version at the check."""
    score: float
    """Strength of the evidence that both are one person, from 0 (none) to 1 (certain); same scale as in a match."""


class MrzOut(WireOut):
    """The zone as it was read, and whether each check digit is right."""

    format: Format
    """The format that was recognised."""
    valid: bool
    """Whether every check digit holds, every value can be read, and all letters are upper case."""
    check_digits: dict[str, bool]
    """Whether each check digit of the format holds."""
    fails: list[str]
    """Fields whose check digit fails or whose value can't be right, and `charset` for lower case."""
    warnings: list[str]
    """What is unknown or missing in the zone."""
    fields: dict[str, str | bool | None]
    """The values of the zone, by field; null where it has none."""


class RegistryOut(WireOut):
    """The state of the register on which the answer is based."""

    sequence: int
    """Number of the last ledger record that the answer takes into account."""
    as_of: MomentText
    """The instant at which the register was read for the answer."""
    mode: Literal["central", "replica"]
    """Whether the centre answered or a checkpoint's copy."""
    age_seconds: float
    """Age in seconds of the state on which the answer is based."""
    stale: Annotated[
        bool,
        Field(
            description="Whether entries may be missing here that were made before: the register was put back to an "
            "earlier state, and its operator has not accepted that yet. A `clear` is then no proof."
        ),
    ]


class CheckWarningOut(WireOut):
    """A warning that a member of the question was not read literally, or that its comparison is unreliable.

    A typed name in Han characters, for example, is compared unreliably: each language reads the characters differently.
    """

    code: str
    """A stable code that a program can act on."""
    pointer: str
    """The member: an RFC 6901 JSON pointer into the body that was sent."""
    detail: str
    """A sentence for a person."""


class CheckOut(WireOut):
    """The answer to a check. Its outcome is `clear` if no entry stops the traveller."""

    id: str
    """The check's id."""
    checked_at: MomentText
    """When it was answered."""
    outcome: Literal["clear", "refer", "refuse"]
    """`clear`: no entry stops the traveller; `refer`: a supervisor decides; `refuse`: the traveller does not pass."""
    action: Literal["allow", "refer_to_supervisor", "refuse_exit", "refuse_entry"]
    """The action that the counter takes."""
    matches: list[MatchOut]
    """The entries that stop the traveller.

    Only counters and auditors see the entries, and only if a counter asked; otherwise the list is empty. The check's
    hit always shows them.
    """
    mrz: MrzOut | None
    """The zone as it was read; null where none was sent, and once the question was erased."""
    registry: RegistryOut
    """The state of the register on which the answer is based."""
    hit_id: str | None
    """The hit that the check opened or joined; null where the answer is `clear`."""
    clearances: Annotated[
        list[str],
        Field(
            description="Ids of the clearances that removed entries from the matches. Only counters "
            "and auditors see them; for others the list is empty."
        ),
    ]
    noted: Annotated[
        list[NotedOut],
        Field(
            description="Entries that resemble the traveller by name, but not enough to stop the traveller. Only "
            "auditors see them; for others the list is empty."
        ),
    ]
    truncated: Annotated[
        bool,
        Field(
            description="True if too many entries resemble the traveller to compare all of them. Some entries were "
            "then not compared, although they are as likely to match as some of the compared ones."
        ),
    ]
    warnings: Annotated[
        list[CheckWarningOut],
        Field(
            description="Members of the question that were not read literally; empty once the question was erased."
        ),
    ]


class BatchIn(WireIn):
    """Up to 1000 questions."""

    items: Annotated[list[CheckIn], Field(max_length=MAX_IN_BATCH)]
    """The questions; each is answered independently of the others."""


class ProblemRowOut(WireOut):
    """A row that could not be answered."""

    problem: dict[str, Any]
    """A problem document, as `Problem` describes it."""


class BatchOut(WireOut):
    """One answer, or one problem, for each question, in order."""

    items: list[CheckOut | ProblemRowOut]
    """The answers and problems, in the order of the questions."""
