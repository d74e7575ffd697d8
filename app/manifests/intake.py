"""From what was sent to questions: the JSON twin and the PAXLST become one thing here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from app.access.domain import Checkpoint
from app.checks.schemas import Asked, understand
from app.entries.answer import Direction
from app.errors import BodyTooLarge, CekalError, Fault, Invalid, MalformedJson
from app.identity import states
from app.identity.births import Birth, BirthUnreadable
from app.identity.mrz_dates import read_birth
from app.kit.clock import legal_day
from app.kit.pace import paced
from app.manifests import paxlst
from app.manifests.domain import crossing, departure_of, direction_between
from app.manifests.edifact import Unreadable
from app.manifests.paxlst import MOST_PAPERS, MOST_PASSENGERS, Envelope, Listed, PassengerList, Warned
from app.manifests.schemas import JourneyIn, PassengerIn
from app.web.faults import in_body

_SEXES: Final = {"M": "male", "F": "female", "X": "unspecified", "U": "unspecified"}
_LOCODE: Final = 5
"""Letters of a UN/LOCODE; the first two are the country's."""

_journey = TypeAdapter(JourneyIn)
_passenger = TypeAdapter(PassengerIn)


@dataclass(frozen=True, slots=True)
class Passenger:
    """A passenger to be asked about.

    Attributes:
        asked: a question for each document; empty where the row is at fault.
        fault: why it can't be asked.
    """

    reference: str | None
    locator: str
    asked: tuple[Asked, ...]
    fault: CekalError | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A manifest to be asked about.

    Attributes:
        place: where its passengers are met.
        times: departure and arrival in the time of their places, as a PAXLST has them.
    """

    flight: str
    direction: Direction
    origin: str
    destination: str
    place: str
    departs_at: datetime | None
    passengers: Sequence[Passenger]
    warnings: Sequence[Warned] = ()
    envelope: Envelope | None = None
    times: tuple[datetime | None, datetime | None] = (None, None)


def from_json(body: bytes, now: datetime) -> Wanted:
    """Read the JSON twin; in a thread, since a thousand names take a while to understand.

    Raises:
        MalformedJson: it is no JSON.
        Invalid: the journey is at fault; a passenger's fault is its own.
        BodyTooLarge: too many passengers.
    """
    try:
        # The standard library's reader lets a lone surrogate through to the row whose fault it is.
        sent = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise MalformedJson("The body is no JSON.") from None
    rows = sent.pop("passengers", None) if isinstance(sent, dict) else None
    faults = (
        []
        if isinstance(rows, list)
        else [Fault("/passengers", "missing", "A list of passengers is required.")]
    )
    try:
        journey = _journey.validate_python(sent)
    except ValidationError as error:
        faults = [*in_body(error), *faults]
    if faults:
        raise Invalid(f"The request has faults; {len(faults)} listed in errors.", faults=faults)
    if len(rows or ()) > MOST_PASSENGERS:
        raise _too_many()
    today = legal_day(now)
    return Wanted(
        flight=journey.flight,
        direction=journey.direction,
        origin=journey.origin,
        destination=journey.destination,
        place=journey.destination if journey.direction == "entry" else journey.origin,
        departs_at=journey.departs_at,
        passengers=paced(lambda row: _row(row, journey.direction, today), rows or ()),
    )


def _row(row: Any, direction: Direction, today: date) -> Passenger:
    reference = row.get("reference") if isinstance(row, dict) else None
    told = reference if isinstance(reference, str) and _encodable(reference) else None
    try:
        passenger = _passenger.validate_python(row)
        said = passenger.model_dump(exclude={"reference"}, exclude_none=True)
        return Passenger(passenger.reference, "", (understand({"direction": direction, **said}, today),))
    except ValidationError as error:
        faults = in_body(error)
        detail = f"The request has faults; {len(faults)} listed in errors."
        return Passenger(told, "", (), Invalid(detail, faults=faults))
    except CekalError as error:
        return Passenger(told, "", (), error)


def _encodable(text: str) -> bool:
    """Whether a reference of a faulty row can be repeated: JSON may smuggle in halves of characters."""
    return len(text) <= 70 and text.isprintable()  # noqa: PLR2004 - as PassengerIn has it


def from_edifact(body: bytes) -> PassengerList:
    """Read a PAXLST.

    Raises:
        Invalid: it can't be read; says at which segment.
        BodyTooLarge: too many passengers.
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


