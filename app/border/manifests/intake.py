"""Reading manifests, which are JSON or PAXLST, and turning each into questions for checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from app.access.domain import Checkpoint
from app.border.checks.parsing import ParsedQuestion, parse_question
from app.border.manifests import paxlst
from app.border.manifests.domain import (
    Arrival,
    crossing,
    departure_of,
    direction_between,
    most_days_ahead,
    watched_until,
)
from app.border.manifests.edifact import Unreadable
from app.border.manifests.paxlst import (
    MAX_PAPERS,
    MAX_PASSENGERS,
    Envelope,
    ListWarning,
    PassengerList,
    PaxlstPassenger,
)
from app.border.manifests.places import checkpoint_named, is_indonesian
from app.border.manifests.schemas import ArrivalIn, JourneyIn, PassengerIn
from app.errors import BodyTooLarge, CekalError, Fault, Invalid
from app.identity import states
from app.identity.births import Birth, BirthUnreadable
from app.identity.mrz_dates import read_births
from app.kit.clock import legal_day
from app.kit.pace import paced
from app.register.entries.answer import Direction
from app.web.bodies import expect_single, read_json
from app.web.faults import in_body

_SEXES: Final = {"M": "male", "F": "female", "X": "unspecified", "U": "unspecified"}
_CODE: Final = 3
"""Greatest length of a state's code."""

_OF_DECLARATIONS: Final = frozenset(ArrivalIn.model_fields)

_arrival = TypeAdapter(ArrivalIn)
_journey = TypeAdapter(JourneyIn)
_passenger = TypeAdapter(PassengerIn)


@dataclass(frozen=True, slots=True)
class Passenger:
    """A passenger to be checked.

    Attributes:
        reference: the sender's own reference.
        locator: record locator of the reservation; empty without one.
        questions: the questions to check. JSON makes one question. A PAXLST makes one for each document, or one without
            a document, and twice as many if the century of the birth date is unclear. Empty if the row has a fault.
        fault: why the passenger can't be checked; None if they can.
    """

    reference: str | None
    locator: str
    questions: tuple[ParsedQuestion, ...]
    fault: CekalError | None = None


@dataclass(frozen=True, slots=True)
class ManifestRequest:
    """A manifest as received: a journey or declared arrivals, with passengers to be checked.

    Attributes:
        place: code of the checkpoint where the passengers' hits are opened, set by `at_checkpoint` or `at_port`; empty
            before that.
        departs_at: time of departure; None if it is unknown, and for declared arrivals.
        warnings: faults of the list that do not prevent its acceptance.
        envelope: data of a PAXLST's interchange that a reply repeats; None for JSON.
        times: departure and arrival in local time, as a PAXLST has them.
        arrives_on: the day of declared arrivals; None for a journey.
        arrival: the same day with the port's time zone, set by `at_port`; None before that, and for a journey.
    """

    flight: str
    direction: Direction
    origin: str
    destination: str
    departs_at: datetime | None
    passengers: Sequence[Passenger]
    place: str = ""
    warnings: Sequence[ListWarning] = ()
    envelope: Envelope | None = None
    times: tuple[datetime | None, datetime | None] = (None, None)
    arrives_on: date | None = None
    arrival: Arrival | None = None

    def watched_until(self, now: datetime, question_days: int) -> datetime:
        """Return when the watch of the manifest's passengers must end.

        `now` is when the manifest was received; `question_days` is the number of days after which questions are erased.
        """
        if self.arrival is not None:
            return self.arrival.watched_until
        return watched_until(self.departs_at, now, question_days)


def from_json(body: bytes, now: datetime) -> ManifestRequest:
    """Parse a manifest in JSON; call this in a thread, because parsing a thousand names takes long.

    A fault of a passenger is not raised, but returned in `Passenger.fault`. `now`, the present, decides the century of
    two-digit years, and which birth dates are in the future.

    Raises:
        MalformedJson: the body is not JSON.
        Invalid: the journey or the declaration has a fault, or there is no list of passengers.
        BodyTooLarge: the manifest has too many passengers.
    """
    sent = read_json(body)
    expect_single(sent, inside=False)
    rows = sent.pop("passengers", None) if isinstance(sent, dict) else None
    faults = (
        []
        if isinstance(rows, list)
        else [Fault("/passengers", "missing", "A list of passengers is required.")]
    )
    declared = isinstance(sent, dict) and not _OF_DECLARATIONS.isdisjoint(sent)
    try:
        journey = _arrival.validate_python(sent) if declared else _journey.validate_python(sent)
    except ValidationError as error:
        faults = [*in_body(error), *faults]
    if faults:
        raise Invalid(f"The request has faults; {len(faults)} listed in errors.", faults=faults)
    if len(rows or ()) > MAX_PASSENGERS:
        raise _too_many()
    today = legal_day(now)
    direction = "entry" if isinstance(journey, ArrivalIn) else journey.direction
    passengers = paced(lambda row: _row(row, direction, today), rows or ())
    if isinstance(journey, ArrivalIn):
        return ManifestRequest(
            flight="",
            direction="entry",
            origin="",
            destination=journey.port,
            departs_at=None,
            arrives_on=journey.arrives_on,
            passengers=passengers,
            warnings=_reading_warnings(passengers),
        )
    return ManifestRequest(
        flight=journey.flight,
        direction=journey.direction,
        origin=journey.origin,
        destination=journey.destination,
        departs_at=journey.departs_at,
        passengers=passengers,
        warnings=_reading_warnings(passengers),
    )


