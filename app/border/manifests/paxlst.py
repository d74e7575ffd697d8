"""A reader of the passenger list of WCO, IATA and ICAO (PAXLST, directories D.02B to D.05B; no I/O).

Segments are interpreted by their tags and qualifiers, not by their positions: unknown segments are skipped, and parts
may be missing. Inconsistencies, such as a wrong count, cause warnings only. A list that is cut off is refused, because
passengers may be lost, and so is a list without passengers. The older list of the United States, with one segment PDT
for each passenger, is read as well.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from app.border.manifests.edifact import Segment, Unreadable, decode, segments
from app.border.manifests.journeys import Leg, Stop, digits_of, legs_of, set_time
from app.identity.lookalikes import plain

MAX_PASSENGERS: Final = 1000
MAX_PAPERS: Final = 8
"""A passenger with more documents is not checked, and gets a problem."""

_PERSONS: Final = frozenset({"FL", "FM", "DDT", "DDU", "VW"})
"""Qualifiers of travelling parties: passengers, crew, both in transit, the driver of a vehicle."""

_PARTS: Final = {
    ("ATT", "2"): ("sex", 2, 0),
    ("NAT", "2"): ("nationality", 1, 0),
    ("LOC", "178"): ("embarks", 1, 0),
    ("LOC", "179"): ("leaves", 1, 0),
    ("RFF", "ABO"): ("reference", 0, 1),
    ("RFF", "AVF"): ("locator", 0, 1),
}
"""Data of a passenger by tag and qualifier: the attribute, and the position of its value in the segment."""

_CODES: Final = frozenset({"sex", "nationality", "embarks", "leaves"})
_NAMED_TAGS: Final = 20
"""Greatest number of segment kinds in the error for a list without passengers."""

_TRAILERS: Final = frozenset({"UNT", "UNE", "UNZ"})
_PAPERS: Final = {
    "P": "passport",
    "PP": "passport",
    "I": "national_id",
    "A": "national_id",
    "C": "national_id",
}
_VISA: Final = "V"


class TooManyPassengers(Exception):
    """Raised if a list has more than `MAX_PASSENGERS` passengers."""


class ListWarning(msgspec.Struct, frozen=True):
    """A warning about an accepted list: an inconsistency, or a value that was not read literally.

    Attributes:
        pointer: JSON pointer to the place that the warning is about, in the equivalent JSON manifest; empty if it is
            about the whole list.
    """

    code: str
    detail: str
    pointer: str = ""


class Paper(msgspec.Struct, frozen=True):
    """A document of a passenger, as written in the list; kind and issuing state are codes in capitals."""

    kind: str
    number: str
    state: str


class PaxlstPassenger(msgspec.Struct):
    """A passenger in a PAXLST. Data are as written, but codes are in capitals A to Z; missing data are empty texts.

    Attributes:
        reference: the sender's own reference of the passenger (RFF ABO).
        locator: record locator of the reservation (RFF AVF).
        birth: digits of the birth date: YYMMDD or CCYYMMDD.
        embarks: code of the place where this passenger's journey begins.
        leaves: code of the place where this passenger's journey ends.
    """

    name: str
    reference: str = ""
    locator: str = ""
    sex: str = ""
    birth: str = ""
    nationality: str = ""
    embarks: str = ""
    leaves: str = ""
    papers: list[Paper] = msgspec.field(default_factory=list)


class Envelope(msgspec.Struct, frozen=True):
    """The data of a received interchange that the reply to it repeats.

    Attributes:
        syntax: syntax identifier and version.
        charset: character set of the interchange.
        sender, recipient: identification of each, with its qualifier.
        reference: the interchange's reference.
        application: the application reference, for example APIS.
        grouped: whether the messages are in a functional group.
        message_reference, access_reference: the references in the message's header.
        message: type, version, release, agency and association from the message's header.
        transaction: the sender's number of the message (RFF TN).
    """

    syntax: tuple[str, ...] = ("UNOA", "4")
    charset: str = "ascii"
    sender: tuple[str, ...] = ()
    recipient: tuple[str, ...] = ()
    reference: str = ""
    application: str = ""
    grouped: bool = False
    message_reference: str = ""
    access_reference: str = ""
    message: tuple[str, ...] = ()
    transaction: str = ""


class PassengerList(msgspec.Struct):
    """A parsed passenger list: the legs of the journey, the passengers, warnings, and the data that a reply repeats."""

    legs: list[Leg]
    passengers: list[PaxlstPassenger]
    warnings: list[ListWarning]
    envelope: Envelope


def read(data: bytes) -> PassengerList:
    """Parse an EDIFACT interchange with one passenger list (PAXLST), in one message or in parts.

    Raises:
        Unreadable: the data are no interchange, contain another message or several journeys, have no passenger, are too
            long or are cut off; the error names the segment.
        TooManyPassengers: the list has more than `MAX_PASSENGERS` passengers.
    """
    text = decode(data)
    reading = _Reading(text.charset)
    if text.contradicted:
        reading.warn("service_string", "The UNA segment names other separators than those that are used.")
    last = None
    for segment in segments(text):
        reading.take(segment)
        last = segment
    return reading.finished(last)


class _Reading:
    """The state of parsing a list, segment by segment."""

    def __init__(self, charset: str) -> None:
        self.charset = charset
        self.warnings: list[ListWarning] = []
        self.header: dict[str, Segment] = {}
        self.transaction = ""
        self.messages = 0
        self.begun = 0  # the number of the present message's header; 0 outside of one
        self.closed = False
        self.journeys: list[list[Leg]] = []
        self.stops: list[Stop] = []
        self.flight = ""
        self.passengers: list[PaxlstPassenger] = []
        self.before = 0  # passengers of earlier messages
        self.person: PaxlstPassenger | None = None
        self.paper = False  # whether the last segment group was a document of the person
        self.aside = False  # whether the current group is about a party that does not travel
        self.tags: Counter[str] = Counter()

    def warn(self, code: str, detail: str) -> None:
        """Add a warning, only the first of each code."""
        if all(each.code != code for each in self.warnings):
            self.warnings.append(ListWarning(code, detail))

    def take(self, segment: Segment) -> None:
        """Process the next segment."""
        if segment.tag == "UNH":
            self._open(segment)
        elif segment.tag in _TRAILERS:
            self._close(segment)
        elif segment.tag in {"UNB", "UNG"}:
            self.header[segment.tag] = segment
        elif not self.begun and self.messages and not segment.ended:
            return  # the beginning of a trailer: no passenger is lost
        elif not self.begun:
            raise Unreadable("no_message", "A segment is outside of a message.", segment.number, segment.tag)
        elif not segment.ended:
            raise _cut(segment)
        else:
            self._interpret(segment)

    def _open(self, segment: Segment) -> None:
        kind = segment.get(1)
        if kind != "PAXLST":
            raise Unreadable("not_paxlst", "The message is no PAXLST.", segment.number, "UNH")
        if self.begun:
            self.warn("no_trailer", f"Segment {segment.number} begins a message before the last has ended.")
            self._end_message()
        self.header.setdefault("UNH", segment)
        self.messages += 1
        self.begun = segment.number
        self.closed = False

    def _close(self, segment: Segment) -> None:
        if segment.tag == "UNT" and self.begun:
            counted = segment.number - self.begun + 1
            if _number(segment.get(0)) != counted:
                self.warn("segment_count", f"UNT does not count the {counted} segments of its message.")
        elif self.begun:
            self.warn("no_trailer", "A message has no UNT segment.")
        if segment.tag == "UNZ" and _number(segment.get(0)) not in {1, self.messages}:
            self.warn("message_count", f"UNZ does not count the {self.messages} messages of its interchange.")
        if self.begun:
            self._end_message()
        self.closed = True

    def _end_message(self) -> None:
        self.journeys.append(list(legs_of(self.flight, self.stops)))
        self.begun, self.stops, self.flight = 0, [], ""
        self.person, self.paper, self.aside = None, False, False
        self.before = len(self.passengers)

    def _interpret(self, segment: Segment) -> None:
        tag = segment.tag
        self.tags[tag] += 1
        if tag == "TDT":
            self.person, self.paper, self.aside = None, False, False
            self._journey(segment)
        elif tag == "NAD":
            self._party(segment)
        elif tag == "CNT":
            self._count(segment)
        elif tag == "PDT":
            self.person, self.paper, self.aside = None, False, True
            self._admit(passenger_of_pdt(segment))
        elif self.person is not None:
            self._about(self.person, segment)
        elif self.aside:
            return
        elif tag == "LOC":
            self.stops.append(Stop(self.flight, segment.get(0), _code(segment.get(1))))
        elif tag == "DTM" and self.stops:
            set_time(self.stops[-1], segment)
        elif tag == "RFF" and segment.get(0) == "TN":
            self.transaction = self.transaction or segment.get(0, 1)

    def _journey(self, segment: Segment) -> None:
        self.flight = _code(segment.get(1)) or _code(segment.get(4))

    def _party(self, segment: Segment) -> None:
        qualifier = segment.get(0).upper()
        self.person, self.paper, self.aside = None, False, True
        if qualifier not in _PERSONS:
            if self.flight:  # before the journey comes the reporting party
                self.warn("party_passed_over", "A party that is no traveller was passed over.")
            return
        name = next((each for each in segment.elements[3:4] + segment.elements[2:3] if any(each)), ())
        self.person = self._admit(PaxlstPassenger(name=_name(name[:4])))

    def _admit(self, person: PaxlstPassenger) -> PaxlstPassenger:
        if len(self.passengers) >= MAX_PASSENGERS:
            raise TooManyPassengers
        self.passengers.append(person)
        return person

    def _about(self, person: PaxlstPassenger, segment: Segment) -> None:
        tag, qualifier = segment.tag, segment.get(0)
        if tag == "DOC":
            self.paper = True
            self._paper(person, segment)
        elif tag == "LOC" and qualifier == "91":
            if self.paper and person.papers:
                person.papers[-1] = msgspec.structs.replace(person.papers[-1], state=_code(segment.get(1)))
        elif tag == "DTM" and qualifier == "329":
            person.birth = digits_of(segment)
        elif (part := _PARTS.get((tag, qualifier))) is not None:
            name, element, component = part
            value = segment.get(element, component)
            setattr(person, name, _code(value) if name in _CODES else value.strip())

    @staticmethod
    def _paper(person: PaxlstPassenger, segment: Segment) -> None:
        if len(person.papers) <= MAX_PAPERS:  # one more than allowed, so that the excess is detected
            person.papers.append(Paper(segment.get(0).upper(), segment.get(1).strip(), ""))

    def _count(self, segment: Segment) -> None:
        own = len(self.passengers) - self.before
        if segment.get(0) in {"41", "42"} and _number(segment.get(0, 1) or segment.get(1)) != own:
            self.warn("passenger_count", f"CNT does not count the {own} persons of its message.")

    def finished(self, last: Segment | None) -> PassengerList:
        """Return the list after the last segment.

        Raises:
            Unreadable: it is cut off, has no message or no passenger, or contains several journeys.
        """
        if self.begun and last is not None:
            raise _cut(last)
        if not self.messages:
            raise Unreadable("no_message", "There is no message.", last.number if last else 0)
        if any(journey != self.journeys[0] for journey in self.journeys[1:]):
            raise Unreadable("several_flights", "The messages are about several flights; send one at a time.")
        if not self.passengers:
            raise Unreadable("no_passengers", f"No passenger is found in it: {self._segments_seen()}.")
        if last is not None and last.tag != "UNZ" and "UNB" in self.header:
            self.warn("no_trailer", "The interchange has no UNZ segment.")
        return PassengerList(self.journeys[0], self.passengers, self.warnings, self._envelope())

    def _segments_seen(self) -> str:
        """Return the end of the error for a list without passengers, with the segments that it contains."""
        known = sorted(tag for tag in self.tags if len(tag) == 3 and tag.isascii() and tag.isalnum())  # noqa: PLR2004 - as ISO 9735 has it
        found = ", ".join(f"{tag} ({self.tags[tag]})" for tag in known[:_NAMED_TAGS])
        return f"a passenger is a NAD with FL, FM, DDT, DDU or VW, or a PDT; found: {found or 'no segment'}"

    def _envelope(self) -> Envelope:
        outer, message = self.header.get("UNB"), self.header["UNH"]
        usual = Envelope()
        return Envelope(
            syntax=outer.elements[0] if outer and outer.get(0) else usual.syntax,
            charset=self.charset,
            sender=outer.elements[1] if outer and len(outer.elements) > 1 else (),
            recipient=outer.elements[2] if outer and len(outer.elements) > 2 else (),  # noqa: PLR2004 - the third element
            reference=outer.get(4) if outer else "",
            application=outer.get(6) if outer else "",
            grouped="UNG" in self.header,
            message_reference=message.get(0),
            access_reference=message.get(2),
            message=message.elements[1],
            transaction=self.transaction,
        )


def passenger_of_pdt(segment: Segment) -> PaxlstPassenger:
    """Return the passenger in a segment PDT, which the older list of the United States has.

    An example is `PDT+P/123:301231:NZL+SURNAME:GIVEN:MIDDLE:700517:M+PAX+AKL:DPS`: the document with its last day and
    state; names, birth date (YYMMDD) and sex; the role on board; the places of departure and arrival.
    """
    parts = segment.elements[1] if len(segment.elements) > 1 else ()
    begin = next((at for at, part in enumerate(parts) if len(part) == 6 and part.isdigit()), len(parts))  # noqa: PLR2004 - YYMMDD
    kind, slash, number = segment.get(0).strip().partition("/")
    paper = Paper(_code(kind) if slash else "", (number if slash else kind).strip(), _code(segment.get(0, 2)))
    return PaxlstPassenger(
        name=_name(parts[: min(begin, 3)]),
        birth=segment.get(1, begin),
        sex=_code(segment.get(1, begin + 1)),
        embarks=_code(segment.get(3)),
        leaves=_code(segment.get(3, 1)),
        papers=[paper] if paper.number else [],
    )


def _name(parts: Sequence[str]) -> str:
    """Return the given names followed by the surname, which comes first in a list."""
    surname, *given = [part.strip() for part in parts] or [""]
    return " ".join(part for part in (*given, surname) if part)


def _cut(segment: Segment) -> Unreadable:
    return Unreadable("cut", "The message breaks off: it has no end.", segment.number, segment.tag)


def _code(text: str) -> str:
    """Return a code of a place, state or flight in capitals A to Z, with similar letters of other scripts replaced."""
    return plain(text).text.strip().upper()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004 - enough for any count


def kind_of(paper: Paper) -> str:
    """Return the register's type of a document, such as `passport`; `other` if its kind is unknown."""
    return _PAPERS.get(paper.kind, "other")


def is_visa(paper: Paper) -> bool:
    """Return whether a document is a visa; the number of a visa does not identify a person."""
    return paper.kind == _VISA
