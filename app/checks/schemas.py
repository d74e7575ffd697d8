"""The wire of checks (contract section 5)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from app.checks.traveller import Traveller, traveller_of
from app.entries.person_schemas import PartialDate
from app.errors import Fault, Invalid, MalformedJson, MrzUnreadable
from app.identity import documents, mrz
from app.identity.births import Birth, BirthUnreadable
from app.identity.mrz import Mrz
from app.kit.clock import legal_day
from app.matching.keys import Wanted, wanted
from app.web.faults import in_body
from app.web.wire import Line, Name, WireIn, WireOut

MOST_IN_BATCH = 1000

AnyState = Annotated[str, StringConstraints(pattern=r"^[A-Za-z<]{1,3}$", to_upper=True)]
"""A state's code as a document shows it; an unknown one is no fault of the traveller's."""


def _real_day(text: str) -> str:
    try:
        Birth(date=text)
    except BirthUnreadable as error:
        raise PydanticCustomError("birth", "{detail}", {"detail": str(error)}) from None
    return text


class CheckDocumentIn(WireIn):
    """A document as typed."""

    number: Annotated[Line, Field(max_length=40)]
    issuing_state: AnyState | None = None
    type: Line | None = None


class CheckPersonIn(WireIn):
    """What else is known of the traveller; each member may be absent."""

    name: Name | None = None
    birth_date: Annotated[PartialDate, AfterValidator(_real_day)] | None = None
    sex: Literal["male", "female", "unspecified"] | None = None
    nationality: AnyState | None = None
    nik: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")] | None = None


class AskedIn(WireIn):
    """The traveller that a question is about: at least a zone, a document, or a name with a birth date."""

    mrz: Annotated[str, StringConstraints(min_length=1, max_length=400)] | None = None
    document: CheckDocumentIn | None = None
    person: CheckPersonIn | None = None

    @model_validator(mode="after")
    def _asks_about_somebody(self) -> Self:
        named = self.person is not None and self.person.name and self.person.birth_date
        numbered = self.document is not None and documents.normalise(self.document.number)
        identified = self.person is not None and self.person.nik
        if not (self.mrz or numbered or named or identified):
            message = "Give an mrz, a document number, a NIK, or a person with name and birth_date."
            raise PydanticCustomError("nobody", message)
        return self


class CheckIn(AskedIn):
    """One question about one traveller."""

    direction: Literal["exit", "entry"]
    officer_reference: Line | None = None


class Asked(msgspec.Struct, frozen=True):
    """A question, understood.

    Attributes:
        body: as it was sent.
        mrz: the zone that was read.
        traveller: the person that it describes.
        keys: the numbers under which that person may stand in the register.
        wanted: what to look up by name and birth; None without a name.
    """

    body: CheckIn
    mrz: Mrz | None
    traveller: Traveller
    keys: list[str]
    wanted: Wanted | None

    @property
    def text(self) -> str:
        """The question as it is stored."""
        return self.body.model_dump_json(exclude_none=True)


_check = TypeAdapter(CheckIn)
_NOTHING_ELSE = CheckPersonIn()


def understand(sent: bytes | Mapping[str, Any], today: date) -> Asked:
    """Read a question that is to be answered.

    Args:
        sent: the body's bytes, or a parsed row of a batch.
        today: the legal day, which decides the century of two-digit years.

    Raises:
        Invalid: with every fault; also where nothing is left to look for, or a birth date lies in the future: then
            `clear` would be an answer to a question that nobody asked.
        MalformedJson: the bytes are no JSON.
        MrzUnreadable: the zone has no known format.
    """
    body = _valid(sent)
    asked = understood(body, today)
    if not asked.keys and asked.wanted is None:
        raise _at_fault(
            _first_given(body),
            "nothing_to_look_for",
            "Nothing is left here to look for but blanks, signs, zeros or X, and nothing else says who it is.",
        )
    born = body.person.birth_date if body.person else None
    if born and born > today.isoformat()[: len(born)]:
        raise _at_fault("/person/birth_date", "future", "Nobody is born in the future.")
    return asked


def remembered(question: str, at: datetime) -> Asked:
    """Read a stored question again as it was understood at its instant; whether it is answered isn't asked again."""
    return understood(_valid(question.encode()), legal_day(at))