def from_list(listed: PassengerList, places: Mapping[str, Checkpoint], now: datetime) -> Wanted:
    """What a passenger list asks; in a thread, as `from_json`.

    Args:
        listed: the list, read.
        places: the register's checkpoints, by code.
        now: the moment, for the centuries of two-digit years.
    """

    def is_ours(code: str) -> bool:
        known = places.get(code)
        return (known is not None and known.mode == "air") or (len(code) == _LOCODE and code.startswith("ID"))

    journey = crossing(listed.legs, is_ours)
    leg, warnings = journey.leg, list(listed.warnings)
    if journey.assumed:
        detail = "No leg crosses the border between known places: the passengers are asked about as arriving."
        warnings.append(Warned("direction_assumed", detail))
    departs_at = departure_of(leg, dict(places))
    if departs_at is None:
        warnings.append(
            Warned("departure_unknown", "No time of departure can be read: it is watched for a day.")
        )
    today = legal_day(now)

    def passenger(numbered: tuple[int, Listed]) -> Passenger:
        number, each = numbered
        direction = direction_between(each.embarks.upper(), each.leaves.upper(), is_ours) or journey.direction
        return _listed(each, number, direction, today)

    return Wanted(
        flight=leg.flight[:35],
        direction=journey.direction,
        origin=leg.origin[:32],
        destination=leg.destination[:32],
        place=journey.place[:32] or "?",
        departs_at=departs_at,
        passengers=paced(passenger, enumerate(listed.passengers, 1)),
        warnings=warnings,
        envelope=listed.envelope,
        times=(leg.departs, leg.arrives),
    )


def _listed(listed: Listed, number: int, direction: Direction, today: date) -> Passenger:
    reference, locator = (listed.reference or str(number))[:70], listed.locator[:70]
    try:
        asked = tuple(understand(question, today) for question in _questions(listed, direction, today))
    except CekalError as error:
        return Passenger(reference, locator, (), error)
    return Passenger(reference, locator, asked)


def _questions(listed: Listed, direction: Direction, today: date) -> list[dict[str, Any]]:
    """A question for each document that names the passenger, or one without; each with all that is told of the person.

    Raises:
        Invalid: the birth date is none, or there are too many documents.
    """
    if len(listed.papers) > MOST_PAPERS:
        fault = Fault("/document", "too_many", f"A passenger has at most {MOST_PAPERS} documents.")
        raise Invalid("The passenger has too many documents.", faults=[fault])
    person = {
        "name": listed.name,
        "birth_date": _birth(listed.birth, today),
        "sex": _SEXES.get(listed.sex[:1].upper()),
        "nationality": _state(listed.nationality),
    }
    whole: dict[str, Any] = {"direction": direction}
    if known := {name: value for name, value in person.items() if value}:
        whole["person"] = known
    papers = [paper for paper in listed.papers if paper.number and not paxlst.is_visa(paper)]
    documents = [
        {
            "number": paper.number,
            "type": paxlst.kind_of(paper),
            **({"issuing_state": _state(paper.state)} if paper.state else {}),
        }
        for paper in dict.fromkeys(papers)
    ]
    return [{**whole, "document": document} for document in documents] or [whole]


def _state(code: str) -> str:
    """A state as it stands in the list; where a sender writes two letters Indonesia at least must be known."""
    return states.INDONESIA if code.upper() == "ID" else code


def _birth(digits: str, today: date) -> str | None:
    """A birth date as checks write it; 00 stands for a part that is not known.

    Raises:
        Invalid: it is none.
    """
    if not digits.strip("0"):
        return None
    fault = Fault("/person/birth_date", "birth", "The birth date can't be read.")
    if len(digits) == 6 and digits.isascii():  # noqa: PLR2004 - YYMMDD
        birth, wrong = read_birth(digits, today)
        if birth is not None and wrong is None:
            return birth.date
    elif len(digits) == 8 and digits.isascii() and digits.isdigit():  # noqa: PLR2004 - CCYYMMDD
        year, month, day = digits[:4], digits[4:6], digits[6:]
        written = year if month == "00" else f"{year}-{month}" if day == "00" else f"{year}-{month}-{day}"
        try:
            return Birth(date=written).date
        except BirthUnreadable:
            pass
    raise Invalid("The birth date can't be read.", faults=[fault])


def _too_many() -> BodyTooLarge:
    return BodyTooLarge(f"A manifest holds at most {MOST_PASSENGERS} passengers.")