def at_port(
    requested: ManifestRequest, port: Checkpoint | None, now: datetime, question_days: int
) -> ManifestRequest:
    """Return a declaration of arrivals with its `place` and `arrival` set: the day in the port's time zone.

    Args:
        requested: a manifest of declared arrivals.
        port: the checkpoint that the declaration names; None if there is no checkpoint with this code.
        now: the present.
        question_days: number of days after which a check's question is erased; it limits how far ahead the day may be.

    Raises:
        Invalid: there is no active checkpoint with this code, or the day is before yesterday or too far ahead.
    """
    assert requested.arrives_on is not None, "a journey is at no port"
    if port is None or not port.active:
        fault = Fault("/port", "unknown", "There is no such checkpoint.")
        raise Invalid("The port is unknown.", faults=[fault])
    arrival = Arrival(requested.arrives_on, ZoneInfo(port.zone))
    most = most_days_ahead(question_days)
    if arrival.too_late(now):
        fault = Fault("/arrives_on", "past", "The day is before yesterday in the port's time.")
        raise Invalid("Arrivals can't be declared for this day.", faults=[fault])
    if arrival.days_ahead(now) > most:
        fault = Fault("/arrives_on", "too_far", f"The day is more than {most} days ahead.")
        raise Invalid("Arrivals can't be declared for this day.", faults=[fault])
    return replace(requested, place=port.code, arrival=arrival)


def at_checkpoint(
    requested: ManifestRequest, places: Mapping[str, Checkpoint], otherwise: str
) -> ManifestRequest:
    """Return the manifest of a journey with its `place` set: the checkpoint at the Indonesian end.

    If no active checkpoint has the code of this end, the place is `otherwise`, and the manifest gets a warning. So the
    passengers are checked, and their hits reach supervisors that can resolve them.

    Args:
        requested: a manifest of a journey.
        places: the register's checkpoints, by code.
        otherwise: code of the checkpoint for a journey without one.
    """
    end, pointer = (
        (requested.destination, "/to") if requested.direction == "entry" else (requested.origin, "/from")
    )
    found = checkpoint_named(end, places)
    if found is not None and found.active:
        return replace(requested, place=found.code)
    detail = f"There is no active checkpoint with this code: {otherwise} handles the journey."
    warning = ListWarning("checkpoint_unknown", detail, pointer)
    return replace(requested, place=otherwise, warnings=[*requested.warnings, warning])


def _row(row: Any, direction: Direction, today: date) -> Passenger:
    reference = row.get("reference") if isinstance(row, dict) else None
    sent_reference = reference if isinstance(reference, str) and _encodable(reference) else None
    try:
        expect_single(row)
        passenger = _passenger.validate_python(row)
        members = passenger.model_dump(exclude={"reference"}, exclude_none=True)
        return Passenger(
            passenger.reference, "", (parse_question({"direction": direction, **members}, today),)
        )
    except ValidationError as error:
        faults = in_body(error)
        detail = f"The request has faults; {len(faults)} listed in errors."
        return Passenger(sent_reference, "", (), Invalid(detail, faults=faults))
    except CekalError as error:
        return Passenger(sent_reference, "", (), error)


def _reading_warnings(passengers: Sequence[Passenger]) -> list[ListWarning]:
    """What checks would warn of, each once a passenger, however many questions it is asked by."""
    found = (
        ListWarning(each["code"], each["detail"], f"/passengers/{place}{each['pointer']}")
        for place, passenger in enumerate(passengers)
        for parsed in passenger.questions
        for each in parsed.warnings()
    )
    return list(dict.fromkeys(found))


def _encodable(text: str) -> bool:
    """Return whether the reference of a faulty row can be repeated; JSON may contain lone surrogates."""
    return len(text) <= 70 and text.isprintable()  # noqa: PLR2004 - as PassengerIn has it


def from_edifact(body: bytes) -> PassengerList:
    """Parse the passenger list in the bytes of an EDIFACT PAXLST.

    Raises:
        Invalid: the interchange can't be read; the error names the segment.
        BodyTooLarge: the list has too many passengers.
    """
    try:
        return paxlst.read(body)
    except Unreadable as error:
        where = f"Segment {error.segment} ({error.tag}): " if error.tag else ""
        fault = Fault("", error.code, f"{where}{error.detail}")
        extra = {"segment": error.segment, "tag": error.tag}
        raise Invalid(f"The interchange can't be read. {fault.detail}", faults=[fault], extra=extra) from None
    except paxlst.TooManyPassengers:
        raise _too_many() from None