def understood(body: CheckIn, today: date) -> Asked:
    """Find out which traveller a question is about.

    Raises:
        MrzUnreadable: the zone has no known format.
    """
    zone = _read(body.mrz, today) if body.mrz else None
    person = body.person or _NOTHING_ELSE
    traveller = traveller_of(
        mrz=zone,
        document=(body.document.number, body.document.issuing_state) if body.document else None,
        name=person.name,
        birth=Birth(date=person.birth_date) if person.birth_date else None,
        sex=person.sex,
        nationality=person.nationality,
        personal_number=person.nik,
    )
    sought = wanted(traveller.person) if traveller.person.names else None
    return Asked(body, zone, traveller, traveller.known_under(), sought)


def _first_given(body: CheckIn) -> str:
    if body.mrz:
        return "/mrz"
    if body.person and (body.person.name or body.person.nik):
        return "/person/name" if body.person.name else "/person/nik"
    return "/document/number"


def _valid(sent: bytes | Mapping[str, Any]) -> CheckIn:
    try:
        if isinstance(sent, bytes):
            return _check.validate_json(sent)
        return _check.validate_python(sent, strict=False)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise MalformedJson("The body is no JSON.") from None
        faults = in_body(error)
        raise Invalid(f"The request has faults; {len(faults)} listed in errors.", faults=faults) from None


def _at_fault(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, faults=[Fault(pointer, code, detail)])


def _read(text: str, today: date) -> Mrz:
    try:
        return mrz.parse(text, today)
    except mrz.MrzUnreadable as error:
        fault = Fault("/mrz", error.code, str(error))
        raise MrzUnreadable("The machine-readable zone can't be read.", faults=[fault]) from None


class ReasonOut(WireOut):
    """One piece of evidence."""

    feature: str
    result: str
    weight: float
    text_id: str
    text_en: str


class CheckContactOut(WireOut):
    """The contact that the counter calls."""

    agency: str
    phone: str | None


class MatchOut(WireOut):
    """An entry that fits the traveller, and why."""

    entry_id: str
    measure: Literal["prevention", "deterrence"]
    level: Literal["exact", "probable", "possible"]
    score: float
    reasons: list[ReasonOut]
    instruction: str
    boundary_note: str | None
    contact: CheckContactOut
    in_force_until: str | None
    pending_until: Annotated[
        str | None,
        Field(
            description="The period is over and papers that arrived in time are undecided: until this instant the "
            "entry refers, never refuses (reason `decision_pending`)."
        ),
    ] = None  # checks of former releases did not say it
    photo: str | None


class NotedOut(WireOut):
    """An entry whose subject's name is like the traveller's."""

    entry_id: str
    version: int
    score: float


class MrzOut(WireOut):
    """The zone as it was read, with every check digit's verdict."""

    format: str
    valid: bool
    check_digits: dict[str, bool]
    fails: list[str]
    warnings: list[str]
    fields: dict[str, str | bool | None]


class RegistryOut(WireOut):
    """What the answer rests on."""

    sequence: int
    as_of: str
    mode: Literal["central", "replica"]
    age_seconds: float


class CheckOut(WireOut):
    """The answer: always there, also when nobody was found."""

    id: str
    checked_at: str
    outcome: Literal["clear", "refer", "refuse"]
    action: Literal["allow", "refer_to_supervisor", "refuse_exit", "refuse_entry"]
    matches: list[MatchOut]
    mrz: MrzOut | None
    registry: RegistryOut
    hit_id: str | None
    clearances: Annotated[
        list[str],
        Field(
            description="Shown to counters and auditors: clearances by which entries that would have matched were "
            "passed over; else empty."
        ),
    ]
    noted: Annotated[
        list[NotedOut],
        Field(description="Shown to auditors: whose names are alike, but not so much that anybody waits."),
    ]
    truncated: Annotated[
        bool,
        Field(description="More entries share keys with the traveller than are compared; the best were."),
    ]


class BatchIn(WireIn):
    """Up to 1000 questions."""

    items: list[CheckIn]


class ProblemRowOut(WireOut):
    """A row that could not be answered."""

    problem: dict[str, Any]


class BatchOut(WireOut):
    """One answer, or one problem, for each question, in order."""

    items: list[CheckOut | ProblemRowOut]