def from_list(listed: PassengerList, places: Mapping[str, Checkpoint], now: datetime) -> ManifestRequest:
    """Return the manifest of a parsed passenger list, with the questions about each passenger. Raises nothing.

    An unknown direction or time makes a warning of the manifest; a fault of a passenger is returned in
    `Passenger.fault`. Run it in a thread, because long lists take seconds.

    Args:
        listed: the parsed list.
        places: the register's checkpoints, by code.
        now: the present, which decides the century of two-digit years.
    """

    def is_ours(code: str) -> bool:
        return is_indonesian(code, places)

    journey = crossing(listed.legs, is_ours)
    leg, warnings = journey.leg, list(listed.warnings)
    if journey.assumed:
        detail = "No leg crosses the border between known places: the passengers are asked about as arriving."
        warnings.append(ListWarning("direction_assumed", detail))
    departs_at = departure_of(leg, places)
    if departs_at is None:
        warnings.append(
            ListWarning("departure_unknown", "No time of departure can be read: it is watched for a day.")
        )
    today = legal_day(now)

    def passenger(numbered: tuple[int, PaxlstPassenger]) -> Passenger:
        number, each = numbered
        direction = direction_between(each.embarks.upper(), each.leaves.upper(), is_ours) or journey.direction
        return _listed(each, number, direction, today)

    passengers = paced(passenger, enumerate(listed.passengers, 1))
    return ManifestRequest(
        flight=leg.flight[:35],
        direction=journey.direction,
        origin=leg.origin[:32],
        destination=leg.destination[:32],
        departs_at=departs_at,
        passengers=passengers,
        warnings=[*warnings, *_reading_warnings(passengers)],
        envelope=listed.envelope,
        times=(leg.departs, leg.arrives),
    )


def _listed(listed: PaxlstPassenger, number: int, direction: Direction, today: date) -> Passenger:
    reference, locator = (listed.reference or str(number))[:70], listed.locator[:70]
    try:
        questions = tuple(
            parse_question(question, today) for question in _questions(listed, direction, today)
        )
    except CekalError as error:
        return Passenger(reference, locator, (), error)
    return Passenger(reference, locator, questions)


def _questions(listed: PaxlstPassenger, direction: Direction, today: date) -> list[dict[str, Any]]:
    """Return a question for each document of a passenger, or one without; each with all data about the person.

    If the two-digit year of birth may belong to either century, each question is asked for both.

    Raises:
        Invalid: the birth date can't be read, or there are too many documents.
    """
    if len(listed.papers) > MAX_PAPERS:
        fault = Fault("/document", "too_many", f"A passenger has at most {MAX_PAPERS} documents.")
        raise Invalid("The passenger has too many documents.", faults=[fault])
    person = {
        "name": listed.name,
        "sex": _SEXES.get(listed.sex[:1].upper()),
        "nationality": _state(listed.nationality),
    }
    papers = [paper for paper in listed.papers if paper.number and not paxlst.is_visa(paper)]
    documents = [
        {"number": paper.number, "type": paxlst.kind_of(paper), "issuing_state": _state(paper.state)}
        for paper in dict.fromkeys(papers)
    ]
    questions: list[dict[str, Any]] = []
    for birth in _births(listed.birth, today) or (None,):
        known = {name: value for name, value in {**person, "birth_date": birth}.items() if value}
        whole: dict[str, Any] = {"direction": direction, **({"person": known} if known else {})}
        questions += [{**whole, "document": document} for document in documents] or [whole]
    return questions


def _state(written: str) -> str | None:
    """Return a state's code from the code or the name in the list. Returns None if it can't be read."""
    if len(written) > _CODE:
        return states.from_country_name(written)
    return written if written.isascii() and written.isalnum() else None


def _births(digits: str, today: date) -> tuple[str, ...]:
    """Return the possible birth dates for digits, in the form of checks; 00 means an unknown part.

    Raises:
        Invalid: the digits are not a date.
    """
    if not digits.strip("0"):
        return ()
    fault = Fault("/person/birth_date", "birth", "The birth date can't be read.")
    if len(digits) == 6 and digits.isascii():  # noqa: PLR2004 - YYMMDD
        births, wrong = read_births(digits, today)
        if births and wrong is None:
            return tuple(str(birth.date) for birth in births)
    elif len(digits) == 8 and digits.isascii() and digits.isdigit():  # noqa: PLR2004 - CCYYMMDD
        year, month, day = digits[:4], digits[4:6], digits[6:]
        written = year if month == "00" else f"{year}-{month}" if day == "00" else f"{year}-{month}-{day}"
        try:
            return (str(Birth(date=written).date),)
        except BirthUnreadable:
            pass
    raise Invalid("The birth date can't be read.", faults=[fault])


def _too_many() -> BodyTooLarge:
    return BodyTooLarge(f"A manifest holds at most {MAX_PASSENGERS} passengers.")
